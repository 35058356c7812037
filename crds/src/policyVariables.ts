/** Policy variables: `${aws:username}` in resources and texts of a document of version 2012-10-17. */
import { conditionKey } from './conditionKeys.ts';
import type { WildcardPiece } from './pattern.ts';

/** A place for the value that a condition key has in the request, with what stands in when it has none. */
export interface Variable {
  /** Lower-cased condition key. */
  readonly variable: string;
  readonly fallback?: string;
}

/** A text of a policy: pieces with wildcards, pieces that stand for themselves, and variables. */
export type Template = readonly (WildcardPiece | Variable)[];

/** What cannot be a template. */
export interface TemplateProblem {
  readonly problem: string;
}

const PLACE = /\$\{([^{}]*)\}/g;
const SPECIAL: readonly string[] = ['*', '?', '$'];

/** Takes a text apart. In documents of version 2008-10-17 there are no variables: give `variables: false`. */
export function readTemplate(text: string, variables: boolean): Template | TemplateProblem {
  if (!variables || !text.includes('${')) return [text];
  const pieces: (WildcardPiece | Variable)[] = [];
  let end = 0;
  for (const place of text.matchAll(PLACE)) {
    const piece = readPlace(place[1] ?? '');
    if ('problem' in piece) return piece;
    pieces.push(text.slice(end, place.index), piece);
    end = place.index + place[0].length;
  }
  pieces.push(text.slice(end));
  if (pieces.some((piece) => typeof piece === 'string' && piece.includes('${'))) return { problem: 'has a ${ that is never closed' };
  return pieces.filter((piece) => piece !== '');
}

function readPlace(inside: string): { readonly literal: string } | Variable | TemplateProblem {
  if (SPECIAL.includes(inside)) return { literal: inside };
  const parts = /^([^,\s]+)(?:\s*,\s*'([^']*)')?$/.exec(inside.trim());
  const name = parts?.[1] ?? '';
  const key = conditionKey(name);
  if (!key) return { problem: `has an unknown policy variable \${${inside}}` };
  return { variable: name.toLowerCase(), ...(parts?.[2] !== undefined && { fallback: parts[2] }) };
}
