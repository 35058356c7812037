/** The wire form of every error that STS answers. */
import { ArtefactError } from '../../errors.ts';
import type { ErrorCode } from '../../errors.ts';
import type { ErrorContext, Reply } from '../contract.ts';
import { STS_CODES, STS_ERRORS } from './errorCodes.ts';
import type { StsCode } from './errorCodes.ts';
import { stsReply } from './xml.ts';

/** An error that STS knows by a finer code than ours. */
export function stsError(code: ErrorCode, stsCode: StsCode, message: string): ArtefactError {
  return new ArtefactError(code, message, { details: { stsCode } });
}

/** `<ErrorResponse>` with type (whose fault it is), code and message. Never shows a cause. */
export function renderStsError(error: ArtefactError, { head }: ErrorContext): Reply {
  const { status, code } = stsErrorOf(error);
  if (status === 304) return { status };
  const type = status >= 500 ? 'Receiver' : 'Sender';
  const document = { Error: { Type: type, Code: code, Message: error.message }, RequestId: head.id };
  const reply = stsReply(status, 'ErrorResponse', document, head.id);
  return status === 405 ? { ...reply, headers: { ...reply.headers, allow: 'GET, POST' } } : reply;
}

function stsErrorOf(error: ArtefactError): { readonly status: number; readonly code: string } {
  const finer = error.details.stsCode;
  if (typeof finer === 'string' && Object.hasOwn(STS_CODES, finer)) return { status: STS_CODES[finer as StsCode], code: finer };
  return STS_ERRORS[error.code];
}
