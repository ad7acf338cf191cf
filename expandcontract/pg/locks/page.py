"""The reference page of the lock table, made from its data."""

from __future__ import annotations

from typing import Any

from expandcontract.pg.locks.forms import FORMS
from expandcontract.pg.locks.table import MEASURED, data

HEAD = """# Locks, rewrites and scans of every form of DDL

Measured on a server of each version, not copied from a manual: `make locks` measures again, and a test compares.
`ec plan`, `ec lint` and `ec rehearse` read the same data.

How it is measured:

- **Locks** are read from `pg_locks` before the transaction ends; what runs outside a transaction is stopped at each
  of its steps and looked at there. Only relations that were there before are told, the strongest lock of each. An
  index is told only where its lock is stronger than its table's.
- **REWRITE**: the table has a new file with every row written anew.
- **SCAN**: the table is read whole, or an index of it is built, under the lock (counted by the server, by relation).
- `table` is the one that the statement names, `leaf` each of its partitions or children, `leaf of a leaf` what is
  below one that already has what is added, `other` the table that a foreign key refers to, `referencing` the one that
  refers to the table.
- `ACCESS EXCLUSIVE` stops reads and writes; `SHARE`, `SHARE ROW EXCLUSIVE` and `EXCLUSIVE` stop writes; the weaker
  modes stop neither.
"""


def page() -> str:
    """The page, in Markdown."""
    files = {major: data(major)["forms"] for major in MEASURED}
    lines = [HEAD, "| form | statement | table is | what it does |", "|---|---|---|---|"]
    for form in FORMS:
        for kind in sorted(files[MEASURED[-1]][form.key], key=("plain", "partitioned", "inherited").index):
            told = {major: words(files[major][form.key][kind]) for major in MEASURED}
            lines.append(f"| {form.key} | `{_cell(form.statement)}` | {kind} | {_cell(_versions(told))} |")
    return "\n".join(lines) + "\n"


def words(entry: dict[str, Any]) -> str:
    """One entry in words: ``ACCESS EXCLUSIVE on table; REWRITE table``."""
    if "refused" in entry:
        return f"refused: {entry['refused']}"
    parts = [", ".join(f"{mode} on {part}" for part, mode in entry["locks"].items()) or "no lock"]
    parts += [
        f"{word} {', '.join(entry[key])}" for word, key in (("REWRITE", "rewrites"), ("SCAN", "scans")) if entry[key]
    ]
    if not entry["transactional"]:
        parts.append("outside a transaction")
    return "; ".join(parts)


def _versions(told: dict[int, str]) -> str:
    if len(set(told.values())) == 1:
        return next(iter(told.values()))
    groups: dict[str, list[str]] = {}
    for major, text in told.items():
        groups.setdefault(text, []).append(str(major))
    return "<br>".join(f"{', '.join(majors)}: {text}" for text, majors in groups.items())


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
