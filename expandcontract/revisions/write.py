"""Writes a pair of revisions into both chains. The first pair adds the branches ``expand`` and ``contract``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.util import rev_id

from expandcontract.core.phase import Kind
from expandcontract.core.shape import Hold
from expandcontract.errors import PairError
from expandcontract.revisions.explained import contracted_names
from expandcontract.revisions.project import CONTRACT, EXPAND
from expandcontract.revisions.render import change_source, function, rendered

if TYPE_CHECKING:
    from collections.abc import Collection

    from expandcontract.core.change import Change
    from expandcontract.revisions.project import Pair, Project
    from expandcontract.revisions.render import Draft, Half


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the functions of a pair say of themselves."""

    expand: str = "Add the new shape beside the old one."
    retract: str = "Take the new shape away."
    rule: str = "The rule that holds from now on; made online before the rest."
    contract: str = "Drop the old shape."
    restore: str = "Bring the old shape back, where nothing was ever live."


SAID = {
    **dict.fromkeys(Kind, Said()),
    Kind.TIGHTENED: Said(
        expand="Hold the columns that the rule will be about.",
        retract="Let the columns go.",
        contract="End the change; the rule is there by now.",
        restore="Take the rule away, where nothing was ever live.",
    ),
    Kind.REMOVED: Said(
        expand="Make ready for releases that do without, and hold what they leave.",
        retract="Put back what was there before.",
        rule="What has to go first, one at a time; done online before the rest.",
        contract="Drop what no release uses any more.",
        restore="Bring back what was dropped, empty, where nothing was ever live.",
    ),
}


def write_pair(project: Project, draft: Draft, *, ended: Collection[str] = ()) -> tuple[Path, ...]:
    """Write the halves of a draft; nothing is left behind where one cannot be written.

    Args:
        project: Where.
        draft: What a recipe gave.
        ended: Changes that no move leads on from, and that hold nothing any more.

    Returns:
        The files, expand first; one alone where the kind has no contract.

    Raises:
        PairError: A pair of that name exists, or another planned or open pair holds one of the columns or of those
            beside them.
    """
    change = draft.change
    _refuse_taken(project, change, draft.beside, ended)
    labels = project.scripts.revision_map._revision_map  # noqa: SLF001  # labels have no public list
    halves = [EXPAND] if draft.contract is None else [EXPAND, CONTRACT]
    missing = {half for half in halves if half not in labels}
    # a branch begins where the linear history ended, whichever half came first
    below = _linear_head(project) if len(missing) == len({EXPAND, CONTRACT} & set(halves)) else None
    down = {half: _start(project, below) if half in missing else _head(project, half) for half in halves}
    expand_id, contract_id = rev_id(), rev_id()
    files = {
        _path(project, expand_id, f"{change.name}_expand"): _expand(
            expand_id, down[EXPAND], EXPAND in missing, change, draft.expand, _after(project, draft, ended)
        )
    }
    if draft.contract is not None:
        path = _path(project, contract_id, f"{change.name}_contract")
        first = CONTRACT in missing
        files[path] = _contract(contract_id, down[CONTRACT], first, change, expand_id, draft.contract)
    for path, source in files.items():
        path.write_text(source, encoding="utf-8")
    return tuple(files)


def _after(project: Project, draft: Draft, ended: Collection[str]) -> str | None:
    """The last contract that dropped or altered what this pair names: a fresh upgrade must run it before, as was done.

    A name that Python or SQL would escape counts as named: a dependency too many only asks for that contract first.
    """
    tables = set(draft.change.shape.tables)
    halves = [half for half in (draft.expand, draft.contract) if half is not None]
    said = "\n".join(
        line for half in halves for lines in (half.upgrade, half.seal, half.cut_over, half.downgrade) for line in lines
    )
    contracts = {}
    for pair in project.pairs():
        if pair.name in ended and pair.contract is not None:
            dropped, parts = contracted_names(pair.change, pair.contract)
            beside = bool(tables & set(pair.change.shape.tables))
            if any(_named(name, said) for name in (*dropped, *(parts if beside else ()))):
                contracts[pair.name] = str(pair.contract.revision)
    return contracts[project.in_order(contracts, CONTRACT)[-1]] if contracts else None


def _named(name: str, said: str) -> bool:
    return not re.fullmatch(r"\w+", name) or re.search(rf"\b{name}\b", said) is not None


def _refuse_taken(project: Project, change: Change, beside: frozenset[str], ended: Collection[str]) -> None:
    for pair in project.pairs():
        if pair.name == change.name:
            msg = f"there is a change {change.name!r} already"
            raise PairError(msg, hint="choose another with --name")
        if pair.contract is None or pair.name in ended:
            continue
        other = pair.change.shape
        new = {(hold.table, column) for hold in other.arriving for column in hold.columns}
        for shared in change.shape.overlap(other):
            live = [column for column in shared.columns if (shared.table, column) not in new]
            if live:
                msg = f"{pair.name} maps {', '.join(live)} of {shared.table} already"
                raise PairError(msg, hint=f"finish it first, or ec abandon {pair.name}")
        _refuse_beside(change, pair, beside)


