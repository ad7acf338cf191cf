"""Ending the pods of a color that nothing leads back to: offered after a contract, done by ``--scale-down``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.fit import misfits
from expandcontract.core.retire import needed_by
from expandcontract.errors import ConfigError, RefusedError
from expandcontract.runner.events import Event
from expandcontract.runner.mover import mover
from expandcontract.runner.observe import merged, read_weights
from expandcontract.traffic.deploy import ScalesDown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.color import Color
    from expandcontract.ledger import Ledger
    from expandcontract.runner.place import Place


def offered(place: Place, ledger: Ledger) -> Iterator[Event]:
    """A note for each color whose release fits no more and gets no traffic, where the deployer can end it."""
    weights, _ = read_weights(place)
    try:
        able = isinstance(place.deployer, ScalesDown)
    except ConfigError:  # what has just been done needed no deployer, and has not failed
        able = False
    if weights is None or not able:
        return
    changes = merged(place, ledger)
    for color, release in sorted(ledger.releases().items()):
        if not weights.of(color) and misfits(release, changes):
            text = f"{release} fits no more and gets no traffic; ec deploy {color} --scale-down ends it"
            yield Event(kind="note", text=text, data={"color": color})


def scale_down(place: Place, color: Color) -> Iterator[Event]:
    """End all processes of a color without traffic. May run twice.

    Raises:
        RefusedError: The color gets traffic or that is not known, it is the way back of a change, or a move is in
            flight.
        ConfigError: The deployer cannot do it.
        DeployError: It failed.
    """
    deployer = place.deployer
    if not isinstance(deployer, ScalesDown):
        msg = f"deployer {place.settings.deploy.deployer} cannot scale a color down"
        raise ConfigError(msg, hint="deployer kubernetes can, and command with deploy.options.scale_down")
    with mover(place.url, f"deploy {color} --scale-down", place.settings.window.length) as m:
        with m.reading() as ledger:
            _may_end(place, ledger, color)
        with m.writing() as ledger:
            ledger.journal("scale_down_intent", None, {"color": color})
        yield Event(kind="step", text=f"scaling {color} down")
        deployer.scale_down(color)
        with m.writing() as ledger:
            ledger.journal("scaled_down", None, {"color": color})
    yield Event(kind="finished", text=f"{color} is scaled down", data={"color": color})


def _may_end(place: Place, ledger: Ledger, color: Color) -> None:
    weights, why = read_weights(place)
    if weights is None or why:
        msg = f"whether {color} gets traffic is not known: {why or 'no traffic switch is set'}"
        raise RefusedError(msg, hint="ec status")
    if weights.of(color):
        msg = f"{color} gets {weights.of(color)} % of the traffic; it is not scaled down"
        raise RefusedError(msg, hint=f"ec switch {color.other}")
    changes = merged(place, ledger)
    flying = [change.name for change in changes if change.in_flight is not None]
    if flying:
        msg = f"a move of {flying[0]} is in flight; {color} may be needed for it"
        raise RefusedError(msg, hint=f"ec advance {flying[0]}")
    release = ledger.releases().get(color)
    needed = needed_by(release, changes, ledger.now()) if release else ()
    if needed:
        first = needed[0]
        closes = f" until {first.window.closes_at:%Y-%m-%d %H:%M:%S %Z}" if first.window.closes_at else ""
        msg = (
            f"{release} is the way back of {', '.join(change.name for change in needed)}{closes}; it is not scaled down"
        )
        raise RefusedError(msg, hint=f"ec status {first.name}")
