/** The token endpoint of the registry: credentials in, a short-lived token out that is good for what was asked and may be done. */
import type { Authenticator } from '../../../authn/authenticate.ts';
import { findMechanism } from '../../../authn/mechanism.ts';
import { ANONYMOUS, type Principal } from '../../../authn/principal.ts';
import type { AccessKeyLookup } from '../../../authn/signer.ts';
import { ArtefactError } from '../../../errors.ts';
import { accessKeysIn } from '../../accessKeys.ts';
import type { Call, ErrorContext, Operation, Protocol, Recognised, Reply, RequestHead } from '../../contract.ts';
import { FORM_TYPE, formPairs } from '../../formPairs.ts';
import { decodeText, mediaType, readWhole } from '../../wholeBody.ts';
import { renderOciError } from '../errors.ts';
import { tokenReply } from './reply.ts';
import { readForm, readQuery, type TokenRequest } from './request.ts';

export interface TokenDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'logIn' | 'registryTokens'>;
}

type NoParams = Readonly<Record<never, never>>;

/** Where it is. No bucket can be named `auth`. */
const PATH = '/auth/token';
const MAX_FORM_BYTES = 64 * 1024;
const MAX_PAIRS = 128;

/** GET with credentials in the head, and POST with them in a form. Each authenticates for itself. */
export function createTokenProtocol(deps: TokenDeps): Protocol {
  const get = operation('oci.GetToken', async (call) => answer(call, readQuery(call.head.query), deps));
  const post = operation('oci.PostToken', async (call) => answer(call, readForm(await formIn(call)), deps));
  return { name: 'oci', recognise: (head) => recognise(head, { get, post }), renderError };
}

function operation(name: string, handle: Operation<NoParams>['handle']): Operation<NoParams> {
  return { name, authenticates: 'handler', demands: () => [], handle };
}

function recognise(
  { rawPath, method }: RequestHead,
  { get, post }: { readonly get: Operation<NoParams>; readonly post: Operation<NoParams> },
): Recognised<NoParams> {
  if (rawPath !== PATH) throw new ArtefactError('RouteUnknown', `The token endpoint is at ${PATH}.`);
  if (method === 'GET') return { operation: get, params: {} };
  if (method === 'POST') return { operation: post, params: {} };
  throw new ArtefactError('MethodNotAllowed', 'The token endpoint takes GET and POST.', { details: { allow: 'GET, POST' } });
}

async function formIn({ head, payload }: Call<NoParams>): Promise<ReturnType<typeof formPairs>> {
  if (mediaType(head.headers['content-type']) !== FORM_TYPE)
    throw new ArtefactError('MalformedForm', `Send the parameters as ${FORM_TYPE}.`);
  return formPairs(decodeText(await readWhole(payload, MAX_FORM_BYTES)), MAX_PAIRS);
}

async function answer(call: Call<NoParams>, request: TokenRequest, deps: TokenDeps): Promise<Reply> {
  const lookup = accessKeysIn(call.snapshot);
  const principal = await applicant(call.head, request, lookup, deps.authenticator);
  call.become(principal);
  return tokenReply(call, request, { tokens: deps.authenticator.registryTokens, lookup });
}

/** Who asks. Throws as the authenticator does, and `TokenInvalid` for an access token of the registry: none is made of another. */
async function applicant(
  head: RequestHead,
  { grant }: TokenRequest,
  lookup: AccessKeyLookup,
  authenticator: TokenDeps['authenticator'],
): Promise<Principal> {
  const principal = await (() => {
    if (grant.kind === 'head') return inHead(head, lookup, authenticator);
    requireOneOnly(head);
    if (grant.kind === 'refresh') return authenticator.registryTokens.openRefresh(grant.token, lookup);
    return authenticator.logIn(grant, lookup);
  })();
  if (principal.limits === undefined) return principal;
  throw new ArtefactError('TokenInvalid', 'A token of the registry buys no other: come with the credentials it was made from.');
}

/** A URL that somebody presigned is not to be traded for a token of theirs. */
async function inHead(head: RequestHead, lookup: AccessKeyLookup, authenticator: TokenDeps['authenticator']): Promise<Principal> {
  const { kind } = findMechanism(head);
  if (kind === 'anonymous') return ANONYMOUS;
  if (kind === 'basic' || kind === 'bearer') return (await authenticator.authenticate(head, lookup)).principal;
  throw new ArtefactError('CredentialsMalformed', 'The token endpoint takes Basic and Bearer credentials.');
}

function requireOneOnly(head: RequestHead): void {
  if (findMechanism(head).kind === 'anonymous') return;
  throw new ArtefactError('InvalidRequest', 'Credentials are in the form or in the head of a request, not in both.');
}

/** Here it is credentials that are asked for, not a token. */
function renderError(error: ArtefactError, context: ErrorContext): Reply {
  const reply = renderOciError(error, context);
  if (reply.status !== 401) return reply;
  const others = Object.entries(reply.headers ?? {}).filter(([name]) => name.toLowerCase() !== 'www-authenticate');
  return { ...reply, headers: { ...Object.fromEntries(others), 'www-authenticate': 'Basic realm="bonded"' } };
}
