"""Where a rehearsal plays: a database with the target's schema, releases and a balancer that exist in memory only."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from pydantic import SecretStr

from expandcontract.config.guard import GuardSettings
from expandcontract.config.settings import DeploySettings, SmokeSettings, TrafficSettings
from expandcontract.core.facts import ColorHealth
from expandcontract.runner.place import Place
from expandcontract.traffic.memory import MemorySwitch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from expandcontract.core.color import Color, Weights
    from expandcontract.traffic.switch import TrafficSwitch

BUDGET = timedelta(minutes=2)
"""Nobody else is on the stage, so a lock that is not had by then is not had at all."""
VARIABLE = "EC_DATABASE"
SILENT = {
    "traffic": TrafficSettings(switch="memory", steps=(100,), soak=timedelta()),
    "deploy": DeploySettings(),
    "guard": GuardSettings(),
}


@dataclass(frozen=True)
class Stage(Place):
    """A place of which only the database and the project's revisions are real.

    No deploy command is run, no color is probed, no role is told anything and no balancer is written.

    Attributes:
        memory: The balancer.
    """

    memory: MemorySwitch = field(default_factory=MemorySwitch)

    @property
    def switch(self) -> TrafficSwitch:
        """The balancer in memory."""
        return self.memory

    def probe(self, color: Color, version: str | None = None, *, wait: bool = True) -> ColorHealth:
        """Every release that is deployed here is well."""
        del version, wait
        return ColorHealth(color=color, ok=True, evidence="nothing runs in a rehearsal")


def stage(place: Place, url: URL, weights: Weights | None) -> Stage:
    """The project of ``place``, on the scratch database at ``url``, with the traffic where it is on the target."""
    database = SecretStr(url.render_as_string(hide_password=False))
    lock = place.settings.lock.model_copy(update={"budget": min(BUDGET, place.settings.lock.budget)})
    apart = {**SILENT, "database": database, "colors": {}, "smoke": SmokeSettings(), "lock": lock}
    return Stage(place.settings.model_copy(update=apart), place.directory, MemorySwitch(weights))


@contextmanager
def leading(url: URL) -> Iterator[None]:
    """Within the block ``EC_DATABASE`` is the scratch database too, for an ``env.py`` that reads it."""
    before = os.environ.get(VARIABLE)
    os.environ[VARIABLE] = url.render_as_string(hide_password=False)
    try:
        yield
    finally:
        if before is None:
            del os.environ[VARIABLE]
        else:
            os.environ[VARIABLE] = before
