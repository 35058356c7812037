/** JSON allows a member twice and readers then disagree on which counts; a policy must have one meaning only. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;

/** The name of a member that an object of `json` has twice; undefined when none has. `json` must be valid JSON. */
export function duplicateMember(json: string): string | undefined {
  const open: Set<string>[] = [];
  let last = '';
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{' || token === '[') open.push(new Set());
    else if (token === '}' || token === ']') open.pop();
    else if (token === ':') {
      const name = JSON.parse(last) as string;
      if (open.at(-1)?.has(name)) return name;
      open.at(-1)?.add(name);
    }
    last = token;
  }
  return undefined;
}
