// The page's dialogs: opened by buttons that name them, closed by their own buttons.

// listenForDialogs opens <dialog id=X> from [data-open=X] and shows those buttons.
export function listenForDialogs(page: Document): void {
  for (const opener of page.querySelectorAll<HTMLElement>('[data-open]')) {
    opener.hidden = false;
    opener.addEventListener('click', () => openDialog(page, opener.dataset['open'] ?? ''));
  }
}

export function openDialog(page: Document, id: string): void {
  const dialog = page.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement) || dialog.open) return;
  dialog.returnValue = '';
  dialog.showModal();
}

// onChoice calls then when the dialog was closed by the button of that value.
export function onChoice(page: Document, id: string, value: string, then: () => void): void {
  const dialog = page.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return;
  dialog.addEventListener('close', () => {
    if (dialog.returnValue === value) then();
  });
}
