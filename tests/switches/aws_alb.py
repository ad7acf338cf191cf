"""A load balancer of AWS, in moto's server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.traffic.switch import open_switch
from tests.fix_aws import Account

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from expandcontract.core.color import Color, Weights
    from expandcontract.traffic.switch import TrafficSwitch


class AlbRig:
    """A listener; where the API does not answer, nothing is written."""

    def __init__(self, _directory: Path, _colors: Mapping[Color, int]) -> None:
        self._account = Account()
        self._account.stop()

    def switch(self) -> TrafficSwitch:
        """By its entry point."""
        return open_switch("aws-alb", self._account.options())

    def start(self) -> None:
        """Let the API answer, on the port that it had."""
        self._account.start()

    def stop(self) -> None:
        """Let the API not answer."""
        self._account.stop()

    def edit(self, weights: Weights) -> None:
        """Somebody else's write."""
        self._account.forward(weights)
