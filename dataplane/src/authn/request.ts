/** What authentication reads of a request. */

/**
 * The part of a request's head that credentials are found in and that signatures cover. The head that the edge makes of
 * a request satisfies it. Strings hold the bytes of the wire, one character a byte (as Node's HTTP parser gives them).
 */
export interface CredentialedRequest {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly target: string;
  /** The part of `target` before `?`, still percent-encoded. */
  readonly rawPath: string;
  /** Query parameters in order, decoded once. */
  readonly query: readonly (readonly [name: string, value: string])[];
  /** Lower-cased names; repeated ones are joined. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Every header as sent, in order, with the name lower-cased. */
  readonly rawHeaders: readonly (readonly [name: string, value: string])[];
}

/** What follows the first `?` of the target, as sent; '' when there is none. */
export function rawQuery(request: CredentialedRequest): string {
  return request.target.slice(request.rawPath.length + 1);
}

/** Every value of a header, in order. */
export function headerValues(request: CredentialedRequest, name: string): readonly string[] {
  return request.rawHeaders.filter(([candidate]) => candidate === name).map(([, value]) => value);
}
