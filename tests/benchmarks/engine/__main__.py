"""Every case in one run on one server; ``make bench`` writes what comes of it to ``docs/benchmarks``.

Figures are ratios to a competitor of the same run: the machine's own speed is in none of them.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import psycopg

from tests.benchmarks.engine import bounds, load, peers, rivals, tables, triggers
from tests.benchmarks.engine.ground import Figures, Ground
from tests.benchmarks.engine.memory import peak_mb
from tests.benchmarks.engine.page import page
from tests.benchmarks.engine.plot import draw
from tests.benchmarks.engine.record import Case, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.benchmarks.engine.bounds import Line
    from tests.benchmarks.engine.tables import Table

Rival = tuple["Callable[[str, Table], None]", bool]
COMMON: dict[str, Rival] = {
    "UPDATE, with triggers": (rivals.update, True),
    "ec, 1 worker": (rivals.ours(1), True),
    "ec, 2 workers": (rivals.ours(2), True),
}
MORE: dict[str, Rival] = {
    "UPDATE, without triggers": (rivals.update, False),
    "keys, 1,000": (rivals.keyset(1000), True),
    "keys, 10,000": (rivals.keyset(10_000), True),
    "touch, 1,000": (rivals.touch, False),
}
QUIET_S = 30
"""How long the load runs beside nothing."""
CASES = ("load", "triggers", "main", "tables", "sizes", "memory")
"""In this order: what a disk is slow at shows in waits for minutes after it has had much to write."""


class Run:
    """The cases, and what they came to."""

    def __init__(self, ground: Ground, scale: float, times: int) -> None:
        self.ground, self.scale, self.times = ground, scale, times
        self.cases: dict[str, Case] = {}

    def _rows(self, rows: int) -> int:
        return max(1000, int(rows * self.scale))

    def _all(self, table: Table, of: dict[str, Rival], times: int) -> dict[str, Figures]:
        """Each competitor so many times in turn; medians."""
        runs: dict[str, list[Figures]] = {name: [] for name in of}
        for _ in range(times):
            for name, (rival, synced) in of.items():
                runs[name].append(self.ground.measured(table, rival, synced=synced))
        found = {name: middle(of_one) for name, of_one in runs.items()}
        for name, figures in found.items():
            self._say(table, name, figures)
        return found

    def _say(self, table: Table, name: str, of: Figures) -> None:
        grown = f"heap {of.heap:.2f}  indexes {of.indexes:.2f}  WAL {of.wal_row:.0f} B"
        print(f"  {table.name:14} {name:26} {of.rows_per_s / 1000:7.1f}k rows/s  {grown}", flush=True)  # noqa: T201

    def _keep(self, case: str, found: Any, lines: Iterable[Line]) -> None:
        self.cases[case] = Case(figures=found)
        for line in lines:
            self.cases[case].lines.append(line)
            print(line, flush=True)  # noqa: T201

    def main(self) -> None:
        """Two million rows and three indexes, every competitor."""
        table = tables.numbered(tables.MAIN, self._rows(2_000_000))
        found = self._all(table, COMMON | {"UPDATE, without triggers": MORE["UPDATE, without triggers"]}, self.times)
        found |= self._all(table, {name: MORE[name] for name in MORE if name not in found}, 1)
        for name, rival in peers.found().items():
            try:
                found[name] = self.ground.measured(table, rival, synced=False, column=peers.COLUMN)
            except (RuntimeError, psycopg.Error) as exc:  # it is theirs to mend, and the rest is measured all the same
                print(exc, flush=True)  # noqa: T201
                continue
            self._say(table, name, found[name])
        self._keep("main", {name: asdict(figures) for name, figures in found.items()}, bounds.main(found))

    def tables(self) -> None:
        """Random keys, partitions, wide rows."""
        found = {
            table.name: self._all(table, COMMON, 1)
            for table in (
                tables.by_uuid(self._rows(1_000_000)),
                tables.partitioned(self._rows(1_000_000)),
                tables.wide(self._rows(100_000)),
            )
        }
        document = {name: {who: asdict(of) for who, of in each.items()} for name, each in found.items()}
        self._keep("tables", document, bounds.others(found))

    def sizes(self) -> None:
        """Statistics that are missing, and tables of two sizes."""
        rows = self._rows(1_000_000)
        every = (
            tables.numbered("analysed", rows),
            tables.numbered("never_analysed", rows, analysed=False),
            tables.numbered("small", self._rows(300_000)),
            tables.numbered("large", self._rows(3_000_000)),
        )
        runs: list[list[Figures]] = [[] for _ in every]
        for _ in range(self.times):
            for table, of in zip(every, runs, strict=True):
                of.append(self.ground.measured(table, rivals.ours(1), synced=True))
        found = [middle(of) for of in runs]
        document = {table.name: asdict(of) for table, of in zip(every, found, strict=True)}
        self._keep("sizes", document, bounds.sizes(*found))

    def memory(self) -> None:
        """The runner's memory beside a small table and a very large one."""
        peaks = []
        for table in (tables.numbered("small", self._rows(300_000)), tables.numbered("huge", self._rows(20_000_000))):
            with self.ground.copy(table, synced=True) as dsn:
                peaks.append(peak_mb(dsn, table))
        self._keep("memory", {"small_mb": peaks[0], "large_mb": peaks[1]}, bounds.memory(*peaks))

    def load(self) -> None:
        """A load at a fixed rate beside nothing, beside ``ec``, and beside one UPDATE."""
        table = tables.numbered(tables.MAIN, self._rows(2_000_000))
        felt: dict[str, list[load.Felt]] = {"without": [], "ec": [], "UPDATE": []}
        for turn in range(self.times):
            for name, work in (("without", None), ("ec", rivals.ours(1)), ("UPDATE", rivals.update)):
                if name == "UPDATE" and turn:  # once is enough to see it
                    continue
                with self.ground.copy(table, synced=True) as dsn:
                    one = load.felt(self.ground.server, dsn, lambda: beside(work, dsn, table), table.rows)  # noqa: B023
                felt[name].append(one)
                print(f"  {name:10} p99 {one.p99_ms:9.2f} ms, worst {one.worst_ms:9.2f} ms", flush=True)  # noqa: T201
        document = {name: [asdict(one) for one in of] for name, of in felt.items()}
        self._keep("load", document, bounds.load(felt["without"], felt["ec"], felt["UPDATE"][0]))

    def triggers(self) -> None:
        """What the triggers cost those who write."""
        found = triggers.cost(self.ground, triggers.filled(self._rows(300_000)), times=self.times)
        self._keep("triggers", found, bounds.triggers(found))


