"""EC210: a contract does something else than remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Action, Revision

TIGHTENING = {Kind.ADD_CONSTRAINT, Kind.VALIDATE_CONSTRAINT, Kind.SET_NOT_NULL}
MAKING = {
    Kind.CREATE_TABLE, Kind.ADD_COLUMN, Kind.CREATE_INDEX, Kind.CREATE, Kind.ADD_VALUE, Kind.SET_DEFAULT,
    Kind.RENAME_TABLE, Kind.RENAME_COLUMN, Kind.RENAME, Kind.CHANGE_TYPE,
}  # fmt: skip


def _check(revision: Revision) -> Iterator[Hit]:
    if revision.half is not Half.CONTRACT:
        return
    for statement, action in revision.actions(Part.UPGRADE):
        if action.kind in TIGHTENING:
            fix = "move it into this revision's seal(), as op.seal_not_null, op.seal_check, op.seal_unique or …"
            yield Hit(line=statement.line, what=f"tightens {action.table} in a contract's upgrade()", fix=fix)
        elif action.kind in MAKING:
            yield Hit(line=statement.line, what=f"{_verb(action)} {action.target} in a contract", fix=_fix(revision))


def _verb(action: Action) -> str:
    match action.kind:
        case Kind.RENAME_TABLE | Kind.RENAME_COLUMN | Kind.RENAME:
            return "renames"
        case Kind.CHANGE_TYPE | Kind.SET_DEFAULT | Kind.ADD_VALUE:
            return "alters"
    return "makes"


def _fix(revision: Revision) -> str:
    return (
        "move it into an expand of its own; where it needs a name that this contract frees, let that one say\n"
        f'  depends_on = "{revision.id}"'
    )


RULE = Rule(
    code="EC210",
    name="contract-creates",
    severity=Severity.ERROR,
    summary="A contract makes, renames or alters something; it may only remove.",
    why="A contract runs last, when the release that speaks the new shape is live: what it made could not be rolled "
    "back, and no release could have been tried against it before. What only removes ends, by both ways, in the "
    "same schema.",
    check=_check,
    bad=Example(
        half=Half.CONTRACT,
        source="""def upgrade() -> None:
    op.assert_contract(change)
    op.end_change(change)
    op.drop_column("users", "full_name")
    op.add_column("users", sa.Column("full_name", sa.Text()))
""",
    ),
    good=Example(
        half=Half.CONTRACT,
        source="""def upgrade() -> None:
    op.assert_contract(change)
    op.end_change(change)
    op.drop_column("users", "full_name")
""",
    ),
    covers=frozenset(
        {
            "constraint-missing-not-valid",
            "adding-foreign-key-constraint",
            "disallowed-unique-constraint",
            "adding-not-nullable-field",
            "adding-required-field",
            "renaming-column",
            "renaming-table",
            "changing-column-type",
            "require-concurrent-index-creation",
        }
    ),
)
