"""Names that PostgreSQL gives to what has none, so that what is made by hand is named as if it had been.

https://github.com/postgres/postgres/blob/master/src/backend/commands/indexcmds.c, ``makeObjectName``
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 63
"""Bytes of a name."""


def fits(name: str) -> bool:
    """Whether PostgreSQL keeps the name as it is."""
    return 0 < len(name.encode()) <= LONGEST


def default_name(table: str, columns: Iterable[str], label: str) -> str:
    """The name that PostgreSQL gives to a constraint or index, where that one is free.

    Args:
        table: The table's name, without schema.
        columns: Its columns, in order.
        label: ``key``, ``fkey``, ``check``, ``not_null`` or ``idx``.
    """
    parts = [table.encode(), "_".join(columns).encode()[:LONGEST]]
    room = LONGEST - len(label) - 2  # the two underscores
    sizes = [len(part) for part in parts]
    while sum(sizes) > room:
        sizes[sizes[0] <= sizes[1]] -= 1
    clipped = [part[:size].decode(errors="ignore") for part, size in zip(parts, sizes, strict=True)]
    return "_".join([*clipped, label])
