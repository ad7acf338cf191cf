"""``ec lint`` shows a report in each of its formats, and its exit code says what CI needs to know."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.lint.rule import rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.fake import FakeRunner

TEXT = """\
versions/a.py:5: error EC201 drop-in-expand
    100%: a, b
    A release that leaves it out writes NULL.
    instead: say so:
        # because
versions/a.py:7: warning EC206 default-dropped
    drops the default of users.visits
    A release that leaves it out writes NULL.
    instead: say so:
        # because
2 revisions: 1 error, 1 warning, 1 finding passed over with a reason
"""


def test_text_says_what_why_and_what_to_do(fake: FakeRunner, ec: Callable[..., tuple[int, str, str]]) -> None:
    """The whole text of a run with an error, and exit code 3."""
    fake.opened = False
    assert (3, TEXT, "") == ec("lint")


@pytest.mark.parametrize(("arguments", "code"), [((), 0), (("--strict",), 3)])
def test_warnings_count_only_where_asked(
    fake: FakeRunner, ec: Callable[..., tuple[int, str, str]], arguments: tuple[str, ...], code: int
) -> None:
    """A warning alone exits 0, and 3 with ``--strict``; what could not be done is a line of its own."""
    found, out, _ = ec("lint", *arguments)
    assert code == found
    assert "note: squawk is not installed\n1 revision: 1 warning\n" in out


def test_json_is_the_report(fake: FakeRunner, document: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    """One document, the same by ``--json`` and ``--format json``."""
    fake.opened = False
    code, found = document("lint")
    assert 3 == code
    assert (False, {"error": 1, "warning": 1, "note": 0}) == (found["clean"], found["counts"])
    assert ["EC201", "EC206"] == [finding["code"] for finding in found["findings"]]
    assert ["known"] == [finding["reason"] for finding in found["passed_over"]]
    assert (code, found) == document("lint", "--format", "json")


def test_github_gets_workflow_commands(fake: FakeRunner, ec: Callable[..., tuple[int, str, str]]) -> None:
    """One command a line, with what would end it early written as GitHub reads it."""
    fake.opened = False
    _, out, _ = ec("lint", "--format", "github")
    first, second = out.splitlines()
    assert first == (
        "::error file=versions/a.py,line=5,title=EC201 drop-in-expand::100%25: a, b%0A"
        "A release that leaves it out writes NULL.%0AInstead: say so:%0A  # because"
    )
    assert second.startswith("::warning file=versions/a.py,line=7,title=EC206 default-dropped::")


def test_sarif_has_what_the_standard_requires(fake: FakeRunner, ec: Callable[..., tuple[int, str, str]]) -> None:
    """SARIF 2.1.0: required properties of log, run, tool, rule and result; each result's index leads to its rule."""
    fake.opened = False
    code, out, _ = ec("lint", "--format", "sarif")
    log = json.loads(out)
    assert (3, "2.1.0", 1) == (code, log["version"], len(log["runs"]))
    run = log["runs"][0]
    driver = run["tool"]["driver"]
    assert driver["name"]
    assert [rule.code for rule in rules()] == [rule["id"] for rule in driver["rules"]]
    assert all(rule["shortDescription"]["text"] and rule["help"]["text"] for rule in driver["rules"])
    assert 3 == len(run["results"])
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert "versions/a.py" == place["artifactLocation"]["uri"]
        assert place["region"]["startLine"] >= 1
    suppressed = [result["suppressions"] for result in run["results"] if "suppressions" in result]
    assert [[{"kind": "inSource", "justification": "known"}]] == suppressed


def test_an_unknown_format_is_refused(fake: FakeRunner, ec: Callable[..., tuple[int, str, str]]) -> None:
    """Exit code 2, and the formats that there are."""
    code, _, err = ec("lint", "--format", "xml")
    assert (2, []) == (code, fake.calls)
    assert "there are text, json, sarif, github" in err
