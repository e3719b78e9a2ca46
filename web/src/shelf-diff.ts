// What became different on the shelves between two looks at them.

import type { Item, Shelf } from './protocol.ts';

export interface ShelfChange {
  readonly store: string;
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly Item[];
}

// changes compares item by item. Where a shelf lists only its first items, an item that
// is not listed any more counts as removed only when the list was and is whole.
export function changes(before: readonly Shelf[], after: readonly Shelf[]): ShelfChange[] {
  return after.flatMap((shelf) => {
    const old = before.find((each) => each.store === shelf.store);
    const change = old === undefined ? undefined : compare(old, shelf);
    return change === undefined ? [] : [change];
  });
}

function compare(before: Shelf, after: Shelf): ShelfChange | undefined {
  const old = new Map(before.items.map((item) => [item.name, item]));
  const now = new Set(after.items.map((item) => item.name));
  const whole = before.more === 0 && after.more === 0;
  const added = after.items.filter((item) => !old.has(item.name) && before.more === 0).map((item) => item.name);
  const changed = after.items.filter((item) => differs(old.get(item.name), item)).map((item) => item.name);
  const removed = whole ? before.items.filter((item) => !now.has(item.name)) : [];
  if (added.length + changed.length + removed.length === 0) return undefined;
  return { store: after.store, added, changed, removed };
}

// A key whose time to live only passes has not changed: its end is the same moment,
// give or take what the clocks round.
const SAME_MOMENT = 1500; // milliseconds

function differs(before: Item | undefined, after: Item): boolean {
  if (before === undefined) return false;
  if (before.detail !== after.detail) return true;
  if (before.expires === undefined || after.expires === undefined) return before.expires !== after.expires;
  return Math.abs(before.expires - after.expires) > SAME_MOMENT;
}
