"""Identifiers and expressions as psycopg takes them: a percent sign is doubled, as it would begin a placeholder."""

from __future__ import annotations

from psycopg import sql


def identifier(*names: str) -> sql.Identifier:
    """A quoted, dotted name."""
    return sql.Identifier(*map(escaped, names))


def escaped(expression: str) -> str:
    """An expression of a declaration, as it stands in a statement with placeholders."""
    return expression.replace("%", "%%")
