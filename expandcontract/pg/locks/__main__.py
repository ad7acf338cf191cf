"""Measures the lock table on the servers at hand, and writes the data and the page: ``make locks``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from expandcontract.errors import ConfigError
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.locks.measure import measure
from expandcontract.pg.locks.page import page
from expandcontract.pg.locks.table import MEASURED
from expandcontract.pg.server import QUICK, LocalServer

DATA = Path(__file__).parent / "data"


def main() -> None:
    """Measure each version that is installed; the others' data stay as they are."""
    for major in MEASURED:
        try:
            server = LocalServer.start(version=major, settings=QUICK)
        except ConfigError as exc:
            sys.stderr.write(f"PostgreSQL {major} is not here and keeps its data: {exc}\n")
            continue
        with server, connect(parse(server.dsn()), command="locks") as connection:
            found = {"major": major, "forms": measure(connection)}
        (DATA / f"{major}.json").write_text(rendered(found), encoding="utf-8")
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(page(), encoding="utf-8")


def rendered(found: dict[str, object]) -> str:
    """One line a form and kind of table, so that a difference between two versions can be read."""
    lines = []
    for key, kinds in sorted(found["forms"].items()):  # type: ignore[attr-defined]
        inner = ",\n".join(f"   {json.dumps(kind)}: {json.dumps(entry)}" for kind, entry in kinds.items())
        lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
    return f'{{\n "major": {found["major"]},\n "forms": {{\n' + ",\n".join(lines) + "\n }\n}\n"


if __name__ == "__main__":
    main()
