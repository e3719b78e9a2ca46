import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LONGEST, encode, type Hello, type PageMessage, type RunEvent } from './protocol.ts';
import type { RunState } from './run-state.ts';
import { Runs, type RunView, type Unfinished } from './runs.ts';

class FakeView implements RunView {
  text = '';
  phases: string[] = [];
  asked: string[] = [];
  last: RunState | undefined;
  begin(state: RunState): void {
    this.text = '';
    this.state(state);
  }
  state(state: RunState): void {
    this.last = state;
    this.phases.push(state.phase);
  }
  print(_: 'out' | 'err' | 'typed' | 'notice', text: string): void {
    this.text += text;
  }
  ask(draft: string): void {
    this.asked.push(draft);
  }
  endLine(): void {
    this.text += '⏎';
  }
}

function world(kept: Unfinished[] = []) {
  const sent: PageMessage[] = [];
  const views = new Map([['a', new FakeView()], ['b', new FakeView()]]);
  const state = { online: true, saved: kept as readonly Unfinished[], now: 1000, id: 0 };
  const runs = new Runs({
    send: (message) => state.online && sent.push(message) > 0,
    view: (cell) => views.get(cell),
    now: () => state.now,
    newId: () => `run${++state.id}`,
    memory: { load: () => [...kept], save: (list) => void (state.saved = structuredClone(list)) },
  });
  const start = (cell: string): void => runs.start(cell, 'python', `${cell}.py`, 'print(1)');
  return { runs, sent, state, start, a: views.get('a')!, b: views.get('b')! };
}

// ended is how a cell's run ended; undefined while it has not.
function ended(view: FakeView): { reason: string; text: string } | undefined {
  return view.last?.phase === 'ended' ? view.last : undefined;
}

function hello(...known: string[]): Hello {
  return { type: 'hello', seat: 'K7-Heron', idle: true, runs: known.map((run) => ({ run, cell: 'a', seq: 9 })), longest: LONGEST };
}
const out = (seq: number, text: string, run = 'run1'): RunEvent => ({ run, seq, kind: 'stdout', text });
const started = (seq = 1, run = 'run1'): RunEvent => ({ run, seq, kind: 'started' });
const question = (seq: number, run = 'run1'): RunEvent => ({ run, seq, kind: 'input', text: '' });
const end = (seq: number, run = 'run1'): RunEvent => ({ run, seq, kind: 'end', reason: 'ok', text: '', millis: 1 });

test('a run from its start to its end', () => {
  const { runs, sent, start, a, state } = world();
  start('a');
  assert.equal(sent[0]?.type, 'run');
  assert.equal(state.saved.length, 1);
  [started(), out(2, 'x'), end(3)].forEach((event) => runs.event(event));
  assert.equal(a.text, 'x');
  assert.deepEqual([a.phases[0], a.phases.at(-1)], ['sent', 'ended']);
  assert.deepEqual(state.saved, []);
  assert.equal(runs.of('a'), undefined);
});

test('events that were seen are dropped, and a gap is asked for once', () => {
  const { runs, sent, start, a } = world();
  start('a');
  [started(), out(2, 'x'), out(2, 'x'), out(5, 'never yet'), out(6, 'never yet')].forEach((event) => runs.event(event));
  assert.deepEqual(sent.slice(1), [{ type: 'resume', run: 'run1', after: 2 }]);
  [out(3, 'y'), out(4, 'z'), out(5, '!'), end(6)].forEach((event) => runs.event(event));
  assert.equal(a.text, 'xyz!');
});

test('events of runs that are not of this page are left out', () => {
  const { runs, a } = world();
  runs.event(out(1, 'x', 'other'));
  assert.equal(a.text, '');
});

test('a cell that runs is not run again, and a second cell waits for the first', () => {
  const { runs, sent, start, b } = world();
  start('a');
  start('a');
  start('b');
  assert.equal(sent.length, 1);
  assert.equal(b.last?.phase, 'behind');
  runs.event(end(1));
  assert.deepEqual(sent.map((message) => message.type === 'run' && message.cell), ['a', 'b']);
});

