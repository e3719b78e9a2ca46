// The connection's state in the page's head: quiet while all is well.

import { linkWords, type LinkView } from './wording.ts';

export class LinkStatusElement extends HTMLElement {
  #words = document.createElement('span');
  #timer = 0;

  connectedCallback(): void {
    this.append(this.#words);
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  show(link: LinkView): void {
    clearTimeout(this.#timer);
    const words = linkWords(link);
    this.dataset['state'] = link.state;
    // A blink of the connection is not worth words.
    const blink = link.state === 'connecting' || link.state === 'waiting';
    this.#timer = window.setTimeout(() => {
      if (this.#words.textContent !== words.short) this.#words.textContent = words.short;
      this.classList.toggle('calm', words.calm);
    }, words.calm || !blink ? 0 : 600);
  }
}
