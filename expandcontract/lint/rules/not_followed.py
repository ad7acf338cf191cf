"""EC241: a revision that could not be followed to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for stop in revision.stopped:
        if stop.part in {*revision.live_parts, Part.SEAL}:
            yield Hit(
                line=stop.line,
                what=f"{stop.part}() could not be followed past this line: {stop.reason}",
                fix="let the statements not depend on what the database answers",
            )


RULE = Rule(
    code="EC241",
    name="not-followed",
    severity=Severity.WARNING,
    summary="A function of the revision asks the database something, so what follows was not judged.",
    why="Revisions are judged without a database. One that asks it does not work with `alembic upgrade --sql` either, "
    "and what it does depends on where it runs.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    names = [row.name for row in op.get_bind().execute(sa.text("SELECT name FROM flags"))]
    if "beta" in names:
        op.drop_column("users", "beta")
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text()))
""",
    ),
    yields_to=frozenset({"EC216"}),
)
