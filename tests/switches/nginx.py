"""A real nginx, with the configuration that the documentation shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from expandcontract.core.color import Color, Weights
from expandcontract.traffic.nginx import include_file
from tests.switches.rig import ProcessRig, program

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "nginx.conf"
OWN = """pid {0}/nginx.pid;
error_log stderr;
daemon off;
"""
HTTP = """http {{
    access_log off;
    client_body_temp_path {0}/body;
    proxy_temp_path {0}/proxy;
    fastcgi_temp_path {0}/fastcgi;
    scgi_temp_path {0}/scgi;
    uwsgi_temp_path {0}/uwsgi;
"""


class NginxRig(ProcessRig):
    """nginx of the system, in a folder of its own."""

    name = "nginx"

    def __init__(self, directory: Path, colors: Mapping[Color, int]) -> None:
        super().__init__(directory, colors)
        self.include, self.config = directory / "weights.conf", directory / "nginx.conf"
        self.include.write_text(include_file(Weights.toward(Color.BLUE)), encoding="utf-8")
        self.base = (program("nginx"), "-p", str(directory), "-e", "stderr", "-c", str(self.config))
        text = EXAMPLE.read_text(encoding="utf-8")
        for shown, ours in (
            ("    include /etc/nginx/colors/weights.conf;", f"    include {self.include};"),
            ("http {\n", HTTP.format(directory)),
            ("127.0.0.1:8080", f"127.0.0.1:{self.listen}"),
            ("127.0.0.1:8081", f"127.0.0.1:{self.control}"),
            ("127.0.0.1:8001", f"127.0.0.1:{colors[Color.BLUE]}"),
            ("127.0.0.1:8002", f"127.0.0.1:{colors[Color.GREEN]}"),
        ):
            assert shown in text
            text = text.replace(shown, ours)
        self.config.write_text(OWN.format(directory) + text, encoding="utf-8")

    def command(self) -> tuple[str, ...]:
        """In the foreground, so that it is our child."""
        return self.base

    def options(self) -> dict[str, object]:
        """Include file, status address, and the commands with our configuration."""
        return {
            "include": str(self.include),
            "status": f"http://127.0.0.1:{self.control}/weights",
            "test": [*self.base, "-t"],
            "reload": [*self.base, "-s", "reload"],
        }

    def edit(self, weights: Weights) -> None:
        """The include file alone."""
        self.include.write_text(include_file(weights), encoding="utf-8")
