"""EC204: an expand or ordinary revision demands what a running release need not keep to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Action, Revision

RECIPES = {"check": "add-check", "unique": "add-unique", "foreign key": "add-foreign-key", "not null": "set-not-null"}


def _check(revision: Revision) -> Iterator[Hit]:
    if not revision.additive:
        return
    for statement, action in revision.on_live(Part.UPGRADE):
        if _tightens(action) and not _about_new(revision, action):
            yield Hit(line=statement.line, what=f"{_demand(action)} in an upgrade", fix=_fix(action))


def _tightens(action: Action) -> bool:
    if action.kind is Kind.CREATE_INDEX:
        return action.says("unique")
    # ADD CONSTRAINT … USING INDEX adds nothing that the unique index does not demand already
    return action.kind is Kind.SET_NOT_NULL or (
        action.kind is Kind.ADD_CONSTRAINT and not action.says("using index") and not action.says("not enforced")
    )


def _about_new(revision: Revision, action: Action) -> bool:
    """Whether it demands something of columns alone that no old release writes."""
    columns = {action.column} if action.column else set(action.columns)
    new = {column for table, column in revision.added if table == action.table}
    if action.kind is Kind.ADD_CONSTRAINT and not columns & new:
        return False
    # a check that also reads old columns holds while the new one is NULL
    return action.says("check") or (columns <= new and not action.says("expression"))


def _demand(action: Action) -> str:
    if action.kind is Kind.SET_NOT_NULL:
        return f"sets {action.target} NOT NULL"
    kind = next((word for word in (*RECIPES, "primary key", "exclude") if action.says(word)), "constraint")
    verb = "makes a" if action.kind is Kind.CREATE_INDEX else "adds a"
    return f"{verb} {kind} {'index' if action.kind is Kind.CREATE_INDEX else 'constraint'} to {action.table}"


def _fix(action: Action) -> str:
    recipe = "set-not-null" if action.kind is Kind.SET_NOT_NULL else None
    recipe = recipe or next((RECIPES[word] for word in RECIPES if action.says(word)), None)
    advice = "demand it in the contract half's seal(), which runs once no release is live that could break it"
    return f"{advice}:\n  ec new {recipe} …" if recipe else advice


RULE = Rule(
    code="EC204",
    name="tighten-in-expand",
    severity=Severity.ERROR,
    summary="An expand or ordinary revision adds a demand on columns that a running release writes.",
    why="The release that is live was not written for it: from now on some of its writes fail. "
    "NOT VALID does not help, since it spares the rows that are there and not the next ones.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.create_check_constraint("visits_positive", "users", "visits >= 0")
""",
    ),
    good=Example(
        half=Half.CONTRACT,
        source="""def upgrade() -> None:
    op.assert_contract(change)
    op.end_change(change)


def seal() -> None:
    op.seal_check("visits_positive", "users", "visits >= 0")
""",
    ),
    covers=frozenset(
        {
            "constraint-missing-not-valid",
            "adding-foreign-key-constraint",
            "disallowed-unique-constraint",
            "adding-not-nullable-field",
            "require-concurrent-index-creation",
        }
    ),
)
