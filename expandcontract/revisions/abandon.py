"""Takes an unexpanded pair out of both chains: what follows is re-linked, then the files go."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

from expandcontract.errors import PairError
from expandcontract.revisions.render import rendered

if TYPE_CHECKING:
    from collections.abc import Collection

    from alembic.script import Script

    from expandcontract.revisions.project import Pair, Project


def abandon(project: Project, pair: Pair, applied: Collection[str]) -> tuple[Path, ...]:
    """Delete both halves, after re-linking what stands on them.

    Args:
        project: The project.
        pair: The pair to abandon.
        applied: The revisions that the database has.

    Returns:
        The deleted files.

    Raises:
        PairError: A half is applied, or a follower cannot be re-linked; nothing was changed.
    """
    halves = [script for script in (pair.expand, pair.contract) if script is not None]
    for script in halves:
        if script.revision in applied:
            msg = f"{pair.name} is expanded and cannot be abandoned"
            raise PairError(msg, hint=f"ec rollback {pair.name}")
    edits = _relinked(project, {script.revision: script for script in halves})
    for path, source in edits.items():
        path.write_bytes(source)
    for script in halves:
        Path(script.path).unlink()
    return tuple(Path(script.path) for script in halves)


def _relinked(project: Project, gone: dict[str, Script]) -> dict[Path, bytes]:
    """The new text of every revision that names one of those that go."""
    edits = {}
    for follower in project.scripts.walk_revisions():
        down, depends = listed(follower.down_revision), listed(follower.dependencies)
        if follower.revision in gone or not gone.keys() & {*down, *depends}:
            continue
        path = Path(follower.path)
        source = path.read_bytes()
        if gone.keys() & set(down):
            source = _assign(source, "down_revision", _link(_past(down, gone)), path)
            labels = [label for name in down if name in gone for label in listed(_labels(gone[name]))]
            if labels:
                own = listed(_labels(follower))
                source = _assign(source, "branch_labels", _tuple([*own, *labels]), path)
        if gone.keys() & set(depends):
            source = _assign(source, "depends_on", _link([name for name in depends if name not in gone]), path)
        edits[path] = source
    return edits


def _labels(script: Script) -> object:
    return getattr(script.module, "branch_labels", None)


def _past(down: list[str], gone: dict[str, Script]) -> list[str]:
    """What ``down`` stands on once the gone revisions are left out."""
    found: list[str] = []
    for name in down:
        below = _past(listed(gone[name].down_revision), gone) if name in gone else [name]
        found += [item for item in below if item not in found]
    return found


def listed(value: object) -> list[str]:
    """Alembic's ``None``, one name or several, as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(item) for item in value]  # type: ignore[attr-defined]


def _link(names: list[str]) -> str:
    if len(names) > 1:
        return _tuple(names)
    return rendered(names[0]) if names else "None"


def _tuple(names: list[str]) -> str:
    inner = ", ".join(rendered(name) for name in names)
    return f"({inner},)" if len(names) == 1 else f"({inner})"


def _assign(source: bytes, name: str, value: str, path: Path) -> bytes:
    """The file with another value for a module-level name; every other byte stays."""
    for node in ast.parse(source).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        found = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if found is not None and any(isinstance(target, ast.Name) and target.id == name for target in targets):
            lines = source.split(b"\n")
            starts = [0]
            for line in lines:
                starts.append(starts[-1] + len(line) + 1)
            begin = starts[found.lineno - 1] + found.col_offset
            end = starts[(found.end_lineno or found.lineno) - 1] + (found.end_col_offset or 0)
            return source[:begin] + value.encode() + source[end:]
    msg = f"{path.name} has no line `{name} = …`"
    raise PairError(msg, hint="write it as Alembic does")
