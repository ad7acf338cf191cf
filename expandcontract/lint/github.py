"""A report as workflow commands, which GitHub shows at the lines of a pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions#setting-a-notice-message
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.lint.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.lint.finding import Report

COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def commands(report: Report) -> Iterator[str]:
    """One line for each finding and note."""
    for found in report.findings:
        title = _property(f"{found.code} {found.name}")
        place = f"file={_property(found.path)},line={found.line},title={title}"
        text = _message(f"{found.what}\n{found.why}\nInstead: {found.fix}")
        yield f"::{COMMANDS[found.severity]} {place}::{text}"
    for note in report.notes:
        yield f"::notice title=ec lint::{_message(note)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
