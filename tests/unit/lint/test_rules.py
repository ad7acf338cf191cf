"""Each rule finds its bad example and lets its good one pass; its page says what the rule says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.revision import Half
from expandcontract.lint.judge import judge
from expandcontract.lint.rule import Rule, rules
from tests.fix_revisions import with_effects

if TYPE_CHECKING:
    from tests.fix_revisions import Written

PAGES = Path(__file__).parents[3] / "docs" / "reference" / "lint"
EVERY = pytest.mark.parametrize("rule", rules(), ids=lambda rule: f"{rule.code}-{rule.name}")


@EVERY
def test_the_bad_example_is_found(rule: Rule, written: Written) -> None:
    """The rule itself has a finding in its bad example, with all that a reader needs."""
    report = judge([with_effects(written.record(rule.bad.half, rule.bad.source))])
    assert rule.code in {finding.code for finding in report.findings}
    first = next(finding for finding in report.findings if finding.code == rule.code)
    assert rule.severity is first.severity
    assert all((first.what, first.why, first.fix))


@EVERY
def test_the_good_example_is_clean(rule: Rule, written: Written) -> None:
    """Nothing is said of the good example by any rule."""
    report = judge([with_effects(written.record(rule.good.half, rule.good.source))])
    assert () == report.findings


def test_codes_and_names_are_the_rules_own() -> None:
    """No two rules share a code or a name; codes lie in the range of lint; yields_to names rules that exist."""
    codes = [rule.code for rule in rules()]
    assert sorted(set(codes)) == codes
    assert len(codes) == len({rule.name for rule in rules()})
    assert all(re.fullmatch(r"EC2\d\d", code) for code in codes)
    assert set() == {code for rule in rules() for code in rule.yields_to} - set(codes)


def test_a_page_for_every_rule() -> None:
    """The folder has a page for each rule, one for squawk, and an index that lists each."""
    assert {rule.code for rule in rules()} | {"index", "squawk"} == {page.stem for page in PAGES.glob("*.md")}
    index = (PAGES / "index.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(EC\d+)\]\(\1\.md\) \| ([\w-]+) \| (\w+) \| (.*) \|$", index, re.MULTILINE)
    assert [(rule.code, rule.name, str(rule.severity), rule.summary) for rule in rules()] == rows


@EVERY
def test_the_page_says_what_the_rule_says(rule: Rule) -> None:
    """Head, summary, reason, both examples and how to pass over it."""
    text = (PAGES / f"{rule.code}.md").read_text(encoding="utf-8")
    where = {Half.EXPAND: "in an expand", Half.CONTRACT: "in a contract", None: "in an ordinary revision"}
    head = f"# {rule.code}: {rule.name}\n\n{rule.summary}\n\n**Severity:** {rule.severity}\n\n**Why:** {rule.why}\n"
    assert text.startswith(head)
    assert f"## Bad ({where[rule.bad.half]})\n\n```python\n{rule.bad.source}```\n" in text
    assert f"## Instead ({where[rule.good.half]})\n\n```python\n{rule.good.source}```\n" in text
    assert "\n## To pass over it\n" in text
    assert rule.last or f"# ec: ignore {rule.code} because …" in text
