"""The one interface of every balancer: read the weights, write the weights. State is read back, never remembered."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol

from expandcontract.core.color import FULL
from expandcontract.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from expandcontract.core.color import Weights

GROUP = "expandcontract.traffic"


class TrafficSwitch(Protocol):
    """A balancer between the two colors.

    One that gives a color all of the traffic or none says so with ``graded = False`` on its class.
    """

    def read(self) -> Weights:
        """The weights that the balancer itself says are in force.

        Raises:
            SwitchError: It cannot be reached, or says something else than weights.
        """
        ...

    def write(self, weights: Weights) -> None:
        """Ask for these weights; returns once the balancer has taken them. May run twice.

        Raises:
            SwitchError: It cannot be reached or refuses.
        """
        ...


def stages(switch: TrafficSwitch, steps: Sequence[int]) -> tuple[int, ...]:
    """The steps that this switch can take: all of them, or the last one alone where it knows no shares."""
    return tuple(steps) if getattr(switch, "graded", True) else (FULL,)


def open_switch(name: str, options: Mapping[str, object]) -> TrafficSwitch:
    """The adapter of that name, by entry point group ``expandcontract.traffic``.

    Args:
        name: ``envoy``, ``kubernetes-service``, ``gateway-api``, ``istio``, ``command``, ``memory``, or what another
            package adds.
        options: The adapter's own settings.

    Raises:
        ConfigError: There is no such adapter, or a setting of its own is missing.
    """
    known = {point.name: point for point in entry_points(group=GROUP)}
    if name not in known:
        near = get_close_matches(name, known, n=1)
        msg = f"there is no traffic switch {name!r}" + (f"; did you mean {near[0]}?" if near else "")
        raise ConfigError(msg, hint=f"one of {', '.join(sorted(known))}")
    switch: TrafficSwitch = known[name].load()(options)
    return switch


def option(options: Mapping[str, object], name: str, adapter: str) -> str:
    """A setting that the adapter cannot do without.

    Raises:
        ConfigError: It is missing.
    """
    if name not in options:
        msg = f"traffic switch {adapter} needs the setting traffic.options.{name}"
        raise ConfigError(msg)
    return str(options[name])
