"""The gates about rows, the window and the sessions: what opens each, and the whole message when it is closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from expandcontract.core.color import Color
from expandcontract.core.facts import Asked, Finding, Session, Snapshot
from expandcontract.core.gate import Gate, State
from expandcontract.core.gates import data
from expandcontract.core.phase import Move, Phase
from expandcontract.core.release import Speaks
from expandcontract.core.window import Window
from tests.unit.core.factory import DAY, NOW, change, facts, says
from tests.unit.core.factory import release as deployed

BLUE, GREEN = Color.BLUE, Color.GREEN
V3 = deployed(GREEN, "v3", Speaks.NEW)
LATE = Snapshot(who="session 9 of ann (psql)", age=timedelta(hours=30))
SESSION = Session(pid=5, role="app_green", application="x", address="local", state="idle", age=DAY)
SAID = "app_green, x, from local"
HIDDEN = Session(pid=6, role="app_green", application="", address="an unknown address", state="unknown", age=None)
UNSEEN = Finding(
    what="ec may not see what sessions of app_green do", fix="as a superuser: GRANT pg_read_all_stats TO ec"
)
FENCED = Asked(move=Move.CONTRACT, fence=True)
OPEN = ("open", None)

CASES: list[tuple[Gate, Move, Phase, dict[str, Any], tuple[str, str | None]]] = [
    (data.SNAPSHOTS, Move.BACKFILL, Phase.DUAL_WRITING, {}, OPEN),
    (
        data.SNAPSHOTS,
        Move.BACKFILL,
        Phase.DUAL_WRITING,
        {"snapshots": None},
        ("unknown", "the oldest snapshot could not be read"),
    ),
    (
        data.SNAPSHOTS,
        Move.BACKFILL,
        Phase.DUAL_WRITING,
        {"snapshots": (LATE,)},
        ("closed", "old snapshots keep dead rows: session 9 of ann (psql) (1d6h)"),
    ),
    (data.PARITY, Move.CUT_OVER, Phase.BACKFILLED, {}, OPEN),
    (data.PARITY, Move.CUT_OVER, Phase.BACKFILLED, {"differing": None}, ("unknown", "the rows have not been compared")),
    (
        data.PARITY,
        Move.CUT_OVER,
        Phase.BACKFILLED,
        {"differing": 3},
        ("closed", "3 rows differ between the old and the new shape"),
    ),
    (data.SEAL, Move.CUT_OVER, Phase.BACKFILLED, {}, OPEN),
    (data.SEAL, Move.CUT_OVER, Phase.BACKFILLED, {"unsealed": None}, ("unknown", "the seal could not be read")),
    (data.SEAL, Move.CUT_OVER, Phase.BACKFILLED, {"unsealed": ("index i",)}, ("closed", "not sealed: index i")),
    (
        data.WINDOW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {},
        ("closed", "the rollback window has not opened: a release that does not speak new can still serve"),
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"releases": {BLUE: deployed(BLUE, "v3", Speaks.NEW)}},
        OPEN,
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {},
        ("closed", "v1 on blue gets 100 % of the traffic and speaks old"),
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"releases": {}, "switched": False},
        ("closed", "no release is recorded"),
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"weights": None, "recorded": None},
        ("unknown", "the traffic is not known"),
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"releases": {GREEN: V3}},
        ("closed", "no release is recorded on the live color"),
    ),
    (data.SESSIONS, Move.CONTRACT, Phase.CUT_OVER, {}, OPEN),
    (
        data.SESSIONS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"sessions": None},
        ("unknown", "the sessions could not be counted"),
    ),
    (
        data.SESSIONS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"sessions": (SESSION,)},
        (
            "closed",
            f"sessions of a release that does not speak new: {SAID}, connected for 1d, idle (backend 5)",
        ),
    ),
    (
        data.SESSIONS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"sessions": (HIDDEN,) * 7, "unseen": (UNSEEN,)},
        (
            "closed",
            "sessions of a release that does not speak new: "
            + "; ".join(["app_green, without a name, from an unknown address, unknown (backend 6)"] * 5)
            + "; and 2 more",
        ),
    ),
    (
        data.SESSIONS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"unseen": (UNSEEN,)},
        ("unknown", "ec may not see what sessions of app_green do"),
    ),
    (
        data.SESSIONS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"sessions": (SESSION,), "unseen": (UNSEEN,), "asked": FENCED},
        OPEN,
    ),
    (
        data.SESSIONS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"asked": FENCED, "unfenced": (UNSEEN,)},
        ("closed", "the old release cannot be fenced off: ec may not see what sessions of app_green do"),
    ),
    (data.DEPENDENTS, Move.CONTRACT, Phase.CUT_OVER, {}, OPEN),
    (
        data.DEPENDENTS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"dependents": None},
        ("unknown", "the dependents could not be read"),
    ),
    (
        data.DEPENDENTS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"dependents": ("view v",)},
        ("closed", "these depend on the old shape: view v"),
    ),
]


@pytest.mark.parametrize(("gate", "move", "phase", "more", "expected"), CASES)
def test_gate(gate: Gate, move: Move, phase: Phase, more: dict[str, Any], expected: tuple[str, str | None]) -> None:
    """Under these facts the gate says this, in these words; what is shut always says what to do where it knows."""
    says(gate, facts(move, change(phase), **more), expected)


def test_window_has_expired() -> None:
    """From the moment its whole length has passed the window is no obstacle."""
    state = change(Phase.CUT_OVER, window=Window(DAY, NOW - DAY))
    answer = data.WINDOW.decide(facts(Move.CONTRACT, state))
    assert (State.OPEN, "1d", "1d") == (answer.state, answer.measured, answer.limit)
