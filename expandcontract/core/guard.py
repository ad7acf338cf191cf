"""The guard of a shift, pure: what was measured of a color beside its limits, and what a stage's looks add up to.

Rules for the next editor:

1. What cannot be measured is :attr:`Standing.UNKNOWN`, and a stage with such a metric is not passed: a color that
   gets no requests at all would look perfect.
2. A ratio is held against what the live color shows at the same time; once that has no traffic, against what it
   showed last.
3. A breach counts at once, within the soak; that a stage is passed is said at its end only, by its last look.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expandcontract.core.color import Color
    from expandcontract.core.facts import ColorHealth


class Standing(StrEnum):
    """How a metric stands."""

    WITHIN = "within"
    BREACH = "breach"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """What is allowed of one figure; a higher one is always worse.

    Attributes:
        name: As the settings call it.
        limit: The highest value that is allowed; ``None``: any.
        ratio_to_live: How many times the live color's value is allowed; ``None``: any.
        ignore_below: Up to this value the ratio is not looked at.
        minimum: How many requests a value must rest on; 0: however many.
    """

    name: str
    limit: float | None = None
    ratio_to_live: float | None = None
    ignore_below: float = 0.0
    minimum: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a source said of one color.

    Attributes:
        value: The figure; ``None`` where there is none.
        requests: What it rests on; ``None`` where that was not asked or not told.
        why: Why there is no value, in words.
        fault: Whether the source could not be asked at all, or the question is wrong.
    """

    value: float | None = None
    requests: float | None = None
    why: str = ""
    fault: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One metric in one look.

    Attributes:
        name: The metric's.
        standing: What it comes to.
        said: The same in words, measured beside limit.
        value: What was measured, where it was.
        limit: The tighter of the limits that it was held against, where there was one.
    """

    name: str
    standing: Standing
    said: str
    value: float | None = None
    limit: float | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.said}"

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping; JSON knows no infinity."""
        return {
            "metric": self.name,
            "standing": str(self.standing),
            "value": _finite(self.value),
            "limit": _finite(self.limit),
            "said": self.said,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one look at a color found.

    Attributes:
        health: What its probes said.
        judged: Every metric, in the order of the settings.
    """

    health: ColorHealth
    judged: tuple[Judged, ...] = ()


def judge(metric: Metric, color: Color, new: Measured, live: Measured | None) -> Judged:
    """How ``color``, which is given traffic, stands by one metric.

    Args:
        metric: What is allowed.
        color: The color that is given traffic.
        new: What was measured of it.
        live: The same of the other color; ``None`` where that had no traffic to compare with, and no ratio is judged.
    """
    value, why = _usable(metric, new)
    if why:
        return Judged(name=metric.name, standing=Standing.UNKNOWN, said=f"of {color} is not known: {why}")
    limit, how = (None, "") if metric.limit is None else (metric.limit, f"limit {metric.limit:.4g}")
    beyond = limit is not None and value > limit
    if metric.ratio_to_live is not None and live is not None and not beyond:
        other, why = _usable(metric, live)
        if why:
            said = f"of {color} is {value:.4g}, and of {color.other}, to compare it with, not known: {why}"
            return Judged(name=metric.name, standing=Standing.UNKNOWN, said=said, value=value)
        allowed = max(metric.ratio_to_live * other, metric.ignore_below)
        if limit is None or allowed < limit:
            limit = allowed
            how = f"limit {allowed:.4g} ({metric.ratio_to_live:.4g} times {other:.4g} of {color.other}{_floor(metric)})"
        beyond = value > limit
    standing = Standing.BREACH if beyond else Standing.WITHIN
    said = f"of {color} is {value:.4g}, {how or 'with nothing to compare it with'}"
    return Judged(name=metric.name, standing=standing, said=said, value=value, limit=limit)


def broken(looks: Sequence[Look], *, may_fail: int, in_a_row: int) -> str:
    """Why the traffic must go back now; empty where it need not.

    Args:
        looks: All of the stage so far, the latest last.
        may_fail: How many looks of a stage may find the color not ready.
        in_a_row: How many looks, one after the other, must find a metric beyond its limit.
    """
    failed = [look.health for look in looks if not look.health.ok]
    if len(failed) > may_fail:
        return failed[-1].evidence
    if len(looks) < in_a_row:
        return ""
    last = [{found.name for found in look.judged if found.standing is Standing.BREACH} for look in looks[-in_a_row:]]
    beyond = set.intersection(*last)
    return "; ".join(str(found) for found in looks[-1].judged if found.name in beyond)


def lacking(look: Look) -> str:
    """Why a stage is not passed by its last look; empty where it is."""
    if not look.health.ok:
        return look.health.evidence
    return "; ".join(str(found) for found in look.judged if found.standing is not Standing.WITHIN)


def _usable(metric: Metric, measured: Measured) -> tuple[float, str]:
    """The value, or why what was measured cannot be judged."""
    value = nan if measured.value is None else measured.value
    if isnan(value):
        return nan, measured.why or "it has no value"
    if metric.minimum:
        requests = nan if measured.requests is None else measured.requests
        if isnan(requests):
            return nan, "how many requests it rests on is not known"
        if requests < metric.minimum:
            return nan, f"it rests on {requests:.10g} requests, and {metric.minimum} are needed"
    return value, ""


def _floor(metric: Metric) -> str:
    return f", at least {metric.ignore_below:.4g}" if metric.ignore_below else ""


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
