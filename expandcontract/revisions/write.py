"""Writes a pair of revisions into both chains. The first pair adds the branches ``expand`` and ``contract``."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.util import rev_id

from expandcontract.errors import PairError
from expandcontract.revisions.project import CONTRACT, EXPAND
from expandcontract.revisions.render import Half, change_source, function, rendered

if TYPE_CHECKING:
    from expandcontract.core.mapping import Mapping
    from expandcontract.revisions.project import Project


def write_pair(
    project: Project,
    mapping: Mapping,
    name: str,
    expand: Half,
    contract: Half,
    *,
    beside: frozenset[str] = frozenset(),
) -> tuple[Path, Path]:
    """Write both halves; nothing is left behind where one cannot be written.

    Args:
        project: Where.
        mapping: The change's mapping.
        name: The change's name.
        expand: The expand half.
        contract: The contract half.
        beside: Columns that share an index or constraint with those it maps.

    Returns:
        The two files, expand first.

    Raises:
        PairError: A pair of that name exists, or another planned or open pair maps one of the columns or of those
            beside them.
    """
    _refuse_taken(project, mapping, name, beside)
    labels = project.scripts.revision_map._revision_map  # noqa: SLF001  # labels have no public list
    first = EXPAND not in labels
    below = _linear_head(project) if first else None
    expand_id, contract_id = rev_id(), rev_id()
    down = {half: below if first else _head(project, half) for half in (EXPAND, CONTRACT)}
    files = (
        (_path(project, expand_id, f"{name}_expand"), _expand(expand_id, down[EXPAND], first, name, mapping, expand)),
        (
            _path(project, contract_id, f"{name}_contract"),
            _contract(contract_id, down[CONTRACT], first, name, expand_id, contract),
        ),
    )
    for path, source in files:
        path.write_text(source, encoding="utf-8")
    return files[0][0], files[1][0]


def _refuse_taken(project: Project, mapping: Mapping, name: str, beside: frozenset[str]) -> None:
    for pair in project.pairs():
        if pair.name == name:
            msg = f"there is a change {name!r} already"
            raise PairError(msg, hint="choose another with --name")
        other = pair.change.mapping
        shared = mapping.overlap(other) if other is not None and pair.contract is not None else frozenset()
        live = {column for column in shared if other is not None and column not in other.new}
        if live:
            msg = f"{pair.name} maps {', '.join(sorted(live))} of {mapping.table} already"
            raise PairError(
                msg,
                hint=f"finish it first, or ec abandon {pair.name}",
            )
        if other is not None and other.table == mapping.table and (with_it := beside & set(other.old)):
            msg = (
                f"{', '.join(sorted(mapping.old))} and {', '.join(sorted(with_it))} of {mapping.table} share an index"
                f" or constraint, and {pair.name} maps the latter; only one of them can change at a time"
            )
            raise PairError(msg, hint=f"finish {pair.name} first, or ec abandon {pair.name}")


def _linear_head(project: Project) -> str | None:
    heads = project.scripts.get_heads()
    if len(heads) > 1:
        msg = f"the history has {len(heads)} heads ({', '.join(heads)}), and pairs start from one"
        raise PairError(msg, hint="alembic merge heads")
    return heads[0] if heads else None


def _head(project: Project, half: str) -> str:
    script = project.scripts.get_revision(f"{half}@head")
    return str(script.revision)


def _path(project: Project, revision: str, slug: str) -> Path:
    return Path(project.scripts._rev_path(project.scripts.versions, revision, slug, datetime.now(UTC)))  # noqa: SLF001


def _header(summary: str, revision: str, down: str | None, label: str | None, depends: str | None) -> str:
    labels = f'("{label}",)' if label else "None"
    return (
        f'"""{summary}."""\n\nfrom __future__ import annotations\n\nimport sqlalchemy as sa\nfrom alembic import op\n'
        "{imports}"
        f"\nrevision = {rendered(revision)}\ndown_revision = {rendered(down) if down else None}\n"
        f"branch_labels = {labels}\ndepends_on = {rendered(depends) if depends else None}\n\n"
    )


def _expand(revision: str, down: str | None, first: bool, name: str, mapping: Mapping, half: Half) -> str:  # noqa: FBT001
    head = _header(half.summary, revision, down, EXPAND if first else None, None)
    head = head.replace("{imports}", "from expandcontract import Change, Mapping\n")
    parts = [
        function("upgrade", "Add the new shape beside the old one.", half.upgrade),
        function("seal", "What the new shape needs once it is full; may run twice.", half.seal),
        function("downgrade", "Take the new shape away.", half.downgrade),
    ]
    return _tidy(f"{head}{change_source(name, mapping)}\n\n\n" + "\n\n".join(parts))


def _contract(revision: str, down: str | None, first: bool, name: str, expand: str, half: Half) -> str:  # noqa: FBT001
    head = _header(half.summary, revision, down, CONTRACT if first else None, expand).replace("{imports}", "")
    parts = [
        function("upgrade", "Drop the old shape.", half.upgrade),
        function("downgrade", "Bring the old column back, where nothing was ever live.", half.downgrade),
    ]
    return _tidy(f"{head}change = {rendered(name)}\n\n\n" + "\n\n".join(parts))


def _tidy(source: str) -> str:
    return (
        source
        if "sa." in source.split("import sqlalchemy as sa\n")[1]
        else source.replace("import sqlalchemy as sa\n", "")
    )
