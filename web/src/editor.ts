// The code editor: CodeMirror, set up for a few lines of Python. It is loaded after the
// page; until then, and without it, the snippet stands there as plain text.

import { closeBrackets, closeBracketsKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { pythonLanguage } from '@codemirror/lang-python';
import { LanguageSupport, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { EditorState, Prec } from '@codemirror/state';
import { EditorView, highlightSpecialChars, keymap, placeholder } from '@codemirror/view';
import { classHighlighter } from '@lezer/highlight';

export interface EditorSetup {
  readonly code: string;
  readonly label: string; // for who can't see it
  readonly hint: string; // shown while it is empty
  readonly nonce: string; // by which the page's policy lets the editor's styles in
  changed(code: string): void;
  escape(): void;
}

export interface Editor {
  readonly element: HTMLElement;
  focus(): void;
  replace(code: string): void;
}

export function openEditor(setup: EditorSetup): Editor {
  const view = new EditorView({
    state: EditorState.create({ doc: setup.code, extensions: extensions(setup) }),
  });
  return {
    element: view.dom,
    focus: () => view.focus(),
    replace(code) {
      if (code === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: code }, userEvent: 'input' });
    },
  };
}

function extensions(setup: EditorSetup) {
  const escape = keymap.of([{ key: 'Escape', run: () => (setup.escape(), true) }]);
  const label = EditorView.contentAttributes.of({
    'aria-label': setup.label,
    // The cell's frame is the stop for Tab; Enter goes in and Escape out, so that Tab
    // can indent here and no one is caught.
    tabindex: '-1', autocapitalize: 'off', autocorrect: 'off', spellcheck: 'false',
  });
  return [
    EditorView.cspNonce.of(setup.nonce),
    EditorView.editorAttributes.of({ class: 'editor' }), // its own way: the editor writes its classes anew
    Prec.highest(escape),
    history(),
    indentOnInput(),
    indentUnit.of('    '),
    EditorState.tabSize.of(4),
    bracketMatching(),
    closeBrackets(),
    highlightSpecialChars(),
    new LanguageSupport(pythonLanguage),
    syntaxHighlighting(classHighlighter),
    EditorView.clipboardInputFilter.of(plainIndent),
    placeholder(setup.hint),
    keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab].filter((each) => each.key !== 'Mod-Enter')),
    label,
    look,
    EditorView.domEventHandlers({ beforeinput: typeOver }),
    EditorView.updateListener.of((update) => {
      if (update.docChanged) setup.changed(update.state.doc.toString());
    }),
  ];
}

// plainIndent makes spaces of the no-break spaces with which some pages indent their code
// and which Python refuses.
function plainIndent(text: string): string {
  return text.replace(/^[ \t\u00a0]+/gm, (indent) => indent.replaceAll('\u00a0', ' '));
}

// typeOver types over a selection by itself. Chromium's own way copies the old text's
// look into a style attribute, which the page's policy forbids and the console reports.
function typeOver(event: InputEvent, view: EditorView): boolean {
  const { from, to, empty } = view.state.selection.main;
  const text = event.data;
  if (empty || text === null || event.inputType !== 'insertText' || event.isComposing || view.composing) return false;
  const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: 'input.type', scrollIntoView: true });
  const taken = view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, text, insert));
  if (!taken) view.dispatch(insert());
  event.preventDefault();
  return true;
}

// The same measures as the plain text that it replaces, so that nothing jumps: see
// .code in page.css. Colours are the page's, which knows light and dark.
const look = EditorView.theme({
  '&': { color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: 'inherit', overflowX: 'auto' },
  '.cm-content': { padding: 'var(--code-top) 0', caretColor: 'var(--ink)' },
  '.cm-line': { padding: '0 var(--code-side)' },
  '.cm-placeholder': { color: 'var(--soft)', whiteSpace: 'normal', maxWidth: 'calc(100vw - 4rem)' },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--glow)', outline: '1px solid var(--line-strong)' },
  '&.cm-focused .cm-nonmatchingBracket': { backgroundColor: 'transparent', color: 'var(--bad)' },
  '.cm-specialChar': { color: 'var(--bad)' },
});
