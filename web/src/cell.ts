// A cell of a lesson: its snippet, the buttons, the output and the state of its run. It
// starts nothing itself: it sends events up, and shows what it is told (RunView).

import type { Editor, EditorSetup } from './editor.ts';
import { Output } from './output.ts';
import { seenText } from './output-text.ts';
import type { RunView } from './runs.ts';
import { isOver, ranFor, type RunState } from './run-state.ts';
import { EDITOR_MISSING, NO_OUTPUT, stateWords } from './wording.ts';

export interface CellEvents {
  'cell-run': { code: string };
  'cell-stop': null;
  'cell-answer': { text: string };
  'cell-edit': { code: string };
  'cell-move': { by: 1 | -1 };
  'cell-say': { text: string; first: boolean }; // for who listens; first: before what waits
  'cell-done': null; // it ran to its end
}

// OpenEditor loads the editor when it is first wanted.
export type OpenEditor = (setup: Omit<EditorSetup, 'nonce'>) => Promise<Editor>;

// A state that lasts less than this many milliseconds is not worth a flicker.
const SOON = 150;
const TICK = 100; // milliseconds between two looks at the clock of a run

export class CellElement extends HTMLElement implements RunView {
  openEditor: OpenEditor | undefined;
  #original = '';
  #code = '';
  #plain: HTMLElement | null = null;
  #editor: Promise<Editor> | undefined;
  #output = new Output();
  #state: RunState | undefined;
  #stale = false; // the output is the last run's
  #printed = false;
  #begun = 0;
  #timer = 0;
  #parts: Parts | undefined;

  connectedCallback(): void {
    if (this.#parts !== undefined) return;
    this.#plain = this.querySelector('pre.code');
    this.#original = (this.#plain?.textContent ?? '').replace(/\n+$/, '');
    this.#code = this.#original;
    this.#parts = build(this, this.#output.element);
    this.#listen(this.#parts);
    this.#mark();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  get cell(): string {
    return this.dataset['cell'] ?? '';
  }

  get original(): string {
    return this.#original;
  }

  get code(): string {
    return this.#code;
  }

  // setCode shows another text, as from the learner's last visit. It is not an edit.
  setCode(code: string): void {
    this.#code = code;
    if (this.#plain !== null) (this.#plain.querySelector('code') ?? this.#plain).textContent = code;
    void this.#editor?.then((editor) => editor.replace(code), () => undefined);
    this.#mark();
  }

  // mountEditor puts the editor in the plain text's place.
  mountEditor(): Promise<Editor> {
    this.#editor ??= this.#mount().catch((error: unknown) => {
      this.#editor = undefined; // the next try may find the network again
      throw error;
    });
    return this.#editor;
  }

