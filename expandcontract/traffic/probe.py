"""Health probes in the usual blue-green form: ``GET /health`` and ``GET /ready``, straight to the color."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from expandcontract.core.facts import ColorHealth

if TYPE_CHECKING:
    from expandcontract.core.color import Color

SHOWN = 120
DIRECT = build_opener(ProxyHandler({}))  # never through a proxy of the environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """How a color is probed.

    Attributes:
        health: Path that answers 200, or 503 with what is wrong.
        ready: Path that answers 200 once the color can take traffic.
        in_a_row: How often both must answer, one after the other.
        timeout: Of one request.
        interval: Between two rounds.
        budget: How long a color may take to become ready.
    """

    health: str = "/health"
    ready: str = "/ready"
    in_a_row: int = 3
    timeout: timedelta = timedelta(seconds=2)
    interval: timedelta = timedelta(seconds=0.5)
    budget: timedelta = timedelta(seconds=60)


def probe(color: Color, url: str, probes: Probes, *, wait: bool = True) -> ColorHealth:
    """Ask a color until it has answered often enough in a row; each time over a fresh connection.

    Args:
        color: The color asked.
        url: Its own address, not the balancer's.
        probes: How.
        wait: Go on until the budget is spent; else one series decides.
    """
    budget = probes.budget if wait else timedelta()
    policy = Retrying(
        retry=retry_if_result(lambda health: not health.ok),
        stop=stop_after_delay(budget),
        wait=wait_fixed(probes.interval),
    )
    try:
        return policy(_series, color, url, probes)
    except RetryError as exc:
        health: ColorHealth = exc.last_attempt.result()
        return health


def _series(color: Color, url: str, probes: Probes) -> ColorHealth:
    evidence = ""
    for _ in range(probes.in_a_row):
        for path in (probes.ready, probes.health):
            ok, evidence = _get(f"{url.rstrip('/')}{path}", probes.timeout.total_seconds())
            if not ok:
                return ColorHealth(color=color, ok=False, evidence=f"GET {path}: {evidence}")
    return ColorHealth(color=color, ok=True, evidence=f"{probes.in_a_row} times in a row: {evidence}")


def _get(url: str, timeout: float) -> tuple[bool, str]:
    request = Request(url, headers={"Connection": "close", "User-Agent": "expandcontract-probe"})
    try:
        with DIRECT.open(request, timeout=timeout) as answer:
            body = answer.read(SHOWN).decode(errors="replace").strip()
            return 200 <= answer.status < 300, f"{answer.status} {body}"  # noqa: PLR2004  # 2xx
    except HTTPError as exc:
        return False, f"{exc.code} {exc.read(SHOWN).decode(errors='replace').strip()}"
    except (URLError, OSError, HTTPException, ValueError) as exc:
        return False, str(getattr(exc, "reason", exc))
