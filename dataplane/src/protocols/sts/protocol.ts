/** STS, as far as AWS SDKs need it to turn a web identity token into a session: `POST /` with a form, or `/?Action=…`. */
import type { Authenticator } from '../../authn/authenticate.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call, Operation, Protocol, Recognised, Reply, RequestHead } from '../contract.ts';
import { FORM_TYPE } from '../formPairs.ts';
import { decodeText, mediaType, readWhole } from '../wholeBody.ts';
import { assumeRoleWithWebIdentity } from './assumeRole.ts';
import { getCallerIdentity } from './callerIdentity.ts';
import { renderStsError, stsError } from './errors.ts';
import { MAX_FORM_BYTES, parametersOf, parseForm } from './form.ts';
import type { Parameters } from './form.ts';

export interface StsDeps {
  readonly authenticator: Pick<Authenticator, 'assumeRole' | 'authenticate'>;
}

/** A request with everything that came with it. */
export interface StsRequest {
  readonly call: Call<StsParams>;
  readonly parameters: Parameters;
  /** The whole body. */
  readonly body: Uint8Array;
}

type StsParams = Readonly<Record<never, never>>;
type Handler = (request: StsRequest, deps: StsDeps) => Promise<Reply>;

const ACTIONS: Readonly<Record<string, Handler>> = {
  AssumeRoleWithWebIdentity: assumeRoleWithWebIdentity,
  GetCallerIdentity: getCallerIdentity,
};

/** Credentials are a parameter, or sign a body that must be read first: every operation authenticates for itself. */
export function createStsProtocol(deps: StsDeps): Protocol {
  const operation = (name: string): Operation<StsParams> => ({
    name: `sts.${name}`,
    authenticates: 'handler',
    demands: () => [],
    handle: (call) => perform(call, deps),
  });
  return { name: 'sts', recognise: (head) => recognise(head, operation), renderError: renderStsError };
}

/** True for what is meant for STS rather than S3, which has neither a form of this type at `/` nor the parameter `Action`. */
export function accepts(head: Pick<RequestHead, 'method' | 'rawPath' | 'query' | 'headers'>): boolean {
  if (head.rawPath !== '/') return false;
  if (head.method === 'POST' && mediaType(head.headers['content-type']) === FORM_TYPE) return true;
  return (head.method === 'POST' || head.method === 'GET') && actionOf(head) !== undefined;
}

function actionOf({ query }: Pick<RequestHead, 'query'>): string | undefined {
  return query.find(([name]) => name === 'Action')?.[1];
}

/** An action that stands in the body is not known yet: such a request is `sts.Form`. */
function recognise(head: RequestHead, operation: (name: string) => Operation<StsParams>): Recognised<StsParams> {
  if (head.rawPath !== '/') throw new ArtefactError('RouteUnknown', 'STS is at /.');
  if (head.method !== 'POST' && head.method !== 'GET') throw new ArtefactError('MethodNotAllowed', 'STS takes GET and POST.');
  const action = actionOf(head);
  if (action !== undefined) handlerOf(action);
  return { operation: operation(action ?? 'Form'), params: {} };
}

async function perform(call: Call<StsParams>, deps: StsDeps): Promise<Reply> {
  const body = await readWhole(call.payload, MAX_FORM_BYTES);
  const parameters = parametersOf([...call.head.query, ...formIn(call.head, body)]);
  const action = parameters.get('Action');
  if (action === undefined) throw stsError('InvalidArgument', 'MissingAction', 'The request must contain the parameter Action.');
  return handlerOf(action)({ call, parameters, body }, deps);
}

function formIn(head: RequestHead, body: Uint8Array): Parameters | readonly [] {
  if (body.length === 0) return [];
  if (mediaType(head.headers['content-type']) === FORM_TYPE) return parseForm(decodeText(body));
  throw new ArtefactError('MalformedForm', `Send the parameters as ${FORM_TYPE}.`);
}

function handlerOf(action: string): Handler {
  const handler = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (handler) return handler;
  throw stsError('NotImplemented', 'InvalidAction', `Of STS only ${Object.keys(ACTIONS).join(' and ')} are built.`);
}
