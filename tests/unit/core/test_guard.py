"""The guard of a shift: each metric beside its limits, and when a stage is passed, goes on, or is over."""

from __future__ import annotations

import json
from math import inf, nan

import pytest

from expandcontract.core.color import Color
from expandcontract.core.facts import ColorHealth
from expandcontract.core.guard import Judged, Look, Measured, Metric, Standing, broken, judge, lacking

ABSOLUTE = Metric(name="errors", limit=0.01)
RATIO = Metric(name="errors", ratio_to_live=1.5)
BOTH = Metric(name="errors", limit=0.1, ratio_to_live=1.5)
FLOORED = Metric(name="errors", ratio_to_live=1.5, ignore_below=0.002)
COUNTED = Metric(name="errors", limit=0.01, minimum=50)
COUNTED_RATIO = Metric(name="errors", ratio_to_live=2, minimum=50)
NOTHING = Measured(why="no series")
W, B, U = Standing.WITHIN, Standing.BREACH, Standing.UNKNOWN


def of(value: float | None, requests: float | None = None) -> Measured:
    """A measurement."""
    return Measured(value=value, requests=requests)


@pytest.mark.parametrize(
    ("metric", "new", "live", "standing", "said"),
    [
        (ABSOLUTE, of(0.01), None, W, "errors of green is 0.01, limit 0.01"),
        (ABSOLUTE, of(0.034), None, B, "errors of green is 0.034, limit 0.01"),
        (ABSOLUTE, of(inf), None, B, "errors of green is inf, limit 0.01"),
        (ABSOLUTE, of(nan), None, U, "errors of green is not known: it has no value"),
        (ABSOLUTE, NOTHING, None, U, "errors of green is not known: no series"),
        (RATIO, of(0.015), of(0.01), W, "errors of green is 0.015, limit 0.015 (1.5 times 0.01 of blue)"),
        (RATIO, of(0.016), of(0.01), B, "errors of green is 0.016, limit 0.015 (1.5 times 0.01 of blue)"),
        (RATIO, of(0.001), of(0), B, "errors of green is 0.001, limit 0 (1.5 times 0 of blue)"),
        (RATIO, of(0.001), None, W, "errors of green is 0.001, with nothing to compare it with"),
        (
            RATIO,
            of(0.001),
            NOTHING,
            U,
            "errors of green is 0.001, and of blue, to compare it with, not known: no series",
        ),
        (FLOORED, of(0.002), of(0), W, "errors of green is 0.002, limit 0.002 (1.5 times 0 of blue, at least 0.002)"),
        (FLOORED, of(0.003), of(0), B, "errors of green is 0.003, limit 0.002 (1.5 times 0 of blue, at least 0.002)"),
        (BOTH, of(0.2), NOTHING, B, "errors of green is 0.2, limit 0.1"),
        (BOTH, of(0.05), of(0.01), B, "errors of green is 0.05, limit 0.015 (1.5 times 0.01 of blue)"),
        (BOTH, of(0.05), of(0.09), W, "errors of green is 0.05, limit 0.1"),
        (COUNTED, of(0, 50), None, W, "errors of green is 0, limit 0.01"),
        (COUNTED, of(1, 49), None, U, "errors of green is not known: it rests on 49 requests, and 50 are needed"),
        (COUNTED, of(0), None, U, "errors of green is not known: how many requests it rests on is not known"),
        (
            COUNTED_RATIO,
            of(0, 50),
            of(0, 3),
            U,
            (
                "errors of green is 0, and of blue, to compare it with, not known: "
                "it rests on 3 requests, and 50 are needed"
            ),
        ),
    ],
)
def test_a_metric_beside_its_limits(
    metric: Metric, new: Measured, live: Measured | None, standing: Standing, said: str
) -> None:
    """What stands at its limit is within; the tighter limit is told; no data is neither within nor a breach."""
    found = judge(metric, Color.GREEN, new, live)
    assert (standing, said) == (found.standing, str(found))


def test_a_document_is_json() -> None:
    """Infinity is no number of JSON; what is missing is null."""
    found = judge(ABSOLUTE, Color.GREEN, of(inf), None).document()
    assert {"metric": "errors", "standing": "breach", "value": None, "limit": 0.01} == {
        key: found[key] for key in found if key != "said"
    }
    json.dumps(found, allow_nan=False)
    assert judge(ABSOLUTE, Color.GREEN, of(0.5), None).document()["value"] == 0.5


def look(*standings: Standing, ok: bool = True) -> Look:
    """A look at a color with so many metrics, named a and b."""
    return Look(
        health=ColorHealth(color=Color.GREEN, ok=ok, evidence="200" if ok else "GET /ready: 503"),
        judged=tuple(Judged(name="ab"[n], standing=found, said=str(found)) for n, found in enumerate(standings)),
    )


@pytest.mark.parametrize(
    ("looks", "may_fail", "in_a_row", "why"),
    [
        ([look(W)], 0, 1, ""),
        ([look(W), look(B, W)], 0, 1, "a breach"),
        ([look(B, B)], 0, 1, "a breach; b breach"),
        ([look(U)], 0, 1, ""),
        ([look(ok=False)], 0, 1, "GET /ready: 503"),
        ([look(ok=False), look()], 0, 1, "GET /ready: 503"),
        ([look(ok=False), look()], 1, 1, ""),
        ([look(ok=False), look(), look(ok=False)], 1, 1, "GET /ready: 503"),
        ([look(B)], 0, 2, ""),
        ([look(B), look(W), look(B)], 0, 2, ""),
        ([look(B, W), look(W, B)], 0, 2, ""),
        ([look(W), look(B, W), look(B, B)], 0, 2, "a breach"),
    ],
)
def test_when_the_traffic_goes_back(looks: list[Look], may_fail: int, in_a_row: int, why: str) -> None:
    """A color that was not ready too often in a stage, or a metric that was beyond its limit so often in a row."""
    assert why == broken(looks, may_fail=may_fail, in_a_row=in_a_row)


@pytest.mark.parametrize(
    ("last", "why"),
    [(look(), ""), (look(W, W), ""), (look(W, U), "b unknown"), (look(B), "a breach"), (look(W, ok=False), "503")],
)
def test_when_a_stage_is_passed(last: Look, why: str) -> None:
    """The last look finds the color ready and every metric within its limit; not knowing is not passing."""
    assert lacking(last).endswith(why)
    assert bool(why) == bool(lacking(last))
