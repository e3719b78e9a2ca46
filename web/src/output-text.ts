// What a run printed, as lines, and the part of it that is shown. Pure text: the page
// draws what view() gives, so that a flood of output can't grow the page.

export type Stream = 'out' | 'err' | 'typed' | 'notice';

export interface Piece {
  readonly stream: Stream;
  readonly text: string;
}
export type Line = readonly Piece[];

export interface OutputView {
  readonly head: readonly Line[];
  readonly hidden: number; // lines between head and tail that are not shown
  readonly tail: readonly Line[];
  readonly clipped: number; // shown lines whose end is left out for their length
  readonly total: number; // lines in all
}

// FOLD_OVER is how many lines are shown whole; of more, KEEP at either end.
export const FOLD_OVER = 40;
export const KEEP = 12;
// CLIP is how many characters of a line are shown while the output is folded.
export const CLIP = 800;
// PART is how many characters of a line are laid out as one when it is shown whole: a
// megabyte at once holds the page for seconds.
export const PART = 4000;

export class OutputText {
  #lines: Piece[][] = [];
  #open = false; // the last line may grow

  get empty(): boolean {
    return this.#lines.length === 0;
  }

  append(stream: Stream, text: string): void {
    if (text === '') return;
    if (this.#open && standsApart(stream, this.#lines.at(-1))) this.#open = false;
    const parts = text.split('\n');
    parts.forEach((part, i) => {
      const last = i === parts.length - 1;
      if (last && part === '') return;
      this.#grow({ stream, text: part });
      this.#open = last;
    });
  }

  // endLine makes what follows start on a line of its own.
  endLine(): void {
    this.#open = false;
  }

  // lastLine is the line that is still being written, as a prompt is; '' for none.
  lastLine(): string {
    return this.#open ? lineText(this.#lines.at(-1) ?? []) : '';
  }

  view(whole: boolean): OutputView {
    const total = this.#lines.length;
    if (whole) return { head: this.#lines.flatMap((line) => parts(asSeen(line))), hidden: 0, tail: [], clipped: 0, total };
    const folded = total > FOLD_OVER;
    const head = shorten(folded ? this.#lines.slice(0, KEEP) : this.#lines);
    const tail = shorten(folded ? this.#lines.slice(-KEEP) : []);
    return {
      head: head.lines, tail: tail.lines, total,
      hidden: folded ? total - 2 * KEEP : 0, clipped: head.clipped + tail.clipped,
    };
  }

  #grow(piece: Piece): void {
    const line = this.#open ? this.#lines.at(-1) : undefined;
    if (line === undefined) {
      this.#lines.push([piece]);
      return;
    }
    const before = line.at(-1);
    if (before !== undefined && before.stream === piece.stream) line[line.length - 1] = { stream: piece.stream, text: before.text + piece.text };
    else line.push(piece);
  }
}

export function lineText(line: Line): string {
  return line.map((piece) => piece.text).join('');
}

// Errors and notices never share a line with anything else.
function standsApart(stream: Stream, line: Line | undefined): boolean {
  const before = line?.at(-1)?.stream;
  if (before === undefined || before === stream) return false;
  return [stream, before].some((each) => each === 'err' || each === 'notice');
}

function shorten(lines: readonly Line[]): { lines: Line[]; clipped: number } {
  let clipped = 0;
  const short = lines.map((line) => {
    const seen = asSeen(line);
    const text = lineText(seen);
    if (text.length <= CLIP) return seen;
    clipped++;
    return [{ stream: seen[0]?.stream ?? 'out', text: `${cut(text, CLIP)}…` } satisfies Piece];
  });
  return { lines: short, clipped };
}

// cut never leaves half a character.
function cut(text: string, length: number): string {
  const end = text.charCodeAt(length - 1);
  return text.slice(0, end >= 0xd800 && end < 0xdc00 ? length - 1 : length);
}

// parts cuts a line that is too long to be laid out as one.
function parts(line: Line): Line[] {
  let text = lineText(line);
  if (text.length <= PART) return [line];
  const cuts: Line[] = [];
  while (text !== '') {
    const part = cut(text, PART);
    cuts.push([{ stream: line[0]?.stream ?? 'out', text: part }]);
    text = text.slice(part.length);
  }
  return cuts;
}

// asSeen is a line as a terminal without colours shows it.
function asSeen(line: Line): Line {
  if (!line.some((piece) => CONTROL.test(piece.text))) return line;
  return [{ stream: line[0]?.stream ?? 'out', text: seenText(lineText(line)) }];
}

const CONTROL = /[\x00-\x08\x0b-\x1f\x7f]/;
// Colours, moves of the cursor, titles (ECMA-48 and xterm's OSC), also one that is only
// half there.
const CODES = /\x1b(?:\[[0-?]*[ -/]*(?:[@-~]|$)|\][^\x07\x1b]*(?:\x07|\x1b\\|$)|[ -/]*(?:[0-~]|$))/g;

// seenText leaves out a terminal's codes and does what a progress bar wants: a carriage
// return goes back to the line's start, a backspace takes a character away. Any other
// control character is shown by its picture.
export function seenText(raw: string): string {
  let text = raw.replace(CODES, '').replace(/\r+$/, '');
  text = text.slice(text.lastIndexOf('\r') + 1);
  if (text.includes('\b')) text = rubbedOut(text);
    return text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, (c) => (c === '\x7f' ? '\u2421' : String.fromCharCode(0x2400 + c.charCodeAt(0))));
}

function rubbedOut(text: string): string {
  const kept: string[] = [];
  for (const character of text) {
    if (character === '\b') kept.pop();
    else kept.push(character);
  }
  return kept.join('');
}
