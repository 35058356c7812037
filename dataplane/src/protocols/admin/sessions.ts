/** `POST /auth/sessions`: credentials in, a short-lived access key out. The JSON twin of STS AssumeRoleWithWebIdentity. */
import type { Bearer } from '../../authn/bearer.ts';
import type { Principal } from '../../authn/principal.ts';
import { SESSION_SECONDS, sessionEnd } from '../../authn/session.ts';
import type { Sessions } from '../../authn/session.ts';
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
  readonly bearer: Bearer;
  readonly sessions: Sessions;
  /** Ms since the epoch. */
  readonly clock: () => number;
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
        return sessionReply(call, call.principal, body.durationSeconds, deps);
      },
    }),
    row<SessionParams>({
      ...common,
      name: 'admin.ExchangeToken',
      authenticates: 'handler',
      demands: () => [],
      async handle(call) {
        const body = await readJson(call, { durationSeconds, token: optional(text({ min: 4, max: 20_000 })) });
        if (body.token === undefined) throw credentialsMissing();
        const principal = await deps.bearer.verify(body.token);
        call.become(principal);
        call.authorise(ANY_AUTHENTICATED);
        return sessionReply(call, principal, body.durationSeconds, deps);
      },
    }),
  ];
}

function sessionReply(call: Call<SessionParams>, principal: Principal, duration: number | undefined, deps: SessionDeps): Reply {
  // whatever a binding gives to anonymous callers, there is nobody here to make a key for
  if (principal.kind === 'anonymous') throw credentialsMissing();
  const { expiration: end, ...session } = deps.sessions.issue(principal, sessionEnd(deps.clock(), duration));
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
