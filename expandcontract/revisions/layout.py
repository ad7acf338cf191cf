"""Lays out generated statements as the common formatters do, so that a project's own check leaves them alone.

A call that fits stands on one line; else each argument has a line of its own, with a trailing comma: by it the
formatters leave the call as it is under any line length from :data:`WIDTH` on. https://docs.astral.sh/ruff/formatter/
"""

from __future__ import annotations

import ast
import json
import re

WIDTH = 88
LONGEST = 120
"""No line is longer; a text that fits under no common line length is cut into several."""
STEP = 4


def layout(statement: str, indent: int = 0) -> str:
    """One simple statement, without its line end; a comment after two blanks stays at its end.

    Args:
        statement: A call, an assignment of a call, a ``with`` block of such, or a comment.
        indent: Blanks before it.
    """
    if statement.startswith("#"):
        return " " * indent + statement
    tree = ast.parse(statement).body[0]
    if isinstance(tree, ast.With):
        inner = [layout(ast.get_source_segment(statement, part) or "", indent + STEP) for part in tree.body]
        return "\n".join([" " * indent + statement.split("\n", 1)[0], *inner])
    code = ast.get_source_segment(statement, tree) or statement
    comment = statement[len(code) :].strip().removeprefix("# ")
    lead, value = "", getattr(tree, "value", None)
    if isinstance(tree, ast.Assign):
        lead = f"{ast.unparse(tree.targets[0])} = "
    if value is None:
        return " " * indent + statement
    tail = f"  # {comment}" if comment else ""
    return " " * indent + lead + _value(value, indent, len(lead) + indent, len(tail)) + tail


def _value(node: ast.expr, indent: int, used: int, after: int) -> str:
    """``node`` from column ``used`` on, with ``after`` characters to come behind it on its last line."""
    flat = _flat(node)
    if used + len(flat) + after > LONGEST and isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _cut(node.value, indent)
    if used + len(flat) + after <= WIDTH or not _parts(node):
        return flat
    opening, parts, closing = _bracketed(node)
    if len(parts) == 1 and "\n" in flat and not _parts(_node(parts[0])):
        return flat  # the formatters leave a text of several lines within its brackets
    inner = indent + STEP
    blank, margin = " " * inner, " " * indent
    lines = []
    for part in parts:
        lead = "" if isinstance(part, ast.expr) else part[0]
        lines.append(f"{blank}{lead}{_value(_node(part), inner, inner + len(lead), 1)},\n")
    return f"{opening}\n{''.join(lines)}{margin}{closing}"


def _cut(text: str, indent: int) -> str:
    """A text as several literals below each other, cut after blanks where there are any."""
    if (whole := quoted(text)).startswith('"""'):
        return whole
    pieces, room = [""], WIDTH - indent - 2 - len(",")
    for word in re.findall(r"\S*\s*", text):
        if pieces[-1] and len(quoted(pieces[-1] + word)) - 2 > room:
            pieces.append("")
        pieces[-1] += word
    return f"\n{' ' * indent}".join(map(quoted, pieces))


Part = ast.expr | tuple[str, ast.expr]


def _node(part: Part) -> ast.expr:
    return part if isinstance(part, ast.expr) else part[1]


def _parts(node: ast.expr) -> list[Part]:
    match node:
        case ast.Call():
            keywords = [(f"{word.arg}=", word.value) for word in node.keywords]
            return [*node.args, *keywords]
        case ast.List() | ast.Tuple():
            return list(node.elts)
        case ast.Dict():
            return [(f"{_flat(key)}: ", value) for key, value in zip(node.keys, node.values, strict=True) if key]
        case _:
            return []


def _bracketed(node: ast.expr) -> tuple[str, list[Part], str]:
    brackets = {ast.List: "[]", ast.Tuple: "()", ast.Dict: "{}"}
    if isinstance(node, ast.Call):
        return f"{_flat(node.func)}(", _parts(node), ")"
    return brackets[type(node)][0], _parts(node), brackets[type(node)][1]


def _flat(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return quoted(text)
        case ast.Call() | ast.List() | ast.Tuple() | ast.Dict():
            opening, parts, closing = _bracketed(node)
            inner = ", ".join(_flat(part) if isinstance(part, ast.expr) else part[0] + _flat(part[1]) for part in parts)
            comma = "," if isinstance(node, ast.Tuple) and len(parts) == 1 else ""
            return f"{opening}{inner}{comma}{closing}"
        case _:
            return ast.unparse(node)


def quoted(text: str) -> str:
    """A string as a Python literal, in the quotes that need fewer escapes; lines stay lines."""
    if (
        "\n" in text
        and '"""' not in text
        and "\\" not in text
        and text.replace("\n", "").isprintable()
        and text[-1] != '"'
    ):
        return f'"""{text}"""'
    double = json.dumps(text, ensure_ascii=False).replace("\x7f", "\\x7f")
    if text.count('"') > text.count("'"):
        return "'" + double[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"
    return double
