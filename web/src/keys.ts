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
    if (event.key !== '?') return;
    targets.showKeys();
    event.preventDefault();
  });
  page.addEventListener('cell-move', (event) => {
    const { by } = (event as CustomEvent<{ by: 1 | -1 }>).detail;
    moveFrom(event.target, by, targets.cells());
  });
}

function moveFrom(from: EventTarget | null, by: 1 | -1, cells: readonly HTMLElement[]): void {
  const here = cells.findIndex((cell) => cell === from);
  const next = here < 0 ? undefined : cells[here + by];
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: 'nearest' });
}

function writesText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));
}
