"""Which revisions ``ec lint`` judges, and what it is told of each. No database is asked, so that CI needs none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.util import CommandError

from expandcontract.core.facts import Finding as Refusal
from expandcontract.errors import UnknownNameError
from expandcontract.lint.finding import Severity
from expandcontract.lint.judge import judge
from expandcontract.lint.squawk import find, squawk
from expandcontract.pg.locks import predict_each
from expandcontract.revisions.project import Project, half_of
from expandcontract.revisions.record import revision as recorded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alembic.script import Script

    from expandcontract.core.revision import Revision
    from expandcontract.lint.finding import Report
    from expandcontract.runner.place import Place


def lint(place: Place, asked: Sequence[str], since: str | None) -> Report:
    """What the rules say of the revisions asked for, or of all from the first pair on.

    Args:
        place: Where the project is; its database is not asked.
        asked: Revisions, changes or files; none for all.
        since: Leave out this revision and what it stands on.

    Raises:
        UnknownNameError: One of them is no revision, change or file of the project.
    """
    project = Project.open(place.settings.alembic)
    scripts = _asked(project, asked) if asked else _from_first_pair(project)
    if since is not None:
        below = project.ancestors([_revision(project, since).revision])
        scripts = [script for script in scripts if script.revision not in below]
    judged = _read(project, scripts)
    squawked, note = squawk(judged, find())
    return judge(judged, squawked, [note] if note else [])


def errors(project: Project, name: str) -> tuple[Refusal, ...]:
    """The errors in the two revisions of a pair, for the gate; what squawk says is never more than a warning."""
    report = judge(_read(project, _asked(project, [name])))
    return tuple(
        Refusal(what=f"{found.code} {found.what} ({found.path}:{found.line})", fix=f"ec lint {name}")
        for found in report.findings
        if found.severity is Severity.ERROR
    )


def _read(project: Project, scripts: Sequence[Script]) -> list[Revision]:
    changes = {pair.name: pair.change for pair in project.pairs()}
    halves = [half_of(script) for script in scripts]
    return [
        _predicted(recorded(script, _shown(script.path), changes.get(half[0]) if half else None))
        for script, half in zip(scripts, halves, strict=True)
    ]


def _predicted(revision: Revision) -> Revision:
    """With what each statement is predicted to do on an unknown database; steps of a seal have no SQL here."""
    effects = predict_each(None, [statement.sql for statement in revision.statements])
    paired = zip(revision.statements, effects, strict=True)
    return replace(revision, statements=tuple(replace(statement, effects=found) for statement, found in paired))


def _from_first_pair(project: Project) -> list[Script]:
    """The revisions that the pairs' branches hold; what was there before the first pair was applied long ago."""
    ordered = project.ordered
    halves = [script.revision for script in ordered if half_of(script)]
    if not halves:
        return list(ordered)
    before = project.ancestors([halves[0]]) - {halves[0]}
    return [script for script in ordered if script.revision not in before]


def _asked(project: Project, names: Sequence[str]) -> list[Script]:
    wanted: set[str] = set()
    for name in names:
        halves = [script.revision for script in project.ordered if (half_of(script) or ("",))[0] == name]
        wanted |= set(halves) or {_revision(project, name).revision}
    return [script for script in project.ordered if script.revision in wanted]


def _revision(project: Project, name: str) -> Script:
    path = Path(name)
    if path.suffix == ".py":
        for script in project.ordered:
            if Path(script.path).resolve() == path.resolve():
                return script
        msg = f"{name} is no revision file of this project"
        raise UnknownNameError(msg, hint="ec lint")
    try:
        found = project.scripts.get_revision(name)
    except CommandError as exc:
        msg = f"there is no revision or change {name!r}"
        raise UnknownNameError(msg, hint="ec status") from exc
    return found


def _shown(path: str) -> str:
    """The file as services that know the repository name it: from where the command runs."""
    whole, here = Path(path).resolve(), Path.cwd()
    return whole.relative_to(here).as_posix() if whole.is_relative_to(here) else whole.as_posix()
