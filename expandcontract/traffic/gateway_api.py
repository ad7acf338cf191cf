"""Gateway API: the weights of two Services in an HTTPRoute, by one JSON patch.

https://gateway-api.sigs.k8s.io/guides/traffic-splitting/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from expandcontract.core.color import Color
from expandcontract.errors import SwitchError
from expandcontract.traffic.cluster import Kind, open_cluster, pointer
from expandcontract.traffic.endpoints import endpoints
from expandcontract.traffic.switch import option
from expandcontract.traffic.weighted_routes import RouteSwitch, Split, leave

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.traffic.cluster import Cluster, Object

HTTP_ROUTE = Kind("HTTPRoute", "httproutes", "gateway.networking.k8s.io", "v1")
TAKEN_WITHIN = 30.0  # seconds until the gateways must have taken a change
PAUSE = 0.1  # seconds between two looks
UNSET = 1  # the weight that a backend without one has


class _NotYetError(Exception):
    """A gateway has not yet seen the change."""


def splits(found: Object) -> list[Split]:
    """The backendRefs of each rule."""
    return [
        Split(
            where=f"rule {index}",
            path=pointer("spec", "rules", index, "backendRefs"),
            name=rule.get("name"),
            backends=tuple((ref["name"], ref.get("weight", UNSET)) for ref in rule["backendRefs"]),
            raw=rule["backendRefs"],
        )
        for index, rule in enumerate(found["spec"].get("rules") or [])
        if rule.get("backendRefs")
    ]


class _Taken:
    """Waits until every gateway says that it has taken the route; without a gateway there is nothing to wait for."""

    def __init__(self, cluster: Cluster, within: float) -> None:
        self._cluster, self._within = cluster, within

    def __call__(self, patched: Object) -> None:
        policy = Retrying(
            retry=retry_if_exception_type(_NotYetError), stop=stop_after_delay(self._within), wait=wait_fixed(PAUSE)
        )
        name, generation = patched["metadata"]["name"], patched["metadata"].get("generation", 0)
        try:
            policy(self._look, name, generation)
        except RetryError as exc:
            msg = f"after {self._within:g} s {exc.last_attempt.exception()}"
            raise SwitchError(msg, hint=self._cluster.look(HTTP_ROUTE, name)) from exc

    def _look(self, name: str, generation: int) -> None:
        found = self._cluster.get(HTTP_ROUTE, name)
        for parent in (found.get("status") or {}).get("parents") or []:
            gateway = parent.get("parentRef", {}).get("name", "a gateway")
            for condition in parent.get("conditions") or []:
                if condition["type"] not in {"Accepted", "ResolvedRefs"}:
                    continue
                if condition.get("observedGeneration", generation) < generation:
                    msg = f"gateway {gateway} has not yet looked at HTTPRoute {name}"
                    raise _NotYetError(msg)
                if condition["status"] != "True":
                    why = f"{condition.get('reason')}: {condition.get('message')}"
                    msg = f"gateway {gateway} does not take HTTPRoute {name}: {condition['type']} is false, {why}"
                    raise SwitchError(msg, hint=self._cluster.look(HTTP_ROUTE, name))


def route_switch(
    cluster: Cluster, route: str, blue: str, green: str, *, left: tuple[str, ...] = (), within: float = TAKEN_WITHIN
) -> RouteSwitch:
    """The switch of one HTTPRoute.

    Args:
        cluster: Where it is.
        route: Its name.
        blue: The Service of the blue pods.
        green: The Service of the green pods.
        left: Names of rules that are left alone.
        within: Seconds until the gateways must have taken a change.
    """

    def ready(service: str) -> str | None:
        return None if endpoints(cluster, service) else f"Service {service} has no ready endpoint"

    return RouteSwitch(
        cluster,
        HTTP_ROUTE,
        route,
        {Color.BLUE: blue, Color.GREEN: green},
        splits=splits,
        ready=ready,
        settled=_Taken(cluster, within),
        leave=left,
    )


def open_gateway(options: Mapping[str, object]) -> RouteSwitch:
    """From settings ``route``, ``blue`` and ``green``; also ``leave``, and those of the cluster."""
    route, blue, green = (option(options, name, "gateway-api") for name in ("route", "blue", "green"))
    return route_switch(open_cluster(options), route, blue, green, left=leave(options))
