"""A move goes on when nobody reads its lines any more; a verification speaks for every table."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from expandcontract.cli.commands.verify import noted
from expandcontract.runner.events import Event

MOVE = """
import sys
from expandcontract.cli.show_events import follow
from expandcontract.runner.events import Event

done = []

def work():
    for number in range(50):
        yield Event(kind="step", text=f"step {number}")
        done.append(number)

follow(work())
sys.stderr.write(f"{len(done)} done\\n")
"""


def test_a_closed_pipe_stops_no_move() -> None:
    """Every step is done, though nobody reads; it is said once, on standard error, and the process ends well."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-c", MOVE], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (0, "nobody reads the output any more; the work goes on to its end\n50 done\n") == (
        done.returncode,
        done.stderr,
    )


@pytest.mark.parametrize(("rows", "last"), [([0, 3, 0], 0), ([0, 0, 3], 3)])
def test_what_any_table_came_to_is_kept(rows: list[int], last: int) -> None:
    """The last event is not the only one that counts; progress on the way, repaired since, does not."""
    events = [Event(kind="progress", text="x", data={"differing": 9})]
    events += [Event(kind="step", text="x", data={"differing": number}) for number in rows]
    found: list[Event] = []
    shown = list(noted(iter(events), found))
    assert events == shown
    assert (rows, last) == ([event.data["differing"] for event in found], shown[-1].data["differing"])


def test_the_runner_is_told_to_stop() -> None:
    """Closing what is shown closes what is done, so that its lock is given back."""
    stopped = []

    def work() -> object:
        try:
            yield Event(kind="step", text="x")
            yield Event(kind="step", text="y")
        finally:
            stopped.append(True)

    shown = noted(work(), [])  # type: ignore[arg-type]
    next(shown)
    shown.close()  # type: ignore[attr-defined]
    assert [True] == stopped
