"""Istio: the weights of two destinations in a VirtualService, by one JSON patch.

https://istio.io/latest/docs/reference/config/networking/virtual-service/
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.color import FULL, Color
from expandcontract.traffic.cluster import SERVICE, Kind, open_cluster, pointer
from expandcontract.traffic.endpoints import endpoints, pods
from expandcontract.traffic.switch import option
from expandcontract.traffic.weighted_routes import RouteSwitch, Split, leave

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.traffic.cluster import Cluster, Object

VIRTUAL_SERVICE = Kind("VirtualService", "virtualservices", "networking.istio.io", "v1")
DESTINATION_RULE = Kind("DestinationRule", "destinationrules", "networking.istio.io", "v1")


def splits(found: Object) -> list[Split]:
    """The destinations of each route, be it HTTP, TLS or TCP."""
    return [
        Split(
            where=f"{section} route {index}",
            path=pointer("spec", section, index, "route"),
            name=rule.get("name"),
            backends=tuple((_destination(one), one.get("weight", _unset(rule))) for one in rule["route"]),
            raw=rule["route"],
        )
        for section in ("http", "tls", "tcp")
        for index, rule in enumerate(found["spec"].get(section) or [])
        if rule.get("route")
    ]


def _destination(one: Object) -> str:
    found = one.get("destination", {})
    return f"{found.get('host')}/{found['subset']}" if found.get("subset") else str(found.get("host"))


def _unset(rule: Object) -> int:
    """A destination without a weight gets all where it is alone, and nothing beside others."""
    return FULL if len(rule["route"]) == 1 else 0


def missing(cluster: Cluster, destination: str) -> str | None:
    """Why a destination cannot take traffic; ``None`` where it can.

    Args:
        cluster: Where it is.
        destination: ``host`` or ``host/subset``, as in the VirtualService.

    Raises:
        TrafficError: What is needed may not be read, or the API server does not answer.
    """
    host, _, subset = destination.partition("/")
    service = host.split(".")[0]
    if not subset:
        return None if endpoints(cluster, service) else f"Service {service} has no ready endpoint"
    for rule in cluster.list(DESTINATION_RULE):
        if rule["spec"]["host"].split(".")[0] != service:
            continue
        for found in rule["spec"].get("subsets") or []:
            if found["name"] == subset:
                selector = cluster.get(SERVICE, service)["spec"].get("selector") or {}
                labels = {**selector, **(found.get("labels") or {})}
                return None if pods(cluster, labels, ready=True) else f"subset {subset} of {host} has no ready pod"
    return f"no DestinationRule has the subset {subset} of {host}"


def route_switch(
    cluster: Cluster, virtual_service: str, blue: str, green: str, *, left: tuple[str, ...] = ()
) -> RouteSwitch:
    """The switch of one VirtualService.

    Args:
        cluster: Where it is.
        virtual_service: Its name.
        blue: Destination of the blue pods, ``host`` or ``host/subset``.
        green: Destination of the green pods.
        left: Names of routes that are left alone.
    """
    return RouteSwitch(
        cluster,
        VIRTUAL_SERVICE,
        virtual_service,
        {Color.BLUE: blue, Color.GREEN: green},
        splits=splits,
        ready=lambda destination: missing(cluster, destination),
        leave=left,
    )


def open_istio(options: Mapping[str, object]) -> RouteSwitch:
    """From settings ``virtual_service``, ``blue`` and ``green``; also ``leave``, and those of the cluster."""
    name, blue, green = (option(options, name, "istio") for name in ("virtual_service", "blue", "green"))
    return route_switch(open_cluster(options), name, blue, green, left=leave(options))
