"""``ec switch --check``: whether a balancer can be reached, read and written. Nothing is changed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from expandcontract.errors import TrafficError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from expandcontract.traffic.switch import TrafficSwitch


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a shift will need.

    Attributes:
        what: The finding in words.
        ok: Whether it is as it should be.
        fix: What to type or do where it is not.
    """

    what: str
    ok: bool
    fix: str = ""

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {"what": self.what, "ok": self.ok, "fix": self.fix or None}


@runtime_checkable
class Checks(Protocol):
    """A switch that can say more of itself than that it can be read."""

    def checks(self) -> Iterator[Check]:
        """What its writes need: the balancer reached, the rights there. Changes nothing and raises nothing."""
        ...


def look(switch: TrafficSwitch) -> tuple[Check, ...]:
    """Everything that is known of the switch, and at last what the balancer reads."""
    own = tuple(switch.checks()) if isinstance(switch, Checks) else ()
    return (*own, attempt("", lambda: f"the balancer gives {switch.read()}"))


def attempt(what: str, act: Callable[[], object]) -> Check:
    """``what`` where the act succeeds, or what it returns where ``what`` is empty; else its error in words."""
    try:
        found = act()
    except TrafficError as exc:
        return Check(what=exc.message, ok=False, fix=exc.hint or "")
    return Check(what=what or str(found), ok=True)


def replaceable(path: Path) -> Check:
    """Whether we could rename another file over this one: that takes the right to create files in its folder."""
    folder = path.parent
    if not folder.is_dir():
        return Check(what=f"there is no folder {folder}", ok=False, fix=f"mkdir -p {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        fix = f"let this user create and rename files in {folder}"
        return Check(what=f"{path} cannot be replaced", ok=False, fix=fix)
    return Check(what=f"{path} can be replaced", ok=True)
