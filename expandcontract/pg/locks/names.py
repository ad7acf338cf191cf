"""Names as statements write them, and what they mean in a world."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from expandcontract.pg.locks.parse import Node, names

if TYPE_CHECKING:
    from expandcontract.pg.locks.world import Name, World

WRITTEN = re.compile(r'"((?:[^"]|"")*)"|([^."]+)')


def parts(written: str) -> tuple[str, str]:
    """Schema (or empty) and name from text as ``regclass`` reads it: ``"Odd".s``."""
    found = [m[1].replace('""', '"') if m[1] is not None else m[2].strip().lower() for m in WRITTEN.finditer(written)]
    return ("", found[-1]) if len(found) == 1 else (found[-2], found[-1])


def range_var(world: World, node: Node) -> Name:
    """The relation that a RangeVar means."""
    return world.name(node.get("schemaname", ""), node["relname"])


def listed(world: World, node: Node) -> Name:
    """The relation that a list of names means: ``{"list": {"items": [schema, table]}}``."""
    written = names(node["list"]["items"])
    return world.name(written[-2] if len(written) > 1 else "", written[-1])


def owner(node: Node, world: World) -> Name | None:
    """The table whose column a sequence is to be owned by, if any."""
    for found in (item["def_elem"] for item in node.get("options", [])):
        if found["defname"] == "owned_by":
            *table, _ = names(found["arg"]["list"]["items"])
            return world.name("".join(table[:-1]), table[-1]) if table else None
    return None
