"""What an answered rename takes the place of, and what it leaves for the next run.

A rename carries everything that hangs on the column or table. Where the models say more than a rename does, that
difference stays, and is said.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from alembic.operations import ops

from expandcontract.errors import PairError
from expandcontract.revisions.folding import AGAIN, RULES
from expandcontract.revisions.placing import PLAIN, Wanted, target_of, type_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expandcontract.core.mapping import Table

DROPS = {"drop-index": "add-index", "drop-constraint": ""}
ONCE = "once the rename is over"


def column(found: list[Wanted], gone: Wanted, came: Wanted, later: list[str]) -> list[Wanted]:
    """``found`` with a rename of the column in place of its drop, its addition and what hangs on them.

    Args:
        found: What was wanted.
        gone: The drop.
        came: The addition.
        later: Is told what the models change beyond the name.
    """
    arguments = {"table": gone.table.spelled, "old": gone.short, "new": came.short}
    names: list[str] = []
    on_old = [item for item in found if item.recipe in DROPS and _on(item, gone)]
    on_new = [item for item in found if item.recipe in RULES and _on(item, came)]
    for item in on_new:
        before = {gone.short if name == came.short else name for name in item.over}
        carried = next((old for old in on_old if old.over == before and _alike(old, item)), None)
        if carried is None:
            later.append(f"{AGAIN}, {ONCE}: {item.about}")
        else:
            on_old.remove(carried)
            names += filter(None, [item.arguments.get("index") or item.arguments.get("constraint")])
    later += [f"{AGAIN}, {ONCE}: {item.about}, which the new column has a copy of" for item in on_old]
    reverse = gone.operation._reverse  # noqa: SLF001  # what the column is like is known nowhere else
    if reverse is not None and (parts := _differs(reverse.column, came.operation.column)):
        later.append(f"{AGAIN}, {ONCE}: {' and '.join(parts)} of {came.label}")
    beside = {id(item) for item in found if item.recipe in {*DROPS, *RULES} and (_on(item, gone) or _on(item, came))}
    rename = replace(_rename("rename-column", gone, came, arguments), names=tuple(names))
    return _put(found, rename, gone, came, beside)


def table(found: list[Wanted], gone: Wanted, came: Wanted, later: list[str]) -> list[Wanted]:
    """The same for a table; foreign keys that refer to it follow by themselves.

    Raises:
        PairError: It is to be in another schema.
    """
    if gone.table.schema != came.table.schema:
        msg = f"{gone.table} cannot become {came.table}: a rename leaves a table in its schema"
        raise PairError(msg, hint="write it by hand: ec new sql")
    rename = _rename("rename-table", gone, came, {"old": gone.table.spelled, "new": came.table.name})
    reverse = gone.operation._reverse  # noqa: SLF001  # as above
    if reverse is not None and _columns(reverse) != _columns(came.operation):
        later.append(f"{AGAIN}, {ONCE}: the columns of {came.table}, which are not those of {gone.table}")
    if (names := _names(found, came)) != (kept := _names(found, gone)):
        listed = ", ".join(sorted(names ^ kept))
        later.append(f"{AGAIN}, {ONCE}: indexes, which keep their names ({listed})")
    following = _following(found, gone, came)
    beside = {id(item) for item in found if item.table in {gone.table, came.table}} | following
    return _put(found, rename, gone, came, beside)


def _rename(recipe: str, gone: Wanted, came: Wanted, arguments: dict[str, str]) -> Wanted:
    about = f"{gone.label} renamed to {came.short}"
    return Wanted(recipe=recipe, table=gone.table, about=about, operation=gone.operation, arguments=arguments)


def _put(found: list[Wanted], rename: Wanted, gone: Wanted, came: Wanted, beside: Iterable[int]) -> list[Wanted]:
    left_out = {id(came), *beside} - {id(gone)}
    return [rename if item is gone else item for item in found if id(item) not in left_out]


def _on(item: Wanted, column: Wanted) -> bool:
    return item.table == column.table and column.short in item.over


def _alike(old: Wanted, new: Wanted) -> bool:
    if old.recipe == "drop-index":
        return new.recipe == "add-index"
    kinds = {"foreignkey": "add-foreign-key", "unique": "add-unique", "check": "add-check"}
    return kinds.get(str(old.operation.constraint_type)) == new.recipe


def _differs(old: Any, new: Any) -> list[str]:
    parts = {
        "type": type_of(old.type) != type_of(new.type),
        "NULL": bool(old.nullable) != bool(new.nullable),
        "default": (old.server_default is None) != (new.server_default is None),
        "comment": old.comment != new.comment,
    }
    return [part for part, differs in parts.items() if differs]


def _columns(operation: Any) -> set[tuple[str, str, bool]]:
    columns = operation.to_table().columns
    return {(str(one.name), type_of(one.type), bool(one.nullable)) for one in columns}


def _names(found: list[Wanted], on: Wanted) -> set[str]:
    kinds = (ops.CreateIndexOp, ops.DropIndexOp)
    return {str(i.operation.index_name) for i in found if i.table == on.table and isinstance(i.operation, kinds)}


def _following(found: list[Wanted], gone: Wanted, came: Wanted) -> set[int]:
    """The foreign keys of other tables that refer to the renamed one: they go and come in Alembic's eyes only."""
    going = {(item.table, item.over): item for item in found if _target(item, "drop-constraint") == gone.table}
    follow: set[int] = set()
    for item in found:
        if _target(item, "add-foreign-key") == came.table and (item.table, item.over) in going:
            follow |= {id(item), id(going[item.table, item.over])}
    return follow


def _target(item: Wanted, recipe: str) -> Table | None:
    if item.recipe != recipe or item.recipe == PLAIN:
        return None
    operation = item.operation
    key = operation if recipe == "add-foreign-key" else operation._reverse  # noqa: SLF001  # as above
    if not isinstance(key, ops.CreateForeignKeyOp):
        return None
    return target_of(key)
