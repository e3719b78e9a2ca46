// Every text that the page says by itself, and how figures are written. Texts that tell
// of limits and failures come from the server.

import type { Link } from './connection.ts';
import type { Reason } from './protocol.ts';
import type { RunState } from './run-state.ts';
import type { ShelfChange } from './shelf-diff.ts';

const plain = new Intl.NumberFormat('en');

export function count(n: number, one: string, many = `${one}s`): string {
  return `${plain.format(n)} ${n === 1 ? one : many}`;
}

// millis writes a measured time: "0.4 ms", "3.1 ms", "412 ms", "1.24 s".
export function millis(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

// ticking writes a time that is still passing: "0.3 s", "12 s".
export function ticking(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 1000)} s`;
}

// timeLeft writes how long a key still lives: "87 s", "12 min", "3 h", "5 d".
export function timeLeft(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 2 * 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 2 * 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${plain.format(Math.floor(seconds / 86_400))} d`;
}

export interface StateWords {
  readonly mark: 'wait' | 'run' | 'ask' | 'ok' | 'stop' | 'bad';
  readonly short: string; // in the chip
  readonly long: string; // beside it: what to do next; '' for none
}

const REASONS: Record<Exclude<Reason, 'ok' | 'stopped'>, string> = {
  error: 'Failed',
  timeout: 'Out of time',
  memory: 'Out of memory',
  output: 'Too much output',
  quota: 'Over the limit',
  busy: 'Not run: busy',
  lost: 'Cut off',
  shutdown: 'Cut off',
  internal: 'Storeroom failed',
};

// stateWords says where a run stands; ran is how many milliseconds it has run.
export function stateWords(state: RunState, ran: number): StateWords {
  switch (state.phase) {
    case 'unsent':
      return { mark: 'wait', short: 'Waiting', long: 'for the connection; it runs as soon as it is back' };
    case 'behind':
      return { mark: 'wait', short: 'Waiting', long: 'for your other cell to end' };
    case 'sent':
      return { mark: 'run', short: 'Starting', long: '' };
    case 'queued':
      return { mark: 'wait', short: 'Waiting', long: state.place <= 1 ? 'you are next' : `number ${plain.format(state.place)} in the queue` };
    case 'running':
      return { mark: 'run', short: `Running · ${ticking(ran)}`, long: '' };
    case 'asking':
      return { mark: 'ask', short: 'Waiting for you', long: 'the program asks for a line' };
    case 'ended':
      return ended(state.reason, state.text, ran);
  }
}

function ended(reason: Reason, text: string, ran: number): StateWords {
  const after = ran > 0 ? ` · ${millis(ran)}` : '';
  if (reason === 'ok') return { mark: 'ok', short: `Done · ${millis(ran)}`, long: '' };
  if (reason === 'stopped') return { mark: 'stop', short: `Stopped${after}`, long: text };
  const next = reason === 'error' && text === '' ? 'the last line of the error says why: change the code and run it again' : text;
  return { mark: 'bad', short: `${REASONS[reason]}${after}`, long: next };
}

export const NO_OUTPUT = 'It printed nothing.';
export const LOST_TRACK = 'what it did after this is not known: run it again';
export const NEVER_RAN = 'it was not sent: run it again';
export const TOO_LONG = 'the snippet is longer than can be sent: make it shorter, or read the data from a file';
export const FRESH = 'Your storeroom is new: Python’s variables are gone, and the stores are as on the first day.';
export const UNSEATED = 'This seat is not here any more: it was deleted, or Storeroom is of another version by now.';
export const OTHER_SEAT = 'This browser sits at another seat now.';
export const NOT_RUN = 'this page has no connection any more: reload it, then run it again';
export const CUT_SHORT = 'The beginning of what it printed is not kept any more: the rest follows.';
export const OFFLINE = 'There is no connection just now: try again when it is back.';
export const EDITOR_MISSING = 'The editor could not be loaded: the snippet runs as it is; reload the page to edit it.';

export interface StoreWords {
  readonly title: string;
  readonly thing: string;
  readonly empty: string;
}

// STORES are the shelves in their order, with what stands on each.
export const STORES: Readonly<Record<string, StoreWords>> = {
  files: { title: 'Files', thing: 'file', empty: 'no files' },
  postgres: { title: 'PostgreSQL', thing: 'table', empty: 'no tables' },
  mongo: { title: 'MongoDB', thing: 'collection', empty: 'no collections' },
  redis: { title: 'Redis', thing: 'key', empty: 'no keys' },
};

export function storeWords(store: string): StoreWords {
  return STORES[store] ?? { title: store, thing: 'item', empty: 'nothing' };
}

// changeWords says what a run did to a store: "Redis +1 key", "Files 1 changed".
export function changeWords(change: ShelfChange): string {
  const { title, thing } = storeWords(change.store);
  const parts: string[] = [];
  if (change.added.length > 0) parts.push(`+${count(change.added.length, thing)}`);
  if (change.removed.length > 0) parts.push(`−${count(change.removed.length, thing)}`);
  if (change.changed.length > 0) parts.push(change.changed.length === 1 ? `${change.changed[0]} changed` : `${count(change.changed.length, thing)} changed`);
  return `${title} ${parts.join(', ')}`;
}

export interface LinkWords {
  readonly short: string;
  readonly calm: boolean;
}

// LinkView is a connection's state as it is shown: `refused` when the server answers
// the page's questions but lets no connection in.
export type LinkView = Link | { readonly state: 'refused' };

// linkWords says how the connection stands.
export function linkWords(link: LinkView): LinkWords {
  switch (link.state) {
    case 'open':
      return { short: 'connected', calm: true };
    case 'connecting':
      return { short: link.tries === 0 ? 'connecting' : 'connecting again', calm: link.tries === 0 };
    case 'closed':
      return { short: 'not connected', calm: false };
    case 'ended':
      return { short: 'not connected: reload the page', calm: false };
    case 'refused':
      return { short: 'this page is not let in any more: reload it', calm: false };
    case 'waiting':
      if (link.why !== '') return { short: link.why, calm: false };
      return { short: link.tries > MANY_TRIES ? 'no answer from Storeroom: is it running? Trying again every few seconds' : 'connection lost: trying again', calm: false };
  }
}

// MANY_TRIES is how often a connection may fail before the page looks for the reason.
export const MANY_TRIES = 5;
