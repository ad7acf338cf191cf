"""Facts for the gates' tests: everything in order, until a test says otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from expandcontract.core.change import ChangeState
from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import Asked, ColorHealth, Facts
from expandcontract.core.gate import Gate, State
from expandcontract.core.mapping import Mapping
from expandcontract.core.phase import Move, Phase
from expandcontract.core.release import Release, Speaks
from expandcontract.core.shape import Shape
from expandcontract.core.window import Window

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
NAME = "users_rename"
MAPPING = Mapping("users", forward={"new": "old"}, reverse={"old": "new"})


def change(phase: Phase = Phase.PLANNED, name: str = NAME, **more: Any) -> ChangeState:
    """A mapped change at ``phase``."""
    more.setdefault("shape", Shape(mappings=(MAPPING,)))
    more.setdefault("window", Window(DAY))
    more.setdefault("contract_revision", f"c_{name}")
    return ChangeState(name=name, phase=phase, **more)


def release(color: Color, version: str, speaks: Speaks | None = None, **more: Any) -> Release:
    """A release that speaks so of the change."""
    return Release(color=color, version=version, speaks={} if speaks is None else {NAME: speaks}, **more)


def facts(move: Move, state: ChangeState, **more: Any) -> Facts:
    """Facts under which every gate of ``move`` is open, but for what ``more`` says."""
    asked = more.pop("asked", None) or Asked(move=move, release=more.pop("release", None), together=frozenset({NAME}))
    values: dict[str, Any] = {
        "now": NOW,
        "change": state,
        "changes": (state, *more.pop("others", ())),
        "asked": asked,
        "releases": {Color.BLUE: release(Color.BLUE, "v1")},
        "recorded": Weights.toward(Color.BLUE),
        "weights": Weights.toward(Color.BLUE),
        "integrity": (),
        "preflight": (),
        "pair": (),
        "lint": (),
        "earlier": (),
        "health": {color: ColorHealth(color=color, ok=True, evidence="200") for color in Color},
        "smoke": "",
        "differing": 0,
        "unfit": 0,
        "unsealed": (),
        "snapshots": (),
        "snapshot_limit": DAY,
        "sessions": (),
        "dependents": (),
        **more,
    }
    return Facts(**values)


def says(gate: Gate, found: Facts, expected: tuple[str, str | None]) -> None:
    """Under these facts the gate has that state, and that reason where one is expected; shut, it says what to do."""
    answer = gate.decide(found)
    assert expected[0] == answer.state
    if expected[1] is not None:
        assert expected[1] == answer.reason
    if answer.state is State.CLOSED:
        assert answer.next