test('a run that was not sent is stopped here, one that was at the server', () => {
  const { runs, sent, start, b } = world();
  start('a');
  start('b');
  runs.stop('b');
  assert.equal(b.last?.phase === 'ended' && b.last.reason, 'stopped');
  runs.stop('a');
  assert.deepEqual(sent.at(-1), { type: 'stop', run: 'run1' });
});

test('without a connection a run waits and goes with hello', () => {
  const { runs, sent, start, a, state } = world();
  state.online = false;
  start('a');
  assert.equal(a.last?.phase, 'unsent');
  assert.deepEqual(state.saved, []);
  state.online = true;
  runs.hello(hello());
  assert.deepEqual(sent.map((message) => message.type), ['run']);
  assert.equal(a.last?.phase, 'sent');
});

test('after a dropped connection a run goes on after what was seen', () => {
  const { runs, sent, start, a } = world();
  start('a');
  [started(), out(2, 'x')].forEach((event) => runs.event(event));
  runs.hello(hello('run1'));
  assert.deepEqual(sent.at(-1), { type: 'resume', run: 'run1', after: 2 });
  runs.event(end(3));
  assert.equal(a.last?.phase, 'ended');
});

test('after a reload the output so far comes again, with the time since the start', () => {
  const { runs, sent, a } = world([{ run: 'old', cell: 'a', started: 400, answers: [] }]);
  runs.restore();
  runs.hello(hello('old'));
  assert.deepEqual(sent, [{ type: 'resume', run: 'old', after: 0 }]);
  [started(1, 'old'), out(2, 'x', 'old')].forEach((event) => runs.event(event));
  assert.deepEqual(a.last, { phase: 'running', since: 400, before: 0 });
  assert.equal(a.text, 'x');
});

test('a run of a cell on another page is kept while the server knows it', () => {
  const elsewhere: Unfinished = { run: 'old', cell: 'elsewhere', started: 0, answers: [] };
  const { runs, state } = world([elsewhere]);
  runs.restore();
  runs.hello(hello('old'));
  assert.deepEqual(state.saved, [elsewhere]);
  runs.hello(hello());
  assert.deepEqual(state.saved, []);
});

test('a run that the server does not know any more ends with what to do next', () => {
  const { runs, start, a } = world();
  start('a');
  runs.event(started());
  runs.gone('run1', 0);
  assert.ok(a.last?.phase === 'ended' && a.last.reason === 'lost' && /run it again/.test(a.last.text));
});

test('an answer is sent and shown behind its prompt', () => {
  const { runs, sent, start, a } = world();
  start('a');
  [started(), out(2, 'Name? '), question(3)].forEach((event) => runs.event(event));
  assert.deepEqual(a.asked, ['']);
  assert.ok(runs.answer('a', 'Ada'));
  assert.deepEqual(sent.at(-1), { type: 'input', run: 'run1', text: 'Ada' });
  assert.equal(a.last?.phase, 'running');
  runs.event(out(4, 'Hello\n'));
  assert.equal(a.text, 'Name? Ada\nHello\n');
  assert.equal(runs.answer('a', 'again'), false);
});

test('an answer is not taken while there is no connection', () => {
  const { runs, start, a, state } = world();
  start('a');
  [started(), question(2)].forEach((event) => runs.event(event));
  state.online = false;
  assert.equal(runs.answer('a', 'Ada'), false);
  assert.equal(a.last?.phase, 'asking');
});

test('an answer that may have been lost is asked for again, with what was typed', () => {
  const { runs, start, a } = world();
  start('a');
  [started(), question(2)].forEach((event) => runs.event(event));
  runs.answer('a', 'Ada');
  runs.hello(hello('run1'));
  assert.equal(a.last?.phase, 'asking');
  assert.deepEqual(a.asked, ['', 'Ada']);
  runs.event(out(3, 'Hello'));
  assert.equal(a.last?.phase, 'running');
  assert.equal(a.text, 'Ada\nHello');
});

