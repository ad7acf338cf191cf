"""An HTTPRoute with two rules, each of which leads to the Services of both colors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.switches.cluster import ClusterRig

if TYPE_CHECKING:
    from expandcontract.core.color import Weights


class GatewayRig(ClusterRig):
    """No gateway has taken the route up, so none is waited for."""

    name = "gateway-api"

    def options(self) -> dict[str, str]:
        """Its own settings."""
        return {"route": "shop", "blue": "shop-blue", "green": "shop-green"}

    def edit(self, weights: Weights) -> None:
        """Other weights, in each rule."""
        shares = [
            {"name": f"shop-{color}", "port": 80, "weight": weight} for color, weight in weights.document().items()
        ]
        self.api.put("httproutes", "shop", {"rules": [{"backendRefs": shares}, {"backendRefs": shares}]})
