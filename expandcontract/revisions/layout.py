"""Breaks long lines of a revision as ``ruff format`` and ``black`` do by default, so that neither changes them."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDTH = 88  # columns; the default of both


def laid_out(line: str, indent: int = 4) -> list[str]:
    """A statement of one line, on as many lines as it needs.

    Args:
        line: The statement, without its indentation; what is no expression stays as it is.
        indent: By how many columns it is indented.

    Returns:
        The lines, each with its indentation.
    """
    whole = " " * indent + line
    if len(whole) <= WIDTH:
        return [whole]
    try:
        (statement,) = ast.parse(line).body
    except (SyntaxError, ValueError):
        return [whole]
    if not isinstance(statement, ast.Expr):
        return [whole]
    behind = line[len(line.encode()[: statement.end_col_offset].decode()) :]
    return _broken(line, statement.value, indent, "", behind)


def _broken(source: str, node: ast.expr, indent: int, before: str, after: str) -> list[str]:
    """The expression with what stands right before and behind it, broken at its outermost brackets if it must be."""
    text = ast.get_source_segment(source, node) or ""
    whole = f"{' ' * indent}{before}{text}{after}"
    items = _items(source, node)
    if len(whole) <= WIDTH or not items:
        return [whole]
    head, tail = _brackets(source, node)
    first, end = f"{' ' * indent}{before}{head}", f"{' ' * indent}{tail}{after}"
    together = " " * (indent + 4) + ", ".join(prefix + _text(source, item) for prefix, item in items)
    if len(together) <= WIDTH and isinstance(node, ast.Call):
        return [first, together, end]
    inner = [line for prefix, item in items for line in _broken(source, item, indent + 4, prefix, ",")]
    return [first, *inner, end]


def _text(source: str, node: ast.expr) -> str:
    return ast.get_source_segment(source, node) or ""


def _brackets(source: str, node: ast.expr) -> tuple[str, str]:
    if isinstance(node, ast.Call):
        return f"{_text(source, node.func)}(", ")"
    return ("[", "]") if isinstance(node, ast.List) else ("{", "}")


def _items(source: str, node: ast.expr) -> Sequence[tuple[str, ast.expr]]:
    """What stands between the brackets, each with its keyword or key."""
    match node:
        case ast.Call():
            named = [(f"{found.arg}=" if found.arg else "**", found.value) for found in node.keywords]
            return [*(("", found) for found in node.args), *named]
        case ast.List():
            return [("", found) for found in node.elts]
        case ast.Dict():
            keys = [f"{_text(source, key)}: " if key else "**" for key in node.keys]
            return list(zip(keys, node.values, strict=True))
    return []
