"""Envoy: the route file (RDS) is renamed into place, and the weights are read back from the admin interface.

A restart of Envoy reads the same file. https://www.envoyproxy.io/docs/envoy/latest/configuration/overview/xds_api
"""

from __future__ import annotations

import json
import os
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from expandcontract.core.color import Weights
from expandcontract.errors import SwitchError, UsageError
from expandcontract.traffic.envoy_files import route_configuration
from expandcontract.traffic.switch import option

if TYPE_CHECKING:
    from collections.abc import Mapping

TAKEN_WITHIN = 10.0  # seconds until a written file must show
TIMEOUT = 3.0
DIRECT = build_opener(ProxyHandler({}))  # never through a proxy of the environment


class _NotYetError(Exception):
    """Envoy still shows other weights."""


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
        """The weights that Envoy routes by.

        Raises:
            SwitchError: It cannot be reached, or has no route configuration of ours.
        """
        url = f"{self._admin}/config_dump?resource=dynamic_route_configs"
        try:
            with DIRECT.open(url, timeout=TIMEOUT) as answer:
                dump = json.load(answer)
        except (URLError, OSError, HTTPException, ValueError) as exc:
            msg = f"Envoy does not answer at {self._admin}: {exc}"
            raise SwitchError(msg, hint="start Envoy, or mend traffic.options.admin") from exc
        for item in dump.get("configs", []):
            found = _weights(item.get("route_config", {}))
            if found is not None:
                return found
        msg = f"Envoy at {self._admin} has no route with the clusters blue and green"
        raise SwitchError(
            msg,
            hint=f"let its RDS read {self._routes}",
        )

    def write(self, weights: Weights) -> None:
        """Rename a new route file into place and wait until Envoy shows it.

        Raises:
            SwitchError: Envoy does not take it within ten seconds, or the file cannot be written.
        """
        fresh = self._routes.with_name(f"{self._routes.name}.{os.getpid()}")
        try:
            fresh.write_text(json.dumps(route_configuration(weights)), encoding="utf-8")
            fresh.replace(self._routes)
        except OSError as exc:
            msg = f"the route file {self._routes} cannot be written: {exc}"
            raise SwitchError(msg) from exc
        policy = Retrying(
            retry=retry_if_exception_type(_NotYetError), stop=stop_after_delay(TAKEN_WITHIN), wait=wait_fixed(0.05)
        )
        try:
            policy(self._shows, weights)
        except RetryError as exc:
            msg = f"Envoy did not take {weights} within {TAKEN_WITHIN:.0f} s, it reads {self.read()}"
            raise SwitchError(msg) from exc

    def _shows(self, weights: Weights) -> None:
        if self.read() != weights:
            raise _NotYetError


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
