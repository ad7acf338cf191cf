"""The one interface of every balancer: read the weights, write the weights. State is read back, never remembered."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from expandcontract.core.color import Weights
from expandcontract.errors import ConfigError, UnsavedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.core.color import Color

GROUP = "expandcontract.traffic"


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a balancer can do.

    Attributes:
        gradual: Whether it shares the traffic by weights; otherwise it knows only 0 and 100.
        per_request: Whether each request is routed; otherwise clients that keep their connection stay where they are.
        warning: What a write costs clients; empty where it costs nothing.
    """

    gradual: bool = True
    per_request: bool = True
    warning: str = ""


class TrafficSwitch(Protocol):
    """A balancer between the two colors.

    One that can do less than :class:`Abilities` has by default says so in an attribute ``abilities``.
    """

    def read(self) -> Weights:
        """The weights that the balancer itself says are in force.

        Raises:
            UnsavedError: They are others than it would have after a restart.
            SwitchError: It cannot be reached, or says something else than weights.
        """
        ...

    def write(self, weights: Weights) -> None:
        """Ask for these weights; returns once the balancer has taken them. May run twice.

        Raises:
            SwitchError: It cannot be reached or refuses.
        """
        ...


@runtime_checkable
class CountsRequests(Protocol):
    """A balancer that knows what is still being answered."""

    def in_flight(self, color: Color) -> int:
        """How many requests this color is answering now.

        Raises:
            SwitchError: It cannot be reached.
        """
        ...


def abilities(switch: TrafficSwitch) -> Abilities:
    """What the balancer can do."""
    found: Abilities = getattr(switch, "abilities", Abilities())
    return found


def standing(switch: TrafficSwitch) -> Weights:
    """The weights in force, whatever a restart would make of them; the next write settles that.

    Raises:
        SwitchError: It cannot be reached.
    """
    try:
        return switch.read()
    except UnsavedError as unsaved:
        return Weights(**unsaved.running)


def in_flight(switch: TrafficSwitch, color: Color) -> int | None:
    """How many requests ``color`` is answering now; ``None`` where the balancer does not know.

    Raises:
        SwitchError: It cannot be reached.
    """
    return switch.in_flight(color) if isinstance(switch, CountsRequests) else None


def open_switch(name: str, options: Mapping[str, object]) -> TrafficSwitch:
    """The adapter of that name, by entry point group ``expandcontract.traffic``.

    Args:
        name: ``envoy``, ``haproxy``, ``nginx``, ``kubernetes-service``, ``gateway-api``, ``istio``, ``aws-alb``,
            ``command``, ``memory``, or what another package adds.
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


def command_option(
    options: Mapping[str, object], name: str, adapter: str, default: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """A command among the settings: a list of words, or one string that is split as a shell would.

    Raises:
        ConfigError: It is missing and there is no default, or it cannot be split.
    """
    if default and name not in options:
        return default
    found = options.get(name)
    try:
        words = map(str, found) if isinstance(found, list | tuple) else shlex.split(option(options, name, adapter))
    except ValueError as exc:
        msg = f"traffic.options.{name} is no command: {exc}"
        raise ConfigError(msg) from exc
    command = tuple(words)
    if not command:
        msg = f"traffic.options.{name} is empty"
        raise ConfigError(msg, hint="give a command, or leave the setting out where it has a default")
    return command
