"""An API server of Kubernetes, the double or a real one, before each of the three adapters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from expandcontract.traffic.switch import open_switch
from tests.fix_kubernetes import open_api
from tests.kubernetes_double import Api

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from expandcontract.core.color import Color
    from expandcontract.traffic.switch import TrafficSwitch


class ClusterRig(ABC):
    """One namespace; its objects outlive the server that tells of them."""

    name: ClassVar[str]

    def __init__(self, directory: Path, _colors: Mapping[Color, int]) -> None:
        self.api = open_api(directory)
        self._kubeconfig = self.api.kubeconfig(directory / "kubeconfig")

    @abstractmethod
    def options(self) -> dict[str, str]:
        """The adapter's own settings."""

    def switch(self) -> TrafficSwitch:
        """By its entry point."""
        return open_switch(self.name, {**self.options(), "kubeconfig": str(self._kubeconfig)})

    def start(self) -> None:
        """Let the API server answer; a second double where there was one before."""
        if not isinstance(self.api, Api):
            self.api.start()
        elif self.api.closing.is_set():
            objects, self.api = self.api.objects, Api(self.api.server_address[1])
            self.api.objects = objects
            self.api.start()

    def stop(self) -> None:
        """End the API server."""
        self.api.stop()
