/** JSON allows a member twice and readers then disagree on which counts; a policy must have one meaning only. */

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\]:,]/gs;

/** The name of a member that an object of `json` has twice; undefined when none has. `json` must be valid JSON. */
export function duplicateMember(json: string): string | undefined {
  const objects: (Set<string> | undefined)[] = [];
  let last: string | undefined;
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{') objects.push(new Set());
    else if (token === '[') objects.push(undefined);
    else if (token === '}' || token === ']') objects.pop();
    else if (token === ':' && last !== undefined) {
      const name = JSON.parse(last) as string;
      const members = objects.at(-1);
      if (members?.has(name)) return name;
      members?.add(name);
    }
    last = token.startsWith('"') ? token : undefined;
  }
  return undefined;
}
