import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIP, FOLD_OVER, KEEP, OutputText, lineText, type OutputView, type Stream } from './output-text.ts';

function printed(...parts: Array<[Stream, string]>): OutputText {
  const output = new OutputText();
  for (const [stream, text] of parts) output.append(stream, text);
  return output;
}

function shown(view: OutputView): string[] {
  return [...view.head, ...view.tail].map(lineText);
}

test('lines are put together from pieces', () => {
  const output = printed(['out', 'a'], ['out', 'b\nc\n'], ['out', '\n'], ['out', 'd']);
  assert.deepEqual(shown(output.view(false)), ['ab', 'c', '', 'd']);
  assert.equal(output.view(false).total, 4);
});

test('an empty text is nothing', () => {
  assert.ok(printed(['out', '']).empty);
  assert.ok(!printed(['out', '\n']).empty);
});

test('errors and notices stand on lines of their own', () => {
  const output = printed(['out', 'half'], ['err', 'oops'], ['out', 'more\n'], ['notice', 'Python is new'], ['out', 'x']);
  assert.deepEqual(shown(output.view(false)), ['half', 'oops', 'more', 'Python is new', 'x']);
});

test('what was typed stands behind its prompt', () => {
  const output = printed(['out', 'Name? '], ['typed', 'Ada\n'], ['out', 'Hello\n']);
  assert.deepEqual(shown(output.view(false)), ['Name? Ada', 'Hello']);
  assert.deepEqual(output.view(false).head[0], [{ stream: 'out', text: 'Name? ' }, { stream: 'typed', text: 'Ada' }]);
});

test('the open line is the prompt', () => {
  assert.equal(printed(['out', 'one\nName? ']).lastLine(), 'Name? ');
  assert.equal(printed(['out', 'one\n']).lastLine(), '');
});

test('long output folds and can be shown whole', () => {
  const output = printed(['out', Array.from({ length: 2341 }, (_, i) => `${i}\n`).join('')]);
  const folded = output.view(false);
  assert.equal(folded.head.length + folded.tail.length, 2 * KEEP);
  assert.equal(folded.hidden, 2341 - 2 * KEEP);
  assert.equal(shown(folded).at(-1), '2340');
  const whole = output.view(true);
  assert.equal(whole.hidden, 0);
  assert.equal(shown(whole).length, 2341);
});

test('as many lines as fit are not folded', () => {
  assert.equal(printed(['out', 'x\n'.repeat(FOLD_OVER)]).view(false).hidden, 0);
  assert.equal(printed(['out', 'x\n'.repeat(FOLD_OVER + 1)]).view(false).hidden, FOLD_OVER + 1 - 2 * KEEP);
});

test('a very long line is cut while folded, never through a character', () => {
  const output = printed(['out', 'x'.repeat(CLIP - 1) + '😀'.repeat(CLIP)]);
  const folded = output.view(false);
  assert.equal(folded.clipped, 1);
  assert.equal(shown(folded)[0], 'x'.repeat(CLIP - 1) + '…');
  assert.equal(output.view(true).clipped, 0);
});

test('a carriage return writes over the line, but is kept in the text', () => {
  assert.deepEqual(shown(printed(['out', '10 %\r50 %\r100 %\n'], ['out', '99 %\r']).view(false)), ['100 %', '99 %']);
});
