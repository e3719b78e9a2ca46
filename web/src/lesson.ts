// A lesson's page: puts the connection, the runs, the cells and the shelves together.

import { Announcer } from './announcer.ts';
import { CellElement, type CellEvents } from './cell.ts';
import { Connection, browserClock, browserSocket, type Link } from './connection.ts';
import { listenForDialogs, onChoice, openDialog } from './dialogs.ts';
import type { EditorSetup } from './editor.ts';
import { Edits, Progress, careful, keepShelves, keptShelves, runMemory, type Box } from './keep.ts';
import { listenForKeys } from './keys.ts';
import { LinkStatusElement } from './link-status.ts';
import type { ServerMessage, Shelf, Shelves } from './protocol.ts';
import { Runs } from './runs.ts';
import { changes } from './shelf-diff.ts';
import { ShelvesElement, StripElement } from './shelves.ts';
import { FRESH, MANY_TRIES, NOT_RUN, OFFLINE, OTHER_SEAT, UNSEATED, changeWords } from './wording.ts';

// EDIT_REST is how long typing must pause before an edit is kept, in milliseconds.
const EDIT_REST = 300;
// REMEMBERED is of how many runs the page knows the cell, to show there what they changed.
const REMEMBERED = 20;

export class Lesson {
  readonly #lasting: Box = careful(() => localStorage);
  readonly #passing: Box = careful(() => sessionStorage);
  readonly #edits = new Edits(this.#lasting);
  readonly #progress = new Progress(this.#lasting);
  readonly #announcer: Announcer;
  readonly #cells: Map<string, CellElement>;
  readonly #cellOfRun = new Map<string, string>();
  readonly #unsaved = new Map<CellElement, number>();
  readonly #connection: Connection;
  readonly #runs: Runs;
  readonly #seat: string; // whose page this is
  #shelves: readonly Shelf[] | undefined;
  #link: Link | undefined;
  #editorFailed = false;

