// What the browser keeps for the learner, and nothing of it ever leaves the browser:
// edits and progress for good, unfinished runs and the last shelves for one tab.

import { ProtocolError, decode, type Shelves } from './protocol.ts';
import type { Memory, Unfinished } from './runs.ts';

// Box is what is used of localStorage and sessionStorage.
export interface Box {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const PREFIX = 'storeroom.';
const EDIT = `${PREFIX}edit.`;
const RUNS = `${PREFIX}runs`;
const SHELVES = `${PREFIX}shelves`;
const DONE = `${PREFIX}done.`;

// careful makes a box that forgets instead of failing: storage can be full, or denied.
export function careful(open: () => Box): Box {
  const attempt = <T>(use: (box: Box) => T, otherwise: T): T => {
    try {
      return use(open());
    } catch {
      return otherwise;
    }
  };
  return {
    getItem: (key) => attempt((box) => box.getItem(key), null),
    setItem: (key, value) => attempt((box) => box.setItem(key, value), undefined),
    removeItem: (key) => attempt((box) => box.removeItem(key), undefined),
  };
}

// Edits are the learner's own versions of the snippets, by cell.
export class Edits {
  constructor(private readonly box: Box) {}

  load(cell: string): string | undefined {
    return this.box.getItem(EDIT + cell) ?? undefined;
  }

  // save forgets an edit that is the original again.
  save(cell: string, code: string, original: string): void {
    if (code === original) this.box.removeItem(EDIT + cell);
    else this.box.setItem(EDIT + cell, code);
  }

  // cellOf tells whose edit a storage key is, for changes in another tab.
  cellOf(key: string | null): string | undefined {
    return key?.startsWith(EDIT) ? key.slice(EDIT.length) : undefined;
  }
}

// Progress knows which cells of a lesson have run to their end.
export class Progress {
  constructor(private readonly box: Box) {}

  done(lesson: string): ReadonlySet<string> {
    const list = parse(this.box.getItem(DONE + lesson));
    return new Set(Array.isArray(list) ? list.filter((each) => typeof each === 'string') : []);
  }

  add(lesson: string, cell: string): void {
    this.box.setItem(DONE + lesson, JSON.stringify([...this.done(lesson), cell]));
  }

  // ALL marks the whole lesson.
  static readonly ALL = '*';
}

// runMemory keeps a seat's unfinished runs over a reload.
export function runMemory(box: Box, seat: string): Memory {
  return {
    load: () => {
      const kept = parse(box.getItem(RUNS)) as { seat?: unknown; runs?: unknown } | null;
      return kept?.seat === seat && Array.isArray(kept.runs) ? kept.runs.filter(isUnfinished) : [];
    },
    save: (runs) => (runs.length === 0 ? box.removeItem(RUNS) : box.setItem(RUNS, JSON.stringify({ seat, runs }))),
  };
}

// keepShelves lets the next page draw the shelves before the server was asked; at is when,
// by the browser's clock.
export function keepShelves(box: Box, seat: string, { shelves, now }: Shelves, at: number): void {
  box.setItem(SHELVES, JSON.stringify({ seat, at, frame: JSON.stringify({ type: 'shelves', shelves, now }) }));
}

// keptShelves gives them with the server's clock as it must have gone on since.
export function keptShelves(box: Box, seat: string, at: number): Shelves | undefined {
  const kept = parse(box.getItem(SHELVES)) as { seat?: unknown; at?: unknown; frame?: unknown } | null;
  if (kept?.seat !== seat || typeof kept.at !== 'number' || typeof kept.frame !== 'string') return undefined;
  try {
    const message = decode(kept.frame);
    return message.type === 'shelves' ? { ...message, now: message.now + Math.max(0, at - kept.at) } : undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

// forget removes all of it.
export function forget(storages: readonly Storage[]): void {
  for (const storage of storages) {
    for (const key of Object.keys(storage)) if (key.startsWith(PREFIX)) storage.removeItem(key);
  }
}

function isUnfinished(value: unknown): value is Unfinished {
  const run = value as Partial<Unfinished> | null;
  return typeof run === 'object' && run !== null && typeof run.run === 'string' && typeof run.cell === 'string' &&
    typeof run.started === 'number' && Array.isArray(run.answers);
}

function parse(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
