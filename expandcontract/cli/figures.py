"""The figures of a backfill or a comparison, in words."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from expandcontract.core.duration import in_words

if TYPE_CHECKING:
    from collections.abc import Mapping


def number(value: object) -> float:
    """``value`` as a number; 0 where it is none."""
    return float(value) if isinstance(value, (int, float)) else 0.0


def figures(data: Mapping[str, Any]) -> str:
    """``1,234,567 rows, 312,000 rows/s, 4s left``, of what is known."""
    parts = []
    if isinstance(data.get("rows"), int):
        parts.append(f"{data['rows']:,} rows")
    if data.get("waiting"):
        return ", ".join([*parts, f"waiting: {'; '.join(data['waiting'])}"])
    if number(data.get("rate")):
        parts.append(f"{int(number(data['rate'])):,} rows/s")
    if data.get("hot_share") is not None:
        parts.append(f"{number(data['hot_share']):.0%} HOT")
    if "heap_growth" in data:
        parts.append(f"heap x{number(data['heap_growth']):.2f}")
    if "differing" in data:
        parts.append(f"{int(number(data['differing'])):,} differ")
    if data.get("repaired"):
        parts.append(f"{int(number(data['repaired'])):,} repaired")
    if data.get("gentle"):
        parts.append("gently, others are at work")
    if data.get("eta_s") is not None:
        parts.append(f"{in_words(timedelta(seconds=number(data['eta_s'])))} left")
    return ", ".join(parts)
