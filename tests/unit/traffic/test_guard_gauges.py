"""Figures over HTTP: a document of JSON and Prometheus, with answers as these were measured to give them."""

from __future__ import annotations

import json
from datetime import timedelta
from math import isnan
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from expandcontract.core.color import Color
from expandcontract.core.guard import Measured
from expandcontract.traffic.gauges import HttpGauge, PrometheusGauge, in_promql, in_url
from tests.unit.traffic.test_probe import saying

SECOND = timedelta(seconds=1)
GREEN = Color.GREEN


def document(url: str, value: str = "/a/rate", requests: str | None = "/a/n") -> Measured:
    """What the gauge makes of a document."""
    gauge = HttpGauge(urls={GREEN: url}, value=value, requests=requests, headers={}, within=SECOND)
    return gauge(GREEN)


@pytest.mark.parametrize(
    ("body", "value", "requests", "why"),
    [
        (b'{"a": {"rate": 0.25, "n": 8}}', 0.25, 8, ""),
        (b'{"a": {"rate": 0, "n": null}}', 0, None, ""),
        (b'{"a": {"rate": null, "n": 0}}', None, 0, "has null at /a/rate"),
        (b'{"a": {"n": 0}}', None, None, "the answer has nothing at /a/rate"),
        (b'{"a": {"rate": "0.1", "n": 0}}', None, None, "the answer has no number at /a/rate"),
        (b'{"a": {"rate": true, "n": 0}}', None, None, "the answer has no number at /a/rate"),
        (b"oops", None, None, "does not answer with JSON: 200 oops"),
    ],
)
def test_a_document(body: bytes, value: float | None, requests: float | None, why: str) -> None:
    """A null is no value; what is no number, or not there, is a fault of the question."""
    with saying(stats=(200, {}, body)) as url:
        found = document(f"{url}/stats")
    assert (value, requests) == (found.value, found.requests)
    assert why in found.why
    assert bool(why) == bool(found.why)
    assert found.fault == (bool(why) and "null" not in why)


def test_a_document_that_is_a_number() -> None:
    """Without a pointer the document is the figure, and without another nobody asks how many requests it rests on."""
    with saying(stats=(200, {}, b"0.5\n"), none=(200, {}, b"null"), list=(200, {}, b"[]")) as url:
        assert Measured(value=0.5) == document(f"{url}/stats", "", None)
        assert "null at its top" in document(f"{url}/none", "", None).why
        assert "no number at its top" in document(f"{url}/list", "", None).why


def test_a_source_that_is_not_there() -> None:
    """No answer, or one that is no success, is a fault; the query of the address is not told."""
    with saying(down=(503, {}, b"in repair")) as url:
        assert document(f"{url}/down").why == f"{url}/down answers 503 in repair"
        moved = document(f"{url}/down?key=s3cr3t")
        assert moved.fault
        assert "s3cr3t" not in moved.why
    gone = document(f"{url}/down")
    assert gone.fault
    assert "does not answer" in gone.why


def prometheus(data: Any, status: int = 200) -> Measured:
    """What the gauge makes of an answer of Prometheus to both its queries."""
    body = json.dumps(data).encode()
    paths = {f"api/v1/query?query={name}": (status, {}, body) for name in ("rate%7Bcolor%3D%22green%22%7D", "n")}
    with saying(**paths) as url:
        gauge = PrometheusGauge(
            url=f"{url}/", value={GREEN: 'rate{color="green"}'}, requests={GREEN: "n"}, headers={}, within=SECOND
        )
        return gauge(GREEN)


def success(kind: str, *values: str) -> dict[str, Any]:
    """A successful answer of that type."""
    result: Any = [{"metric": {}, "value": [1764324000.1, value]} for value in values]
    if kind == "scalar":
        result = [1764324000.1, values[0]]
    return {"status": "success", "data": {"resultType": kind, "result": result}}


@pytest.mark.parametrize(
    ("data", "value", "why"),
    [
        (success("vector", "0.25"), 0.25, ""),
        (success("scalar", "2"), 2, ""),
        (success("vector", "+Inf"), float("inf"), ""),
        (success("vector"), None, "the query gives no series"),
        (success("vector", "1", "2"), None, "the query gives 2 series, and one number is needed, as sum() gives"),
        (success("matrix"), None, "the query gives a matrix, and one number is needed, as sum() gives"),
        (success("vector", "much"), None, "does not answer as Prometheus does"),
        ({"status": "success"}, None, "does not answer as Prometheus does"),
        ([], None, "does not answer as Prometheus does"),
    ],
)
def test_an_instant_query(data: Any, value: float | None, why: str) -> None:
    """No series is no data; several, or something else than numbers, is a fault of the query."""
    found = prometheus(data)
    assert (value, value) == (found.value, found.requests)
    assert why in found.why
    assert found.fault == (bool(why) and "no series" not in why)


def test_nothing_by_nothing() -> None:
    """0/0 is a number to Prometheus, which the judgement takes for none."""
    found = prometheus(success("vector", "NaN")).value
    assert found is not None
    assert isnan(found)


def test_a_query_that_is_refused() -> None:
    """The reason that Prometheus gives is told."""
    refused = {"status": "error", "errorType": "bad_data", "error": 'invalid parameter "query": 1:5: parse error'}
    found = prometheus(refused, 400)
    assert found.fault
    assert found.why.endswith('/api/v1/query answers invalid parameter "query": 1:5: parse error')


def test_no_count_is_asked_for() -> None:
    """Where no query for it is set."""
    with saying(**{"api/v1/query?query=x": (200, {}, json.dumps(success("scalar", "1")).encode())}) as url:
        gauge = PrometheusGauge(url=url, value={GREEN: "x"}, requests={}, headers={}, within=SECOND)
        assert Measured(value=1) == gauge(GREEN)


def test_what_is_filled_in() -> None:
    """Color and version stand where they are wanted, and cannot end the string that they stand in."""
    odd = 'v"1\\/2'
    assert 'x{c="green", v="v\\"1\\\\/2", o="{other}"}' == in_promql(
        'x{c="{color}", v="{version}", o="{other}"}', GREEN, odd
    )
    filled = in_url("{url}/stats/{color}?v={version}", GREEN, odd, "http://127.0.0.1:8002/")
    assert filled.startswith("http://127.0.0.1:8002/stats/green?v=")
    assert {"v": [odd]} == parse_qs(urlsplit(filled).query)
