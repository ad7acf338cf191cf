"""From a difference between models and database to the pairs that carry it: questions first, then one item a pair.

A drop and an addition on one table may be a rename. Which it is cannot be seen, and a wrong guess loses the column's
rows; so it is asked, and without an answer nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alembic.operations import ops

from expandcontract.errors import UndecidedError, UsageError
from expandcontract.revisions.placing import PLAIN, Wanted, wanted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from expandcontract.core.mapping import Table
    from expandcontract.revisions.autogenerate import Difference

SEALED = {"add-index", "add-unique", "add-foreign-key", "add-check"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the caller decided.

    Attributes:
        renames: ``table.old`` or ``old_table`` to its new name.
        separate: ``table.old`` or ``old_table`` that really goes, whatever is added beside it.
        more: ``table.column`` to further arguments of its recipe: ``fill``, ``default``, ``using`` …
    """

    renames: Mapping[str, str] = field(default_factory=dict)
    separate: Collection[str] = ()
    more: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One pair to write.

    Attributes:
        recipe: The recipe's name; empty where ``plain`` says it all.
        arguments: Of the recipe.
        about: In words.
        plain: Alembic's operations that stay as they are, for an additive change.
        seal: Alembic's operations that belong into the seal.
    """

    recipe: str
    about: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    plain: tuple[Any, ...] = ()
    seal: tuple[Any, ...] = ()


def items(difference: Difference, answers: Answers) -> tuple[Item, ...]:
    """The pairs that the difference wants, in an order in which each may stand on those before it.

    Raises:
        UndecidedError: A drop and an addition may be a rename, and no answer says so.
        PairError: An operation has no recipe; it is named.
        UsageError: An answer names what is no difference.
    """
    found = [item for operation in difference.operations for item in wanted(operation)]
    _refuse_idle(found, answers)
    found = _renamed_tables(found, answers)
    found = _renamed_columns(found, answers)
    created, rest = _created(found)
    return (*created, *_sealed(_without_what_goes(rest), answers))


def _named(item: Wanted) -> str:
    column = item.arguments.get("column")
    return f"{item.table}.{column}" if column else str(item.table)


def _refuse_idle(found: list[Wanted], answers: Answers) -> None:
    known = {_named(item) for item in found}
    for name in (*answers.renames, *answers.separate, *answers.more):
        if name not in known:
            msg = f"{name} is no difference between the models and the database"
            raise UsageError(msg, hint=f"there are {', '.join(sorted(known))}" if known else "alembic check")


def _renamed_tables(found: list[Wanted], answers: Answers) -> list[Wanted]:
    dropped = [item for item in found if item.recipe == "drop-table"]
    added = [item for item in found if isinstance(item.operation, ops.CreateTableOp)]
    return _decide(found, dropped, added, answers, "rename-table", "old")


def _renamed_columns(found: list[Wanted], answers: Answers) -> list[Wanted]:
    for table in dict.fromkeys(item.table for item in found):
        dropped = [item for item in found if item.recipe == "drop-column" and item.table == table]
        added = [item for item in found if item.recipe == "add-column" and item.table == table]
        found = _decide(found, dropped, added, answers, "rename-column", "old")
    return found


def _decide(
    found: list[Wanted], dropped: list[Wanted], added: list[Wanted], answers: Answers, recipe: str, key: str
) -> list[Wanted]:
    """``found`` with each answered pair of a drop and an addition made into a rename."""
    if not dropped or not added:
        return found
    for gone in dropped:
        name = _named(gone)
        if name in answers.separate:
            continue
        new = answers.renames.get(name)
        if new is None:
            raise _question(gone, added)
        came = next((item for item in added if _short(item) == new), None)
        if came is None:
            msg = f"{name} cannot become {new}: the models add no {new} there"
            raise UsageError(msg, hint=f"one of {', '.join(map(_short, added))}")
        table = {"table": gone.table.spelled} if recipe == "rename-column" else {}
        arguments = {**table, key: _short(gone), "new": new}
        rename = Wanted(
            recipe=recipe,
            table=gone.table,
            about=f"{name} renamed to {new}",
            operation=gone.operation,
            arguments=arguments,
        )
        drop = {id(gone), id(came)}
        found = [rename if item is gone else item for item in found if item is gone or id(item) not in drop]
        found = [item for item in found if item is rename or not _belongs(item, gone, came)]
    return found


def _short(item: Wanted) -> str:
    return str(item.arguments.get("column") or item.table.name)


def _question(gone: Wanted, added: list[Wanted]) -> UndecidedError:
    name = _named(gone)
    ways = [f"--rename {name}={_short(item)}" for item in added]
    apart = f"--separate {name}"
    msg = f"{name} is gone from the models, and {', '.join(_named(item) for item in added)} came: renamed, or dropped?"
    question: dict[str, object] = {"about": name, "renames": [_short(item) for item in added], "flags": [*ways, apart]}
    return UndecidedError(msg, hint=" or ".join([*ways, f"{apart} (its values go)"]), questions=(question,))


def _columns(operation: Any) -> set[str]:
    """The columns that an index or constraint stands on, as far as the operation tells."""
    if isinstance(operation, ops.DropIndexOp | ops.DropConstraintOp):
        operation = operation._reverse  # noqa: SLF001  # what it would bring back is known nowhere else
    named = getattr(operation, "columns", None) or getattr(operation, "local_cols", None) or ()
    return {str(getattr(column, "name", column)) for column in named}


def _belongs(item: Wanted, gone: Wanted, came: Wanted) -> bool:
    """Whether an index or constraint comes or goes with the column or table that is renamed."""
    if gone.recipe == "drop-table":
        return item.table in {gone.table, came.table}
    columns = _columns(item.operation) if item.recipe in SEALED | {"drop-index", "drop-constraint"} else set()
    return item.table == gone.table and bool(columns & {_short(gone), _short(came)})


def _created(found: list[Wanted]) -> tuple[list[Item], list[Wanted]]:
    """One item a new table, with all that is made on it; and what is left."""
    tables = {item.table for item in found if isinstance(item.operation, ops.CreateTableOp)}
    created = []
    for table in [item.table for item in found if isinstance(item.operation, ops.CreateTableOp)]:
        on_it = tuple(item.operation for item in found if item.table == table)
        created.append(Item(recipe=PLAIN, about=f"new table {table}", plain=on_it))
    return created, [item for item in found if item.table not in tables]


def _without_what_goes(found: list[Wanted]) -> list[Wanted]:
    """Without the indexes and constraints that a dropped table or column takes along."""
    tables = {item.table for item in found if item.recipe == "drop-table"}
    columns = {(item.table, _short(item)) for item in found if item.recipe == "drop-column"}

    def goes(item: Wanted) -> bool:
        if item.recipe not in {"drop-index", "drop-constraint"}:
            return False
        return item.table in tables or any((item.table, column) in columns for column in _columns(item.operation))

    return [item for item in found if not goes(item)]


def _sealed(found: Iterable[Wanted], answers: Answers) -> list[Item]:
    """What is left, an item each; indexes and constraints of a new column go into its seal."""
    made: list[Item] = []
    at: dict[tuple[Table, str], int] = {}
    for item in sorted(found, key=lambda item: item.recipe in SEALED):
        places = [at[key] for column in _columns(item.operation) if (key := (item.table, column)) in at]
        if item.recipe in SEALED and places:
            made[max(places)] = replace(made[max(places)], seal=(*made[max(places)].seal, item.operation))
            continue
        if item.recipe == "add-column":
            at[item.table, _short(item)] = len(made)
        arguments = {**item.arguments, **answers.more.get(_named(item), {})}
        plain = (item.operation,) if item.recipe == PLAIN else ()
        made.append(Item(recipe=item.recipe, about=item.about, arguments=arguments, plain=plain))
    return made
