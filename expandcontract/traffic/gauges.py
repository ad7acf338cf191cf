"""Where a guard's figures come from over HTTP: a document of JSON, or Prometheus."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from expandcontract.core.guard import Measured
from expandcontract.traffic.proof import at
from expandcontract.traffic.web import NoReplyError, get

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from expandcontract.core.color import Color


class FaultError(Exception):
    """The source cannot be asked, or the question is wrong; the text says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpGauge:
    """A document of JSON, for each color.

    Attributes:
        urls: Of each color.
        value: JSON pointer of the figure; empty: the document is the figure.
        requests: JSON pointer of how many requests it rests on; ``None``: not told.
        headers: Sent along.
        within: How long an answer may take.
    """

    urls: Mapping[Color, str]
    value: str
    requests: str | None
    headers: Mapping[str, str]
    within: timedelta

    def __call__(self, color: Color) -> Measured:
        """What the document of this color says; a null is no value, a pointer that leads nowhere is a fault."""
        try:
            document = document_of(self.urls[color], self.within, self.headers)
            value = self._number(document, self.value)
            requests = None if self.requests is None else self._number(document, self.requests)
        except FaultError as exc:
            return Measured(why=str(exc), fault=True)
        why = "" if value is not None else f"{self.urls[color]} has null at {self.value or 'its top'}"
        return Measured(value=value, requests=requests, why=why)

    @staticmethod
    def _number(document: Any, pointer: str) -> float | None:
        try:
            found = at(document, pointer)
        except LookupError as exc:
            msg = f"the answer has nothing at {pointer}"
            raise FaultError(msg) from exc
        if found is None:
            return None
        if isinstance(found, bool) or not isinstance(found, (int, float)):
            msg = f"the answer has no number at {pointer or 'its top'}"
            raise FaultError(msg)
        return float(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusGauge:
    """An instant query.

    https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries

    Attributes:
        url: Of Prometheus, or of what speaks its API.
        value: The query of each color.
        requests: The query of how many requests it rests on; empty: none is asked.
        headers: Sent along.
        within: How long an answer may take.
    """

    url: str
    value: Mapping[Color, str]
    requests: Mapping[Color, str]
    headers: Mapping[str, str]
    within: timedelta

    def __call__(self, color: Color) -> Measured:
        """What the queries give; no series is no value, several series are a fault."""
        try:
            value = self._ask(self.value[color])
            requests = self._ask(self.requests[color]) if self.requests else None
        except FaultError as exc:
            return Measured(why=str(exc), fault=True)
        return Measured(value=value, requests=requests, why="" if value is not None else "the query gives no series")

    def _ask(self, query: str) -> float | None:
        url = f"{self.url.rstrip('/')}/api/v1/query?{urlencode({'query': query})}"
        data = document_of(url, self.within, self.headers)
        try:
            kind, result = data["data"]["resultType"], data["data"]["result"]
            if kind == "scalar":
                return float(result[1])
            series = [float(one["value"][1]) for one in result] if kind == "vector" else None
        except (LookupError, TypeError, ValueError) as exc:
            msg = f"{self.url} does not answer as Prometheus does"
            raise FaultError(msg) from exc
        if series is None or len(series) > 1:
            what = f"a {kind}" if series is None else f"{len(series)} series"
            msg = f"the query gives {what}, and one number is needed, as sum() gives"
            raise FaultError(msg)
        return series[0] if series else None


def document_of(url: str, within: timedelta, headers: Mapping[str, str]) -> Any:
    """The JSON document at ``url``.

    Raises:
        FaultError: It does not come, or is something else.
    """
    shown = url.partition("?")[0]
    try:
        reply = get(url, within, headers)
    except NoReplyError as exc:
        msg = f"{shown} does not answer: {exc}"
        raise FaultError(msg) from exc
    if not reply.ok:
        msg = f"{shown} answers {_error(reply.body) or reply}"
        raise FaultError(msg)
    try:
        return json.loads(reply.body)
    except ValueError as exc:
        msg = f"{shown} does not answer with JSON: {reply}"
        raise FaultError(msg) from exc


def _error(body: bytes) -> str:
    """What Prometheus says of a query that it refuses."""
    try:
        found = json.loads(body)["error"]
    except (ValueError, LookupError, TypeError):
        return ""
    return found if isinstance(found, str) else ""


def in_promql(text: str, color: Color, version: str) -> str:
    """``text`` with ``{color}`` and ``{version}`` filled in, as they stand between double quotes of PromQL."""
    safe = version.replace("\\", "\\\\").replace('"', '\\"')
    return text.replace("{color}", color).replace("{version}", safe)


def in_url(text: str, color: Color, version: str, url: str) -> str:
    """``text`` with ``{color}``, ``{version}`` and the color's own ``{url}`` filled in."""
    filled = text.replace("{color}", color).replace("{version}", quote(version, safe=""))
    return filled.replace("{url}", url.rstrip("/"))
