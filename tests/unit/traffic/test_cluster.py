"""Whatever goes wrong between us and an API server says what, and what to type next."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Weights
from expandcontract.errors import ConfigError, SwitchError
from expandcontract.traffic.cluster import SERVICE, Cluster, pointer
from expandcontract.traffic.kubernetes_service import ServiceSwitch
from expandcontract.traffic.switch import open_switch

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kubernetes_double import Api


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named, as a command; nothing else is tried."""
    monkeypatch.setitem(sys.modules, "lightkube", None)
    with pytest.raises(ConfigError, match="lightkube, which is not installed") as refused:
        open_switch("kubernetes-service", {"service": "shop"})
    assert "pip install 'expandcontract[kubernetes]'" == refused.value.hint


def test_opening_asks_nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A switch is opened without a kubeconfig; the first reading says that there is none."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    switch = open_switch("kubernetes-service", {"service": "shop"})
    with pytest.raises(SwitchError, match=r"no usable kubeconfig: .*none not found") as refused:
        switch.read()
    assert refused.value.hint is not None
    assert "kubectl config view" in refused.value.hint


@pytest.mark.parametrize("text", ["clusters: [", "{}", "clusters: []\ncontexts: []\n", "42"])
def test_a_kubeconfig_that_is_none(text: str, tmp_path: Path) -> None:
    """Any file that is no kubeconfig is said to be none."""
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SwitchError, match="no usable kubeconfig"):
        Cluster(str(path)).get(SERVICE, "shop")


def test_a_context_that_is_not_there(api: Api, tmp_path: Path) -> None:
    """It is named."""
    with pytest.raises(SwitchError, match="Context 'staging' not found"):
        Cluster(str(api.kubeconfig(tmp_path / "kubeconfig")), "staging").get(SERVICE, "shop")


def test_options_of_the_cluster(api: Api, tmp_path: Path) -> None:
    """The kubeconfig's own namespace is taken unless one is set."""
    options = {"service": "shop", "kubeconfig": str(api.kubeconfig(tmp_path / "kubeconfig"))}
    assert Weights(100, 0) == open_switch("kubernetes-service", options).read()
    with pytest.raises(SwitchError, match="404"):
        open_switch("kubernetes-service", {**options, "namespace": "elsewhere"}).read()


@pytest.mark.parametrize("verb", ["get", "patch", "list"])
def test_a_right_that_is_missing(verb: str, api: Api, cluster: Cluster) -> None:
    """The verb and the kind are named, with the command that asks for the right; nothing was changed."""
    plural = "pods" if verb == "list" else "services"
    api.denied = {(verb, plural)}
    with pytest.raises(SwitchError, match=rf"refused to {verb} .*\(403\): {plural} .*is forbidden") as refused:
        ServiceSwitch(cluster, "shop").write(Weights(0, 100))
    assert refused.value.hint is not None
    assert f"kubectl -n prod auth can-i {verb} {plural}" in refused.value.hint
    api.denied = set()
    assert Weights(100, 0) == ServiceSwitch(cluster, "shop").read()


def test_credentials_that_are_no_longer_good(api: Api, tmp_path: Path) -> None:
    """401 says to renew them."""
    expired = Cluster(str(api.kubeconfig(tmp_path / "kubeconfig", token="old")))  # noqa: S106  # of the double
    with pytest.raises(SwitchError, match="401") as refused:
        expired.get(SERVICE, "shop")
    assert refused.value.hint is not None
    assert "renew the credentials" in refused.value.hint


def test_an_object_that_is_not_there(cluster: Cluster) -> None:
    """404 names it, with the command that lists what is there."""
    with pytest.raises(SwitchError, match=r'get Service shopp .404.: services "shopp" not found') as refused:
        cluster.get(SERVICE, "shopp")
    assert "kubectl -n prod get services" == refused.value.hint


@pytest.mark.parametrize("verb", ["get", "patch"])
def test_an_answer_that_never_comes(verb: str, api: Api, tmp_path: Path) -> None:
    """It is waited for so long and no longer; after a patch the command that shows what was done is named."""
    hasty = Cluster(str(api.kubeconfig(tmp_path / "kubeconfig")), timeout=0.2)
    api.silent = {(verb, "services")}
    with pytest.raises(SwitchError, match=rf"did not answer within 0.2 s: {verb} Service shop") as refused:
        ServiceSwitch(hasty, "shop").write(Weights(0, 100))
    assert refused.value.hint is not None
    assert ("whether it was done" in refused.value.hint) == (verb == "patch")


def test_a_read_is_tried_again(api: Api, cluster: Cluster) -> None:
    """An API server that breaks off, as one that restarts, is asked again; one that goes on with it is named."""
    api.drops = 2
    assert Weights(100, 0) == ServiceSwitch(cluster, "shop").read()
    api.drops = 1000
    with pytest.raises(SwitchError, match="cannot be reached or is none: get Service shop"):
        ServiceSwitch(cluster, "shop").read()


def test_nobody_there(api: Api, tmp_path: Path) -> None:
    """A closed port is named with its address."""
    path = api.kubeconfig(tmp_path / "kubeconfig")
    path.write_text(path.read_text(encoding="utf-8").replace(api.url, "http://127.0.0.1:1"), encoding="utf-8")
    with pytest.raises(SwitchError, match=r"API server http://127.0.0.1:1 cannot be reached"):
        Cluster(str(path)).get(SERVICE, "shop")


def test_something_else_that_answers(api: Api, cluster: Cluster) -> None:
    """A login page in front of the API server is no object."""
    api.body = "<html>sign in</html>"
    with pytest.raises(SwitchError, match="cannot be reached or is none"):
        cluster.get(SERVICE, "shop")


def test_a_refusal_in_html(api: Api, tmp_path: Path) -> None:
    """An error that is no Kubernetes status is quoted."""
    api.body = "<html>no</html>"
    with pytest.raises(SwitchError, match=r"401.: <html>no</html>"):
        Cluster(str(api.kubeconfig(tmp_path / "kubeconfig", token="old"))).get(SERVICE, "shop")  # noqa: S106


def test_a_patch_refused_for_what_it_says(cluster: Cluster) -> None:
    """422 on an object that nobody moved is the API server's own refusal, not somebody else's move."""
    found = cluster.get(SERVICE, "shop")
    with pytest.raises(SwitchError, match=r"refused to patch Service shop \(422\)"):
        cluster.patch(SERVICE, found, [{"op": "test", "path": "/spec/nothing", "value": 1}])


def test_pointers_escape() -> None:
    """A label with a slash is one part."""
    assert "/spec/selector/app.kubernetes.io~1version/a~0b" == pointer(
        "spec", "selector", "app.kubernetes.io/version", "a~b"
    )
