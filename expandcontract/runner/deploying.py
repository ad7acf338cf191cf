"""``ec deploy``: a version onto a color that gets no traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.fit import misfits
from expandcontract.runner import colors
from expandcontract.runner.events import Event
from expandcontract.runner.mover import mover
from expandcontract.runner.observe import merged
from expandcontract.runner.traffic import put

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expandcontract.core.color import Color
    from expandcontract.core.release import Speaks
    from expandcontract.runner.place import Place


def deploy(place: Place, color: Color, version: str, speaks: Mapping[str, Speaks]) -> Iterator[Event]:
    """Put a version on a color that gets no traffic, and record it; says which changes it does not fit yet."""
    with mover(place.url, f"deploy {color} {version}", place.settings.window.length) as m:
        with m.reading() as ledger:
            release = colors.to_deploy(place, ledger, color, version, speaks)
            wrong = misfits(release, merged(place, ledger))
        for misfit in wrong:
            yield Event(kind="note", text=f"{release} can get no traffic yet: {misfit}")
        yield from put(place, m, release)
    yield Event(kind="finished", text=f"{release} is deployed and ready")
