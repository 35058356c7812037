/** The pairs of an HTML form in a body (`application/x-www-form-urlencoded`). */
import { ArtefactError } from '../errors.ts';

/** The media type of such a body. */
export const FORM_TYPE = 'application/x-www-form-urlencoded';

/**
 * Splits and decodes them, in order; `+` is a space, and empty pieces count for nothing. Throws `MalformedForm` for more
 * than `max` pairs, broken percent-encoding, and text that is not UTF-8.
 */
export function formPairs(body: string, max: number): readonly (readonly [name: string, value: string])[] {
  const pieces = body.split('&').filter((piece) => piece !== '');
  if (pieces.length > max) throw new ArtefactError('MalformedForm', `At most ${max} parameters are taken.`);
  return pieces.map(decodePair);
}

function decodePair(piece: string): readonly [string, string] {
  const equals = piece.indexOf('=');
  return equals === -1 ? [decode(piece), ''] : [decode(piece.slice(0, equals)), decode(piece.slice(equals + 1))];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (cause) {
    throw new ArtefactError('MalformedForm', 'The form has a broken percent-encoding.', { cause });
  }
}
