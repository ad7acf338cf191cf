"""Envoy's files for two colors: a static bootstrap and a watched route file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from expandcontract.core.color import Color

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from expandcontract.core.color import Weights

ROUTE = "type.googleapis.com/envoy.config.route.v3.RouteConfiguration"
MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
ROUTER = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
PROTOCOL = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
IDLE = "3s"
"""How long an idle connection to a color is kept; applications keep theirs for 5 s (uvicorn) or longer."""


def route_configuration(weights: Weights) -> dict[str, Any]:
    """The route file (RDS) that shares the traffic by these weights.

    A request is tried again only where it cannot have begun: refused connections and streams.
    """
    clusters = [{"name": str(color), "weight": weights.of(color)} for color in Color]
    route = {
        "match": {"prefix": "/"},
        "route": {
            "weighted_clusters": {"clusters": clusters},
            "timeout": "15s",
            "retry_policy": {"retry_on": "connect-failure,refused-stream,reset-before-request", "num_retries": 3},
        },
    }
    resource = {
        "@type": ROUTE,
        "name": "colors",
        "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}],
    }
    return {"version_info": f"{weights.blue}-{weights.green}", "resources": [resource]}


def bootstrap(routes: Path, listen: int, admin: int, endpoints: Mapping[Color, tuple[str, int]]) -> dict[str, Any]:
    """A complete bootstrap.

    Args:
        routes: The route file to watch.
        listen: Port of the listener, on loopback.
        admin: Port of the admin interface, on loopback.
        endpoints: Host and port of each color.
    """
    manager = {
        "@type": MANAGER,
        "stat_prefix": "colors",
        "rds": {"route_config_name": "colors", "config_source": {"path_config_source": {"path": str(routes)}}},
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": ROUTER}}],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    return {
        "node": {"id": "expandcontract", "cluster": "expandcontract"},
        "admin": {"address": _address("127.0.0.1", admin)},
        "static_resources": {
            "listeners": [{"name": "http", "address": _address("127.0.0.1", listen), "filter_chains": [chain]}],
            "clusters": [_cluster(color, *endpoints[color]) for color in Color],
        },
    }


def _address(host: str, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}


def _cluster(color: Color, host: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(host, port)}}
    return {
        "name": str(color),
        "connect_timeout": "1s",
        "type": "STATIC",
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": PROTOCOL,
                # before the application closes it: a request on a connection just closed would fail
                "common_http_protocol_options": {"idle_timeout": IDLE},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
        "load_assignment": {"cluster_name": str(color), "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def write_files(
    directory: Path, weights: Weights, listen: int, admin: int, endpoints: Mapping[Color, tuple[str, int]]
) -> tuple[Path, Path]:
    """Write bootstrap and route file into ``directory``; returns both paths in that order."""
    routes = directory / "routes.json"
    routes.write_text(json.dumps(route_configuration(weights)), encoding="utf-8")
    path = directory / "envoy.json"
    path.write_text(json.dumps(bootstrap(routes, listen, admin, endpoints)), encoding="utf-8")
    return path, routes
