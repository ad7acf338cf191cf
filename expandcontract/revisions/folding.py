"""What belongs into the seal of a new column, what is a pair of its own, and what has to wait for the next run.

Every release that does not know a new column leaves it to its default. So a rule over it that a default could break
comes later, as a tightening, when the column is there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from expandcontract.core.mapping import Table
from expandcontract.core.naming import default_name
from expandcontract.revisions.placing import refuse
from expandcontract.revisions.render import quote, rendered

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from expandcontract.revisions.placing import Wanted

RULES = ("add-index", "add-unique", "add-foreign-key", "add-check")
"""What may be folded into a seal, in the order in which pairs of their own come."""
AGAIN = "left for the next ec new auto"


@dataclass(slots=True)
class Folded:
    """What is carried by one run.

    Attributes:
        carried: What has a pair of its own, and what is in its seal.
        later: What is left, in words.
    """

    carried: list[tuple[Wanted, tuple[Wanted, ...]]] = field(default_factory=list)
    later: list[str] = field(default_factory=list)


def folded(found: Iterable[Wanted], created: Collection[Table], more: Mapping[str, Mapping[str, Any]]) -> Folded:
    """Put indexes and constraints of new columns into their seals.

    Args:
        found: What is wanted, additions of columns before indexes and constraints.
        created: The tables that the same run creates.
        more: The caller's arguments; a default may be among them.

    Raises:
        PairError: A unique index over columns that are there; named.
    """
    made = Folded()
    at: dict[tuple[Table, str], int] = {}
    for item in found:
        places = [at[key] for column in item.over if (key := (item.table, column)) in at]
        if item.recipe in RULES and places:
            into = max(places)
            if why := _unsafe(item, [made.carried[place][0] for place in places], more):
                made.later.append(f"{AGAIN}: {item.about}, {why}")
                continue
            column, seal = made.carried[into]
            made.carried[into] = (column, (*seal, item))
            continue
        if item.recipe == "add-foreign-key" and Table.parse(item.arguments["target"]) in created:
            made.later.append(f"{AGAIN}: {item.about}, which has to be there before")
            continue
        if item.recipe == "add-index" and item.unique:
            raise _unique_index(item)
        if item.recipe == "add-column":
            at[item.table, item.short] = len(made.carried)
        made.carried.append((item, ()))
    return made


def _unique_index(item: Wanted) -> Exception:
    plain = item.arguments.get("columns") and item.arguments.get("where") is None
    instead = "declare it as UniqueConstraint, for which there is add-unique"
    if not plain:
        instead = "write it by hand: ec new sql, once no release is left that could break it"
    return refuse(
        item.about.removeprefix("index "), "is a unique index, which is a rule that old releases can break", instead
    )


def _unsafe(item: Wanted, columns: list[Wanted], more: Mapping[str, Mapping[str, Any]]) -> str:
    """Why a rule over these new columns may not come with them; empty where it may."""
    if item.recipe == "add-check" or (item.recipe == "add-index" and not item.unique):
        return ""
    # a NULL in one of the columns takes a row out of the rule
    silent = any(_default(column, more) is None for column in columns)
    if silent and not item.arguments.get("nulls_not_distinct"):
        return ""
    names = ", ".join(column.short for column in columns)
    return f"a rule that rows of the running release could break with the default of {names}: it needs the column first"


def _default(column: Wanted, more: Mapping[str, Mapping[str, Any]]) -> Any:
    given = more.get(column.label, {})
    return given.get("default") or given.get("fill") or column.arguments.get("default")


def sealed(item: Wanted) -> str:
    """The line of ``seal()`` that makes an index or constraint of a new column."""
    given = item.arguments
    table = rendered(item.table.spelled)
    match item.recipe:
        case "add-index":
            unique = ", unique=True" if item.unique else ""
            return f"op.seal_index({rendered(given['index'])}, {table}, {rendered(_definition(item))}{unique})"
        case "add-unique":
            name = given["constraint"] or default_name(item.table.name, given["columns"], "key")
            more = f", include={_listed(given['include'])}" if given["include"] else ""
            more += ", nulls_not_distinct=True" if given["nulls_not_distinct"] else ""
            return f"op.seal_unique({rendered(name)}, {table}, {_listed(given['columns'])}{more})"
        case "add-check":
            return f"op.seal_check({rendered(given['constraint'])}, {table}, {rendered(given['sql'])})"
    return _sealed_key(item)


def _sealed_key(item: Wanted) -> str:
    given = item.arguments
    name = given["constraint"] or default_name(item.table.name, given["columns"], "fkey")
    actions = (("DELETE", given["on_delete"]), ("UPDATE", given["on_update"]))
    tail = " ".join(f"ON {event} {action.upper()}" for event, action in actions if action)
    said = [rendered(name), rendered(item.table.spelled), _listed(given["columns"]), rendered(given["target"])]
    said += [_listed(given["target_columns"]), *([f"tail={rendered(tail)}"] if tail else [])]
    return f"op.seal_foreign_key({', '.join(said)})"


def _definition(item: Wanted) -> str:
    given = item.arguments
    key = [*map(quote, given.get("columns", ())), *given.get("expression", ())]
    include = f" INCLUDE ({', '.join(map(quote, given['include']))})" if given["include"] else ""
    where = f" WHERE {given['where']}" if given["where"] else ""
    return f"{quote(given['method'])} ({', '.join(key)}){include}{where}"


def _listed(names: Iterable[str]) -> str:
    return f"[{', '.join(map(rendered, names))}]"
