/** `GET /api/v1/whoami`: who the credentials speak for. */
import type { Access } from './access.ts';
import { json } from './json.ts';
import { row } from './row.ts';
import type { Row } from './row.ts';

export interface WhoamiDeps {
  readonly access: Pick<Access, 'bindingsOf'>;
}

/** The one operation that asks for nothing: its answer holds only what the caller's own credentials say. */
export function whoami({ access }: WhoamiDeps): Row {
  return row<Readonly<Record<never, never>>>({
    name: 'admin.Whoami',
    method: 'GET',
    path: '/api/v1/whoami',
    fields: {},
    demands: () => [],
    async handle({ principal, snapshot }) {
      const { id, kind, accessKey, oidc, serviceAccount, sessionExpires } = principal;
      return json(200, {
        ...{ id, kind, accessKeyId: accessKey?.accessKeyId, issuer: oidc?.issuer, serviceAccount },
        claims: oidc && shortened(oidc.claims, MAX_DEPTH),
        sessionExpires: sessionExpires === undefined ? undefined : new Date(sessionExpires).toISOString(),
        bindings: access
          .bindingsOf(principal, snapshot)
          .map(({ namespace, name, role, resources }) => ({ namespace, name, role, resources })),
      });
    },
  });
}

/** Claims by which a token could be found again or bound to a session: of no use to a reader. */
const LEFT_OUT = new Set(['jti', 'nonce', 'at_hash', 'c_hash', 's_hash', 'sid', 'session_state', 'cnf', 'auth_time']);
const MAX_DEPTH = 4;
const MAX_MEMBERS = 100;
const MAX_TEXT = 512;

/** A copy of bounded size. */
function shortened(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((element) => shortened(element, depth - 1));
  const members = Object.entries(value).filter(([name]) => !LEFT_OUT.has(name));
  return Object.fromEntries(members.slice(0, MAX_MEMBERS).map(([name, member]) => [name, shortened(member, depth - 1)]));
}