test('after a reload the answers are shown again where they were given', () => {
  const { runs, a } = world([{ run: 'old', cell: 'a', started: 1, answers: ['Ada'] }]);
  runs.restore();
  runs.hello(hello('old'));
  [started(1, 'old'), out(2, '? ', 'old'), question(3, 'old'), out(4, 'one\n', 'old'), question(5, 'old'), end(6, 'old')].forEach((event) => runs.event(event));
  assert.equal(a.text, '? Ada\none\n⏎');
});

test('a run whose beginning is not kept goes on with the rest, and says so', () => {
  const { runs, a } = world([{ run: 'old', cell: 'a', started: 400, answers: ['Ada'] }]);
  runs.restore();
  runs.hello(hello('old'));
  runs.gone('old', 7);
  assert.deepEqual(a.last, { phase: 'running', since: 400, before: 0 });
  [out(8, 'x', 'old'), question(9, 'old'), out(10, 'y', 'old'), end(11, 'old')].forEach((event) => runs.event(event));
  assert.match(a.text, /not kept any more/);
  assert.ok(a.text.endsWith('\nx⏎y'), 'which answer was given there is not known');
  assert.equal(a.last?.phase, 'ended');
});

test('what is not kept but was seen is not missed', () => {
  const { runs, start, a } = world();
  start('a');
  [started(), out(2, 'x'), out(3, 'y')].forEach((event) => runs.event(event));
  runs.gone('run1', 2);
  runs.event(end(4));
  assert.equal(a.text, 'xy');
});

test('a refused run that had no answer ends; one that goes on is asked for', () => {
  const { runs, sent, start, a, b } = world();
  start('a');
  runs.refused('other', 'no such cell');
  assert.equal(a.last?.phase, 'sent');
  runs.refused('run1', 'no such cell: reload the page');
  assert.ok(ended(a)?.text.startsWith('no such cell'));
  start('b');
  runs.event(started(1, 'run2'));
  runs.refused('run2', 'nothing waits for a line now');
  assert.equal(b.last?.phase, 'running');
  assert.deepEqual(sent.at(-1), { type: 'resume', run: 'run2', after: 1 });
});

test('a page that is of no more use ends its runs, starts none, and forgets none', () => {
  const { runs, sent, start, state, a, b } = world();
  start('a');
  start('b');
  runs.cutOff('reload the page');
  for (const view of [a, b]) assert.ok(view.last?.phase === 'ended' && view.last.reason === 'lost' && view.last.text === 'reload the page');
  assert.deepEqual(state.saved.map((run) => run.run), ['run1'], 'the page after a reload finds it again');
  start('b');
  assert.equal(b.last?.phase, 'ended');
  assert.equal(sent.length, 1);
});

test('a run whose end went to another page is asked for', () => {
  const { runs, sent, start } = world();
  start('a');
  runs.event(started());
  runs.ended('run1');
  assert.deepEqual(sent.at(-1), { type: 'resume', run: 'run1', after: 1 });
});

test('a snippet whose frame is longer than the server takes is not sent', () => {
  const { runs, sent, a } = world();
  runs.start('a', 'python', 'a.py', '\n'.repeat(LONGEST / 2));
  assert.deepEqual(sent, []);
  assert.equal(a.last?.phase === 'ended' && a.last.reason, 'quota');
  runs.start('a', 'python', 'a.py', 'é'.repeat(LONGEST / 2 - 100));
  assert.ok(sent.length === 1 && new TextEncoder().encode(encode(sent[0]!)).length <= LONGEST);
});

test('a server that takes longer ones gets them', () => {
  const { runs, sent } = world();
  runs.hello({ ...hello(), longest: 4 * LONGEST });
  runs.start('a', 'python', 'a.py', 'x'.repeat(2 * LONGEST));
  assert.equal(sent.length, 1);
});