  constructor(private readonly page: Document, private readonly nonce: string) {
    this.#seat = page.body.dataset['seat'] ?? '';
    this.#cells = new Map([...page.querySelectorAll<CellElement>('storeroom-cell')].map((cell) => [cell.cell, cell]));
    this.#announcer = new Announcer(page.getElementById('announcer') ?? page.body);
    this.#connection = new Connection(browserSocket, browserClock, {
      message: (message) => this.#heard(message),
      link: (link) => void this.#showLink(link),
      odd: (error) => console.warn(`storeroom: a message of the server was not understood: ${error.message}`),
    });
    this.#runs = new Runs({
      send: (message) => this.#connection.send(message),
      view: (cell) => this.#cells.get(cell),
      now: () => Date.now(),
      newId,
      memory: runMemory(this.#passing, this.#seat),
    });
  }

  open(): void {
    for (const part of this.page.querySelectorAll<HTMLElement>('[data-script]')) part.hidden = false;
    this.#openCells();
    this.#drawProgress();
    listenForDialogs(this.page);
    onChoice(this.page, 'reset', 'reset', () => this.#reset());
    listenForKeys(this.page, {
      cells: () => [...this.#cells.values()],
      stop: () => this.#stopActive(),
      showKeys: () => openDialog(this.page, 'keys'),
    });
    this.#listenToWindow();
    const kept = keptShelves(this.#passing, this.#seat, Date.now());
    if (kept !== undefined) this.#showShelves(kept);
    this.#runs.restore();
    this.#connection.start();
  }

  #openCells(): void {
    for (const cell of this.#cells.values()) {
      const edit = this.#edits.load(cell.cell);
      if (edit !== undefined) cell.setCode(edit);
      cell.openEditor = async (setup: Omit<EditorSetup, 'nonce'>) => (await import('./editor.ts')).openEditor({ ...setup, nonce: this.nonce });
    }
    this.#on('cell-run', (cell, { code }) => {
      this.#saveEdit(cell);
      this.#runs.start(cell.cell, cell.dataset['lang'] ?? 'python', cell.dataset['name'] ?? '', code);
      this.#rememberRun(cell);
    });
    this.#on('cell-stop', (cell) => this.#runs.stop(cell.cell));
    this.#on('cell-answer', (cell, { text }) => void this.#runs.answer(cell.cell, text));
    this.#on('cell-edit', (cell) => this.#editedLater(cell));
    this.#on('cell-say', (_, { text, first }) => this.#announcer.say(text, first));
    this.#on('cell-done', (cell) => this.#done(cell));
    // The first page is there before the editor: reading does not wait for it.
    whenIdle(() => this.#mountEditors());
  }

  async #mountEditors(): Promise<void> {
    this.#editorFailed = false;
    for (const cell of this.#cells.values()) {
      try {
        await cell.mountEditor();
      } catch (error) {
        console.warn('storeroom: the editor could not be loaded', error);
        this.#editorFailed = true; // tried again with the next connection
        return;
      }
    }
  }

  #listenToWindow(): void {
    window.addEventListener('online', () => this.#connection.wake());
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) this.#connection.start();
    });
    window.addEventListener('pagehide', () => {
      for (const cell of [...this.#unsaved.keys()]) this.#saveEdit(cell);
      this.#connection.close();
    });
    this.page.addEventListener('visibilitychange', () => {
      if (this.page.visibilityState !== 'visible') return;
      this.#connection.wake();
      // Time may have stood still for this page while the machine slept.
      this.#connection.send({ type: 'shelves' });
    });
    // An edit in another tab shows here, unless someone is just typing here.
    window.addEventListener('storage', (event) => {
      const cell = this.#cells.get(this.#edits.cellOf(event.key) ?? '');
      if (cell !== undefined && !cell.contains(this.page.activeElement)) cell.setCode(event.newValue ?? cell.original);
    });
    this.page.addEventListener('shelves-expired', () => void this.#connection.send({ type: 'shelves' }));
  }

  async #showLink(link: Link): Promise<void> {
    this.#link = link;
    if (link.state === 'ended') this.#ended(link.why || UNSEATED);
    const refused = link.state === 'waiting' && link.why === '' && link.tries > MANY_TRIES && (await answers(location.href));
    if (link !== this.#link) return; // it stands otherwise by now
    for (const element of this.#all(LinkStatusElement, 'storeroom-link')) element.show(refused ? { state: 'refused' } : link);
  }

  // ended is for a page that is of no more use as it is.
  #ended(why: string): void {
    this.#runs.cutOff(NOT_RUN);
    this.#notice(why, 'Reload the page', () => location.reload());
  }

  #heard(message: ServerMessage): void {
    switch (message.type) {
      case 'hello':
        if (this.#seat !== '' && message.seat !== this.#seat) return this.#connection.end(OTHER_SEAT);
        this.#runs.hello(message);
        this.#connection.send({ type: 'shelves' });
        if (this.#editorFailed) void this.#mountEditors();
        return;
      case 'event':
        return this.#runs.event(message.event);
      case 'gone':
        return this.#runs.gone(message.run, message.seq);
      case 'shelves':
        return this.#shelvesCame(message);
      case 'reset':
        return this.#wasReset();
      case 'error':
        if (message.run !== undefined) this.#runs.refused(message.run, message.text);
        return this.#notice(message.text);
      case 'pong':
        return;
    }
  }

  #shelvesCame(message: Shelves): void {
    if (message.run !== undefined) this.#runs.ended(message.run);
    this.#showShelves(message);
    keepShelves(this.#passing, this.#seat, message, Date.now());
  }

  #showShelves(message: Shelves): void {
    const changed = this.#shelves === undefined || message.run === undefined ? [] : changes(this.#shelves, message.shelves);
    this.#shelves = message.shelves;
    for (const element of this.#all(ShelvesElement, 'storeroom-shelves')) element.show(message, changed);
    for (const element of this.#all(StripElement, 'storeroom-strip')) element.show(message.shelves, changed);
    const cell = this.#cells.get(this.#cellOfRun.get(message.run ?? '') ?? '');
    const words = changed.map((change) => ({ store: change.store, words: changeWords(change) }));
    cell?.changed(words);
    if (cell !== undefined && words.length > 0) this.#announcer.say(words.map((each) => each.words).join(', '));
  }

  #reset(): void {
    if (this.#connection.send({ type: 'reset' })) return;
    if (this.#link?.state === 'ended') this.#ended(this.#link.why || UNSEATED);
    else this.#notice(OFFLINE);
  }

  #wasReset(): void {
    for (const cell of this.#cells.values()) cell.clear();
    this.#notice(FRESH);
  }

  // notice stands on the page until the next one comes or its button is pressed.
  #notice(text: string, name = 'Put away', then = () => {}): void {
    const bar = this.page.getElementById('notice');
    if (bar === null) return;
    const button = this.page.createElement('button');
    button.type = 'button';
    button.className = 'plain';
    button.textContent = name;
    button.addEventListener('click', () => {
      bar.hidden = true;
      then();
    });
    const words = this.page.createElement('p');
    words.textContent = text;
    bar.replaceChildren(words, button);
    bar.hidden = false;
  }

  #stopActive(): boolean {
    const cell = this.#runs.active();
    if (cell !== undefined) this.#runs.stop(cell);
    return cell !== undefined;
  }

  #rememberRun(cell: CellElement): void {
    const run = this.#runs.of(cell.cell);
    if (run === undefined) return;
    this.#cellOfRun.set(run.id, cell.cell);
    const oldest = this.#cellOfRun.keys().next().value;
    if (this.#cellOfRun.size > REMEMBERED && oldest !== undefined) this.#cellOfRun.delete(oldest);
  }

  #editedLater(cell: CellElement): void {
    window.clearTimeout(this.#unsaved.get(cell));
    this.#unsaved.set(cell, window.setTimeout(() => this.#saveEdit(cell), EDIT_REST));
  }

  #saveEdit(cell: CellElement): void {
    if (!this.#unsaved.has(cell)) return;
    window.clearTimeout(this.#unsaved.get(cell));
    this.#unsaved.delete(cell);
    this.#edits.save(cell.cell, cell.code, cell.original);
  }

  #done(cell: CellElement): void {
    const lesson = this.page.body.dataset['lesson'];
    if (lesson === undefined || cell.original === '') return;
    this.#progress.add(lesson, cell.cell);
    const done = this.#progress.done(lesson);
    const own = [...this.#cells.values()].filter((each) => each.original !== '');
    if (own.every((each) => done.has(each.cell))) this.#progress.add(lesson, Progress.ALL);
    this.#drawProgress();
  }

  // A lesson is done when each of its cells has run to its end once.
  #drawProgress(): void {
    for (const link of this.page.querySelectorAll<HTMLElement>('a[data-lesson]')) {
      if (!this.#progress.done(link.dataset['lesson'] ?? '').has(Progress.ALL) || link.classList.contains('done')) continue;
      link.classList.add('done');
      const mark = this.page.createElement('span');
      mark.className = 'quiet';
      mark.textContent = ' (done)';
      link.append(mark);
    }
  }

  #on<Name extends keyof CellEvents>(name: Name, then: (cell: CellElement, detail: CellEvents[Name]) => void): void {
    this.page.addEventListener(name, (event) => {
      if (event.target instanceof CellElement) then(event.target, (event as CustomEvent<CellEvents[Name]>).detail);
    });
  }

  #all<Kind extends HTMLElement>(kind: new () => Kind, name: string): Kind[] {
    return [...this.page.querySelectorAll(name)].filter((element): element is Kind => element instanceof kind);
  }
}

// newId is a run's id. crypto.randomUUID would need https.
function newId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(36).padStart(2, '0')).join('');
}

// answers tells whether the server is there at all, whatever it answers.
async function answers(address: string): Promise<boolean> {
  try {
    await fetch(address, { method: 'HEAD', cache: 'no-store' });
    return true;
  } catch {
    return false;
  }
}

function whenIdle(then: () => void): void {
  if ('requestIdleCallback' in window) requestIdleCallback(then, { timeout: 1000 });
  else setTimeout(then, 200);
}
