import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changes } from './shelf-diff.ts';
import type { Item, Shelf } from './protocol.ts';

function redis(items: Item[], more = 0): Shelf[] {
  return [{ store: 'redis', title: 'Redis', detail: '', items, more, note: '' }];
}
const foo: Item = { name: 'foo', detail: '“bar”', expires: 1_790_000_000_000 };

test('what is new, different and gone is told apart', () => {
  const before = redis([foo, { name: 'a', detail: '1' }, { name: 'b', detail: '2' }]);
  const after = redis([foo, { name: 'a', detail: '9' }, { name: 'c', detail: '3' }]);
  assert.deepEqual(changes(before, after), [
    { store: 'redis', added: ['c'], changed: ['a'], removed: [{ name: 'b', detail: '2' }] },
  ]);
});

test('the same shelves are no change, nor a clock that rounds', () => {
  assert.deepEqual(changes(redis([foo]), redis([{ ...foo, expires: foo.expires! + 900 }])), []);
});

test('a new time to live is a change', () => {
  const longer = changes(redis([foo]), redis([{ ...foo, expires: foo.expires! + 60_000 }]));
  assert.deepEqual(longer[0]?.changed, ['foo']);
  const never = changes(redis([foo]), redis([{ name: 'foo', detail: foo.detail }]));
  assert.deepEqual(never[0]?.changed, ['foo']);
});

test('nothing is called new or gone when the list was cut', () => {
  assert.deepEqual(changes(redis([{ name: 'a', detail: '' }], 5), redis([{ name: 'b', detail: '' }], 5)), []);
});

test('a shelf that was not there before lights nothing', () => {
  assert.deepEqual(changes([], redis([foo])), []);
});
