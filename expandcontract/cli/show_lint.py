"""What ``ec lint`` found: in words, as SARIF, or as annotations of a workflow."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from expandcontract.cli.screen import emit
from expandcontract.lint.finding import Severity
from expandcontract.lint.github import commands
from expandcontract.lint.sarif import sarif

if TYPE_CHECKING:
    from expandcontract.cli.screen import Screen
    from expandcontract.lint.finding import Finding, Report

FORMATS = ("text", "json", "sarif", "github")
STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.NOTE: "dim"}


def show_lint(out: Screen, report: Report, written: str) -> None:
    """Show a report as ``text``, ``sarif`` or ``github``."""
    if written == "sarif":
        emit(sarif(report, version("expandcontract")))
    elif written == "github":
        for line in commands(report):
            out.line(line)
    else:
        _text(out, report)


def _text(out: Screen, report: Report) -> None:
    for finding in report.findings:
        _finding(out, finding)
    for note in report.notes:
        out.line(f"note: {note}", "dim")
    said = [_counted(report.count(one), str(one)) for one in Severity if report.count(one)] or ["clean"]
    if report.passed_over:
        said.append(f"{_counted(len(report.passed_over), 'finding')} passed over with a reason")
    out.line(f"{_counted(len(report.revisions), 'revision')}: {', '.join(said)}", "bold")


def _finding(out: Screen, finding: Finding) -> None:
    place = f"{finding.path}:{finding.line}"
    out.line(f"{place}: {finding.severity} {finding.code} {finding.name}", STYLES[finding.severity])
    out.line(f"    {finding.what}")
    out.line(f"    {finding.why}", "dim")
    first, *more = finding.fix.splitlines()
    out.line(f"    instead: {first}")
    for line in more:
        out.line(f"      {line}")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
