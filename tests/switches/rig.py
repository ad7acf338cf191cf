"""What the contract asks of a balancer under test, and a process before two colors that most of them are."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, ClassVar, Protocol
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import pytest

from expandcontract.pg.server import free_port
from expandcontract.traffic.switch import open_switch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from expandcontract.core.color import Color, Weights
    from expandcontract.traffic.switch import TrafficSwitch

BLUE, GREEN = 200, 418
"""By their status a test tells the colors."""
REQUIRED = "EXPANDCONTRACT_PROXIES"
"""Set to ``required`` in CI, where a proxy that is missing fails the test."""


class Rig(Protocol):
    """A balancer under test; all the traffic on blue at first."""

    def switch(self) -> TrafficSwitch:
        """A new adapter, as another process would open it."""
        ...

    def stop(self) -> None:
        """End the balancer; ``start`` after it is a restart."""
        ...

    def start(self) -> None:
        """Start the balancer and wait until it answers."""
        ...

    def edit(self, weights: Weights) -> None:
        """Change by hand what a restart reads, and nothing else."""
        ...


class ProcessRig(ABC):
    """A proxy in a process of its own, on loopback.

    Args:
        directory: For its files.
        colors: Port of each color.
    """

    name: ClassVar[str]

    def __init__(self, directory: Path, colors: Mapping[Color, int]) -> None:
        self.directory = directory
        self.colors = colors
        self.listen, self.control = free_port(), free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]:
        """How it is started."""

    @abstractmethod
    def options(self) -> dict[str, object]:
        """The adapter's own settings."""

    def switch(self) -> TrafficSwitch:
        """By its entry point, as ``ec`` opens it."""
        return open_switch(self.name, self.options())

    def start(self) -> None:
        """Start it and wait until it routes."""
        with (self.directory / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        for _ in range(600):
            if self.ask() in {BLUE, GREEN}:
                return
            time.sleep(0.05)
        pytest.fail((self.directory / f"{self.name}.log").read_text(encoding="utf-8")[-2000:])

    def stop(self) -> None:
        """End it, and wait until it has."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)

    def answers(self, requests: int = 60) -> Counter[int]:
        """How many requests each color answered; 0 counts those that nobody did."""
        return Counter(self.ask() for _ in range(requests))

    def ask(self) -> int:
        """The status of one request, on a connection of its own."""
        try:
            with urlopen(f"http://127.0.0.1:{self.listen}/", timeout=10) as answer:
                return int(answer.status)
        except HTTPError as exc:
            with exc:
                return exc.code
        except (URLError, OSError):
            return 0


def program(name: str) -> str:
    """The path of a proxy of the system; the test is skipped where it is missing, and fails where CI needs it."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        why = f"{name} is not installed: apt-get install {'nginx-light' if name == 'nginx' else name}"
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(why)
        pytest.skip(why)
    return found
