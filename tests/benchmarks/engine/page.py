"""The page of the last run, written from its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.engine.bounds import Line

HEAD = """# How fast a backfill is, and how kind

`make bench` wrote this page, on PostgreSQL {version} and one machine. A case is one run on one server: every competitor
on a fresh copy of the same table, one after the other. What counts are the ratios; how fast the machine is stands in
none of them. All figures are in [backfill.json](backfill.json).

![Rows a second, size of heap and indexes, and write-ahead log of each competitor](backfill.svg)

- **One UPDATE** fills the column of the whole table in one statement. **Keys** is the usual script: batches of so many
  rows in the order of the key.
- **Touch** is the way of tools whose row trigger computes the value: batches of 1,000 rows, updated to what they are.
- The table `three_indexes` has 2 million rows and three indexes; what is told of others is told by their names.
- The load is `pgbench` with 8 clients at a fixed rate, a read and a write of one row in each transaction; its waits are
  counted from the moment that a transaction was due. It runs beside nothing and beside a backfill in turn; the ratio is
  the median of those of the turns, because a disk's moods last longer than one.
- What the triggers cost is measured against a table without any.

| | figure | bound | |
|---|---|---|---|
"""


def page(lines: Sequence[Line], version: int) -> str:
    """The page, in Markdown."""
    return HEAD.format(version=version) + "".join(_row(line) for line in lines)


def _row(line: Line) -> str:
    bound = f"≥ {line.least:g}" if line.least is not None else f"≤ {line.most:g}" if line.most is not None else ""
    unit = f" {line.unit}".rstrip()
    said = ("met" if line.met else "**missed**") if bound else ""
    return f"| {line.what} | {line.value:.2f}{unit} | {bound} | {said} |\n"
