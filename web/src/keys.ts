// The keys of the whole page: arrows from cell to cell, Escape stops, ? lists the keys.
// Keys within a cell are the cell's own.

export interface KeyTargets {
  cells(): readonly HTMLElement[];
  // stop ends what runs; false when nothing does.
  stop(): boolean;
  showKeys(): void;
}

export function listenForKeys(page: Document, targets: KeyTargets): void {
  page.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || page.querySelector('dialog[open]') !== null) return;
    if (event.key === 'Escape') {
      if (targets.stop()) event.preventDefault();
      return;
    }
    if (writesText(event.target)) return;
    if (event.key === '?') targets.showKeys();
    else if (event.key === 'ArrowDown' && event.target === page.body) moveFrom(undefined, 1, targets.cells());
    else return;
    event.preventDefault();
  });
  page.addEventListener('cell-move', (event) => {
    const { by } = (event as CustomEvent<{ by: 1 | -1 }>).detail;
    moveFrom(event.target, by, targets.cells());
  });
}

// moveFrom goes to the next or previous cell; from nowhere to the first one in sight.
function moveFrom(from: EventTarget | undefined | null, by: 1 | -1, cells: readonly HTMLElement[]): void {
  const here = cells.findIndex((cell) => cell === from);
  const next = here >= 0 ? cells[here + by] : cells.find((cell) => cell.getBoundingClientRect().bottom > 0);
  if (next === undefined) return;
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: 'nearest' });
}

function writesText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}
