"""What ``ec new`` does: read the catalogue, draft, write files. The database is only read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.pg.connect import connect
from expandcontract.revisions import auto
from expandcontract.revisions.autogenerate import compare
from expandcontract.revisions.drafts import drafted
from expandcontract.revisions.project import Project
from expandcontract.revisions.recipes import draft
from expandcontract.revisions.write import write_pair
from expandcontract.runner.events import Written
from expandcontract.runner.observe import ended

if TYPE_CHECKING:
    from expandcontract.runner.place import Place


def new(place: Place, recipe: str, arguments: dict[str, Any]) -> Written:
    """Write the pair of a recipe."""
    with connect(place.url, command="new") as connection:
        found = draft(connection, recipe, **arguments)
        over = ended(connection)
    return Written(paths=write_pair(place.project, found, ended=over), notes=found.notes)


def new_auto(place: Place, message: str, answers: auto.Answers) -> Written:
    """Write a pair for each difference between the models and the database; all of them, or none.

    Raises:
        UndecidedError: A drop and an addition may be a rename.
        PairError: A difference has no recipe.
    """
    difference = compare(place.project)
    plan = auto.items(difference, answers)
    with connect(place.url, command="new auto") as connection:
        taken = {pair.name for pair in place.project.pairs()}
        drafts, later = drafted(connection, difference, plan, message, taken)
        over = ended(connection)
    written: list[Any] = []
    try:
        for pair in drafts:
            # each stands on the one before, so the project is read anew
            written += write_pair(Project.open(place.settings.alembic, url=place.url), pair, ended=over)
    except Exception:
        for path in written:
            path.unlink()
        raise
    notes = [f"{pair.change.name}: {note}" if len(drafts) > 1 else note for pair in drafts for note in pair.notes]
    return Written(paths=tuple(written), notes=(*notes, *later))
