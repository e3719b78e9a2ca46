import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Edits, Progress, careful, keepShelves, keptShelves, runMemory, type Box } from './keep.ts';
import type { Shelf } from './protocol.ts';

function box(): Box & { all: Map<string, string> } {
  const all = new Map<string, string>();
  return {
    all,
    getItem: (key) => all.get(key) ?? null,
    setItem: (key, value) => void all.set(key, value),
    removeItem: (key) => void all.delete(key),
  };
}

test('an edit is kept by cell, and forgotten when it is the original again', () => {
  const storage = box();
  const edits = new Edits(storage);
  edits.save('redis/a', 'x = 2', 'x = 1');
  assert.equal(edits.load('redis/a'), 'x = 2');
  assert.equal(edits.load('redis/b'), undefined);
  edits.save('redis/a', 'x = 1', 'x = 1');
  assert.equal(storage.all.size, 0);
});

test('an emptied cell is an edit too', () => {
  const edits = new Edits(box());
  edits.save('a', '', 'x');
  assert.equal(edits.load('a'), '');
});

test('a key of the storage tells its cell', () => {
  const storage = box();
  const edits = new Edits(storage);
  edits.save('redis/a', 'x', '');
  assert.equal(edits.cellOf([...storage.all.keys()][0] ?? null), 'redis/a');
  assert.equal(edits.cellOf('something else'), undefined);
  assert.equal(edits.cellOf(null), undefined);
});

test('progress adds up', () => {
  const progress = new Progress(box());
  progress.add('redis', 'redis/a');
  progress.add('redis', 'redis/b');
  progress.add('redis', 'redis/a');
  assert.deepEqual([...progress.done('redis')], ['redis/a', 'redis/b']);
  assert.equal(progress.done('files').size, 0);
});

test('unfinished runs come back, and nonsense does not', () => {
  const storage = box();
  const memory = runMemory(storage, 'K7-Heron');
  const run = { run: 'a', cell: 'redis/a', started: 5, answers: ['Ada'] };
  memory.save([run]);
  assert.deepEqual(memory.load(), [run]);
  assert.deepEqual(runMemory(storage, 'B2-Otter').load(), [], 'another seat has none of them');
  for (const nonsense of ['{', 'null', '7', '[]', '{"seat":"K7-Heron","runs":[null, 7, {"run":"a"}]}']) {
    storage.all.set([...storage.all.keys()][0]!, nonsense);
    assert.deepEqual(memory.load(), []);
  }
  memory.save([]);
  assert.equal(storage.all.size, 0);
});

test('the last shelves are drawn for the same seat only, with the time that went by', () => {
  const storage = box();
  const shelves: Shelf[] = [{ store: 'redis', title: 'Redis', detail: '', items: [{ name: 'a', detail: '', expires: 95_000 }], more: 0, note: '' }];
  keepShelves(storage, 'K7-Heron', { type: 'shelves', shelves, now: 5_000 }, 700_000);
  assert.deepEqual(keptShelves(storage, 'K7-Heron', 702_000), { type: 'shelves', shelves, now: 7_000 });
  assert.equal(keptShelves(storage, 'K7-Heron', 0)?.now, 5_000, 'a clock that was set back');
  assert.equal(keptShelves(storage, 'B2-Otter', 702_000), undefined);
  for (const nonsense of ['{"seat":"K7-Heron","at":1,"frame":"{}"}', '{"seat":"K7-Heron"}', 'null']) {
    storage.all.set([...storage.all.keys()][0]!, nonsense);
    assert.equal(keptShelves(storage, 'K7-Heron', 1), undefined);
  }
});

test('a storage that is full or denied is as one that forgets', () => {
  const denied = careful(() => {
    throw new Error('denied');
  });
  denied.setItem('a', 'b');
  denied.removeItem('a');
  assert.equal(denied.getItem('a'), null);
});
