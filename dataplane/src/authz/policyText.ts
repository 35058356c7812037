/** Texts of a policy with their variables, filled in for a request. */
import { compileWildcard, readTemplate, type Pattern, type Template, type WildcardPiece } from '@bonded/crds';
import type { Facts } from './facts.ts';

/** A text with its variables filled in: what is put in stands for itself, also where it looks like a wildcard. */
export type Pieces = readonly WildcardPiece[];

/** Fills the variables in for a request; undefined when one has no value (or several), so that the text matches nothing. */
export type PolicyText = (facts: Facts) => Pieces | undefined;

/** Prepares a text of a document that was validated. */
export function policyText(text: string, variables: boolean): PolicyText {
  const template = readTemplate(text, variables);
  if ('problem' in template) return () => undefined;
  const fixed = template.every((piece) => typeof piece === 'string' || 'literal' in piece);
  return fixed ? () => template : (facts) => fill(template, facts);
}

/** Prepares a text as a pattern over names; one without variables is compiled once. */
export function policyPattern(text: string, variables: boolean): (facts: Facts) => Pattern | undefined {
  if (!variables || !text.includes('${')) {
    const pattern = compileWildcard(text);
    return () => pattern;
  }
  const prepared = policyText(text, variables);
  return (facts) => {
    const pieces = prepared(facts);
    return pieces && compileWildcard(pieces);
  };
}

/** The text itself, wildcards being plain characters. */
export function plainText(pieces: Pieces): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : piece.literal)).join('');
}

function fill(template: Template, facts: Facts): Pieces | undefined {
  const pieces: WildcardPiece[] = [];
  for (const piece of template) {
    if (typeof piece === 'string' || 'literal' in piece) {
      pieces.push(piece);
      continue;
    }
    const values = facts(piece.variable) ?? (piece.fallback === undefined ? [] : [piece.fallback]);
    const [value, ...others] = values;
    if (value === undefined || others.length > 0) return undefined;
    pieces.push({ literal: value });
  }
  return pieces;
}
