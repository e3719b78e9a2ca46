// The entry of every page: names the elements and starts what the page has.

import { CellElement, APPLE } from './cell.ts';
import { forget } from './keep.ts';
import { Lesson } from './lesson.ts';
import { LinkStatusElement } from './link-status.ts';
import { ShelvesElement, StripElement } from './shelves.ts';

customElements.define('storeroom-link', LinkStatusElement);
customElements.define('storeroom-shelves', ShelvesElement);
customElements.define('storeroom-strip', StripElement);
customElements.define('storeroom-cell', CellElement);

if (APPLE) for (const key of document.querySelectorAll('[data-mod]')) key.textContent = '⌘';

// The contents fold away again when the eye goes elsewhere.
const contents = document.querySelector<HTMLDetailsElement>('details.contents');
document.addEventListener('click', (event) => {
  if (contents?.open && !contents.contains(event.target as Node)) contents.open = false;
});
contents?.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !contents.open) return;
  contents.open = false;
  contents.querySelector('summary')?.focus();
  event.stopPropagation();
});

// Who deletes the data does not leave the edits behind in the browser.
for (const form of document.querySelectorAll('form[data-forget]')) {
  form.addEventListener('submit', () => forget([localStorage, sessionStorage]));
}

if (document.body.classList.contains('lesson')) {
  const nonce = document.querySelector<HTMLScriptElement>('script[nonce]')?.nonce ?? '';
  new Lesson(document, nonce).open();
}
