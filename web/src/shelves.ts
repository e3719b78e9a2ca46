// The storeroom's side of the page: a shelf for each store with what is in it now. Rows
// that the last run changed are lit once and then rest; keys' time to live ticks down.

import type { Item, Shelf, Shelves } from './protocol.ts';
import type { ShelfChange } from './shelf-diff.ts';
import { STORES, count, storeWords, timeLeft } from './wording.ts';

// SHORT is how many items a shelf lists until it is asked for all.
const SHORT = 8;
const SECOND = 1000;

export interface ShelvesEvents {
  'shelves-expired': null; // a key's time ran out: what is there now is not known
}

export class ShelvesElement extends HTMLElement {
  #shelves: readonly Shelf[] | undefined;
  #changes: readonly ShelfChange[] = [];
  #open = new Set<string>(); // stores whose items are all listed
  #ahead = 0; // how far the server's clock is ahead of this page's, in milliseconds
  #timer = 0;

  connectedCallback(): void {
    this.#draw();
  }

  disconnectedCallback(): void {
    clearTimeout(this.#timer);
  }

  // show draws what a look found; the browser's own clock may be wrong, or be set right
  // meanwhile, and does not matter.
  show({ shelves, now }: Shelves, changes: readonly ShelfChange[]): void {
    this.#shelves = shelves;
    this.#changes = changes;
    this.#ahead = now - performance.now();
    this.#draw();
  }

  #draw(): void {
    const cards = this.#shelves?.map((shelf) => this.#card(shelf)) ?? Object.entries(STORES).map(([store, words]) => empty(store, words.title));
    this.replaceChildren(...cards);
    this.#tick();
  }

  #card(shelf: Shelf): HTMLElement {
    const change = this.#changes.find((each) => each.store === shelf.store);
    const card = make('section', `shelf store-${shelf.store}`);
    const heading = make('h3', '');
    const words = storeWords(shelf.store);
    // "no keys" need not stand there twice.
    const detail = shelf.detail === words.empty ? '' : shelf.detail;
    heading.append(shelf.title, make('small', '', detail));
    card.append(heading);
    if (shelf.note !== '') card.append(make('p', 'note', shelf.note));
    const items = this.#open.has(shelf.store) ? shelf.items : firstOf(shelf, change);
    const rows = [...items.map((item) => row(item, change)), ...(change?.removed ?? []).slice(0, SHORT).map(removed)];
    if (rows.length > 0) {
      const list = make('ul', '');
      list.append(...rows);
      card.append(list);
    } else if (shelf.note === '') card.append(make('p', 'empty', words.empty));
    this.#foot(card, shelf, items.length);
    return card;
  }

  // foot says how many items are not listed, and lists them where it can.
  #foot(card: HTMLElement, shelf: Shelf, listed: number): void {
    const hidden = shelf.items.length - listed;
    const open = this.#open.has(shelf.store) && shelf.items.length > SHORT;
    if (hidden > 0 || open) {
      const more = make('button', 'plain more', open ? 'Show fewer' : `Show ${count(hidden, 'more', 'more')}`);
      more.type = 'button';
      more.setAttribute('aria-expanded', String(open));
      more.addEventListener('click', () => this.#toggle(shelf.store));
      card.append(more);
    }
    if (shelf.more > 0 && hidden === 0) card.append(make('p', 'empty', `and ${count(shelf.more, 'more', 'more')}`));
  }

  #toggle(store: string): void {
    if (!this.#open.delete(store)) this.#open.add(store);
    this.#changes = [];
    this.#draw();
    this.querySelector<HTMLElement>(`.store-${CSS.escape(store)} .more`)?.focus();
  }

  #tick(): void {
    clearTimeout(this.#timer);
    const ticking = [...this.querySelectorAll<HTMLElement>('[data-expires]')];
    if (ticking.length === 0) return;
    const now = performance.now() + this.#ahead;
    let gone = false;
    for (const element of ticking) {
      const left = Number(element.dataset['expires']) - now;
      element.textContent = left > 0 ? `${timeLeft(left)} left` : 'gone';
      if (left > 0) continue;
      gone = true;
      delete element.dataset['expires'];
      element.closest('li')?.classList.add('gone');
    }
    if (gone) this.dispatchEvent(new CustomEvent('shelves-expired', { bubbles: true }));
    this.#timer = window.setTimeout(() => this.#tick(), SECOND - (now % SECOND));
  }
}

// firstOf lists the first few, and always what the last run changed.
function firstOf(shelf: Shelf, change: ShelfChange | undefined): readonly Item[] {
  if (shelf.items.length <= SHORT) return shelf.items;
  const changed = new Set([...(change?.added ?? []), ...(change?.changed ?? [])]);
  const lit = shelf.items.filter((item) => changed.has(item.name)).slice(0, SHORT);
  const rest = shelf.items.filter((item) => !lit.includes(item)).slice(0, SHORT - lit.length);
  const chosen = new Set([...lit, ...rest]);
  return shelf.items.filter((item) => chosen.has(item));
}

function row(item: Item, change: ShelfChange | undefined): HTMLElement {
  const added = change?.added.includes(item.name) ?? false;
  const changed = change?.changed.includes(item.name) ?? false;
  const line = make('li', added || changed ? 'lit' : '');
  const name = make('span', 'item', item.name);
  name.title = item.name;
  line.append(name);
  if (added || changed) line.append(make('span', 'quiet', added ? ' new,' : ' changed,'));
  const detail = make('span', 'detail', item.detail);
  detail.title = item.detail;
  line.append(detail);
  if (item.expires !== undefined) {
    const left = make('span', 'left');
    left.dataset['expires'] = String(item.expires);
    line.append(left);
  }
  return line;
}

function removed(item: Item): HTMLElement {
  const line = make('li', 'gone');
  line.append(make('span', 'item', item.name), make('span', 'detail', 'gone'));
  return line;
}

function empty(store: string, title: string): HTMLElement {
  const card = make('section', `shelf store-${store} unknown`);
  card.append(make('h3', '', title), make('p', 'empty', '…'));
  return card;
}

// StripElement is the storeroom in one line, for phones: a count for each store, and the
// way to the shelves.
export class StripElement extends HTMLElement {
  show(shelves: readonly Shelf[], changes: readonly ShelfChange[]): void {
    const link = make('a', '');
    link.href = '#storeroom';
    link.append(make('span', 'strip-name', 'Storeroom'));
    for (const shelf of shelves) {
      const lit = changes.some((change) => change.store === shelf.store);
      const mark = make('span', `strip-store store-${shelf.store}${lit ? ' lit' : ''}`);
      mark.append(make('span', 'quiet', ` ${storeWords(shelf.store).title} `), make('b', '', String(shelf.items.length + shelf.more)));
      link.append(mark);
    }
    this.replaceChildren(link);
  }
}

function make<Tag extends keyof HTMLElementTagNameMap>(tag: Tag, look: string, text = ''): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  if (look !== '') element.className = look;
  if (text !== '') element.textContent = text;
  return element;
}
