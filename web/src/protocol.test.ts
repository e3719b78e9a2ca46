import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ProtocolError, REASONS, decode, encode, type PageMessage } from './protocol.ts';

interface Fixtures {
  from_page: PageMessage[];
  from_server: Array<Record<string, unknown>>;
  refused_by_page: string[];
}
// From build/tests, where this test is run.
const fixtures = JSON.parse(readFileSync(new URL('../../fixtures/protocol.json', import.meta.url), 'utf8')) as Fixtures;

test('what the server says is understood, and nothing of it is lost', () => {
  for (const message of fixtures.from_server) {
    const decoded = decode(JSON.stringify(message)) as unknown as Record<string, unknown>;
    assert.deepEqual(without(decoded), without(message));
  }
});

test('every reason and every kind of event stands in the fixtures', () => {
  const events = fixtures.from_server.map((message) => message['event'] as { kind?: string; reason?: string } | undefined);
  assert.deepEqual(new Set(events.flatMap((event) => event?.reason ?? [])), new Set(REASONS));
  assert.deepEqual([...new Set(events.flatMap((event) => event?.kind ?? []))].sort(), ['end', 'input', 'notice', 'queued', 'started', 'stderr', 'stdout']);
});

test('what is not a message is refused', () => {
  for (const frame of fixtures.refused_by_page) {
    assert.throws(() => decode(frame), ProtocolError, frame);
  }
});

test('fields of a later version are left out', () => {
  assert.deepEqual(decode('{"type":"gone","run":"a","why":"age"}'), { type: 'gone', run: 'a', seq: 0 });
});

test('a list that Go wrote as null is empty', () => {
  assert.deepEqual(decode('{"type":"shelves","now":7,"shelves":null}'), { type: 'shelves', now: 7, shelves: [] });
});

test('what the page says is written as in the fixtures', () => {
  for (const message of fixtures.from_page) assert.deepEqual(JSON.parse(encode(message)), message);
});

// without leaves out what stands for nothing: "", 0 and empty optional fields.
function without(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(without);
  if (typeof value !== 'object' || value === null) return value;
  const optional = new Set(['text', 'millis', 'place', 'detail', 'more', 'note', 'seq']);
  const kept = Object.entries(value).filter(([key, each]) => !(optional.has(key) && (each === '' || each === 0)));
  return Object.fromEntries(kept.map(([key, each]) => [key, without(each)]));
}
