/** The parameters of an STS request: an HTML form in the body, or the query of the URL. */
import { ArtefactError } from '../../errors.ts';
import { formPairs } from '../formPairs.ts';

/** The largest form, in bytes: a web identity token may have 20,000 characters, each up to three bytes when encoded. */
export const MAX_FORM_BYTES = 128 * 1024;

const MAX_PARAMETERS = 64;
const MAX_NAME = 128;

/** Parameters by name; each was given once. */
export type Parameters = ReadonlyMap<string, string>;

/**
 * Parses `application/x-www-form-urlencoded` text. Throws `MalformedForm` for broken percent-encoding, text that is not
 * UTF-8, or more than 64 parameters, and `InvalidArgument` for one that is given twice.
 */
export function parseForm(body: string): Parameters {
  return parametersOf(formPairs(body, MAX_PARAMETERS));
}

/** The same checks over pairs that are decoded already, and over two sources of them (body and query). */
export function parametersOf(pairs: readonly (readonly [name: string, value: string])[]): Parameters {
  if (pairs.length > MAX_PARAMETERS) throw new ArtefactError('MalformedForm', `At most ${MAX_PARAMETERS} parameters are taken.`);
  const parameters = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (name === '' || name.length > MAX_NAME)
      throw new ArtefactError('MalformedForm', `A parameter name has 1 to ${MAX_NAME} characters.`);
    if (parameters.has(name)) throw new ArtefactError('InvalidArgument', `The parameter ${name} is given twice.`);
    parameters.set(name, value);
  }
  return parameters;
}
