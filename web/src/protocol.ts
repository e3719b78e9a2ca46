// The words of storeroom.v1 (docs/protocol.md): what the page sends, and what the
// server may say, checked before anything else sees it.

export const SUBPROTOCOL = 'storeroom.v1';

// LONGEST is how many bytes a frame from the page may have when the server names no other.
export const LONGEST = 128 << 10;

// REASONS tell why a run ended; `ok` is the only good one.
export const REASONS = [
  'ok', 'error', 'stopped', 'timeout', 'memory', 'output', 'quota', 'busy', 'lost', 'shutdown', 'internal',
] as const;
export type Reason = (typeof REASONS)[number];

export interface RunRequest {
  readonly type: 'run';
  readonly run: string;
  readonly cell: string;
  readonly lang: string;
  readonly name: string;
  readonly code: string;
}

export type PageMessage =
  | RunRequest
  | { readonly type: 'stop'; readonly run: string }
  | { readonly type: 'input'; readonly run: string; readonly text: string }
  | { readonly type: 'resume'; readonly run: string; readonly after: number }
  | { readonly type: 'shelves' }
  | { readonly type: 'reset' }
  | { readonly type: 'ping' };

// RunEvent is one thing that a run tells; seq is 1, 2, 3 … within the run.
export type RunEvent = { readonly run: string; readonly seq: number } & (
  | { readonly kind: 'queued'; readonly place: number }
  | { readonly kind: 'started' }
  | { readonly kind: 'stdout' | 'stderr' | 'input' | 'notice'; readonly text: string }
  | { readonly kind: 'end'; readonly reason: Reason; readonly text: string; readonly millis: number }
);

export interface Item {
  readonly name: string;
  readonly detail: string;
  readonly expires?: number; // Unix milliseconds by the server's clock
}

export interface Shelf {
  readonly store: string;
  readonly title: string;
  readonly detail: string;
  readonly items: readonly Item[];
  readonly more: number;
  readonly note: string;
}

export interface KnownRun {
  readonly run: string;
  readonly cell: string;
  readonly seq: number;
}

export interface Hello {
  readonly type: 'hello';
  readonly seat: string;
  readonly idle: boolean;
  readonly runs: readonly KnownRun[];
  readonly longest: number; // bytes of a frame from the page
}

export interface Shelves {
  readonly type: 'shelves';
  readonly shelves: readonly Shelf[];
  readonly now: number; // the server's clock at the look, in Unix milliseconds
  readonly run?: string;
}

export type ServerMessage =
  | Hello
  | Shelves
  | { readonly type: 'event'; readonly event: RunEvent }
  | { readonly type: 'gone'; readonly run: string; readonly seq: number } // seq 0: the whole run
  | { readonly type: 'reset' }
  | { readonly type: 'error'; readonly text: string; readonly run?: string }
  | { readonly type: 'pong' };

// ProtocolError says what is wrong with a message from the server.
export class ProtocolError extends Error {}

// decode reads one message of the server's and throws a ProtocolError when it is not
// one. Fields that this version does not know are left out.
export function decode(frame: string): ServerMessage {
  let value: unknown;
  try {
    value = JSON.parse(frame);
  } catch {
    throw new ProtocolError('the message is not JSON');
  }
  const message = fields(value, 'message');
  const type = text(message, 'type');
  switch (type) {
    case 'hello':
      return { type, seat: text(message, 'seat'), idle: flag(message, 'idle'), runs: list(message, 'runs').map(knownRun), longest: optional(message, 'longest', count, LONGEST) };
    case 'event':
      return { type, event: runEvent(fields(message['event'], 'event')) };
    case 'gone':
      return { type, run: text(message, 'run'), seq: optional(message, 'seq', count, 0) };
    case 'shelves': {
      const looked = { type, shelves: list(message, 'shelves').map(shelf), now: amount(message, 'now') } as const;
      return message['run'] === undefined ? looked : { ...looked, run: text(message, 'run') };
    }
    case 'error':
      return message['run'] === undefined ? { type, text: text(message, 'text') } : { type, text: text(message, 'text'), run: text(message, 'run') };
    case 'reset':
    case 'pong':
      return { type };
    default:
      throw new ProtocolError(`message of unknown type ${JSON.stringify(type)}`);
  }
}

export function encode(message: PageMessage): string {
  return JSON.stringify(message);
}

type Fields = Record<string, unknown>;

function runEvent(event: Fields): RunEvent {
  const head = { run: text(event, 'run'), seq: count(event, 'seq') };
  if (head.seq < 1) throw new ProtocolError('event.seq starts at 1');
  const kind = text(event, 'kind');
  switch (kind) {
    case 'queued':
      return { ...head, kind, place: optional(event, 'place', count, 0) };
    case 'started':
      return { ...head, kind };
    case 'stdout':
    case 'stderr':
    case 'input':
    case 'notice':
      return { ...head, kind, text: optional(event, 'text', text, '') };
    case 'end':
      return {
        ...head, kind, reason: reason(text(event, 'reason')),
        text: optional(event, 'text', text, ''), millis: optional(event, 'millis', amount, 0),
      };
    default:
      throw new ProtocolError(`event of unknown kind ${JSON.stringify(kind)}`);
  }
}

function reason(word: string): Reason {
  const known = REASONS.find((each) => each === word);
  if (known === undefined) throw new ProtocolError(`unknown reason ${JSON.stringify(word)}`);
  return known;
}

function knownRun(value: unknown): KnownRun {
  const run = fields(value, 'runs');
  return { run: text(run, 'run'), cell: text(run, 'cell'), seq: optional(run, 'seq', count, 0) };
}

function shelf(value: unknown): Shelf {
  const one = fields(value, 'shelves');
  return {
    store: text(one, 'store'), title: text(one, 'title'), detail: optional(one, 'detail', text, ''),
    items: list(one, 'items').map(item), more: optional(one, 'more', count, 0), note: optional(one, 'note', text, ''),
  };
}

function item(value: unknown): Item {
  const one = fields(value, 'items');
  const plain = { name: text(one, 'name'), detail: optional(one, 'detail', text, '') };
  const expires = optional(one, 'expires', amount, 0);
  return expires > 0 ? { ...plain, expires } : plain;
}

function fields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ProtocolError(`${what} is not an object`);
  return value as Fields;
}

function text(from: Fields, key: string): string {
  const value = from[key];
  if (typeof value !== 'string') throw new ProtocolError(`${key} is not text`);
  return value;
}

function flag(from: Fields, key: string): boolean {
  const value = from[key];
  if (typeof value !== 'boolean') throw new ProtocolError(`${key} is not true or false`);
  return value;
}

function amount(from: Fields, key: string): number {
  const value = from[key];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw new ProtocolError(`${key} is not an amount`);
  return value;
}

function count(from: Fields, key: string): number {
  const value = amount(from, key);
  if (!Number.isSafeInteger(value)) throw new ProtocolError(`${key} is not a whole number`);
  return value;
}

// list takes a missing list for an empty one, as Go writes nil as null.
function list(from: Fields, key: string): unknown[] {
  const value = from[key] ?? [];
  if (!Array.isArray(value)) throw new ProtocolError(`${key} is not a list`);
  return value;
}

function optional<T>(from: Fields, key: string, read: (from: Fields, key: string) => T, otherwise: T): T {
  return from[key] === undefined ? otherwise : read(from, key);
}
