"""A real HAProxy, with the configuration that the documentation shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from expandcontract.core.color import Color
from tests.switches.rig import ProcessRig, program

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.core.color import Weights

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "haproxy.cfg"


class HAProxyRig(ProcessRig):
    """HAProxy of the system."""

    name = "haproxy"

    def __init__(self, directory: Path, colors: Mapping[Color, int]) -> None:
        super().__init__(directory, colors)
        self.program = program("haproxy")
        self.map, self.config = directory / "colors.map", directory / "haproxy.cfg"
        self.map.write_text("green 0\n", encoding="utf-8")
        text = EXAMPLE.read_text(encoding="utf-8")
        for shown, ours in (
            ("/run/haproxy/admin.sock", f"127.0.0.1:{self.control}"),  # a path may be too long for a socket
            ("/etc/haproxy/colors/colors.map", str(self.map)),
            ("127.0.0.1:8080", f"127.0.0.1:{self.listen}"),
            ("127.0.0.1:8001", f"127.0.0.1:{colors[Color.BLUE]}"),
            ("127.0.0.1:8002", f"127.0.0.1:{colors[Color.GREEN]}"),
        ):
            assert shown in text
            text = text.replace(shown, ours)
        self.config.write_text(text, encoding="utf-8")

    def command(self) -> tuple[str, ...]:
        """In the foreground, so that it is our child."""
        return (self.program, "-db", "-f", str(self.config))

    def options(self) -> dict[str, object]:
        """Map file and stats socket."""
        return {"map": str(self.map), "socket": f"127.0.0.1:{self.control}"}

    def edit(self, weights: Weights) -> None:
        """The map file alone."""
        self.map.write_text(f"green {weights.green}\n", encoding="utf-8")
