"""A Service whose selector names the color."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.switches.cluster import ClusterRig

if TYPE_CHECKING:
    from expandcontract.core.color import Weights


class ServiceRig(ClusterRig):
    """In front of two ready pods of each color."""

    name = "kubernetes-service"

    def options(self) -> dict[str, str]:
        """Its own settings."""
        return {"service": "shop"}

    def edit(self, weights: Weights) -> None:
        """Another selector."""
        self.api.put("services", "shop", {"selector": {"app": "shop", "version": str(weights.live)}})


class OverlapRig(ServiceRig):
    """The same, over a selector that names both."""

    def options(self) -> dict[str, str]:
        """Its own settings."""
        return {**super().options(), "overlap": "1ms"}
