"""Envoy: the route file (RDS) is renamed into place, and the weights are read back from the admin interface.

A restart of Envoy reads the same file. https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/xds_api
"""

from __future__ import annotations

import json
import re
from functools import partial
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import ProxyHandler, build_opener

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError, UsageError
from expandcontract.traffic import kept
from expandcontract.traffic.checks import attempt, replaceable
from expandcontract.traffic.envoy_files import route_configuration
from expandcontract.traffic.switch import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expandcontract.traffic.checks import Check

TAKEN_WITHIN = 10.0  # seconds until a written file must show
TIMEOUT = 3.0
DIRECT = build_opener(ProxyHandler({}))  # never through a proxy of the environment


class EnvoySwitch:
    """One Envoy with a route configuration of ours.

    Args:
        routes: The RDS file that Envoy watches.
        admin: Address of the admin interface.
    """

    def __init__(self, routes: Path, admin: str) -> None:
        self._routes = routes
        self._admin = admin.rstrip("/")

    def read(self) -> Weights:
        """The weights that Envoy routes by, which are also those of the route file.

        Raises:
            UnsavedError: The route file says something else: Envoy refused it, or it was not renamed into place.
            SwitchError: It cannot be reached, or has no route configuration of ours.
        """
        return kept.settled(self._running, self._saved, self._routes)

    def write(self, weights: Weights) -> None:
        """Rename a new route file into place and wait until Envoy shows it.

        Raises:
            SwitchError: Envoy does not take it within ten seconds, or the file cannot be written.
        """
        self._ask("stats?format=json&filter=^server.live$")  # nothing is written for an Envoy that is not there
        kept.put(self._routes, json.dumps(route_configuration(weights)))
        kept.taken(self._running, weights, TAKEN_WITHIN)

    def in_flight(self, color: Color) -> int:
        """How many requests the color's cluster is answering now.

        Raises:
            SwitchError: Envoy cannot be reached, or has no such cluster.
        """
        name = f"cluster.{color}.upstream_rq_active"
        pattern = quote(f"^{re.escape(name)}$")
        for stat in self._ask(f"stats?format=json&filter={pattern}").get("stats", []):
            if stat.get("name") == name:
                return int(stat["value"])
        msg = f"Envoy at {self._admin} has no cluster {color}"
        raise SwitchError(msg, hint="name its clusters blue and green")

    def checks(self) -> Iterator[Check]:
        """The admin interface answers, the route file can be replaced, and both clusters are there."""
        live = "stats?format=json&filter=^server.live$"
        yield attempt(f"Envoy answers at {self._admin}", lambda: self._ask(live))
        yield replaceable(self._routes)
        for color in Color:
            yield attempt("", partial(self._cluster, color))

    def _cluster(self, color: Color) -> str:
        return f"cluster {color} has {self.in_flight(color)} requests in flight"

    def _running(self) -> Weights:
        for item in self._ask("config_dump?resource=dynamic_route_configs").get("configs", []):
            found = _weights(item.get("route_config", {}))
            if found is not None:
                return found
        msg = f"Envoy at {self._admin} has no route with the clusters blue and green"
        raise SwitchError(msg, hint=f"let its RDS read {self._routes}")

    def _saved(self) -> Weights | None:
        try:
            resources = json.loads(kept.text_of(self._routes) or "{}").get("resources", [])
            return next((found for resource in resources if (found := _weights(resource))), None)
        except (ValueError, AttributeError, TypeError):
            return None

    def _ask(self, path: str) -> dict[str, Any]:
        try:
            with DIRECT.open(f"{self._admin}/{path}", timeout=TIMEOUT) as answer:
                found: dict[str, Any] = json.load(answer)
        except (URLError, OSError, HTTPException, ValueError) as exc:
            msg = f"Envoy does not answer at {self._admin}: {exc}"
            raise SwitchError(msg, hint="start Envoy, or mend traffic.options.admin") from exc
        return found


def _weights(route_config: dict[str, Any]) -> Weights | None:
    for host in route_config.get("virtual_hosts", []):
        for route in host.get("routes", []):
            clusters = route.get("route", {}).get("weighted_clusters", {}).get("clusters", [])
            found = {cluster.get("name"): int(cluster.get("weight", 0)) for cluster in clusters}
            if {"blue", "green"} <= found.keys():
                try:
                    return Weights(found["blue"], found["green"])
                except UsageError:
                    return None
    return None


def open_envoy(options: Mapping[str, object]) -> EnvoySwitch:
    """From settings ``routes`` (the RDS file) and ``admin`` (address of the admin interface)."""
    return EnvoySwitch(Path(option(options, "routes", "envoy")), option(options, "admin", "envoy"))