def beside(work: Callable[[str, Table], None] | None, dsn: str, table: Table) -> None:
    """Do ``work``; with none, half a minute passes."""
    if work is None:
        time.sleep(QUIET_S)
    else:
        work(dsn, table)


def middle(of: list[Figures]) -> Figures:
    """The median of each figure."""
    return Figures(**{name: median(getattr(one, name) for one in of) for name in asdict(of[0])})


def write(folder: Path, cases: dict[str, Case], version: int, scale: float) -> None:
    """The figures, the page and the plot; what did not run now stays as it was."""
    every = keep(folder / "backfill.json", cases, CASES, version=version, scale=scale)
    lines = [line for case in every.values() for line in case.lines]
    (folder / "backfill.md").write_text(page(lines, version), encoding="utf-8")
    if "main" in every:
        figures = {name: Figures(**of) for name, of in every["main"].figures.items()}
        draw(figures, folder / "backfill.svg")


def main() -> int:
    """Run the cases; ends with 1 where a bound is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="|".join(CASES), help="which cases; default: all")
    parser.add_argument("--pg", type=int, default=18, choices=(16, 18))
    parser.add_argument("--scale", type=float, default=1.0, help="of the tables; 1 is what the bounds are for")
    parser.add_argument("--times", type=int, default=5, help="runs of each of the first competitors, in turn")
    parser.add_argument("--into", type=Path, help="folder for backfill.json, .md and .svg")
    asked = parser.parse_args()
    with Ground.start(asked.pg) as ground:
        run = Run(ground, asked.scale, asked.times)
        for case in asked.cases or CASES:
            getattr(run, case)()
    for name in peers.PEERS.keys() - peers.found().keys():
        print(f"{name} is not on the path, so it was not measured")  # noqa: T201
    if asked.into:
        write(asked.into, run.cases, asked.pg, asked.scale)
    over = bounds.missed(line for case in run.cases.values() for line in case.lines)
    print(f"bounds: {'all met' if not over else f'{len(over)} missed'}")  # noqa: T201
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
