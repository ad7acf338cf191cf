"""What a rehearsal has seen, as one JSON-ready document with stable keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.phase import Move

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from expandcontract.core.effect import Effect
    from expandcontract.core.rehearsal import Line, Ran
    from expandcontract.pg.rows import Filled
    from expandcontract.runner.ground import Ground
    from expandcontract.runner.target import Target
    from expandcontract.runner.walk import Passage

MS = 1000


def document(
    target: Target, ready: Ground, filled: Iterable[Filled], passages: Sequence[Passage], notes: Iterable[str]
) -> dict[str, object]:
    """All of it."""
    differing = sum(passage.differing for passage in passages)
    failed = [passage for passage in passages if passage.error is not None]
    known = {str(table): rows for table, rows in target.rows.items()}
    return {
        "change": target.change.name,
        "ok": not differing and not failed,
        "irreversible": target.change.irreversible,
        "server": {
            "major": ready.major,
            "target_major": target.major,
            "embedded": ready.ours,
            "schema_from": ready.built_from,
        },
        "notes": [*ready.notes, *notes],
        "tables": [{**table.document(), "on_target": known.get(str(table.table))} for table in filled],
        "statements": sum(line.ran is not None for passage in passages for line in passage.lines),
        "differing": differing,
        "moves": [_passage(passage) for passage in passages],
    }


def told(passage: Passage) -> str:
    """A passage in one line."""
    way = "back" if passage.move is Move.ROLL_BACK else str(passage.move)
    if passage.error is not None:
        return f"{way} from {passage.start} failed"
    counted = f"{len(passage.lines)} statement{'' if len(passage.lines) == 1 else 's'}"
    differing = f", {passage.differing} of them not as foretold" if passage.differing else ""
    return f"{way}: {passage.start} → {passage.end}, {counted}{differing}"


def _passage(passage: Passage) -> dict[str, object]:
    error = passage.error
    return {
        "move": str(passage.move),
        "from": str(passage.start),
        "to": str(passage.end) if passage.end else None,
        "took_ms": _ms(passage.took_s),
        "stops_reads_ms": _longest(passage, reads=True),
        "stops_writes_ms": _longest(passage, reads=False),
        "notes": passage.notes,
        "error": {"code": error.code, "message": error.message, "hint": error.hint} if error else None,
        "statements": [_line(line) for line in passage.lines],
    }


def _line(line: Line) -> dict[str, object]:
    return {
        "sql": line.statement,
        "seen": _seen(line.ran) if line.ran else None,
        "foretold": _effect(line.foretold) if line.foretold else None,
        "differences": list(line.differences),
    }


def _seen(ran: Ran) -> dict[str, object]:
    figures = {"took_ms": _ms(ran.took.total_seconds()), "held_ms": _ms(ran.kept.total_seconds())}
    return {**_effect(ran.effect), **figures}


def _effect(effect: Effect) -> dict[str, object]:
    return {
        "locks": [{"relation": lock.relation, "mode": str(lock.mode)} for lock in effect.locks],
        "rewrites": sorted(effect.rewrites),
        "scans": sorted(effect.scans),
        "transactional": effect.transactional,
    }


def _longest(passage: Passage, *, reads: bool) -> float:
    """The longest that one transaction would have made reads, or writes, of some table wait."""
    kept = [
        line.ran.kept.total_seconds()
        for line in passage.lines
        if line.ran and (mode := line.ran.effect.strongest) and (mode.stops_reads if reads else mode.stops_writes)
    ]
    return _ms(max(kept, default=0.0))


def _ms(seconds: float) -> float:
    return round(seconds * MS, 2)