  // clear forgets the last run.
  clear(): void {
    if (this.#state !== undefined && !isOver(this.#state)) return;
    this.#state = undefined;
    this.#output.clear();
    this.#draw();
  }

  // changed shows what the run did to the stores.
  changed(list: ReadonlyArray<{ store: string; words: string }>): void {
    this.#parts?.changes.replaceChildren(...list.map(({ store, words }) => {
      const chip = make('span', `chip store-${store}`);
      chip.textContent = words;
      return chip;
    }));
  }

  begin(state: RunState): void {
    this.#stale = true;
    this.#printed = false;
    this.#begun = performance.now();
    this.classList.add('stale');
    this.state(state);
  }

  state(state: RunState): void {
    const before = this.#state;
    this.#state = state;
    this.dataset['phase'] = state.phase;
    if (state.phase !== 'asking') this.#hideQuestion();
    this.#drawButton();
    if (isOver(state)) {
      this.#renew();
      this.#output.endLine();
      this.#draw();
      this.#sayState(state);
      if (state.phase === 'ended' && state.reason === 'ok') this.#tell('cell-done', null);
      return;
    }
    if (state.phase !== before?.phase && ['queued', 'behind', 'unsent'].includes(state.phase)) this.#sayState(state);
    this.#tick();
  }

  print(stream: 'out' | 'err' | 'typed' | 'notice', text: string): void {
    this.#renew();
    this.#printed = true;
    this.#output.print(stream, text);
    if (stream !== 'typed') this.#tell('cell-say', { text: text.split('\n').map(seenText).join('\n'), first: false });
  }

  endLine(): void {
    this.#output.endLine();
  }

  ask(draft: string): void {
    this.#renew();
    this.#output.flush();
    const parts = this.#parts;
    if (parts === undefined) return;
    const prompt = this.#output.prompt.trim();
    parts.question.hidden = false;
    parts.answer.value = draft;
    parts.answer.setAttribute('aria-label', prompt === '' ? 'A line for the program' : prompt);
    this.#tell('cell-say', { text: 'The program asks for a line.', first: false });
    const focused = document.activeElement;
    if (focused === null || focused === document.body || this.contains(focused)) parts.answer.focus({ preventScroll: focused === null });
  }

  run(): void {
    if (this.#state !== undefined && !isOver(this.#state)) return;
    this.#tell('cell-run', { code: this.#code });
  }

  stop(): void {
    this.#tell('cell-stop', null);
  }

  get #active(): boolean {
    return this.#state !== undefined && !isOver(this.#state);
  }

  async #mount(): Promise<Editor> {
    if (this.openEditor === undefined) throw new Error('the cell was given no editor');
    const editor = await this.openEditor({
      code: this.#code, label: `${this.dataset['title'] ?? 'Snippet'}: code`,
      hint: this.#original === '' ? '# your own code: it knows the variables of the cells above' : '# empty: Restore brings the snippet back',
      changed: (code) => this.#edited(code),
      escape: () => (this.#active ? this.stop() : this.focus()),
    });
    editor.replace(this.#code);
    const hadFocus = this.#plain !== null && document.activeElement === this.#plain;
    this.#plain?.replaceWith(editor.element);
    this.#plain = null;
    if (hadFocus) editor.focus();
    return editor;
  }

  #edited(code: string): void {
    if (code === this.#code) return;
    this.#code = code;
    this.#mark();
    this.#tell('cell-edit', { code });
  }

  #mark(): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    const edited = this.#code !== this.#original;
    parts.edited.hidden = !edited || this.#original === '';
    parts.restore.hidden = !edited;
    parts.copy.hidden = this.#code === '';
    parts.restore.textContent = this.#original === '' ? 'Clear' : 'Restore';
    parts.restore.title = this.#original === '' ? 'Empty this cell' : 'Bring the original snippet back';
  }

  #edit(): void {
    this.mountEditor().then((editor) => editor.focus(), () => {
      this.#tell('cell-say', { text: EDITOR_MISSING, first: true });
      this.#parts?.long.replaceChildren(EDITOR_MISSING);
      if (this.#parts !== undefined) this.#parts.meta.hidden = false;
    });
  }

  #restore(): void {
    this.setCode(this.#original);
    this.#tell('cell-edit', { code: this.#original });
    this.focus();
  }

  async #copy(button: HTMLButtonElement): Promise<void> {
    const done = await copyText(this.#code);
    button.textContent = done ? 'Copied' : 'Not copied';
    this.#tell('cell-say', { text: done ? 'Copied.' : 'This browser does not let the page copy.', first: true });
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  }

  #listen(parts: Parts): void {
    parts.run.addEventListener('click', (event) => {
      if (!this.#active) this.run();
      else if (event.detail < 2) this.stop(); // who clicks twice meant Run
    });
    parts.restore.addEventListener('click', () => this.#restore());
    parts.copy.addEventListener('click', () => void this.#copy(parts.copy));
    parts.question.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#tell('cell-answer', { text: parts.answer.value });
    });
    this.#plain?.addEventListener('click', () => this.#edit());
    // Before the editor sees them: Run must never put a line into the code.
    this.addEventListener('keydown', (event) => this.#key(event), { capture: true });
  }

  #key(event: KeyboardEvent): void {
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
    const own = event.target === this && plain;
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) this.run();
    else if (event.key === 'Escape' && this.#active) this.stop();
    else if (own && event.key === 'Enter') this.#edit();
    else if (own && event.key === 'ArrowDown') this.#tell('cell-move', { by: 1 });
    else if (own && event.key === 'ArrowUp') this.#tell('cell-move', { by: -1 });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // renew makes room for a new run's output as soon as there is something to show.
  #renew(): void {
    if (!this.#stale) return;
    this.#stale = false;
    this.#output.clear();
    this.classList.remove('stale');
    this.#parts?.changes.replaceChildren();
  }

  #hideQuestion(): void {
    const question = this.#parts?.question;
    if (question === undefined || question.hidden) return;
    const focused = question.contains(document.activeElement);
    question.hidden = true;
    if (focused) this.focus();
  }

  #tick(): void {
    clearTimeout(this.#timer);
    if (!this.#active) return;
    if (performance.now() - this.#begun >= SOON || this.#state?.phase === 'asking') this.#draw();
    this.#timer = window.setTimeout(() => this.#tick(), TICK);
  }

  #drawButton(): void {
    const parts = this.#parts;
    if (parts === undefined) return;
    const active = this.#active;
    if (parts.run.classList.contains('stop') === active) return;
    parts.run.classList.toggle('stop', active);
    parts.runName.textContent = active ? 'Stop' : 'Run';
    parts.runKey.textContent = active ? 'Esc' : RUN_KEY;
  }

  #draw(): void {
    clearTimeout(this.#timer);
    const parts = this.#parts;
    if (parts === undefined) return;
    const state = this.#state;
    parts.meta.hidden = state === undefined;
    if (state === undefined) {
      delete this.dataset['mark'];
      delete this.dataset['phase'];
      return;
    }
    const words = stateWords(state, ranFor(state, Date.now()));
    this.dataset['mark'] = words.mark;
    if (isOver(state)) this.#output.flush();
    setText(parts.chip, words.short);
    const silent = words.mark === 'ok' && !this.#printed;
    setText(parts.long, silent ? NO_OUTPUT : words.long);
  }

  #sayState(state: RunState): void {
    const words = stateWords(state, ranFor(state, Date.now()));
    this.#tell('cell-say', { text: `${words.short.replace(' · ', ', ')}${words.long === '' ? '' : `: ${words.long}`}.`, first: false });
  }

  #tell<Name extends keyof CellEvents>(name: Name, detail: CellEvents[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
  }
}

