"""From a learner's text to code objects, forgiving what pasting does to a snippet."""

import ast
import html
import linecache
import re

# What the raw document puts around its snippets' words.
_TAG = re.compile(r"</?(?:font|pre|code|span)(?:\s[^<>]*)?>", re.IGNORECASE)


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
    it works, the error is that of the text as it is.
    """
    try:
        return source, _tree(source, name).body
    except SyntaxError as e:
        error = e
    bare = html.unescape(_TAG.sub("", source)) if _TAG.search(source) else None
    for text, indented in ((source, True), (bare, False), (bare, True)):
        if text is None:
            continue
        readings = _indented_readings(text) if indented else (text,)
        for reading in readings:
            try:
                return text, _parse_block(reading, name) if indented else _tree(reading, name).body
            except SyntaxError:
                pass
    linecache.cache[name] = len(source), None, source.splitlines(True), name
    raise error


def _tree(text, name):
    # Not ast.parse: its frame would be in the traceback of a SyntaxError.
    return compile(text, name, "exec", ast.PyCF_ONLY_AST, True)


def _indented_readings(text):
    """text, if all of it is indented; and with its first line indented too, as when
    the selection began at the first word."""
    lines = text.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return
    if lines[first][0] in " \t":
        yield text
        return
    following = [line for line in lines[first + 1 :] if line.strip()]
    if following and following[-1][0] in " \t":
        indents = (line[: len(line) - len(line.lstrip())] for line in following)
        lines[first] = min((i for i in indents if i), key=len, default="") + lines[first]
        yield "\n".join(lines)


def _parse_block(text, name):
    """The statements of an indented text, which keep their columns and line numbers.

    Letting the parser take the indentation, instead of cutting it off, leaves the
    inside of triple-quoted texts as it was.
    """
    tree = _tree("if True:\n" + text, name)
    if len(tree.body) != 1 or tree.body[0].orelse:
        raise SyntaxError("not one indented block")
    ast.increment_lineno(tree, -1)
    return tree.body[0].body
