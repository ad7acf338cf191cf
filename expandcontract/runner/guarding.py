"""The guard of a shift, as the settings have it: the sources that ask over HTTP, and those that ask the database."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from expandcontract.core.color import Color
from expandcontract.core.guard import Measured, Metric
from expandcontract.errors import ConfigError
from expandcontract.pg.measure import measure
from expandcontract.traffic.gauges import HttpGauge, PrometheusGauge, in_promql, in_url
from expandcontract.traffic.guard import Gauge, Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from expandcontract.config.guard import MetricSettings
    from expandcontract.core.release import Release
    from expandcontract.runner.place import Place


def guard(place: Place, releases: Mapping[Color, Release]) -> Guard:
    """What is watched in each stage of a shift.

    Args:
        place: Where we work.
        releases: What is deployed on each color, for ``{version}``.

    Raises:
        ConfigError: A variable with a token is not set, or a color has no address and a metric wants it.
    """
    found = place.settings.guard
    return Guard(
        gauges=tuple(_gauge(place, name, metric, releases) for name, metric in found.metrics.items()),
        interval=found.interval,
        in_a_row=found.in_a_row,
        may_fail=found.may_fail,
        wait_for_data=found.wait_for_data,
    )


def _gauge(place: Place, name: str, given: MetricSettings, releases: Mapping[Color, Release]) -> Gauge:
    versions = {color: releases[color].version if color in releases else "" for color in Color}
    metric = Metric(
        name=name,
        limit=given.limit,
        ratio_to_live=given.ratio_to_live,
        ignore_below=given.ignore_below,
        minimum=given.minimum,
    )
    return Gauge(metric, _source(place, name, given, versions))


def _source(
    place: Place, name: str, given: MetricSettings, versions: Mapping[Color, str]
) -> Callable[[Color], Measured]:
    within = place.settings.guard.timeout
    query, url, requests = given.query or "", given.url or "", given.requests or ""
    match given.source:
        case "sql":
            texts = {color: in_sql(query, color, versions[color]) for color in Color}
            return lambda color: measure(place.url, texts[color], within)
        case "prometheus":
            return PrometheusGauge(
                url=url,
                value={color: in_promql(query, color, versions[color]) for color in Color},
                requests={color: in_promql(requests, color, versions[color]) for color in Color if requests},
                headers=_headers(name, given.token_from),
                within=within,
            )
        case "http":
            own = {color: place.address(color) if "{url}" in url else "" for color in Color}
            return HttpGauge(
                urls={color: in_url(url, color, versions[color], own[color]) for color in Color},
                value=given.value,
                requests=given.requests,
                headers=_headers(name, given.token_from),
                within=within,
            )


def in_sql(text: str, color: Color, version: str) -> str:
    """``text`` with ``{color}`` and ``{version}`` filled in, as they stand between single quotes of SQL."""
    return text.replace("{color}", color).replace("{version}", version.replace("'", "''"))


def _headers(name: str, variable: str | None) -> dict[str, str]:
    if variable is None:
        return {}
    if not os.environ.get(variable):
        msg = f"guard.metrics.{name}.token_from names the variable {variable}, which is not set"
        raise ConfigError(msg, hint=f"set {variable}, or take token_from out of the settings")
    return {"Authorization": f"Bearer {os.environ[variable]}"}
