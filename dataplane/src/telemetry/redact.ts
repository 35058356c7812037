/** Keeps secrets out of whatever is written down: by the name a value stands under, and by its shape inside free text. */

/** What stands in place of a secret. */
export const MASK = '[redacted]';

/** The longest target or text that is written down, in characters. */
const MAX_TEXT = 2048;
const MAX_DEPTH = 6;
const MAX_MEMBERS = 100;

/** Text shorter than this holds no secret together with the word that tells it is one. */
const SHORTEST_SECRET = 8;

/** Names whose values are secrets, wherever they occur: headers, query parameters, fields. Compared without case and punctuation. */
const SECRET_NAME =
  /authorization|cookie|signature|secret|token|passw|passphrase|assertion|privatekey|apikey|credentials$|^sig$|^jwt$|^codeverifier$/;

/** Names that look like one of those and hold no secret: cursors of listings, and what describes a secret without being it. */
const HARMLESS_NAME = /^(continuationtoken|nextcontinuationtoken|secretname|signaturedate|signatureversion|tokenissuer|xamzsignedheaders)$/;

/** Secrets by shape, for free text such as messages and stacks of foreign errors. */
const SECRET_SHAPES: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic|Negotiate)\s+[A-Za-z0-9+/=_.~-]+/gi, `$1 ${MASK}`],
  [/\bSignature=[0-9A-Za-z%+/=]+/gi, `Signature=${MASK}`],
  [/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*/g, MASK],
  [/\bbnd[a-z]1\.[0-9a-f]{8}\.[\w-]+/g, MASK],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
];

/** True when a value under this name must never be written down. */
export function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return SECRET_NAME.test(plain) && !HARMLESS_NAME.test(plain);
}

/** A request target fit for a log line: values of secret query parameters are masked, and it is cut at 2,048 characters. */
export function safeTarget(target: string): string {
  const mark = target.indexOf('?');
  if (mark < 0) return clip(target);
  const query = target
    .slice(mark + 1)
    .split('&')
    .map(safeParameter)
    .join('&');
  return clip(`${target.slice(0, mark)}?${query}`);
}

function safeParameter(parameter: string): string {
  const equals = parameter.indexOf('=');
  if (equals < 0) return parameter;
  const name = parameter.slice(0, equals);
  return isSecretParameter(decoded(name)) ? `${name}=${MASK}` : parameter;
}

/** Queries know some more than fields do: `code` is OAuth's there, and an error's elsewhere. */
function isSecretParameter(name: string): boolean {
  return name.toLowerCase() === 'code' || isSecretName(name);
}

/** A name that cannot be decoded is judged as a secret's. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return 'secret';
  }
}

/** `name=value` as in queries, forms and headers that stand inside a text. */
const PAIR = /([A-Za-z0-9_.%-]{1,128})=([^&\s"'<>;,]+)/g;

/** Free text with everything masked that has the shape of a secret. */
export function safeText(text: string): string {
  let safe = clip(text, 4 * MAX_TEXT);
  if (safe.length < SHORTEST_SECRET) return safe;
  for (const [shape, replacement] of SECRET_SHAPES) safe = safe.replace(shape, replacement);
  if (!safe.includes('=')) return safe;
  return safe.replace(PAIR, (all, name: string) => (isSecretParameter(decoded(name)) ? `${name}=${MASK}` : all));
}

/** A copy of `value` fit for a log line: secrets masked by name and shape, at most six levels deep, bytes by their length. */
export function safeValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return safeText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return value;
  return depth < MAX_DEPTH ? safeObject(value, depth) : '[deep]';
}

function safeObject(value: object, depth: number): unknown {
  if (value instanceof Error) return safeError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Date) return value;
  if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((each) => safeValue(each, depth + 1));
  return safeFields(value, depth);
}

function safeFields(value: object, depth: number): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value).slice(0, MAX_MEMBERS))
    safe[name] = isSecretName(name) ? MASK : safeValue(field, depth + 1);
  return safe;
}

function safeError(error: Error, depth: number): Record<string, unknown> {
  return {
    type: error.name,
    message: safeText(error.message),
    stack: safeText(error.stack ?? ''),
    ...safeFields(error, depth),
    ...(error.cause === undefined ? {} : { cause: safeValue(error.cause, depth + 1) }),
  };
}

function clip(text: string, limit: number = MAX_TEXT): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}…`;
}
