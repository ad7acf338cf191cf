"""The end of the demo: one table for people, one document for machines."""

from __future__ import annotations

from statistics import quantiles
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table

if TYPE_CHECKING:
    from expandcontract.demo.story import Story


def percentile(values: list[float], percent: int) -> float:
    """The percentile of these seconds, in milliseconds; zero where there are none."""
    if len(values) < 2:  # noqa: PLR2004  # quantiles need two
        return round(values[0] * 1000, 1) if values else 0.0
    return round(quantiles(values, n=100, method="inclusive")[percent - 1] * 1000, 1)


def document(story: Story, error: str) -> dict[str, object]:
    """Everything measured; ``ok`` only where nothing failed, nothing was lost and every command behaved."""
    load = story.load
    return {
        "ok": not error and load.failed == 0 and story.lost == 0 and load.stale == 0,
        "error": error,
        "rows": story.rows,
        "requests": load.requests,
        "failed": load.failed,
        "lost": story.lost + load.stale,
        "acknowledged": len(load.acknowledged),
        "rows_filled": story.watch.rows,
        "longest_lock_wait_ms": round(story.watch.longest_wait * 1000, 1),
        "seconds": round(story.seconds, 1),
        "phases": {
            phase: {"requests": len(values), "p50_ms": percentile(values, 50), "p99_ms": percentile(values, 99)}
            for phase, values in load.latencies.items()
        },
        "refusals": story.refusals,
        "faults": load.faults,
    }


def render(found: dict[str, object]) -> Group:
    """The same as tables."""
    phases = Table("phase", "requests", "p50 ms", "p99 ms", title="requests through the proxy")
    rows: dict[str, dict[str, float]] = found["phases"]  # type: ignore[assignment]
    for phase, row in rows.items():
        phases.add_row(phase, f"{row['requests']:.0f}", f"{row['p50_ms']:.1f}", f"{row['p99_ms']:.1f}")
    refusals = Table("tried", "refused with", title="refused within the rollback window")
    tried: dict[str, str] = found["refusals"]  # type: ignore[assignment]
    for command, reason in tried.items():
        refusals.add_row(command, reason)
    ends = Table("requests", "failed", "lost or stale", "rows filled", "longest lock wait", "seconds", title="the end")
    ends.add_row(
        str(found["requests"]),
        f"{found['failed']} failed",
        f"{found['lost']} lost",
        str(found["rows_filled"]),
        f"{found['longest_lock_wait_ms']} ms",
        str(found["seconds"]),
    )
    return Group(phases, refusals, ends)
