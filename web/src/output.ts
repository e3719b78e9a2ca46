// A run's output on the page: text as text, errors apart, long output folded, drawn at
// most once a frame.

import { OutputText, lineText, type Line, type OutputView, type Stream } from './output-text.ts';
import { count } from './wording.ts';

// GROUPS_AT_MOST bounds the page's nodes when errors and prints take turns; the rest of
// such an output is shown without telling them apart.
const GROUPS_AT_MOST = 2000;
// CALM is how long, in ms, output that is shown whole rests between two drawings.
const CALM = 250;
// A part of this many lines or characters is drawn as one; those out of sight are not
// laid out (content-visibility), so that a megabyte can be shown.
const PART_LINES = 200;
const PART_CHARACTERS = 4000;
const LINE = 1.55; // em, as page.css has it

export class Output {
  readonly element = document.createElement('div');
  readonly #head = document.createElement('pre');
  readonly #tail = document.createElement('pre');
  readonly #fold = document.createElement('button');
  #text = new OutputText();
  #whole = false;
  #frame = 0;
  #drawn = 0; // when, for CALM

  constructor() {
    this.element.className = 'out';
    this.element.hidden = true;
    this.#fold.type = 'button';
    this.#fold.className = 'fold';
    this.#fold.addEventListener('click', () => this.#toggle());
    this.element.append(this.#head, this.#fold, this.#tail);
    this.#draw();
  }

  get empty(): boolean {
    return this.#text.empty;
  }

  // prompt is the line that input() waits behind.
  get prompt(): string {
    return this.#text.lastLine();
  }

  clear(): void {
    this.#text = new OutputText();
    this.#whole = false;
    this.#draw();
  }

  print(stream: Stream, text: string): void {
    this.#text.append(stream, text);
    this.#later();
  }

  endLine(): void {
    this.#text.endLine();
  }

  // flush draws now what waits for the next frame.
  flush(): void {
    if (this.#frame !== 0) this.#draw();
  }

  #later(): void {
    this.#frame ||= requestAnimationFrame((now) => {
      this.#frame = 0;
      if (this.#whole && now - this.#drawn < CALM) this.#later();
      else this.#draw();
    });
  }

  #toggle(): void {
    this.#whole = !this.#whole;
    this.#draw();
    if (!this.#whole) this.#fold.scrollIntoView({ block: 'nearest' });
  }

  #draw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#drawn = performance.now();
    const view = this.#text.view(this.#whole);
    this.element.hidden = this.#text.empty;
    this.#head.replaceChildren(...groups(view.head));
    this.#tail.replaceChildren(...groups(view.tail));
    this.#tail.hidden = view.tail.length === 0;
    this.#drawFold(view);
    this.#scrolls(this.#whole);
  }

  #drawFold(view: OutputView): void {
    this.#fold.hidden = !this.#whole && view.hidden === 0 && view.clipped === 0;
    this.#fold.setAttribute('aria-expanded', String(this.#whole));
    if (this.#whole) this.#fold.textContent = 'Show less';
    else this.#fold.textContent = view.hidden > 0 ? `Show all ${count(view.total, 'line')}` : 'Show long lines whole';
  }

  // A part that scrolls must be within reach of the keyboard.
  #scrolls(yes: boolean): void {
    this.#head.classList.toggle('whole', yes);
    if (yes) {
      this.#head.tabIndex = 0;
      this.#head.setAttribute('role', 'region');
      this.#head.setAttribute('aria-label', 'Output');
      return;
    }
    this.#head.removeAttribute('tabindex');
    this.#head.removeAttribute('role');
    this.#head.removeAttribute('aria-label');
  }
}

type Look = 'plain' | 'err' | 'notice';

function look(line: Line): Look {
  const stream = line[0]?.stream;
  return stream === 'err' || stream === 'notice' ? stream : 'plain';
}

function length(line: Line): number {
  return line.reduce((sum, piece) => sum + piece.text.length, 0);
}

// groups makes one element of each stretch of lines that look alike, or a few of a long
// stretch.
function groups(lines: readonly Line[]): Node[] {
  const nodes: Node[] = [];
  let last: Look | undefined;
  for (let at = 0; at < lines.length; ) {
    const first = lines[at];
    if (first === undefined) break;
    let end = at + 1;
    let size = length(first);
    const crowded = nodes.length >= GROUPS_AT_MOST;
    for (; end < lines.length && end - at < PART_LINES && size < PART_CHARACTERS; end++) {
      const next = lines[end] ?? first;
      if (!crowded && look(next) !== look(first)) break;
      size += length(next);
    }
    const kind = crowded ? 'plain' : look(first);
    const element = group(kind, lines.slice(at, end), kind !== last);
    element.style.containIntrinsicBlockSize = `auto ${(end - at) * LINE}em`;
    nodes.push(element);
    last = kind;
    at = end;
  }
  return nodes;
}

function group(kind: Look, lines: readonly Line[], named: boolean): HTMLElement {
  const element = document.createElement('span');
  element.className = kind;
  if (kind !== 'plain' && named) {
    const name = document.createElement('span');
    name.className = 'quiet';
    name.textContent = kind === 'err' ? 'error output: ' : 'Storeroom: ';
    element.append(name);
  }
  let text = '';
  for (const [i, line] of lines.entries()) {
    if (i > 0) text += '\n';
    if (!line.some((piece) => piece.stream === 'typed')) {
      text += lineText(line);
      continue;
    }
    for (const piece of line) {
      if (piece.stream !== 'typed') {
        text += piece.text;
        continue;
      }
      const typed = document.createElement('b');
      typed.className = 'typed';
      typed.textContent = piece.text;
      element.append(text, typed);
      text = '';
    }
  }
  // The last line end of an element is not shown: an empty last line needs one more.
  element.append(text.endsWith('\n') ? `${text}\n` : text);
  return element;
}
