/** Which rule of a bucket speaks for a request of another origin's page: the first that fits, as in S3. */
import type { CorsRule } from '@bonded/crds';

export interface CrossOrigin {
  readonly origin: string;
  readonly method: string;
  /** Headers that a preflight asks for; none for the request itself. */
  readonly headers: readonly string[];
}

/** The first rule that allows origin, method and every header. */
export function ruleFor(rules: readonly CorsRule[], { origin, method, headers }: CrossOrigin): CorsRule | undefined {
  return rules.find(
    ({ allowedOrigins, allowedMethods, allowedHeaders = [] }) =>
      allowedMethods.includes(method) &&
      allowedOrigins.some((pattern) => matchesPattern(origin, pattern)) &&
      headers.every((header) => allowedHeaders.some((pattern) => matchesPattern(header.toLowerCase(), pattern.toLowerCase()))),
  );
}

/** What both kinds of answer say of the origin. `*` is said only where the rule says `*`, and then without credentials. */
export function originHeaders(rule: CorsRule, origin: string): Record<string, string> {
  const headers: Record<string, string> = { 'access-control-allow-methods': rule.allowedMethods.join(', ') };
  if (rule.exposeHeaders && rule.exposeHeaders.length > 0) headers['access-control-expose-headers'] = rule.exposeHeaders.join(', ');
  if (rule.allowedOrigins.includes('*')) return { 'access-control-allow-origin': '*', ...headers };
  return { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true', ...headers };
}

/** What an answer depends on, for caches. */
export const CORS_VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method';

/** At most one `*`, which stands for any characters. */
function matchesPattern(text: string, pattern: string): boolean {
  const star = pattern.indexOf('*');
  if (star < 0) return text === pattern;
  const [before, after] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}
