// What a screen reader hears: output and states, gathered so that a flood of lines is
// spoken as its beginning and not for minutes.

// CALM is the least time between two announcements, in milliseconds.
const CALM = 1000;
const LONGEST = 500; // characters of one announcement
const KEPT = 4; // announcements left in the region

export class Announcer {
  #waiting = '';
  #more = false;
  #last = -CALM;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly region: HTMLElement) {}

  say(text: string, first = false): void {
    if (first) this.#waiting = `${text}\n${this.#waiting}`;
    else if (this.#waiting.length < LONGEST) this.#waiting += text.endsWith('\n') ? text : `${text}\n`;
    else this.#more = true;
    this.#timer ??= setTimeout(() => this.#speak(), Math.max(50, this.#last + CALM - performance.now()));
  }

  #speak(): void {
    this.#timer = undefined;
    this.#last = performance.now();
    const cut = this.#more || this.#waiting.length > LONGEST;
    const line = document.createElement('p');
    line.textContent = cut ? `${this.#waiting.slice(0, LONGEST)} … and more` : this.#waiting;
    this.#waiting = '';
    this.#more = false;
    this.region.append(line);
    while (this.region.childElementCount > KEPT) this.region.firstElementChild?.remove();
  }
}
