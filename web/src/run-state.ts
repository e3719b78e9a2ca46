// A run's state as the page shows it, moved on by the run's own events.

import type { Reason, RunEvent } from './protocol.ts';

export type RunState =
  | { readonly phase: 'unsent' } // no connection yet
  | { readonly phase: 'behind' } // another cell of this page runs first
  | { readonly phase: 'sent' } // the server has not answered yet
  | { readonly phase: 'queued'; readonly place: number }
  | { readonly phase: 'running'; readonly since: number; readonly before: number } // ms: this stretch's start, and the stretches before
  | { readonly phase: 'asking'; readonly before: number } // waits in input()
  | { readonly phase: 'ended'; readonly reason: Reason; readonly text: string; readonly millis: number };

// advance gives the state after an event that arrived at now (Unix milliseconds).
// Whatever comes after the end changes nothing.
export function advance(state: RunState, event: RunEvent, now: number): RunState {
  if (state.phase === 'ended') return state;
  switch (event.kind) {
    case 'queued':
      return { phase: 'queued', place: event.place };
    case 'started':
      return { phase: 'running', since: now, before: 0 };
    case 'input':
      return { phase: 'asking', before: ranFor(state, now) };
    case 'stdout':
    case 'stderr':
    case 'notice':
      // What a run says shows that it goes on, but Storeroom may speak before the start.
      if (event.kind === 'notice' && state.phase !== 'asking') return state;
      return state.phase === 'running' ? state : { phase: 'running', since: now, before: ranFor(state, now) };
    case 'end':
      return { phase: 'ended', reason: event.reason, text: event.text, millis: event.millis };
  }
}

// answered is the state after the learner's line went to a waiting input().
export function answered(state: RunState, now: number): RunState {
  return state.phase === 'asking' ? { phase: 'running', since: now, before: state.before } : state;
}

// ranFor is how many milliseconds a run has run, waiting in input() not counted.
export function ranFor(state: RunState, now: number): number {
  switch (state.phase) {
    case 'running':
      return state.before + Math.max(0, now - state.since);
    case 'asking':
      return state.before;
    case 'ended':
      return state.millis;
    default:
      return 0;
  }
}

export function isOver(state: RunState): boolean {
  return state.phase === 'ended';
}
