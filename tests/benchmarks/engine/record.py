"""What the cases came to, kept from run to run: a case that runs again replaces what it came to before."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tests.benchmarks.engine.bounds import Line

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case.

    Attributes:
        lines: What must be true of it, and what is told beside that.
        figures: Everything that was measured.
    """

    lines: list[Line] = field(default_factory=list)
    figures: Any = None


def kept(path: Path, *, version: int, scale: float) -> dict[str, Case]:
    """The cases of earlier runs on the same version and scale; none where there were none."""
    if not path.exists():
        return {}
    document = json.loads(path.read_text(encoding="utf-8"))
    if (document["postgresql"], document["scale"]) != (version, scale):
        return {}
    return {
        name: Case(lines=[_line(line) for line in of["lines"]], figures=of["figures"])
        for name, of in document["cases"].items()
    }


def _line(document: dict[str, Any]) -> Line:
    return Line(**{name: value for name, value in document.items() if name != "met"})


def keep(path: Path, cases: dict[str, Case], order: Iterable[str], *, version: int, scale: float) -> dict[str, Case]:
    """Write these cases, and those of earlier runs that did not run now; all of them, in order."""
    every = kept(path, version=version, scale=scale) | cases
    every = {name: every[name] for name in order if name in every}
    document = {
        "postgresql": version,
        "scale": scale,
        "cases": {
            name: {"lines": [{**asdict(line), "met": line.met} for line in of.lines], "figures": of.figures}
            for name, of in every.items()
        },
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return every
