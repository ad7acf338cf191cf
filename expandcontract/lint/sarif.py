"""A report as SARIF 2.1.0, as code scanning services read it.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from expandcontract.lint.rule import rules

if TYPE_CHECKING:
    from expandcontract.lint.finding import Finding, Report
    from expandcontract.lint.rule import Rule

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(report: Report, version: str) -> dict[str, object]:
    """The report as one SARIF log with one run.

    Args:
        report: What was found; what a comment passes over is in it as suppressed.
        version: Of this product.
    """
    found = [*report.findings, *report.passed_over]
    described = [_rule(rule) for rule in rules()]
    ours = {rule.code for rule in rules()}
    foreign = sorted({finding.code: finding for finding in found if finding.code not in ours}.items())
    described += [{"id": code, "name": one.name, "shortDescription": {"text": one.name}} for code, one in foreign]
    places = {str(rule["id"]): at for at, rule in enumerate(described)}
    notes = [{"level": "note", "message": {"text": note}} for note in report.notes]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "ec lint", "version": version, "rules": described}},
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, places[finding.code]) for finding in found],
            }
        ],
    }


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.why},
        "help": {
            "text": f"Bad:\n\n{rule.bad.source}\nInstead:\n\n{rule.good.source}",
            "markdown": f"Bad:\n\n```python\n{rule.bad.source}```\n\nInstead:\n\n```python\n{rule.good.source}```\n",
        },
        "defaultConfiguration": {"level": str(rule.severity)},
    }


def _result(finding: Finding, place: int) -> dict[str, object]:
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": place,
        "level": str(finding.severity),
        "message": {"text": f"{finding.what}. {finding.why}\nInstead: {finding.fix}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": quote(finding.path)},
                    "region": {"startLine": finding.line},
                }
            }
        ],
        # lines move as a file is edited; what is said of which revision stays
        "partialFingerprints": {"revision/v1": f"{finding.revision}:{finding.code}:{finding.what}"},
    }
    if finding.reason:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.reason}]
    return result
