// The connection's state in the page's head: quiet while all is well.

import { linkWords, type LinkView } from './wording.ts';

export class LinkStatusElement extends HTMLElement {
  #timer = 0;

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  // show tells a state; wait is milliseconds to the next try, tries how many failed.
  show(state: LinkView, wait: number, tries: number): void {
    clearTimeout(this.#timer);
    const words = linkWords(state, wait, tries);
    this.dataset['state'] = state;
    this.classList.toggle('calm', words.calm);
    // A blink of the connection is not worth words.
    const pause = words.calm || state === 'closed' ? 0 : 600;
    this.#timer = window.setTimeout(() => {
      if (this.textContent !== words.short) this.textContent = words.short;
    }, pause);
  }
}
