"""The API server that the adapters are tested on: the double, or a real one; both are furnished alike."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.traffic.cluster import Cluster
from tests.kubernetes_double import BROKEN, Api
from tests.kubernetes_page import PAGE, rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.real_cluster import RealCluster

REAL = "EXPANDCONTRACT_CLUSTER"
"""Names a kubeconfig; the tests marked ``cluster``, and no others, are then run on that API server."""


def at_once(found: dict[str, Any]) -> None:
    """A controller that has all pods of a Deployment running by the time that anybody looks, or gives up."""
    wanted, containers = found["spec"]["replicas"], found["spec"]["template"]["spec"]["containers"]
    found["status"] = {"observedGeneration": found["metadata"]["generation"], "replicas": wanted}
    if any(one["image"].endswith(BROKEN) for one in containers):
        gave_up = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}
        found["status"] |= {"updatedReplicas": 1, "availableReplicas": wanted, "conditions": [gave_up]}
    else:
        found["status"] |= {"updatedReplicas": wanted, "availableReplicas": wanted}


def furnish(server: Api | RealCluster) -> None:
    """Put a Service, routes and two ready pods of each color there; blue has the traffic."""
    for color in ("blue", "green"):
        labels = {"app": "shop", "version": color}
        for number in (1, 2):
            server.pod(f"shop-{color}-{number}", labels)
        server.put("services", f"shop-{color}", {"selector": labels})
        containers = [{"name": "app", "image": "registry/shop:1"}, {"name": "proxy", "image": "envoy:1"}]
        template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
        spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
        server.put("deployments", f"shop-{color}", spec, status={})
    server.put("services", "shop", {"selector": {"app": "shop", "version": "blue"}, "ports": [{"port": 80}]})
    server.put("services", "shop-any", {"selector": {"app": "shop"}})
    server.put("httproutes", "shop", {"rules": [_rule(), {**_rule(), "matches": [{"path": {"value": "/api"}}]}]})
    server.put("virtualservices", "shop", {"hosts": ["shop"], "http": [{"name": "all", "route": _destinations()}]})
    subsets = [{"name": color, "labels": {"version": color}} for color in ("blue", "green")]
    host = f"shop-any.{server.namespace}.svc.cluster.local"
    server.put("destinationrules", "shop", {"host": host, "subsets": subsets})


def open_api(directory: Path) -> Api | RealCluster:
    """The API server under test, started and furnished: the double, or the real one that is named."""
    if REAL not in os.environ:
        double = Api()
        double.start()
        furnish(double)
        return double
    from tests.real_cluster import RealCluster  # noqa: PLC0415  # few have one

    real = RealCluster(Path(os.environ[REAL]), directory)
    real.start()
    furnish(real)
    real.allow(rules(PAGE))
    real.settle()
    return real


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Api | RealCluster]:
    """An API server with a Service, routes and two ready pods of each color."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = open_api(tmp_path)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _namespaces() -> Iterator[None]:
    """What a test opened on a real API server ends with it."""
    yield
    if REAL in os.environ:
        from tests.real_cluster import OPENED  # noqa: PLC0415  # few have one

        while OPENED:
            OPENED.pop().close()


_FILTER = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x-shop", "value": "1"}]}}


def _rule() -> dict[str, Any]:
    refs = [{"name": "shop-blue", "port": 80, "weight": 100}, {"name": "shop-green", "port": 80, "weight": 0}]
    return {"backendRefs": refs, "filters": [_FILTER], "timeouts": {"request": "5s"}}


def _destinations() -> list[dict[str, Any]]:
    return [
        {"destination": {"host": "shop-any", "subset": "blue"}, "weight": 100, "headers": {"request": {}}},
        {"destination": {"host": "shop-any", "subset": "green"}},
    ]


@pytest.fixture
def cluster(api: Api, tmp_path: Path) -> Cluster:
    """The double, as the adapters see it."""
    return Cluster(str(api.kubeconfig(tmp_path / "kubeconfig")), timeout=2)
