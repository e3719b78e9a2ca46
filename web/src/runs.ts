// The runs that this page started: which cell they belong to, where they stand, and how
// they go on after a lost connection or a reload. It draws nothing and opens nothing.

import { advance, answered, isOver, ranFor, type RunState } from './run-state.ts';
import { LONGEST, encode, type Hello, type PageMessage, type RunEvent, type RunRequest } from './protocol.ts';
import { CUT_SHORT, LOST_TRACK, NEVER_RAN, TOO_LONG } from './wording.ts';

// Unfinished is what is kept of a run, for the page that comes after a reload.
export interface Unfinished {
  readonly run: string;
  readonly cell: string;
  readonly started: number; // Unix milliseconds, 0 when it had not started
  readonly answers: readonly string[]; // lines given to input()
}

export interface Memory {
  load(): Unfinished[];
  save(runs: readonly Unfinished[]): void;
}

// RunView is where a run is shown: its cell.
export interface RunView {
  begin(state: RunState): void; // a new run: what the last one printed makes room
  state(state: RunState): void;
  print(stream: 'out' | 'err' | 'typed' | 'notice', text: string): void;
  ask(draft: string): void; // input() waits; draft is what was typed before a drop
  endLine(): void;
}

export interface World {
  send(message: PageMessage): boolean;
  view(cell: string): RunView | undefined;
  now(): number;
  newId(): string;
  memory: Memory;
}

interface Run {
  readonly id: string;
  readonly cell: string;
  readonly request: RunRequest | undefined; // undefined after a reload
  state: RunState;
  seq: number; // of the last event seen
  resuming: boolean;
  started: number;
  answers: string[];
  asked: number; // how often input() waited
  question: number; // seq of the last time
  echoed: boolean; // the answer to the last input() is shown
}

export class Runs {
  #runs = new Map<string, Run>(); // unfinished ones, by id, oldest first
  #strangers: Unfinished[] = []; // of cells that are on other pages
  #longest = LONGEST;
  #cutOff = ''; // why nothing can be run any more

  constructor(private readonly world: World) {}

