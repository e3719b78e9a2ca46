import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REASONS } from './protocol.ts';
import { changeWords, count, linkWords, millis, stateWords, ticking, timeLeft } from './wording.ts';

test('figures', () => {
  assert.equal(count(1, 'line'), '1 line');
  assert.equal(count(2341, 'line'), '2,341 lines');
  assert.deepEqual([0, 3.14, 9.99, 412.4, 1240, 20_000].map(millis), ['0.0 ms', '3.1 ms', '10.0 ms', '412 ms', '1.24 s', '20.0 s']);
  assert.deepEqual([0, 300, 9_960, 12_900].map(ticking), ['0.0 s', '0.3 s', '10.0 s', '12 s']);
  assert.deepEqual([-5, 0, 86_400, 119_000, 720_000, 10_800_000, 500_000_000].map(timeLeft), ['0 s', '0 s', '87 s', '119 s', '12 min', '3 h', '5 d']);
});

test('each state has words', () => {
  assert.equal(stateWords({ phase: 'queued', place: 3 }, 0).long, 'number 3 in the queue');
  assert.equal(stateWords({ phase: 'queued', place: 1 }, 0).long, 'you are next');
  assert.equal(stateWords({ phase: 'running', since: 0, before: 0 }, 1234).short, 'Running · 1.2 s');
  assert.equal(stateWords({ phase: 'ended', reason: 'ok', text: '', millis: 3.1 }, 3.1).short, 'Done · 3.1 ms');
});

test('every reason but ok says what to do next', () => {
  for (const reason of REASONS) {
    const words = stateWords({ phase: 'ended', reason, text: reason === 'error' ? '' : 'do this next', millis: 1 }, 1);
    assert.equal(words.mark, reason === 'ok' ? 'ok' : reason === 'stopped' ? 'stop' : 'bad');
    assert.equal(words.long === '', reason === 'ok', reason);
  }
});

test('what a run changed', () => {
  const none = { added: [], changed: [], removed: [] };
  assert.equal(changeWords({ store: 'redis', ...none, added: ['foo'] }), 'Redis +1 key');
  assert.equal(changeWords({ store: 'files', ...none, changed: ['file.txt'] }), 'Files file.txt changed');
  assert.equal(changeWords({ store: 'mongo', ...none, removed: [{ name: 'a', detail: '' }, { name: 'b', detail: '' }] }), 'MongoDB −2 collections');
  assert.equal(changeWords({ store: 'tape', ...none, added: ['a'] }), 'tape +1 item');
});

test('the connection', () => {
  assert.ok(linkWords({ state: 'open' }).calm);
  assert.ok(!linkWords({ state: 'waiting', wait: 500, tries: 1, why: '' }).calm);
  assert.match(linkWords({ state: 'refused' }).short, /reload/);
  assert.match(linkWords({ state: 'ended', why: '' }).short, /reload/);
  assert.match(linkWords({ state: 'waiting', wait: 7200, tries: 9, why: '' }).short, /is it running\?/);
  assert.equal(linkWords({ state: 'waiting', wait: 30_000, tries: 1, why: 'too many tabs: close some' }).short, 'too many tabs: close some');
});
