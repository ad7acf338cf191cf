"""Health probes in the usual blue-green form: ``GET /health`` and ``GET /ready``, straight to the color."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from expandcontract.core.facts import ColorHealth
from expandcontract.traffic.proof import Proof, unproved
from expandcontract.traffic.web import NoReplyError, get

if TYPE_CHECKING:
    from expandcontract.core.color import Color


@dataclass(frozen=True, slots=True, kw_only=True)
class Probes:
    """How a color is probed.

    Attributes:
        health: Path that answers 200, or 503 with what is wrong.
        ready: Path that answers 200 once the color can take traffic, and says who it is.
        proof: Where in the answer of ``ready`` that stands.
        in_a_row: How often both must answer, one after the other.
        timeout: Of one request.
        interval: Between two rounds.
        budget: How long a color may take to become ready.
    """

    health: str = "/health"
    ready: str = "/ready"
    proof: Proof = field(default_factory=Proof)
    in_a_row: int = 3
    timeout: timedelta = timedelta(seconds=2)
    interval: timedelta = timedelta(seconds=0.5)
    budget: timedelta = timedelta(seconds=60)


def probe(color: Color, url: str, probes: Probes, *, version: str | None = None, wait: bool = True) -> ColorHealth:
    """Ask a color until it has answered often enough in a row; each time over a fresh connection.

    Args:
        color: The color asked.
        url: Its own address, not the balancer's.
        probes: How.
        version: What is deployed there, where that is known.
        wait: Go on until the budget is spent; else one series decides.
    """
    budget = probes.budget if wait else timedelta()
    policy = Retrying(
        retry=retry_if_result(lambda health: not health.ok),
        stop=stop_after_delay(budget),
        wait=wait_fixed(probes.interval),
    )
    try:
        return policy(_series, color, url, probes, version)
    except RetryError as exc:
        health: ColorHealth = exc.last_attempt.result()
        return health


def _series(color: Color, url: str, probes: Probes, version: str | None) -> ColorHealth:
    evidence = ""
    for _ in range(probes.in_a_row):
        for path in (probes.ready, probes.health):
            proof = probes.proof if path == probes.ready else Proof()
            ok, evidence = _get(f"{url.rstrip('/')}{path}", probes.timeout, proof, color, version)
            if not ok:
                return ColorHealth(color=color, ok=False, evidence=f"GET {path}: {evidence}")
    return ColorHealth(color=color, ok=True, evidence=f"{probes.in_a_row} times in a row: {evidence}")


def _get(url: str, within: timedelta, proof: Proof, color: Color, version: str | None) -> tuple[bool, str]:
    try:
        reply = get(url, within)
    except NoReplyError as exc:
        return False, str(exc)
    if not reply.ok:
        return False, str(reply)
    why = unproved(reply, proof, color, version)
    return not why, f"the answer {why}: {reply}" if why else str(reply)
