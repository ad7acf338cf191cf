"""A runner that answers from memory and notes how it was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from expandcontract.core.gate import Answer, State, Verdict
from expandcontract.core.phase import Move, Phase
from expandcontract.core.plan import Judgement
from expandcontract.lint.finding import Finding, Report, Severity
from expandcontract.runner.events import Event, Written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.runner.place import Place

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CLOSES = NOW + timedelta(hours=24)
STATUS: dict[str, Any] = {
    "now": NOW.isoformat(),
    "changes": [
        {
            "name": "users_name",
            "phase": "cut_over",
            "in_flight": {"move": "contract", "since": NOW.isoformat()},
            "next": "ec advance users_name",
            "window": {"length": "1d", "opened_at": NOW.isoformat(), "closes_at": CLOSES.isoformat()},
            "releases": {
                "blue": {"version": "v3", "speaks": "new", "fits": True, "wanted": ["old", "dual", "new"]},
                "green": {"version": "v1", "speaks": "old", "fits": False, "wanted": ["dual", "new"]},
            },
        }
    ],
    "releases": {"blue": {"version": "v3", "role": "app_blue", "speaks": {"users_name": "new"}, "baseline": None}},
    "traffic": {"weights": {"blue": 90, "green": 10}, "recorded": None, "error": ""},
    "fences": [{"role": "app_green", "change": "users_name"}],
    "integrity": [{"change": "users_name", "what": "the hold is missing"}],
}
EVENTS = (
    Event(kind="began", text="backfill of users_name", change="users_name"),
    Event(
        kind="progress",
        text="5 rows",
        change="users_name",
        data={"done": 1, "total": 4, "rows": 1200, "rate": 300.0, "eta_s": 12.0},
    ),
    Event(kind="finished", text="users_name is backfilled", change="users_name", data={"phase": "backfilled"}),
)

SEEN: dict[str, Any] = {
    "locks": [
        {"relation": "public.users", "mode": "ACCESS EXCLUSIVE"},
        {"relation": "public.orders", "mode": "SHARE"},
    ],
    "rewrites": ["public.users"],
    "scans": ["public.orders"],
    "transactional": True,
}
REHEARSED: dict[str, Any] = {
    "change": "users_name",
    "ok": False,
    "irreversible": "a value of an enum stays",
    "notes": ["PostgreSQL 18 stands in for the target's 17"],
    "tables": [{"table": "users", "rows": 7, "notes": [], "on_target": None}],
    "moves": [
        {
            "move": "expand",
            "from": "planned",
            "to": "expanded",
            "took_ms": 12.5,
            "stops_reads_ms": 1234.56,
            "stops_writes_ms": 1234.56,
            "notes": ["it is for good"],
            "error": None,
            "statements": [
                {
                    "sql": "ALTER TABLE users\n  ADD a int",
                    "seen": {**SEEN, "took_ms": 1.0, "held_ms": 1234.56},
                    "foretold": SEEN,
                    "differences": ["public.users: SHARE was foretold, ACCESS EXCLUSIVE was taken"],
                },
                {"sql": "DROP TABLE b", "seen": None, "foretold": SEEN, "differences": ["it was not run"]},
            ],
        },
        {
            "move": "contract",
            "from": "cut_over",
            "to": None,
            "took_ms": 1.0,
            "stops_reads_ms": 0.0,
            "stops_writes_ms": 0.0,
            "notes": [],
            "error": {"code": "EC601", "message": "it failed", "hint": None},
            "statements": [],
        },
    ],
}

WARNED = Finding(
    path="versions/a.py",
    line=7,
    code="EC206",
    name="default-dropped",
    severity=Severity.WARNING,
    revision="abc1",
    what="drops the default of users.visits",
    why="A release that leaves it out writes NULL.",
    fix="say so:\n  # because",
)
DROPPED = replace(WARNED, code="EC201", name="drop-in-expand", severity=Severity.ERROR, line=5, what="100%: a, b")
REPORT = Report(findings=(WARNED,), revisions=("abc1",), notes=("squawk is not installed",))
BROKEN = Report(findings=(DROPPED, WARNED), passed_over=(replace(WARNED, reason="known"),), revisions=("abc1", "abc2"))


def judgement(*, opened: bool) -> Judgement:
    """The window's gate, and one that is open."""
    window = Answer(
        state=State.OPEN if opened else State.CLOSED,
        reason="the rollback window closes",
        measured="1h",
        limit="1d",
        opens_at=None if opened else CLOSES,
        next="" if opened else "ec gate users_name contract --wait 23h",
    )
    verdicts = (
        Verdict(gate="mover-lock", code="EC310", answer=Answer(state=State.OPEN, reason="nobody else moves")),
        Verdict(gate="window", code="EC360", answer=window),
    )
    return Judgement(change="users_name", move=Move.CONTRACT, phase=Phase.CUT_OVER, now=NOW, verdicts=verdicts)