interface Parts {
  readonly edited: HTMLElement;
  readonly restore: HTMLButtonElement;
  readonly copy: HTMLButtonElement;
  readonly run: HTMLButtonElement;
  readonly runName: HTMLElement;
  readonly runKey: HTMLElement;
  readonly question: HTMLFormElement;
  readonly answer: HTMLInputElement;
  readonly meta: HTMLElement;
  readonly chip: HTMLElement;
  readonly long: HTMLElement;
  readonly changes: HTMLElement;
}

export const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);
const RUN_KEY = APPLE ? '⌘ ⏎' : 'Ctrl ⏎';

function build(cell: HTMLElement, output: HTMLElement): Parts {
  const title = cell.dataset['title'] || cell.dataset['name'] || 'Snippet';
  cell.setAttribute('role', 'group');
  cell.setAttribute('aria-label', `${title}, ${cell.dataset['name'] ?? ''}`);
  cell.tabIndex = 0;
  const edited = make('span', 'edited');
  edited.textContent = 'edited';
  const restore = button('Restore', 'plain');
  const copy = button('Copy', 'plain');
  const run = button('', 'run');
  const runName = make('span', '');
  const runKey = make('kbd', '');
  runName.textContent = 'Run';
  runKey.textContent = RUN_KEY;
  runKey.setAttribute('aria-hidden', 'true');
  run.append(runName, runKey);
  cell.querySelector('.bar')?.append(edited, make('span', 'grow'), restore, copy, run);

  const question = make('form', 'question');
  const answer = make('input', '');
  answer.type = 'text';
  answer.autocomplete = 'off';
  answer.spellcheck = false;
  const send = make('button', '');
  send.textContent = 'Send';
  question.append(answer, send);
  question.hidden = true;

  const meta = make('p', 'meta');
  const chip = make('span', 'chip state');
  const long = make('span', 'long');
  const changes = make('span', 'changes');
  meta.append(chip, changes, long);
  meta.hidden = true;
  cell.append(output, question, meta);
  return { edited, restore, copy, run, runName, runKey, question, answer, meta, chip, long, changes };
}

function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, name: string): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (name !== '') element.className = name;
  return element;
}

function button(name: string, look: string): HTMLButtonElement {
  const element = make('button', look);
  element.type = 'button';
  element.textContent = name;
  return element;
}

function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

// copyText works also on a class's plain http, where the clipboard's own way is closed.
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const focused = document.activeElement;
    const area = make('textarea', 'quiet');
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    if (focused instanceof HTMLElement) focused.focus();
    return done;
  }
}
