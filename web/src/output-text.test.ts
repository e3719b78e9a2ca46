import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CLIP, FOLD_OVER, KEEP, OutputText, PART, lineText, seenText, type OutputView, type Stream } from './output-text.ts';

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

test('a line that is too long to be laid out at once is shown whole in parts', () => {
  const text = `${'x'.repeat(PART - 1)}${'😀'.repeat(PART)}`;
  const whole = shown(printed(['out', `${text}\nnext\n`]).view(true));
  assert.equal(whole.slice(0, -1).join(''), text);
  assert.ok(whole.every((part) => part.length <= PART && !/[\ud800-\udbff]$/.test(part)));
  assert.equal(whole.at(-1), 'next');
});

test('a terminal’s codes are left out, also in two pieces', () => {
  assert.equal(seenText('\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain\x1b[K'), 'red and plain');
  assert.equal(seenText('half\x1b[3'), 'half');
  assert.deepEqual(shown(printed(['out', 'a\x1b[3'], ['out', '1mb\x1b[0m\n']).view(false)), ['ab']);
  assert.equal(printed(['out', '\x1b[2J\x1b[H']).view(false).head.map(lineText).join(), '');
});

test('what can’t be seen has a picture, and what writing systems need stays', () => {
  assert.equal(seenText('a\0b\x07c\x7fd'), 'a␀b␇c␡d');
  assert.equal(seenText('one two\b\b\bsix'), 'one six');
  for (const text of ['a\tb', 'שלום', 'e\u0301', '👩‍💻', '世界', 'zero\u200bwidth', '<b>&amp;</b>']) assert.equal(seenText(text), text);
});
