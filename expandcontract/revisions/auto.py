"""From a difference between models and database to the pairs that carry it: questions first, then one item a pair.

A drop and an addition on one table may be a rename. Which it is cannot be seen, and a wrong guess loses the column's
rows; so it is asked, and without an answer nothing is written. What has to wait for another pair of the same run is
said, with what it waits for; the next run finds it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from alembic.operations import ops

from expandcontract.errors import PairError, UndecidedError, UsageError
from expandcontract.revisions import renaming
from expandcontract.revisions.folding import RULES, folded
from expandcontract.revisions.placing import PLAIN, Wanted, place_of, target_of, wanted
from expandcontract.revisions.recipes import options
from expandcontract.revisions.untouched import without_later_keys

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from expandcontract.core.mapping import Table
    from expandcontract.revisions.autogenerate import Difference

COMMENTS = (ops.AlterColumnOp, ops.CreateTableCommentOp, ops.DropTableCommentOp)
LAST = len(RULES) + 3


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
        wanted: What it is for; the first of several comments.
        arguments: Of the recipe, the caller's among them.
        plain: Alembic's operations that stay as they are, for an additive change.
        seal: Indexes and constraints that belong into the seal of the new column.
    """

    wanted: Wanted
    arguments: Mapping[str, Any] = field(default_factory=dict)
    plain: tuple[Any, ...] = ()
    seal: tuple[Wanted, ...] = ()

    @property
    def recipe(self) -> str:
        """The recipe's name; empty where ``plain`` says it all."""
        return self.wanted.recipe

    @property
    def about(self) -> str:
        """In words."""
        return "comments" if self.recipe == PLAIN and len(self.plain) > 1 and self.commented else self.wanted.about

    @property
    def commented(self) -> bool:
        """Whether it only comments."""
        return self.recipe == PLAIN and isinstance(self.wanted.operation, COMMENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one run writes.

    Attributes:
        items: The pairs, each after those that it stands on.
        later: What the next run will find, and why it has to wait.
    """

    items: tuple[Item, ...]
    later: tuple[str, ...] = ()


def items(difference: Difference, answers: Answers) -> Plan:
    """The pairs that the difference wants, in an order in which each may stand on those before it.

    Raises:
        UndecidedError: A drop and an addition may be a rename, and no answer says so.
        PairError: An operation has no recipe; it is named.
        UsageError: An answer names what is no difference.
    """
    found = _wanted(difference)
    _refuse_idle(found, answers)
    later: list[str] = []
    found = _renamed_tables(found, answers, later)
    found = _renamed_columns(found, answers, later)
    created, rest = _created(found)
    rest = _without_what_goes(rest)
    _refuse_one_name(rest)
    made = folded(sorted(rest, key=_rank), {item.wanted.table for item in created}, answers.more)
    carried = [_item(one, seal, answers) for one, seal in made.carried]
    _refuse_unknown(carried, answers)
    return Plan(items=(*created, *_one_comment(carried)), later=(*later, *made.later))


def _wanted(difference: Difference) -> list[Wanted]:
    """What every operation wants; on a table that is new, everything may stay as it is."""
    new = {place_of(operation) for operation in difference.operations if isinstance(operation, ops.CreateTableOp)}
    found: list[Wanted] = []
    for operation in difference.operations:
        if (table := place_of(operation)) in new and not isinstance(operation, ops.CreateTableOp):
            found.append(Wanted(recipe=PLAIN, table=table, about=f"on new table {table}", operation=operation))
        else:
            found += wanted(operation)
    return found


def _refuse_idle(found: list[Wanted], answers: Answers) -> None:
    known = {item.label for item in found}
    for name in (*answers.renames, *answers.separate, *answers.more):
        if name not in known:
            msg = f"{name} is no difference between the models and the database"
            raise UsageError(msg, hint=f"there are {', '.join(sorted(known))}" if known else "alembic check")


def _renamed_tables(found: list[Wanted], answers: Answers, later: list[str]) -> list[Wanted]:
    dropped = [item for item in found if item.recipe == "drop-table"]
    added = [item for item in found if isinstance(item.operation, ops.CreateTableOp)]
    for gone, came in _decided(dropped, added, answers):
        found = renaming.table(found, gone, came, later)
    return found


def _renamed_columns(found: list[Wanted], answers: Answers, later: list[str]) -> list[Wanted]:
    for table in dict.fromkeys(item.table for item in found):
        dropped = [item for item in found if item.recipe == "drop-column" and item.table == table]
        added = [item for item in found if item.recipe == "add-column" and item.table == table]
        for gone, came in _decided(dropped, added, answers):
            found = renaming.column(found, gone, came, later)
    return found


def _decided(dropped: list[Wanted], added: list[Wanted], answers: Answers) -> list[tuple[Wanted, Wanted]]:
    """What is a rename, of what is gone and what came; each name is given once."""
    decided: list[tuple[Wanted, Wanted]] = []
    left = list(added)
    # what an answer gives away is no question any more
    for gone in sorted(dropped, key=lambda item: item.label not in answers.renames):
        new = answers.renames.get(gone.label)
        if gone.label in answers.separate or (new is None and not left):
            continue
        if new is None:
            raise _question(gone, left)
        came = next((item for item in left if new in {item.short, str(item.table)}), None)
        if came is None:
            msg = f"{gone.label} cannot become {new}: the models add no {new} there"
            raise UsageError(msg, hint=f"one of {', '.join(item.short for item in left) or 'none that is left'}")
        left.remove(came)
        decided.append((gone, came))
    return decided


def _question(gone: Wanted, added: list[Wanted]) -> UndecidedError:
    name = gone.label
    ways = [f"--rename {name}={item.short}" for item in added]
    apart = f"--separate {name}"
    msg = f"{name} is gone from the models, and {', '.join(item.label for item in added)} came: renamed, or dropped?"
    question: dict[str, object] = {"about": name, "renames": [item.short for item in added], "flags": [*ways, apart]}
    return UndecidedError(msg, hint=" or ".join([*ways, f"{apart} (its values go)"]), questions=(question,))


def _created(found: list[Wanted]) -> tuple[list[Item], list[Wanted]]:
    """One item a new table, with all that is made on it; and what is left."""
    first = {item.table: item for item in found if isinstance(item.operation, ops.CreateTableOp)}
    order = list(first)
    on_them: dict[Table, list[Any]] = {table: [] for table in first}
    keys: list[Any] = []
    for item in found:
        if isinstance(item.operation, ops.CreateTableOp):
            operation, later = without_later_keys(item.operation, order)
            on_them[item.table].append(operation)
            keys += later
        elif item.table in first:
            on_them[item.table].append(item.operation)
    created = [
        _tables([first[table] for table in together], [one for table in together for one in on_them[table]], keys)
        for together in _together(order, keys)
    ]
    return created, [item for item in found if item.table not in first]


def _together(order: list[Table], keys: list[Any]) -> list[list[Table]]:
    """The new tables, those that refer to each other as one; no other may come in between."""
    groups: list[list[Table]] = []
    ends = [tuple(sorted((order.index(place_of(key)), order.index(target_of(key))))) for key in keys]
    for number, table in enumerate(order):
        if any(low < number <= high for low, high in ends):
            groups[-1].append(table)
        else:
            groups.append([table])
    return groups


def _tables(created: list[Wanted], operations: list[Any], keys: list[Any]) -> Item:
    names = {item.table for item in created}
    last = [key for key in keys if place_of(key) in names]
    about = f"new table{'s' if len(created) > 1 else ''} {', '.join(str(item.table) for item in created)}"
    return Item(wanted=replace(created[0], about=about), plain=(*operations, *last))


def _without_what_goes(found: list[Wanted]) -> list[Wanted]:
    """Without the indexes and constraints that a dropped table or column takes along."""
    tables = {item.table for item in found if item.recipe == "drop-table"}
    columns = {(item.table, item.short) for item in found if item.recipe == "drop-column"}

    def goes(item: Wanted) -> bool:
        if item.recipe not in {"drop-index", "drop-constraint"}:
            return False
        return item.table in tables or any((item.table, column) in columns for column in item.over)

    return [item for item in found if not goes(item)]


def _refuse_one_name(found: list[Wanted]) -> None:
    """An index or constraint that changes under its name: the old one serves until the contract, and both have one."""
    gone = {item.label for item in found if item.recipe in {"drop-index", "drop-constraint"}}
    for item in found:
        named = item.arguments.get("constraint") or item.arguments.get("index")
        if item.recipe in RULES and named and item.label in gone:
            msg = f"{item.label} changes, and the old one serves until the new one is there: they cannot share a name"
            raise PairError(msg, hint=f"give the new one another name than {named} in the models")


def _rank(item: Wanted) -> int:
    """Foreign keys go before what they stand on, additions before rules, and what is dropped is dropped last."""
    if item.recipe == "drop-constraint":
        return 0 if item.operation.constraint_type == "foreignkey" else 1
    if item.recipe in {"drop-column", "drop-table"}:
        return LAST
    return 3 + RULES.index(item.recipe) if item.recipe in RULES else 2


def _item(item: Wanted, seal: tuple[Wanted, ...], answers: Answers) -> Item:
    if item.recipe == PLAIN:
        return Item(wanted=item, plain=(item.operation,))
    known = options(item.recipe)
    given = {key: value for key, value in answers.more.get(item.label, {}).items() if key in known}
    return Item(wanted=item, arguments={**item.arguments, **given}, seal=seal)


def _refuse_unknown(found: list[Item], answers: Answers) -> None:
    """Options that none of the recipes for that difference takes."""
    for label, given in answers.more.items():
        recipes = sorted({item.recipe for item in found if item.wanted.label == label and item.recipe != PLAIN})
        known = frozenset().union(*map(options, recipes))
        if other := sorted(set(given) - known):
            msg = f"{' and '.join(recipes) or 'what becomes'} of {label} knows no {', '.join(other)}"
            listed = ", ".join(sorted(known - {"table", "column", "name"}))
            raise UsageError(msg, hint=f"it knows {listed}" if listed else f"leave out --with {label}:…")


def _one_comment(found: list[Item]) -> list[Item]:
    """All comments of a run in one change."""
    comments = [item for item in found if item.commented]
    if len(comments) < 2:  # noqa: PLR2004  # one is one already
        return found
    one = replace(comments[0], plain=tuple(operation for item in comments for operation in item.plain))
    return [one if item is comments[0] else item for item in found if item is comments[0] or not item.commented]
