"""``[guard]``, ``[probe]`` and ``[smoke]`` as a file has them: what they become, and what is wrong is named."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from expandcontract.config.load import load
from expandcontract.core.color import Color
from expandcontract.core.guard import Metric
from expandcontract.core.release import Release
from expandcontract.errors import ConfigError
from expandcontract.runner.guarding import guard, in_sql
from expandcontract.runner.place import Place
from expandcontract.traffic.gauges import HttpGauge, PrometheusGauge

if TYPE_CHECKING:
    from pathlib import Path

    from expandcontract.traffic.guard import Guard

GOOD = """
database = "postgresql://ec@db/shop"
[colors.blue]
url = "http://b:1/"
[colors.green]
url = "http://g:2/"
[guard]
interval = "3s"
may_fail = 2
[guard.metrics.errors]
source = "prometheus"
url = "https://prometheus/"
query = 'rate{c="{color}", v="{version}"}'
requests = 'n{c="{color}"}'
minimum = 50
ratio_to_live = 1.5
token_from = "TOKEN"
[guard.metrics.slow]
source = "http"
url = "{url}/stats?v={version}"
value = "/p99"
limit = 0.5
[guard.metrics.jobs]
source = "sql"
query = "SELECT 1, 2"
minimum = 5
limit = 0
"""
V2 = {Color.GREEN: Release(color=Color.GREEN, version="v2")}


def made(place: Path, text: str = GOOD) -> Guard:
    """The guard that the settings make."""
    (place / "expandcontract.toml").write_text(text, encoding="utf-8")
    return guard(Place(load(place), place), V2)


def test_what_they_become(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each source is asked of each color in its own words; the token comes from its variable."""
    monkeypatch.setenv("TOKEN", "abc")
    found = made(tmp_path)
    assert (timedelta(seconds=3), 2, 1, timedelta(minutes=1)) == (
        found.interval,
        found.may_fail,
        found.in_a_row,
        found.wait_for_data,
    )
    errors, slow, jobs = found.gauges
    assert Metric(name="errors", ratio_to_live=1.5, minimum=50) == errors.metric
    assert isinstance(errors.read, PrometheusGauge)
    assert errors.read.value[Color.GREEN] == 'rate{c="green", v="v2"}'
    assert errors.read.value[Color.BLUE] == 'rate{c="blue", v=""}'
    assert errors.read.requests[Color.BLUE] == 'n{c="blue"}'
    assert {"Authorization": "Bearer abc"} == errors.read.headers
    assert isinstance(slow.read, HttpGauge)
    assert {Color.BLUE: "http://b:1/stats?v=", Color.GREEN: "http://g:2/stats?v=v2"} == slow.read.urls
    assert Metric(name="jobs", limit=0, minimum=5) == jobs.metric
    assert "d = 'v''2'" == in_sql("d = '{version}'", Color.BLUE, "v'2")


def test_what_is_missing_is_found_before_a_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is not set, and a color that has no address."""
    monkeypatch.delenv("TOKEN", raising=False)
    with pytest.raises(
        ConfigError, match=r"guard.metrics.errors.token_from names the variable TOKEN, which is not set"
    ):
        made(tmp_path)
    with pytest.raises(ConfigError, match=r"colors.green.url is not set"):
        made(tmp_path, GOOD.replace('token_from = "TOKEN"', "").replace('[colors.green]\nurl = "http://g:2/"', ""))


METRIC = "[guard.metrics.x]\n"
WRONG = {
    f"{METRIC}source = 'sql'\nquery = 'SELECT 1'": "guard.metrics.x: a metric with source sql needs limit or ra",
    f"{METRIC}source = 'sql'\nlimit = 1": "guard.metrics.x: a metric with source sql needs query",
    f"{METRIC}source = 'http'\nlimit = 1": "guard.metrics.x: a metric with source http needs url",
    f"{METRIC}source = 'http'\nlimit = 1\nurl = 'http://x'\nminimum = 5": "needs requests, which minimum is about",
    f"{METRIC}source = 'http'\nlimit = 1\nurl = 'http://x'\nrequests = 'n'": "requests is a JSON pointer, like /r",
    f"{METRIC}source = 'http'\nlimit = 1\nurl = 'http://x'\nquery = 'n'": "a metric with source http has no query",
    f"{METRIC}source = 'sql'\nlimit = 1\nquery = 'n'\nurl = 'http://x'": "a metric with source sql has no url",
    f"{METRIC}source = 'http'\nlimit = 1\nurl = 'file:///x'": "guard.metrics.x.url: String should match pattern",
    f"{METRIC}source = 'datadog'\nlimit = 1": "guard.metrics.x.source: Input should be 'http'",
    f"{METRIC}source = 'sql'\nquery = 'x'\nratio_to_live = 0": "guard.metrics.x.ratio_to_live: Input should be greater",
    f"{METRIC}source = 'sql'\nquery = 'x'\nlimt = 1": "no setting is called guard.metrics.x.limt",
    f"[traffic]\nsoak = '0s'\n{METRIC}source = 'sql'\nquery = 'x'\nlimit = 1": "guard: a metric is measured while a st",
    "[guard]\ninterval = '0s'": "guard.interval: Input should be greater than",
    "[smoke]\ntimeout = '0s'": "smoke.timeout: Input should be greater than",
    "[probe]\ncolor_in = 'X Color'": "probe.color_in: a JSON pointer begins with /",
    "[probe]\nversion_in = 'a/b'": "probe.version_in: a JSON pointer begins with /",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named(text: str, tmp_path: Path) -> None:
    """The setting in full, and what it can be."""
    (tmp_path / "expandcontract.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert WRONG[text] in caught.value.message
    assert "\n" not in caught.value.message
