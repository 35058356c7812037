/**
 * Transcripts in Markdown: what a document tells people to type, and what it says they will see.
 *
 * A fence marked ```console right after the line `<!-- run -->` is one. Lines that begin with `$ ` are commands (a trailing
 * backslash goes on in the next line); the lines after a command are what it prints, in which `…` stands for anything. After
 * `<!-- run: refused -->` the commands must fail.
 */
export interface Command {
  /** Where it stands in the document, counted from 1. */
  readonly line: number;
  readonly text: string;
  readonly expected: readonly string[];
  readonly refused: boolean;
}

const FENCE = /^<!-- run(?<refused>: refused)? -->\n+```console\n(?<body>[\s\S]*?)^```$/gm;

/** The commands of a document, in order. */
export function commandsOf(markdown: string): Command[] {
  return [...markdown.matchAll(FENCE)].flatMap((match) => {
    const { refused, body = '' } = match.groups ?? {};
    const bodyStart = match.index + match[0].indexOf('```console\n') + '```console\n'.length;
    return commandsOfBody(body, markdown.slice(0, bodyStart).split('\n').length, refused !== undefined);
  });
}

function commandsOfBody(body: string, firstLine: number, refused: boolean): Command[] {
  const commands: { line: number; text: string; expected: string[]; refused: boolean }[] = [];
  let continues = false;
  for (const [index, line] of body.split('\n').entries()) {
    const last = commands.at(-1);
    if (line.startsWith('$ ')) commands.push({ line: firstLine + index, text: line.slice(2), expected: [], refused });
    else if (continues && last !== undefined) last.text += `\n${line}`;
    else if (line.trim() !== '') last?.expected.push(line.trimEnd());
    continues = line.endsWith('\\') && (line.startsWith('$ ') || continues);
  }
  return commands;
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The first expected line that the output does not have, reading on from the one before; undefined when all are there. */
export function missingLine(expected: readonly string[], output: string): string | undefined {
  const lines = output.split('\n').map((line) => line.trimEnd());
  let from = 0;
  for (const wanted of expected) {
    const pattern = new RegExp(`^${wanted.split('…').map(escaped).join('.*')}$`);
    const found = lines.findIndex((line, index) => index >= from && pattern.test(line));
    if (found < 0) return wanted;
    from = found + 1;
  }
  return undefined;
}
