"""How a backfill has gone, one line a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.cli.times import length, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from expandcontract.cli.screen import Screen

MIB = 1024 * 1024


def show_course(out: Screen, found: Mapping[str, Any]) -> None:
    """Show every sample, oldest first."""
    rows = [
        (
            moment(sample["at"]),
            str(sample["table"]),
            f"{sample['share']:.0%}",
            f"{sample['rows']:,}",
            f"{sample['rate']:,.0f}",
            "-" if sample["eta_s"] is None else length(sample["eta_s"]),
            "-" if sample["hot_share"] is None else f"{sample['hot_share']:.0%}",
            f"{sample['heap_bytes'] / MIB:,.0f} MiB",
            "; ".join(sample["waiting"]),
        )
        for sample in found["samples"]
    ]
    if not rows:
        out.line(f"nothing is kept of a backfill of {found['change']}")
        return
    out.table(("AT", "TABLE", "SHARE", "ROWS", "ROWS/S", "LEFT", "HOT", "HEAP", "WAITING"), rows)
