"""A VirtualService whose route leads to two subsets of one host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.switches.cluster import ClusterRig

if TYPE_CHECKING:
    from expandcontract.core.color import Weights


class IstioRig(ClusterRig):
    """The subsets stand in a DestinationRule."""

    name = "istio"

    def options(self) -> dict[str, str]:
        """Its own settings."""
        return {"virtual_service": "shop", "blue": "shop-any/blue", "green": "shop-any/green"}

    def edit(self, weights: Weights) -> None:
        """Other weights."""
        shares = [
            {"destination": {"host": "shop-any", "subset": color}, "weight": weight}
            for color, weight in weights.document().items()
        ]
        self.api.put("virtualservices", "shop", {"hosts": ["shop"], "http": [{"route": shares}]})
