// The connection's state in the page's head: quiet while all is well.

import { linkWords, type LinkView } from './wording.ts';

export class LinkStatusElement extends HTMLElement {
  #timer = 0;

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  show(link: LinkView): void {
    clearTimeout(this.#timer);
    const words = linkWords(link);
    this.dataset['state'] = link.state;
    this.classList.toggle('calm', words.calm);
    // A blink of the connection is not worth words.
    const blink = link.state === 'connecting' || link.state === 'waiting';
    this.#timer = window.setTimeout(() => {
      if (this.textContent !== words.short) this.textContent = words.short;
    }, words.calm || !blink ? 0 : 600);
  }
}
