"""The journal in words."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from expandcontract.cli.times import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from expandcontract.cli.screen import Screen


def show_history(out: Screen, entries: Iterable[Mapping[str, Any]]) -> None:
    """Show one line an entry, oldest first."""
    rows = [
        (
            str(entry.get("seq", "")),
            moment(entry.get("at")),
            str(entry.get("change") or "-"),
            str(entry.get("event", "")),
            str(entry.get("actor") or "-"),
            _detail(entry.get("detail")),
        )
        for entry in entries
    ]
    if not rows:
        out.line("nothing has happened yet")
        return
    out.table(("SEQ", "AT", "CHANGE", "EVENT", "ACTOR", "DETAIL"), rows)


def show_verified(out: Screen, document: Mapping[str, Any]) -> None:
    """Show that the chain of hashes holds."""
    head = document.get("head")
    out.line("the journal is whole: each entry's hash follows from the one before", "green")
    if head:
        out.line(f"  head {head}; kept elsewhere, it proves that nothing was rewritten since")


def _detail(detail: Any) -> str:
    if not detail:
        return ""
    if not isinstance(detail, dict):
        return str(detail)
    return ", ".join(f"{key}={_value(value)}" for key, value in detail.items())


def _value(value: Any) -> str:
    """A string as it is, the metrics of a stage as they were said, and the rest as JSON."""
    if isinstance(value, str):
        return value
    if value and isinstance(value, list) and all(isinstance(item, dict) and "said" in item for item in value):
        return "; ".join(f"{item.get('metric')} {item['said']}" for item in value)
    return json.dumps(value, default=str)