  start(cell: string, lang: string, name: string, code: string): void {
    if (this.of(cell) !== undefined) return;
    const view = this.world.view(cell);
    const id = this.world.newId();
    const request: RunRequest = { type: 'run', run: id, cell, lang, name, code };
    if (this.#cutOff !== '') return view?.begin({ phase: 'ended', reason: 'lost', text: this.#cutOff, millis: 0 });
    // A frame of more would end the connection.
    if (bytes(encode(request)) > this.#longest) return view?.begin({ phase: 'ended', reason: 'quota', text: TOO_LONG, millis: 0 });
    const run = fresh(id, cell, request);
    run.state = this.#runs.size > 0 ? { phase: 'behind' } : { phase: 'unsent' };
    this.#runs.set(id, run);
    this.#sendNext();
    view?.begin(run.state);
    this.#save();
  }

  // stop ends a run, also one that was not sent yet.
  stop(cell: string): void {
    const run = this.#of(cell);
    if (run === undefined) return;
    if (isUnsent(run)) this.#finish(run, { phase: 'ended', reason: 'stopped', text: '', millis: 0 });
    else this.world.send({ type: 'stop', run: run.id });
  }

  answer(cell: string, text: string): boolean {
    const run = this.#of(cell);
    if (run === undefined || run.state.phase !== 'asking') return false;
    if (!this.world.send({ type: 'input', run: run.id, text })) return false;
    run.answers[run.asked - 1] = text;
    this.#move(run, answered(run.state, this.world.now()));
    this.#echo(run);
    this.#save();
    return true;
  }

  // of is the unfinished run of a cell.
  of(cell: string): { readonly id: string; readonly state: RunState } | undefined {
    return this.#of(cell);
  }

  // active is the cell whose run is going on at the server, for a key that stops it.
  active(): string | undefined {
    for (const run of this.#runs.values()) if (!isUnsent(run)) return run.cell;
    return undefined;
  }

  // restore takes up what an earlier page left; hello then resumes it.
  restore(): void {
    for (const kept of this.world.memory.load()) {
      const view = this.world.view(kept.cell);
      if (view === undefined) {
        this.#strangers.push(kept);
        continue;
      }
      const run = fresh(kept.run, kept.cell, undefined);
      run.state = { phase: 'sent' };
      run.started = kept.started;
      run.answers = [...kept.answers];
      this.#runs.set(run.id, run);
      view.begin(run.state);
    }
  }

  hello(hello: Hello): void {
    this.#longest = hello.longest;
    const known = new Set(hello.runs.map((run) => run.run));
    this.#strangers = this.#strangers.filter((run) => known.has(run.run));
    for (const run of this.#runs.values()) {
      if (isUnsent(run)) continue;
      run.resuming = false;
      this.#resume(run);
      // An answer may have been lost with the connection; if it was not, the next event
      // takes the question away again.
      if (run.state.phase === 'running' && run.question > 0 && run.question === run.seq) this.#ask(run, run.state.before);
    }
    this.#sendNext();
    this.#save();
  }

  event(event: RunEvent): void {
    const run = this.#runs.get(event.run);
    if (run === undefined || event.seq <= run.seq) return;
    if (event.seq > run.seq + 1) {
      this.#resume(run);
      return;
    }
    run.seq = event.seq;
    run.resuming = false;
    this.#take(run, event);
  }

  // gone tells that a run is not known any more; with until, that only its events up to
  // that number are not, and that those after it follow.
  gone(id: string, until: number): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    if (until === 0) {
      this.#finish(run, { phase: 'ended', reason: 'lost', text: run.seq > 0 ? LOST_TRACK : NEVER_RAN, millis: 0 });
      return;
    }
    if (until <= run.seq) return;
    run.seq = until;
    // How often it asked in what is lost is not known, so no answer can be told to be
    // that of a question.
    [run.answers, run.asked, run.echoed] = [[], 0, true];
    const now = this.world.now();
    if (run.state.phase !== 'running') {
      const since = run.state.phase === 'sent' && run.started > 0 ? run.started : now;
      this.#move(run, { phase: 'running', since, before: ranFor(run.state, now) });
    }
    this.world.view(run.cell)?.print('notice', `${CUT_SHORT}\n`);
  }

  // cutOff ends every run for this page: it will hear nothing of them any more. They are
  // not forgotten, as a reload may find them again.
  cutOff(why: string): void {
    this.#cutOff = why;
    const all = [...this.#runs.values()];
    this.#runs.clear();
    for (const run of all) this.#move(run, { phase: 'ended', reason: 'lost', text: why, millis: 0 });
  }

  // refused is an error about a run: it ends here if it had not begun, and else it is
  // asked how the run stands.
  refused(id: string, text: string): void {
    const run = this.#runs.get(id);
    if (run === undefined) return;
    if (run.seq === 0) this.#finish(run, { phase: 'ended', reason: 'internal', text, millis: 0 });
    else this.#resume(run);
  }

  // ended tells that the server looked at the shelves after a run: if that run is still
  // open here, its events went to another page, and are asked for.
  ended(id: string): void {
    const run = this.#runs.get(id);
    if (run !== undefined) this.#resume(run);
  }

  #take(run: Run, event: RunEvent): void {
    const now = this.world.now();
    const view = this.world.view(run.cell);
    if (run.asked > 0 && !run.echoed && event.kind !== 'notice') this.#echo(run);
    let next = advance(run.state, event, now);
    if (event.kind === 'started') {
      run.started ||= now;
      next = { phase: 'running', since: run.started, before: 0 };
      this.#save();
    }
    if (event.kind === 'stdout') view?.print('out', event.text);
    if (event.kind === 'stderr') view?.print('err', event.text);
    if (event.kind === 'notice') view?.print('notice', `${event.text}\n`);
    if (event.kind === 'input') {
      run.asked++;
      run.question = event.seq;
      run.echoed = false;
      view?.ask(run.answers[run.asked - 1] ?? '');
    }
    if (event.kind === 'end') this.#finish(run, next);
    else this.#move(run, next);
  }

  #ask(run: Run, before: number): void {
    this.#move(run, { phase: 'asking', before });
    this.world.view(run.cell)?.ask(run.answers[run.asked - 1] ?? '');
  }

  // echo shows the line that was typed, as a terminal does; where it is not known any
  // more, the prompt's line just ends.
  #echo(run: Run): void {
    if (run.echoed) return;
    run.echoed = true;
    const line = run.answers[run.asked - 1];
    const view = this.world.view(run.cell);
    if (line === undefined) view?.endLine();
    else view?.print('typed', `${line}\n`);
  }

  #resume(run: Run): void {
    if (run.resuming) return;
    run.resuming = this.world.send({ type: 'resume', run: run.id, after: run.seq });
  }

  #sendNext(): void {
    const waiting = [...this.#runs.values()];
    const first = waiting[0];
    if (first?.request === undefined || !isUnsent(first)) return;
    this.#move(first, this.world.send(first.request) ? { phase: 'sent' } : { phase: 'unsent' });
  }

  #finish(run: Run, state: RunState): void {
    this.#runs.delete(run.id);
    this.#move(run, state);
    this.#sendNext();
    this.#save();
  }

  #move(run: Run, state: RunState): void {
    if (state === run.state) return;
    run.state = state;
    this.world.view(run.cell)?.state(state);
  }

  #of(cell: string): Run | undefined {
    for (const run of this.#runs.values()) if (run.cell === cell) return run;
    return undefined;
  }

  #save(): void {
    const own = [...this.#runs.values()].filter((run) => !isUnsent(run) && !isOver(run.state));
    this.world.memory.save([...this.#strangers, ...own.map((run) => ({ run: run.id, cell: run.cell, started: run.started, answers: run.answers }))]);
  }
}

function fresh(id: string, cell: string, request: RunRequest | undefined): Run {
  return { id, cell, request, state: { phase: 'unsent' }, seq: 0, resuming: false, started: 0, answers: [], asked: 0, question: 0, echoed: true };
}

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

function isUnsent(run: Run): boolean {
  return run.state.phase === 'unsent' || run.state.phase === 'behind';
}
