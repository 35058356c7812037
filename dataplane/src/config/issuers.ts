/** The file of OIDC issuers that the installation trusts: no tenant can make it call any other address. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { judgeOf, readYaml, type LocatedDocument, type StructuralSchema } from '@bonded/crds';
import { ArtefactError } from '../errors.ts';
import { reasonOf } from './manifestFile.ts';
import { showProblem, type ManifestProblem } from './manifestProblem.ts';

/** What the installation says of one issuer. */
export interface TrustedIssuer {
  /** The `iss` of its tokens, character by character; also where its discovery document is found. */
  readonly issuer: string;
  /** At least one; a token must be for one of them. */
  readonly audiences: readonly string[];
  /** Signature algorithms, asymmetric ones only; default all that are known. */
  readonly algorithms?: readonly string[];
  /** Where its keys are; default: where its discovery document says. */
  readonly jwksUri?: string;
  /** Absolute path of PEM certificates that its servers must be certified by; default the platform's. */
  readonly caFile?: string;
  /** How far its clock may differ, in seconds; default 30. */
  readonly clockSkewSeconds?: number;
  /** True for a Kubernetes cluster: its subjects are service accounts. */
  readonly kubernetes?: boolean;
}

const MAX_BYTES = 1024 * 1024;

const SCHEMA: StructuralSchema = {
  type: 'array',
  maxItems: 100,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['issuer'],
  items: {
    type: 'object',
    required: ['issuer', 'audiences'],
    properties: {
      issuer: { type: 'string', minLength: 1, maxLength: 1024 },
      audiences: { type: 'array', minItems: 1, maxItems: 100, 'x-kubernetes-list-type': 'set', items: { type: 'string', minLength: 1 } },
      algorithms: {
        type: 'array',
        minItems: 1,
        'x-kubernetes-list-type': 'set',
        items: {
          type: 'string',
          enum: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
        },
      },
      jwksUri: { type: 'string', minLength: 1, maxLength: 2048 },
      caFile: { type: 'string', minLength: 1 },
      clockSkewSeconds: { type: 'integer', minimum: 0, maximum: 300 },
      kubernetes: { type: 'boolean' },
    },
  },
};

const judge = judgeOf(SCHEMA);

/** Reads the file: a YAML or JSON list. Throws `InvalidArgument` with `file:line: reason` for everything that is wrong with it. */
export async function readIssuers(file: string): Promise<readonly TrustedIssuer[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw refuse([{ file, reason: `it cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown error'})` }]);
  }
  if (text.length > MAX_BYTES) throw refuse([{ file, reason: `it has more than ${MAX_BYTES} characters` }]);
  const { documents, reasons } = readYaml(text);
  if (reasons.length > 0) throw refuse(reasons.map((reason) => ({ file, ...reason })));
  const [document, ...rest] = documents;
  if (!document) return [];
  if (rest.length > 0) throw refuse([{ file, line: rest[0]?.line, reason: 'there must be one list only' }]);
  return readList(file, document);
}

function readList(file: string, document: LocatedDocument): readonly TrustedIssuer[] {
  const { value, problems } = judge(document.value);
  if (problems.length > 0) {
    throw refuse(problems.map(({ path, message }) => ({ file, line: document.lineOf(path), reason: reasonOf(path, message) })));
  }
  const issuers = value as readonly TrustedIssuer[];
  const wrong = issuers.flatMap((issuer, index) => wrongAddresses(issuer, { file, document, index }));
  if (wrong.length > 0) throw refuse(wrong);
  return issuers.map((issuer) => (issuer.caFile === undefined ? issuer : { ...issuer, caFile: resolve(dirname(file), issuer.caFile) }));
}

function wrongAddresses(
  { issuer, jwksUri }: TrustedIssuer,
  { file, document, index }: { readonly file: string; readonly document: LocatedDocument; readonly index: number },
): readonly ManifestProblem[] {
  const addresses = { issuer, ...(jwksUri !== undefined && { jwksUri }) };
  return Object.entries(addresses).flatMap(([field, address]) => {
    const reason = wrongAddress(address);
    return reason === undefined ? [] : [{ file, line: document.lineOf([index, field]), reason: `[${index}].${field}: ${reason}` }];
  });
}

/** Keys that came over a plain connection could be anybody's; only this machine itself may be asked so. */
function wrongAddress(address: string): string | undefined {
  if (!URL.canParse(address)) return 'must be a URL';
  const { protocol, hostname, username, password, hash } = new URL(address);
  if (username !== '' || password !== '' || hash !== '') return 'must have no user, password or fragment';
  if (protocol === 'https:') return undefined;
  const loopback = hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
  return protocol === 'http:' && loopback ? undefined : 'must begin with https:// (http:// only for this machine itself)';
}

function refuse(problems: readonly ManifestProblem[]): ArtefactError {
  return new ArtefactError('InvalidArgument', `The trusted issuers cannot be used: ${problems.map(showProblem).join('; ')}.`);
}
