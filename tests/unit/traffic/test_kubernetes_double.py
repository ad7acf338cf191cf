"""The double answers as the real API server was measured to; otherwise the tests on it would prove nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lightkube import ApiError, Client, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.resources.apps_v1 import Deployment
from lightkube.resources.core_v1 import Service
from lightkube.types import PatchType
from tenacity import Retrying, retry_if_exception_type, stop_after_delay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.kubernetes_double import Api

pytestmark = pytest.mark.cluster

ROUTE: Any = create_namespaced_resource("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")


@pytest.fixture
def client(api: Api, tmp_path: Path) -> Iterator[Client]:
    """A client of the double that is none of ours."""
    with Client(KubeConfig.from_file(api.kubeconfig(tmp_path / "kubeconfig")), namespace=api.namespace) as client:
        yield client


def _containers(names: list[str]) -> dict[str, Any]:
    containers = [{"name": name, "image": "registry/shop:2"} for name in names]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def _named(found: Deployment) -> list[str]:
    return [container.name for container in found.spec.template.spec.containers]


def test_a_stale_version_is_a_conflict(client: Client) -> None:
    """A merge patch with an old resourceVersion: 409, and nothing is changed; "0" stands for any."""
    old = client.get(Service, "shop").metadata.resourceVersion

    def patch(version: str | None, color: str) -> None:
        wanted = {"metadata": {"resourceVersion": version}, "spec": {"selector": {"version": color}}}
        client.patch(Service, "shop", wanted, patch_type=PatchType.MERGE)

    patch("0", "green")
    with pytest.raises(ApiError) as refused:
        patch(old, "blue")
    assert (409, "Conflict") == (refused.value.status.code, refused.value.status.reason)
    assert "green" == client.get(Service, "shop").spec.selector["version"]


def test_a_failed_test_is_invalid(client: Client) -> None:
    """A JSON patch whose test does not hold: 422, with a message that does not help."""
    patch = [{"op": "test", "path": "/spec/selector/version", "value": "green"}]
    with pytest.raises(ApiError, match="error in our request") as refused:
        client.patch(Service, "shop", patch, patch_type=PatchType.JSON)
    assert 422 == refused.value.status.code


def test_a_merge_patch_replaces_lists(client: Client) -> None:
    """The sidecar is lost; a strategic patch keeps it, and adds a third container for a mistyped name."""
    kept = client.patch(Deployment, "shop-green", _containers(["app"]), patch_type=PatchType.STRATEGIC)
    assert ["app", "proxy"] == _named(kept)
    added = client.patch(Deployment, "shop-green", _containers(["ap"]), patch_type=PatchType.STRATEGIC)
    assert ["ap", "app", "proxy"] == _named(added)
    lost = client.patch(Deployment, "shop-green", _containers(["app"]), patch_type=PatchType.MERGE)
    assert ["app"] == _named(lost)


def test_a_custom_resource_takes_no_strategic_patch(client: Client) -> None:
    """415."""
    with pytest.raises(ApiError) as refused:
        client.patch(ROUTE, "shop", {"spec": {"rules": []}}, patch_type=PatchType.STRATEGIC)
    assert 415 == refused.value.status.code


def test_a_selector_that_selects_nobody_is_taken(client: Client, api: Api) -> None:
    """It is stored, and the EndpointSlice is empty: an outage."""
    client.patch(Service, "shop", {"spec": {"selector": {"version": "purple"}}}, patch_type=PatchType.MERGE)
    for attempt in Retrying(retry=retry_if_exception_type(AssertionError), stop=stop_after_delay(20), reraise=True):
        with attempt:
            (found,) = api.list("endpointslices", {"kubernetes.io/service-name": "shop"})
            assert not found.get("endpoints")
