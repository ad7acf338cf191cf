"""What ``ec plan`` answers: the next move, statement by statement, with the locks that each takes; nothing is done."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

from expandcontract.core.duration import in_words
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.core.plan import next_move
from expandcontract.pg import bound
from expandcontract.pg.catalog import leaves
from expandcontract.pg.locks import predict
from expandcontract.pg.parsed import cut
from expandcontract.revisions import seal, steps, swapping
from expandcontract.runner.observe import coming

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from expandcontract.core.change import ChangeState
    from expandcontract.core.effect import Effect
    from expandcontract.core.facts import Finding
    from expandcontract.pg.catalog import Leaf
    from expandcontract.revisions.operations import SealItem
    from expandcontract.runner.place import Place

SLOW, FAST = 20_000, 200_000  # rows a second that one worker fills, by table and machine


def work(place: Place, connection: Connection, change: ChangeState) -> dict[str, object]:
    """The next move of a change, as a JSON-ready mapping; its gates are not asked here."""
    move = next_move(change)
    found: dict[str, object] = {"change": change.name, "phase": str(change.phase), "move": str(move) if move else None}
    if move is Move.EXPAND:
        found["irreversible"] = change.irreversible
    found["statements"] = [_statement(effect) for effect in predict(connection, sql(place, connection, change, move))]
    if move is Move.BACKFILL:
        found["relations"] = [_relation(leaf) for work in change.shape.work for leaf in leaves(connection, work.table)]
        found["seal"] = [seal.describe(item) for item in _seal(place, change)]
    if change.kind is Kind.SWAPPED and not change.traded and change.phase is not Phase.CONTRACTED:
        found["headroom"] = _headroom(connection, change)
    return found


def sql(place: Place, connection: Connection, change: ChangeState, move: Move | None) -> list[str]:
    """The statements of DDL that ``move`` runs, in order; what a seal has already is left out."""
    pair = place.project.pair(change.name)
    match move:
        case Move.EXPAND:
            return script(place, f"{_below(pair.expand.down_revision)}:{pair.expand.revision}")
        case Move.BACKFILL:
            return steps.planned(connection, _seal(place, change))
        case Move.CUT_OVER if change.kind is Kind.SWAPPED:
            return swapping.script(pair.expand.module, change.name, change.shape)
        case Move.CONTRACT if pair.contract is not None:
            rule = steps.planned(connection, coming(place, change))
            return [*rule, *script(place, f"{pair.expand.revision}:{pair.contract.revision}")]
        case _:
            return []


def findings(found: Iterable[Finding]) -> list[dict[str, str]]:
    """What the preflight found, as JSON-ready mappings."""
    return [{"what": finding.what, "severity": str(finding.severity), "fix": finding.fix} for finding in found]


def _seal(place: Place, change: ChangeState) -> tuple[SealItem, ...]:
    return seal.record(place.project.pair(change.name).expand.module)


def _statement(effect: Effect) -> dict[str, object]:
    return {
        "sql": effect.statement,
        "form": effect.form,
        "locks": [{"relation": lock.relation, "mode": str(lock.mode)} for lock in effect.locks],
        "rewrites": sorted(effect.rewrites),
        "scans": sorted(effect.scans),
        "transactional": effect.transactional,
        "assumed": effect.assumed,
        "refused": effect.refused,
    }


def _relation(leaf: Leaf) -> dict[str, object]:
    rows = max(leaf.rows, 0)
    shortest, longest = (timedelta(seconds=rows / rate) for rate in (FAST, SLOW))
    return {
        "name": f"{leaf.schema}.{leaf.name}",
        "pages": leaf.pages,
        "rows": leaf.rows,
        "shortest_s": shortest.total_seconds(),
        "longest_s": longest.total_seconds(),
        "text": f"{in_words(shortest)} to {in_words(longest)}" if rows else "not analysed, so not known",
    }


def _headroom(connection: Connection, change: ChangeState) -> list[dict[str, object]]:
    return [
        {
            "column": f"{mapping.table}.{column}",
            "sequence": left.sequence,
            "last_value": left.last_value,
            "limit": left.limit,
            "text": str(left),
        }
        for mapping in change.shape.mappings
        for column in mapping.old
        if (left := bound.headroom(connection, mapping.table, column))
    ]


def _below(down: object) -> str:
    return str(down) if isinstance(down, str) else "base"


def script(place: Place, span: str) -> list[str]:
    """The statements of these revisions, as ``alembic upgrade --sql`` writes them."""
    said = StringIO()
    config = Config(str(place.settings.alembic), output_buffer=said, stdout=StringIO())
    config.set_main_option("sqlalchemy.url", place.url.render_as_string(hide_password=True).replace("%", "%%"))
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        command.upgrade(config, span, sql=True)
    found = [_without_comments(statement.text) for statement in cut(said.getvalue())]
    return [sql for sql in found if sql and sql not in {"BEGIN", "COMMIT"}]


def _without_comments(sql: str) -> str:
    """Without the lines in front by which Alembic tells which revision begins."""
    lines = sql.splitlines()
    first = next(
        (number for number, line in enumerate(lines) if line.strip() and not line.startswith("--")), len(lines)
    )
    return "\n".join(lines[first:]).strip()
