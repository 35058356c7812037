/** Pages of lists: `n`, `last`, and the Link to the next one (RFC 8288). */
import { ArtefactError } from '../../../errors.ts';
import type { RequestHead } from '../../contract.ts';
import { parameter } from '../call.ts';

export interface AskedPage {
  readonly limit: number;
  readonly after?: string;
}

/** What is asked for, within `most`. Throws `InvalidArgument` for an `n` that is no number. */
export function readPage(head: RequestHead, most: number): AskedPage {
  const n = parameter(head, 'n');
  if (n !== undefined && !/^\d{1,9}$/.test(n)) throw new ArtefactError('InvalidArgument', 'n is the number of entries wanted.');
  const last = parameter(head, 'last');
  return { limit: Math.min(n === undefined ? most : Number(n), most), ...(last !== undefined && last !== '' && { after: last }) };
}

/** The Link header, where there is a next page; parameters besides `last` stay as they were. */
export function linkTo(head: RequestHead, next: string | undefined): Record<string, string> {
  if (next === undefined) return {};
  const query = new URLSearchParams();
  for (const [name, value] of head.query) if (name !== 'last') query.append(name, value);
  query.set('last', next);
  return { link: `<${head.rawPath}?${query.toString()}>; rel="next"` };
}
