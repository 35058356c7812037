/** The reader of transcripts itself. */
import assert from 'node:assert/strict';
import { commandsOf, missingLine } from '../src/transcript.ts';

const document = `# Title

<!-- run -->
\`\`\`console
$ echo one
one
$ echo two \\
    three
two three
\`\`\`

\`\`\`console
$ not marked
\`\`\`

<!-- run: refused -->
\`\`\`console
$ false
\`\`\`
`;

describe('transcripts', () => {
  it('are the marked fences only, with lines, continuations and expectations', () => {
    assert.deepEqual(commandsOf(document), [
      { line: 5, text: 'echo one', expected: ['one'], refused: false },
      { line: 7, text: 'echo two \\\n    three', expected: ['two three'], refused: false },
      { line: 18, text: 'false', expected: [], refused: true },
    ]);
  });

  it('are compared line by line, in order, … standing for anything', () => {
    assert.equal(missingLine(['a', 'c … e'], 'a\nb\nc d e\n'), undefined);
    assert.equal(missingLine(['c', 'a'], 'a\nb\nc\n'), 'a');
    assert.equal(missingLine(['a.c'], 'abc'), 'a.c');
  });
});
