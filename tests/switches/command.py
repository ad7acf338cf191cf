"""Two shell commands before a file that stands for a balancer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.traffic.switch import open_switch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from expandcontract.core.color import Color, Weights
    from expandcontract.traffic.switch import TrafficSwitch

LINE = "blue={blue} green={green}"


class CommandRig:
    """A folder with the weights; without the folder nothing answers."""

    def __init__(self, directory: Path, _colors: Mapping[Color, int]) -> None:
        self._up, self._down = directory / "up", directory / "down"
        self._up.mkdir()
        (self._up / "weights").write_text(LINE.format(blue=100, green=0), encoding="utf-8")

    def switch(self) -> TrafficSwitch:
        """By its entry point."""
        kept = self._up / "weights"
        return open_switch("command", {"read": ["cat", str(kept)], "write": f"sh -c 'echo {LINE} > {kept}'"})

    def start(self) -> None:
        """Bring the folder back."""
        if self._down.exists():
            self._down.rename(self._up)

    def stop(self) -> None:
        """Take the folder away."""
        self._up.rename(self._down)

    def edit(self, weights: Weights) -> None:
        """Somebody else's write."""
        (self._up / "weights").write_text(LINE.format(**weights.document()), encoding="utf-8")
