"""From a learner's text to code objects, forgiving what pasting does to a snippet."""

import ast
import html
import linecache
import re

# What the raw document puts around its snippets' words.
_TAG = re.compile(r"</?(?:font|pre|code|span)(?:\s[^<>]*)?>", re.IGNORECASE)

# The line before or after a snippet in Markdown.
_FENCE = re.compile(r"^[ \t]*```[ \t]*\w*[ \t]*$", re.MULTILINE)


def compile_cell(source, name):
    """Code objects to run one after the other; the last one shows its value, if it has one."""
    source = source.replace("\r\n", "\n").replace("\r", "\n")
    text, body = _parse(source, name)
    linecache.cache[name] = len(text), None, text.splitlines(True), name
    shown = None
    if body and isinstance(body[-1], ast.Expr):
        shown = body.pop()
    if body:
        yield compile(ast.Module(body, []), name, "exec", 0, True)
    if shown:
        yield compile(ast.Interactive([shown]), name, "single", 0, True)


def _parse(source, name):
    """The statements of source, or of what it was before it was pasted.

    Only a text that is not Python as it stands is looked at again. If no reading of
    it works, the error is that of the text as it is, indented as a whole or not.
    """
    try:
        return source, _tree(source, name).body
    except SyntaxError as e:
        error = e
    texts = [source]
    if _TAG.search(source):
        texts.append(html.unescape(_TAG.sub("", source)))
    if _FENCE.search(source):
        texts.append(_FENCE.sub("", source))
    for text in texts:
        for parse in (_parse_plain, _parse_indented, _parse_first_line_bare):
            try:
                return text, parse(text, name)
            except _NotThisWay:
                pass
            except SyntaxError as e:
                if text is source and parse is _parse_indented:
                    error = e  # "unexpected indent" would say less
    linecache.cache[name] = len(source), None, source.splitlines(True), name
    raise error


class _NotThisWay(Exception):
    """A text is not what a way of reading it expects."""


def _parse_plain(text, name):
    return _tree(text, name).body


def _parse_indented(text, name):
    """The statements of a text that is indented as a whole."""
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines or lines[0][0] not in " \t":
        raise _NotThisWay
    return _parse_block(text, name)


def _parse_first_line_bare(text, name):
    """As _parse_indented, where the selection began at the first word.

    Only with an indented empty line: otherwise it is likelier that the learner's own
    indentation is wrong, and Python must say so.
    """
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), 0)
    rest = lines[first + 1 :]
    if lines[first][:1] in (" ", "\t", "") or not any(line and line.isspace() for line in rest):
        raise _NotThisWay
    indents = [line[: len(line) - len(line.lstrip())] for line in rest if line.strip()]
    if not all(indents[-1:]):
        raise _NotThisWay
    lines[first] = min(filter(None, indents), key=len, default="") + lines[first]
    return _parse_block("\n".join(lines), name)


def _tree(text, name):
    # Not ast.parse: its frame would be in the traceback of a SyntaxError.
    return compile(text, name, "exec", ast.PyCF_ONLY_AST, True)


def _parse_block(text, name):
    """The statements of an indented text, which keep their columns and line numbers.

    Letting the parser take the indentation, instead of cutting it off, leaves the
    inside of triple-quoted texts as it was.
    """
    try:
        tree = _tree("if True:\n" + text, name)
    except SyntaxError as e:
        e.lineno -= 1
        if e.end_lineno is not None:
            e.end_lineno -= 1
        raise
    if len(tree.body) != 1 or tree.body[0].orelse:
        raise _NotThisWay
    ast.increment_lineno(tree, -1)
    return tree.body[0].body
