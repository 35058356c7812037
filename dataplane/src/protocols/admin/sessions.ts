/** `POST /auth/sessions`: credentials in, a short-lived access key out. The JSON twin of STS AssumeRoleWithWebIdentity. */
import type { Authenticator } from '../../authn/authenticate.ts';
import { parseBasic } from '../../authn/basic.ts';
import { findMechanism } from '../../authn/mechanism.ts';
import { SESSION_SECONDS } from '../../authn/session.ts';
import type { SessionCredentials } from '../../authn/session.ts';
import { ArtefactError } from '../../errors.ts';
import type { Call, Reply } from '../contract.ts';
import { ANY_AUTHENTICATED } from './demands.ts';
import { endpointFor } from './endpoint.ts';
import type { EndpointDeps } from './endpoint.ts';
import { oneOf, optional, text, wholeNumber, withDefault } from './fields.ts';
import { json, readJson } from './json.ts';
import { row } from './row.ts';
import type { Row } from './row.ts';

export interface SessionDeps extends EndpointDeps {
  readonly authenticator: Pick<Authenticator, 'startSession'>;
}

type Format = 'session' | 'credential_process';

interface SessionParams {
  readonly format: Format;
}

const durationSeconds = optional(wholeNumber(SESSION_SECONDS.min, SESSION_SECONDS.max));

/** The row for credentials in the head, and the one for a token in the body. */
export function sessionRows(deps: SessionDeps): readonly Row[] {
  const common = {
    method: 'POST',
    path: '/auth/sessions',
    fields: { format: withDefault<Format>('session', oneOf('session', 'credential_process')) },
  } as const;
  return [
    row<SessionParams>({
      ...common,
      name: 'admin.CreateSession',
      when: (head) => head.headers.authorization !== undefined,
      demands: () => [ANY_AUTHENTICATED],
      async handle(call) {
        const body = await readJson(call, { durationSeconds });
        const { session } = await deps.authenticator.startSession(tokenOf(call), body.durationSeconds);
        return sessionReply(call, session, deps);
      },
    }),
    row<SessionParams>({
      ...common,
      name: 'admin.ExchangeToken',
      authenticates: 'handler',
      demands: () => [],
      async handle(call) {
        const body = await readJson(call, { durationSeconds, token: optional(text({ max: 20_000 })) });
        if (body.token === undefined) throw credentialsMissing();
        const { principal, session } = await deps.authenticator.startSession(body.token, body.durationSeconds);
        call.become(principal);
        call.authorise(ANY_AUTHENTICATED);
        return sessionReply(call, session, deps);
      },
    }),
  ];
}

/** The token in a head that was authenticated: as such, or as the password of Basic. */
function tokenOf({ head, principal }: Call<SessionParams>): string {
  const mechanism = findMechanism(head);
  if (mechanism.kind === 'anonymous') throw credentialsMissing();
  if (mechanism.kind === 'bearer') return mechanism.token;
  if (principal.kind === 'oidc' && mechanism.kind === 'basic') return parseBasic(mechanism.credentials).password;
  throw new ArtefactError(
    'AccessDenied',
    'Sessions are made from tokens; an access key, and a session that signs, need none: they sign for themselves.',
  );
}

function sessionReply(call: Call<SessionParams>, { expiration: end, ...session }: SessionCredentials, deps: SessionDeps): Reply {
  const expiration = new Date(end).toISOString();
  if (call.params.format === 'session') return json(201, { ...session, expiration, endpoint: endpointFor(call.head, deps) });
  const { accessKeyId, secretAccessKey, sessionToken } = session;
  // https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
  return json(201, {
    Version: 1,
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiration,
  });
}

function credentialsMissing(): ArtefactError {
  return new ArtefactError('CredentialsMissing', "Send credentials in the Authorization header, or a token as the body's field 'token'.");
}
