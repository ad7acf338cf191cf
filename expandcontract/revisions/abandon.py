"""Takes an unexpanded pair out of both chains: what follows is re-linked, then the files go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from expandcontract.errors import PairError
from expandcontract.revisions.project import Pair, Project
from expandcontract.revisions.render import rendered

if TYPE_CHECKING:
    from collections.abc import Collection

    from alembic.script import Script


def abandon(project: Project, pair: Pair, applied: Collection[str]) -> tuple[Path, ...]:
    """Delete both halves, after re-linking what stands on them.

    Args:
        project: The project.
        pair: The pair to abandon.
        applied: The revisions that the database has.

    Returns:
        The deleted files.

    Raises:
        PairError: A half is applied.
    """
    halves = [script for script in (pair.expand, pair.contract) if script is not None]
    for script in halves:
        if script.revision in applied:
            raise PairError(f"{pair.name} is expanded and cannot be abandoned", hint=f"ec rollback {pair.name}")
    edits: dict[Path, str] = {}
    for script in halves:
        _relink(project, script, {half.revision for half in halves}, edits)
    for path, source in edits.items():
        path.write_text(source, encoding="utf-8")
    for script in halves:
        Path(script.path).unlink()
    return tuple(Path(script.path) for script in halves)


def _relink(project: Project, gone: Script, halves: set[str], edits: dict[Path, str]) -> None:
    labels = tuple(getattr(gone.module, "branch_labels", None) or ())
    for follower in project.scripts.walk_revisions():
        if follower.revision in halves or gone.revision not in _below(follower):
            continue
        path = Path(follower.path)
        source = edits.get(path, path.read_text(encoding="utf-8"))
        source = _assign(source, "down_revision", rendered(gone.down_revision) if gone.down_revision else "None", path)  # type: ignore[arg-type]
        if labels:
            written = "(" + " ".join(f"{rendered(label)}," for label in labels) + ")"
            source = _assign(source, "branch_labels", written, path)
        edits[path] = source


def _below(script: Script) -> tuple[str, ...]:
    down = script.down_revision
    return (down,) if isinstance(down, str) else tuple(down or ())


def _assign(source: str, name: str, value: str, path: Path) -> str:
    changed, count = re.subn(rf"^({name}\b[^=\n]*=).*$", lambda found: f"{found[1]} {value}", source, count=1, flags=re.M)
    if not count:
        raise PairError(f"{path.name} has no line `{name} = …`", hint="write it as Alembic does")
    return changed
