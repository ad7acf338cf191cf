"""Finds the place for the guard in the text of an ``env.py``; every other byte stays as it is."""

from __future__ import annotations

import ast

IMPORT = "from expandcontract import guard"
CALL = "guard(context)"
ATTRIBUTE = "expandcontract"
"""Where ``ec`` leaves its mark in Alembic's configuration, for the guard to find."""
PROBE = "expandcontract.probe"
"""Where the guard answers what ``env.py`` was asked."""


def with_guard(source: str) -> str | None:
    """The text of an ``env.py`` with the guard before each ``context.run_migrations()``.

    Returns:
        The text, unchanged where the guard stands already; ``None`` where the file's shape is not the usual one.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    bare = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _runs(node)]
    calls = [found for block in _blocks(tree) for found in _calls(block)]
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if not bare or len(calls) != len(bare) or not _binds(imports, "alembic", "context"):
        return None
    lines = source.split("\n")
    end = "\r" if lines[0].endswith("\r") else ""
    for statement, guarded in sorted(calls, key=lambda found: found[0].lineno, reverse=True):
        indent = lines[statement.lineno - 1][: statement.col_offset]
        if indent.strip():
            return None  # it shares its line with another statement
        if not guarded:
            lines.insert(statement.lineno - 1, f"{indent}{CALL}{end}")
    if not _binds(imports, "expandcontract", "guard"):
        if _names(tree, "guard"):
            return None
        lines.insert(imports[-1].end_lineno or imports[-1].lineno, IMPORT + end)
    return "\n".join(lines)


def _blocks(tree: ast.AST) -> list[list[ast.stmt]]:
    fields = ("body", "orelse", "finalbody")
    found = [getattr(node, name, None) for node in ast.walk(tree) for name in fields]
    return [block for block in found if isinstance(block, list)]


def _calls(block: list[ast.stmt]) -> list[tuple[ast.stmt, bool]]:
    """Each ``context.run_migrations(…)`` of the block, and whether the statement before it is the guard."""
    return [
        (statement, before is not None and _guards(before))
        for before, statement in zip((None, *block), block, strict=False)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and _runs(statement.value)
    ]


def _runs(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Attribute) and ast.unparse(call.func) == "context.run_migrations"


def _guards(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and ast.unparse(statement) == CALL


def _binds(imports: list[ast.Import | ast.ImportFrom], module: str, name: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and node.module == module and alias.name == name and alias.asname is None
        for node in imports
        for alias in node.names
    )


def _names(tree: ast.AST, name: str) -> bool:
    """Whether the file gives ``name`` a meaning of its own."""
    return any(
        (isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name)
        or (isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Store))
        or (isinstance(node, ast.alias) and (node.asname or node.name) == name)
        for node in ast.walk(tree)
    )
