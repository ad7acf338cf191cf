"""A Service's selector: all or nothing, never toward nobody, never over somebody else's hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import ColorHealth
from expandcontract.errors import ConfigError, SwitchError
from expandcontract.traffic.kubernetes_service import ServiceSwitch, open_service
from expandcontract.traffic.shift import shift
from expandcontract.traffic.switch import abilities

if TYPE_CHECKING:
    from pathlib import Path

    from expandcontract.traffic.cluster import Cluster
    from tests.kubernetes_double import Api


@pytest.fixture
def switch(cluster: Cluster) -> ServiceSwitch:
    """In front of two ready pods of each color; blue is live."""
    return ServiceSwitch(cluster, "shop", within=0.3)


def test_one_patch_that_changes_one_key(api: Api, switch: ServiceSwitch) -> None:
    """The other keys, the ports and the labels stay; the patch tests what was read."""
    before = api.get("services", "shop")
    switch.write(Weights(0, 100))
    after = api.get("services", "shop")
    assert {"app": "shop", "version": "green"} == after["spec"]["selector"]
    assert before["spec"]["ports"] == after["spec"]["ports"]
    ((kind, operations),) = api.patched
    assert "application/json-patch+json" == kind
    assert ["test", "test", "add"] == [operation["op"] for operation in operations]


def test_a_second_write_changes_nothing(api: Api, switch: ServiceSwitch) -> None:
    """Written again after a crash, it is awaited again and not patched."""
    switch.write(Weights(0, 100))
    switch.write(Weights(0, 100))
    assert 1 == len(api.patched)


def test_a_share_is_refused(api: Api, switch: ServiceSwitch) -> None:
    """It says that it knows all or nothing, and what to set; nothing is asked of the API server."""
    with pytest.raises(SwitchError, match="all of the traffic or none, not blue 50 %, green 50 %") as refused:
        switch.write(Weights(50, 50))
    assert refused.value.hint is not None
    assert "traffic.steps = [100]" in refused.value.hint
    assert [] == api.patched


def test_a_shift_takes_the_last_step_alone(api: Api, switch: ServiceSwitch) -> None:
    """With the default steps a shift through a selector is one move, there and back."""

    def well(color: Color) -> ColorHealth:
        return ColorHealth(color=color, ok=True, evidence="200")

    for toward in (Color.GREEN, Color.BLUE):
        list(shift(switch, toward=toward, steps=(10, 50, 100), soak=timedelta(), check=well))
        assert Weights.toward(toward) == switch.read()
    assert 2 == len(api.patched)


@pytest.mark.parametrize("pods", ["none", "not ready"])
def test_a_color_without_ready_pods(pods: str, api: Api, switch: ServiceSwitch) -> None:
    """The API server would take the selector; we do not offer it."""
    for name in ("shop-green-1", "shop-green-2"):
        if pods == "none":
            del api.objects["pods"][name]
        else:
            api.pod(name, {"app": "shop", "version": "green"}, ready=False)
    with pytest.raises(SwitchError, match=r"green has no ready pod \(app=shop,version=green\)"):
        switch.write(Weights(0, 100))
    assert Weights(100, 0) == switch.read()
    assert [] == api.patched


def test_a_pod_that_is_about_to_end_is_not_ready(api: Api, switch: ServiceSwitch) -> None:
    """It may say Ready until the last moment."""
    for name in ("shop-green-1", "shop-green-2"):
        api.objects["pods"][name]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    with pytest.raises(SwitchError, match="green has no ready pod"):
        switch.write(Weights(0, 100))


@pytest.mark.parametrize("change", ["selector", "ports"])
def test_somebody_else_moves_it(change: str, api: Api, switch: ServiceSwitch) -> None:
    """A change between our reading and our patch is never overwritten; it is named as that."""
    moved = {"selector": {"app": "shop", "version": "purple" if change == "selector" else "blue"}}
    api.before_patch = lambda: api.put("services", "shop", {**moved, "ports": [{"port": 81}]})
    with pytest.raises(SwitchError, match="someone else moved Service shop between reading and writing") as refused:
        switch.write(Weights(0, 100))
    assert refused.value.hint is not None
    assert "kubectl -n prod get services shop -o yaml" in refused.value.hint
    assert moved["selector"] == api.get("services", "shop")["spec"]["selector"]


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (set(), "no ready endpoint"),
        ({"shop-blue-1", "shop-green-1"}, "still show shop-blue-1"),
    ],
)
def test_endpoints_that_do_not_follow(shown: set[str], said: str, api: Api, switch: ServiceSwitch) -> None:
    """The selector alone is no switch; after the time allowed it says what the EndpointSlices show."""
    api.frozen = shown
    with pytest.raises(SwitchError, match=said) as refused:
        switch.write(Weights(0, 100))
    assert refused.value.hint is not None
    assert "get endpointslices -l kubernetes.io/service-name=shop" in refused.value.hint


def test_an_api_server_that_accepts_and_does_nothing(api: Api, switch: ServiceSwitch) -> None:
    """The EndpointSlices go on showing the old color, and the write fails."""
    api.ignores_patches = True
    with pytest.raises(SwitchError, match="still show shop-blue-1, shop-blue-2"):
        switch.write(Weights(0, 100))


def test_a_switch_that_does_not_take_hold_is_taken_back(api: Api, switch: ServiceSwitch) -> None:
    """Where the EndpointSlices do not follow the selector, a shift ends with the selector where it was."""
    api.frozen = {"shop-blue-1", "shop-blue-2"}

    def never(color: Color) -> ColorHealth:
        raise AssertionError(color)

    with pytest.raises(SwitchError, match=r"still show shop-blue-1, shop-blue-2; the traffic was taken back: blue 100"):
        list(shift(switch, toward=Color.GREEN, steps=(10, 100), soak=timedelta(), check=never))
    assert "blue" == api.get("services", "shop")["spec"]["selector"]["version"]


@pytest.mark.parametrize("selector", [{"app": "shop"}, {"app": "shop", "version": "purple"}, {}])
def test_a_selector_that_names_neither_color(selector: dict[str, str], api: Api, switch: ServiceSwitch) -> None:
    """It is said, with the command that mends it, and not guessed; a write does not touch it either."""
    api.put("services", "shop", {"selector": selector})
    with pytest.raises(SwitchError, match="the label version, which should be blue or green") as refused:
        switch.read()
    assert refused.value.hint is not None
    assert "patch service shop -p" in refused.value.hint
    with pytest.raises(SwitchError, match="which should be blue or green"):
        switch.write(Weights(0, 100))
    assert [] == api.patched


def test_a_label_of_the_teams_own(api: Api, cluster: Cluster) -> None:
    """Key and values are settings; a key may hold a slash."""
    key, values = "shop.example/slot", {Color.BLUE: "a", Color.GREEN: "b"}
    for name in ("a", "b"):
        api.pod(f"pod-{name}", {key: name})
    api.put("services", "own", {"selector": {key: "a"}})
    switch = ServiceSwitch(cluster, "own", key, values)
    switch.write(Weights(0, 100))
    assert Weights(0, 100) == switch.read()
    assert {key: "b"} == api.get("services", "own")["spec"]["selector"]


@pytest.fixture
def overlapping(cluster: Cluster) -> ServiceSwitch:
    """The same, which goes over a selector that names both."""
    return ServiceSwitch(cluster, "shop", within=0.3, overlap=timedelta(milliseconds=1))


def test_both_colors_for_a_while(api: Api, overlapping: ServiceSwitch, monkeypatch: pytest.MonkeyPatch) -> None:
    """First the label goes and the target stands beside the other color, then it stands alone; it is said before."""
    seen = []

    def stay(seconds: float) -> None:
        seen.append((seconds, api.get("services", "shop")["spec"]["selector"], overlapping.read()))

    monkeypatch.setattr("expandcontract.traffic.kubernetes_service.sleep", stay)
    for color in (Color.GREEN, Color.BLUE):
        overlapping.write(Weights.toward(color))
        assert Weights.toward(color) == overlapping.read()
    assert [(0.001, {"app": "shop"}, Weights(50, 50))] * 2 == seen
    assert [["test", "test", "remove"], ["test", "add"]] * 2 == [[one["op"] for one in done] for _, done in api.patched]
    assert "both get connections for 1s, by their pods" in abilities(overlapping).warning


def test_a_crash_between_two_colors(api: Api, overlapping: ServiceSwitch, switch: ServiceSwitch) -> None:
    """It reads as shared by ready pods, never as all, and goes on to either side; without the option it is reported."""
    for toward in (Color.GREEN, Color.BLUE):
        api.put("services", "shop", {"selector": {"app": "shop"}})
        assert Weights(50, 50) == overlapping.read()
        with pytest.raises(SwitchError, match="does not name the label version"):
            switch.read()
        overlapping.write(Weights.toward(toward))
        assert Weights.toward(toward) == overlapping.read()
    api.put("services", "shop", {"selector": {"app": "shop"}})
    del api.objects["pods"]["shop-green-2"]
    assert Weights(66, 34) == overlapping.read()
    del api.objects["pods"]["shop-green-1"]
    assert Weights(99, 1) == overlapping.read()
    for name in ("shop-blue-1", "shop-blue-2"):
        del api.objects["pods"][name]
    assert Weights(1, 99) == overlapping.read()


def test_a_selector_of_the_label_alone(api: Api, overlapping: ServiceSwitch) -> None:
    """Without it the Service would have no selector, and keep whatever endpoints it has."""
    api.put("services", "shop", {"selector": {"version": "blue"}})
    with pytest.raises(SwitchError, match="without the label version Service shop would select no pod by label") as no:
        overlapping.write(Weights(0, 100))
    assert "leave traffic.options.overlap out" in str(no.value.hint)
    assert [] == api.patched


def test_pods_that_are_of_neither_color(api: Api, overlapping: ServiceSwitch) -> None:
    """A third set of pods behind the other labels would get traffic; it is named, and nothing is changed."""
    api.pod("shop-job-1", {"app": "shop", "version": "job"})
    with pytest.raises(SwitchError, match="Service shop would also lead to shop-job-1; it was left as it is"):
        overlapping.write(Weights(0, 100))
    assert [] == api.patched


def test_endpoints_that_do_not_show_the_target(api: Api, overlapping: ServiceSwitch) -> None:
    """The overlap ends with an error where the EndpointSlices do not follow; the way back is one write."""
    api.frozen = {"shop-blue-1"}
    with pytest.raises(SwitchError, match=r"after 0\.3 s its EndpointSlices do not show it beside the other color"):
        overlapping.write(Weights(0, 100))
    api.frozen = None
    overlapping.write(Weights(100, 0))
    assert "blue" == api.get("services", "shop")["spec"]["selector"]["version"]


def test_an_overlap_that_is_no_duration(api: Api, tmp_path: Path) -> None:
    """It is refused with the setting's name; one that is, is taken."""
    options = {"service": "shop", "kubeconfig": str(api.kubeconfig(tmp_path / "kubeconfig"))}
    with pytest.raises(ConfigError, match=r"traffic\.options\.overlap: 'soon' is not a duration"):
        open_service({**options, "overlap": "soon"})
    assert "for 5s" in open_service({**options, "overlap": "5s"}).abilities.warning