class FakeRunner:
    """Stands in for ``expandcontract.runner.Runner``."""

    calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]]
    opened = True
    raises: BaseException | None = None

    def __init__(self) -> None:
        self.calls = []

    def __call__(self, settings: Any, directory: Path, *, place: Place) -> FakeRunner:
        """Take the place of the class itself."""
        assert (settings, directory) == (place.settings, place.directory)
        self.settings, self.directory = settings, directory
        return self

    def _note(self, name: str, /, *args: Any, **kwargs: Any) -> None:
        self.calls.append((name, args, kwargs))

    def _events(self) -> Iterator[Event]:
        yield from EVENTS[:2]
        if self.raises is not None:
            raise self.raises
        yield EVENTS[2]

    def status(self, name: str | None = None, *, files: bool = True) -> dict[str, Any]:
        """As the runner's."""
        del files
        self._note("status", name)
        return STATUS

    def gate(self, name: str, move: Move, **asked: Any) -> Judgement:
        """As the runner's."""
        self._note("gate", name, move, **asked)
        return judgement(opened=self.opened)

    def plan(self, name: str) -> dict[str, Any]:
        """As the runner's."""
        self._note("plan", name)
        gates = judgement(opened=self.opened).document()
        statement = {
            "sql": "ALTER TABLE users",
            "form": "unknown",
            "refused": "",
            "transactional": True,
            "assumed": True,
        }
        effects = {"locks": [{"relation": "public.users", "mode": "ACCESS EXCLUSIVE"}], "rewrites": [], "scans": ["a"]}
        found = {"change": name, "phase": "planned", "move": "expand", "judgement": gates}
        return {**found, "statements": [{**statement, **effects}]}

    def rehearse(self, name: str, wanted: Any) -> Iterator[Event]:
        """As the runner's."""
        self._note("rehearse", name, wanted)
        yield Event(kind="step", text="users: 7 rows")
        if self.raises is not None:
            raise self.raises
        yield Event(kind="finished", text="it was rehearsed", data=REHEARSED)

    def lint(self, names: tuple[str, ...] = (), *, since: str | None = None) -> Report:
        """As the runner's."""
        self._note("lint", names, since=since)
        return REPORT if self.opened else BROKEN

    def window(self, name: str, extend: timedelta) -> dict[str, Any]:
        """As the runner's."""
        self._note("window", name, extend)
        return STATUS

    def steer(self, name: str, word: str, **asked: Any) -> dict[str, Any]:
        """As the runner's."""
        self._note("steer", name, word, **asked)
        return STATUS

    def course(self, name: str) -> dict[str, Any]:
        """As the runner's."""
        self._note("course", name)
        return {"change": name, "samples": []}

    def tell(self, word: str, why: str | None = None) -> dict[str, Any]:
        """As the runner's."""
        self._note("tell", word, why)
        told = {"at": NOW.isoformat(), "by": "ada on db1", "why": why}
        shift = {"toward": "green", "began_at": NOW.isoformat(), "paused": told if word == "pause" else None}
        return {"said": f"the shift toward green {word}s", "status": {"traffic": {"shift": shift}}}

    def check_switch(self) -> dict[str, Any]:
        """As the runner's."""
        self._note("check_switch")
        checks = [{"what": "it answers", "ok": True, "fix": None}]
        checks += [] if self.opened else [{"what": "no folder", "ok": False, "fix": "mkdir -p x"}]
        found = {"switch": "nginx", "gradual": self.opened, "per_request": True, "warning": "it cuts connections"}
        return {**found, "checks": checks, "ok": self.opened}

    def foretell(self, names: list[str], steps: tuple[int, ...] | None = None) -> dict[str, Any]:
        """As the runner's."""
        self._note("foretell", names, steps)
        now = {"blue": 100, "green": 0}
        way = {"now": now, "to": "green", "version": "v2", "steps": list(steps or (100,))}
        return {
            "traffic": way if self.opened else {"now": None, "to": None, "version": None, "steps": []},
            "changes": [{"name": names[0], "from": "cut_over", "to": "backfilled"}],
            "deploys": {"color": "green", "version": "v2", "over": "v3"},
            "others": [] if self.opened else ["orders_total"],
            "lost": [{"text": "3 rows tell more", "lost": 3, "rows": ["id=7"]}],
            "judgements": [judgement(opened=self.opened).document()],
            "open": self.opened,
            "next": "ec rollback a",
        }

    def history(self, name: str | None = None) -> list[dict[str, Any]]:
        """As the runner's."""
        self._note("history", name)
        return [
            {"seq": 1, "at": NOW, "change": name, "event": "refused", "actor": "dba", "detail": {"move": "contract"}}
        ]

    def verify_history(self) -> dict[str, Any]:
        """As the runner's."""
        return {"broken": None, "head": "abc", "head_holds": True}

    def new(self, recipe: str, **arguments: Any) -> Written:
        """As the runner's."""
        self._note("new", recipe, **arguments)
        return Written(paths=(Path("versions/a.py"), Path("versions/b.py")), notes=("it is for good",))

    def abandon(self, name: str) -> tuple[Path, ...]:
        """As the runner's."""
        self._note("abandon", name)
        return (Path("versions/a.py"),)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def moving(*args: Any, **kwargs: Any) -> Iterator[Event]:
            self._note(name, *args, **kwargs)
            return self._events()

        return moving
