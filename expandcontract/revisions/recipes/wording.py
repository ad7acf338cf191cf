"""How the recipes spell tables, roles and changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from expandcontract.core.change import LONGEST_NAME, check_name
from expandcontract.revisions.render import quote, rendered, statement

if TYPE_CHECKING:
    from expandcontract.core.mapping import Table


def change_name(*words: str, name: str | None = None) -> str:
    """The name given, or one made of these words, in snake_case and short enough.

    Raises:
        UsageError: The name given cannot name a change.
    """
    if name is not None:
        return check_name(name)
    made = re.sub(r"[^a-z0-9_]", "_", "_".join(words).lower())
    return check_name((made if made[:1].isalpha() else f"c_{made}")[:LONGEST_NAME].rstrip("_"))


def in_schema(table: Table) -> str:
    """The keyword argument that Alembic's directives need of a table outside ``public``."""
    return "" if table.schema == "public" else f", schema={rendered(table.schema)}"


def qualified(table: Table) -> str:
    """The table's name as SQL."""
    return f"{quote(table.schema)}.{quote(table.name)}"


def execute(sql: str) -> str:
    """A statement of a revision that runs this SQL."""
    return f"op.execute({statement(sql)})"


def listed(names: tuple[str, ...]) -> str:
    """Names as a Python list."""
    return f"[{', '.join(map(rendered, names))}]"


def several(count: int, what: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{count} {what}" + ("" if count == 1 else "s")
