/** Query parameters of a URL that came in a header. */
import { malformedUri } from '../namePath.ts';

/** Decoded once, in order. Throws `MalformedUri`. */
export function readQuery(target: string): readonly (readonly [string, string])[] {
  const mark = target.indexOf('?');
  if (mark < 0) return [];
  try {
    return target
      .slice(mark + 1)
      .split('&')
      .map((pair) => {
        const [name = '', value = ''] = pair.split('=', 2);
        return [decodeURIComponent(name), decodeURIComponent(value)] as const;
      });
  } catch {
    throw malformedUri();
  }
}
