import assert from 'node:assert/strict';
import { test } from 'node:test';
import { advance, answered, isOver, ranFor, type RunState } from './run-state.ts';
import type { RunEvent } from './protocol.ts';

const sent: RunState = { phase: 'sent' };
const head = { run: 'a', seq: 1 };
const end: RunEvent = { ...head, kind: 'end', reason: 'ok', text: '', millis: 3.1 };

function after(state: RunState, ...events: Array<[RunEvent, number]>): RunState {
  return events.reduce((now, [event, at]) => advance(now, event, at), state);
}

test('a run waits, starts, prints and ends', () => {
  const queued = after(sent, [{ ...head, kind: 'queued', place: 3 }, 0]);
  assert.deepEqual(queued, { phase: 'queued', place: 3 });
  const running = after(queued, [{ ...head, kind: 'started' }, 100], [{ ...head, kind: 'stdout', text: 'x' }, 150]);
  assert.deepEqual(running, { phase: 'running', since: 100, before: 0 });
  assert.equal(ranFor(running, 1100), 1000);
  const over = after(running, [end, 1200]);
  assert.ok(isOver(over));
  assert.equal(ranFor(over, 9999), 3.1);
});

test('the time in input() is not counted', () => {
  const asking = after(sent, [{ ...head, kind: 'started' }, 0], [{ ...head, kind: 'input', text: '' }, 40]);
  assert.deepEqual(asking, { phase: 'asking', before: 40 });
  assert.equal(ranFor(asking, 5000), 40);
  assert.equal(ranFor(answered(asking, 5000), 5010), 50);
});

test('output after input() means that it was answered, as after a reload', () => {
  const state = after(sent, [{ ...head, kind: 'input', text: '' }, 0], [{ ...head, kind: 'stdout', text: 'x' }, 10]);
  assert.equal(state.phase, 'running');
});

test('a notice before the start leaves the place in the queue', () => {
  const state = after(sent, [{ ...head, kind: 'queued', place: 2 }, 0], [{ ...head, kind: 'notice', text: 'x' }, 10]);
  assert.deepEqual(state, { phase: 'queued', place: 2 });
});

test('nothing follows the end', () => {
  const over = after(sent, [end, 0]);
  assert.equal(after(over, [{ ...head, kind: 'stdout', text: 'x' }, 1], [{ ...head, kind: 'started' }, 2]), over);
});

test('an answer to nothing changes nothing', () => {
  assert.equal(answered(sent, 0), sent);
});