def _refuse_beside(change: Change, pair: Pair, beside: frozenset[str]) -> None:
    mine, theirs = (
        [Hold(mapping.table, mapping.old) for mapping in shape.mappings]
        + [Hold(transfer.source, transfer.old) for transfer in shape.transfers]
        for shape in (change.shape, pair.change.shape)
    )
    for hold in mine:
        for other in theirs:
            if other.table == hold.table and (with_it := beside & set(other.columns)):
                msg = (
                    f"{', '.join(sorted(hold.columns))} and {', '.join(sorted(with_it))} of {hold.table} share an"
                    f" index or constraint, and {pair.name} maps the latter; only one of them can change at a time"
                )
                raise PairError(msg, hint=f"finish {pair.name} first, or ec abandon {pair.name}")


def _start(project: Project, below: str | None) -> str | None:
    """Where a branch begins: on the linear history, or on what the other branch began on."""
    if below is not None or not project.scripts.get_heads():
        return below
    for script in project.scripts.walk_revisions():
        if {EXPAND, CONTRACT} & set(getattr(script.module, "branch_labels", None) or ()):
            return str(script.down_revision) if script.down_revision else None
    return None


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


def _header(half: Half, revision: str, down: str | None, label: str | None, depends: str | None, uses: str) -> str:
    labels = f'("{label}",)' if label else "None"
    mine = f"from expandcontract import {uses}\n" if uses else ""
    imports = mine + "".join(f"{line}\n" for line in sorted(half.imports))
    return (
        f"{_docstring(half.summary)}\n\nfrom __future__ import annotations\n\n"
        f"{{sqlalchemy}}from alembic import op\n{imports}"
        f"\nrevision = {rendered(revision)}\ndown_revision = {rendered(down) if down else None}\n"
        f"branch_labels = {labels}\ndepends_on = {rendered(depends) if depends else None}\n\n"
    )


def _docstring(text: str) -> str:
    raw = "r" if "\\" in text else ""
    said = text.replace('"', "'")
    return f'{raw}"""{said}."""'


def _expand(  # each is a line of the file
    revision: str,
    down: str | None,
    first: bool,  # noqa: FBT001
    change: Change,
    half: Half,
    after: str | None,
) -> str:
    shape = change.shape
    used = {
        "Change": True,
        "Fill": shape.fills,
        "Hold": shape.removes or shape.keeps,
        "Mapping": shape.mappings,
        "Transfer": shape.transfers,
    }
    uses = ", ".join(name for name, needed in used.items() if needed)
    head = _header(half, revision, down, EXPAND if first else None, after, uses)
    parts = [
        function("upgrade", SAID[change.kind].expand, half.upgrade),
        function("seal", "What the new shape needs once it is full; may run twice.", half.seal),
    ]
    if half.cut_over:
        parts.append(function("cut_over", "Give the new shape the old one's names.", half.cut_over))
        if half.seal_back:
            parts.append(function("seal_back", "What the old shape needs before the names go back.", half.seal_back))
        parts.append(function("roll_back", "Give the names back.", half.roll_back))
    parts += _way_back(half, SAID[change.kind].retract)
    return _tidy(f"{head}{change_source(change)}\n\n\n" + "\n\n".join(parts))


def _contract(revision: str, down: str | None, first: bool, change: Change, expand: str, half: Half) -> str:  # noqa: FBT001
    said = SAID[change.kind]
    head = _header(half, revision, down, CONTRACT if first else None, expand, "")
    parts = [function("upgrade", said.contract, half.upgrade)]
    if half.seal:
        parts.insert(0, function("seal", said.rule, half.seal))
    parts += _way_back(half, said.restore)
    return _tidy(f"{head}change = {rendered(change.name)}\n\n\n" + "\n\n".join(parts))


def _way_back(half: Half, doc: str) -> list[str]:
    if not half.restore:
        return [function("downgrade", doc, half.downgrade)]
    restored = function("restore", "What the way back puts back; ec makes it online before the rest.", half.restore)
    return [restored, function("downgrade", doc, ["restore()", *half.downgrade])]


def _tidy(source: str) -> str:
    """Import SQLAlchemy only where it is used; a seal that makes nothing is left out."""
    empty = function("seal", "What the new shape needs once it is full; may run twice.", [])
    source = source.replace(f"{empty}\n\n", "")
    return source.replace("{sqlalchemy}", "import sqlalchemy as sa\n" if re.search(r"\bsa\.", source) else "", 1)
