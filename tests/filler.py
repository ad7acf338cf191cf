"""One process of a backfill, to be stopped and killed: ``python -m tests.filler DATABASE``; says ``begun`` first."""

from __future__ import annotations

import argparse
from datetime import timedelta

from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How
from expandcontract.core.fill import Fill
from expandcontract.core.pace import Pace
from expandcontract.pg.connect import parse
from tests.fix_filling import CHANGE, WORK

SMALL = Pace(window_pages=8, stripes=4, batch_pages=2, target=timedelta(milliseconds=1))


def main() -> None:
    """Fill what is left, in very small batches."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--lease", type=float, default=30.0)
    parser.add_argument("--function", help="fill with this one of tests.backfills")
    asked = parser.parse_args()
    how = How(pace=SMALL, most_pages=8, workers=asked.workers, lease=timedelta(seconds=asked.lease))
    by = f"tests.backfills:{asked.function}"
    fills = Fill("users", function=by, reads=["id", "full_name"], writes=["display_name"]) if asked.function else WORK
    for at in fill(parse(asked.database), CHANGE, fills, how, epoch=0):
        print("begun", int(at.pages_done), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
