"""What must be true of the figures: each a line that is printed, met or missed."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tests.benchmarks.engine.ground import Figures
    from tests.benchmarks.engine.load import Felt


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure.

    Attributes:
        what: In words.
        value: The ratio, or the figure.
        least: What it must at least be; ``None``: no such bound.
        most: What it may at most be.
        unit: Behind the figure.
    """

    what: str
    value: float
    least: float | None = None
    most: float | None = None
    unit: str = "x"

    @property
    def met(self) -> bool:
        """Whether every bound is kept; true where there is none."""
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def __str__(self) -> str:
        bound = f">= {self.least:g}" if self.least is not None else f"<= {self.most:g}" if self.most is not None else ""
        said = ("met" if self.met else "MISSED") if bound else ""
        return f"{self.what:74} {self.value:9.2f} {self.unit:5} {bound:9} {said}".rstrip()


def main(of: Mapping[str, Figures]) -> Iterator[Line]:
    """The table with three indexes: one default setting meets all of these at once."""
    synced, plain = of["UPDATE, with triggers"], of["UPDATE, without triggers"]
    touch, one, two = of["touch, 1,000"], of["ec, 1 worker"], of["ec, 2 workers"]
    for name, ours, faster, without, touched in (
        ("1 worker", one, 1.3, 1.05, 2.0),
        ("2 workers", two, 2.0, 1.7, 3.0),
    ):
        yield _speed(f"{name} beside one UPDATE, triggers on both", ours, synced, faster)
        yield _speed(f"{name} beside one UPDATE without triggers", ours, plain, without)
        yield _speed(f"{name} beside touching rows with a trigger, batches of 1,000", ours, touch, touched)
        yield Line(what=f"{name}: heap afterwards", value=ours.heap, most=1.35)
        yield Line(what=f"{name}: indexes afterwards", value=ours.indexes, most=1.2)
        yield Line(what=f"{name}: WAL a row beside the UPDATE's", value=ours.wal_row / synced.wal_row, most=0.7)
        for peer in sorted(of.keys() & {"pgroll", "reshape"}):
            yield _speed(f"{name} beside {peer}", ours, of[peer], None)
    yield Line(what="one UPDATE: heap afterwards", value=synced.heap)
    yield Line(what="one UPDATE: indexes afterwards", value=synced.indexes)


def _speed(what: str, ours: Figures, theirs: Figures, least: float | None) -> Line:
    return Line(what=f"rows/s of {what}", value=ours.rows_per_s / theirs.rows_per_s, least=least)


def others(of: Mapping[str, Mapping[str, Figures]]) -> Iterator[Line]:
    """Other tables, each beside one UPDATE of its own."""
    for table, figures in of.items():
        synced = figures["UPDATE, with triggers"]
        for name in ("ec, 1 worker", "ec, 2 workers"):
            ours = figures[name]
            yield Line(what=f"{table}: rows/s of {name} beside one UPDATE", value=ours.rows_per_s / synced.rows_per_s)
            yield Line(what=f"{table}: heap afterwards, {name} (UPDATE: {synced.heap:.2f})", value=ours.heap)


def sizes(analysed: Figures, never: Figures, small: Figures, large: Figures) -> Iterator[Line]:
    """Neither statistics nor size matter."""
    what = "rows/s on a table never ANALYZEd beside an analysed one"
    yield Line(what=what, value=never.rows_per_s / analysed.rows_per_s, least=0.9)
    yield Line(what="rows/s at 3M rows beside 300k rows", value=large.rows_per_s / small.rows_per_s, least=0.9)


def memory(small_mb: float, large_mb: float) -> Iterator[Line]:
    """The runner's memory does not grow with the table."""
    yield Line(what="resident memory of the runner, 20M rows", value=large_mb, most=80, unit="MB")
    yield Line(what="resident memory at 20M rows beside 300k rows", value=large_mb / small_mb, most=1.1)


def load(without: Sequence[Felt], ours: Sequence[Felt], update: Felt) -> Iterator[Line]:
    """What the application feels, turn by turn: a disk's moods last longer than one."""
    ratio = median(with_it.p99_ms / alone.p99_ms for with_it, alone in zip(ours, without, strict=True))
    yield Line(what="p99 of the load during the backfill beside without", value=ratio, most=2.0)
    worst = max(turn.worst_ms for turn in ours)
    yield Line(what="worst wait of the load during the backfill", value=worst, most=250, unit="ms")
    worst = max(turn.worst_ms for turn in without)
    yield Line(what="worst wait of the load beside nothing", value=worst, unit="ms")
    yield Line(what="transactions of the load that failed", value=sum(turn.failed for turn in ours), most=0, unit="")
    yield Line(what="p99 of the load during one UPDATE beside without", value=update.p99_ms / without[0].p99_ms)
    yield Line(what="worst wait of the load during one UPDATE", value=update.worst_ms, unit="ms")


COSTS = {
    "bulk UPDATE of a mapped column": 1.5,
    "bulk INSERT": 1.7,
    "bulk UPDATE of another column": 1.25,
    "single-row transactions": 1.1,
}


def triggers(of: Mapping[str, Mapping[str, float]]) -> Iterator[Line]:
    """What the triggers cost."""
    for kind, ways in of.items():
        yield Line(what=f"{kind} with our triggers beside none", value=ways["ours"], most=COSTS[kind])
        yield Line(what=f"{kind} with two triggers that set search_path", value=ways["peers"])


def missed(lines: Iterable[Line]) -> list[Line]:
    """Those whose bound is not kept."""
    return [line for line in lines if not line.met]
