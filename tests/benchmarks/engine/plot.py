"""The plot of the main case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import matplotlib as mpl
from matplotlib import pyplot as plt

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.benchmarks.engine.ground import Figures

PANELS = (
    ("rows/s, one UPDATE with triggers = 1", "rows_per_s"),
    ("heap afterwards, before = 1", "heap"),
    ("indexes afterwards, before = 1", "indexes"),
    ("WAL a row, one UPDATE with triggers = 1", "wal_row"),
)
BESIDE = {"rows_per_s", "wal_row"}
OURS, THEIRS = "#2f6f4f", "#b9b4a7"


def draw(of: Mapping[str, Figures], path: Path) -> None:
    """Four panels of bars, one bar for each competitor; the same figures give the same file."""
    mpl.rcParams.update({"svg.hashsalt": "expandcontract", "font.size": 9})
    figure, axes = plt.subplots(1, len(PANELS), figsize=(14, 3.2), sharey=True)
    names = list(of)[::-1]
    base = of["UPDATE, with triggers"]
    for axis, (title, figure_of) in zip(axes, PANELS, strict=True):
        unit = getattr(base, figure_of) if figure_of in BESIDE else 1.0
        values = [getattr(of[name], figure_of) / unit for name in names]
        bars = axis.barh(names, values, color=[OURS if name.startswith("ec") else THEIRS for name in names])
        axis.bar_label(bars, fmt="%.2f", padding=2)
        axis.set_title(title, fontsize=9)
        axis.margins(x=0.2)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
