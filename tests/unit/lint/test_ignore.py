"""A comment passes over a finding where it stands, with a reason, and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.lint.finding import Finding, Severity
from expandcontract.lint.ignore import ignores
from expandcontract.lint.judge import judge

if TYPE_CHECKING:
    from tests.fix_revisions import Written

WHY = "because the table is unused since May"
PLACES = [
    f'    op.drop_table("t")  # ec: ignore EC201 {WHY}\n',
    f'    # ec: ignore EC201 {WHY}\n    op.drop_table("t")\n',
    f'    # ec: ignore EC201 {WHY}\n    # (see the ticket)\n    op.drop_table("t")\n',
    f'    op.drop_table(\n        "t",  # ec: ignore EC201, {WHY}\n    )\n',
    f'    with op.get_context().autocommit_block():\n        # ec: ignore EC201 {WHY}\n        op.drop_table("t")\n',
]
ELSEWHERE = [
    f'    op.drop_table("t")\n    # ec: ignore EC201 {WHY}\n',
    f'    # ec: ignore EC201 {WHY}\n\n    op.drop_table("t")\n',
    f'    # ec: ignore EC202 {WHY}\n    op.drop_table("t")\n',
    f'    op.execute("COMMENT ON TABLE t IS NULL")  # ec: ignore EC201 {WHY}\n    op.drop_table("t")\n',
]


@pytest.mark.parametrize("body", PLACES)
def test_it_stands_beside_the_call_or_right_above(written: Written, body: str) -> None:
    """The finding moves to those passed over, with the reason as written."""
    report = judge([written.record(None, f"def upgrade():\n{body}")])
    assert ((), True) == (report.findings, report.clean)
    assert [("EC201", WHY.removeprefix("because "))] == [(one.code, one.reason) for one in report.passed_over]


@pytest.mark.parametrize("body", ELSEWHERE)
def test_anywhere_else_it_passes_over_nothing(written: Written, body: str) -> None:
    """The finding stays, and the comment is found to be of no use."""
    report = judge([written.record(None, f"def upgrade():\n{body}")])
    assert {"EC201", "EC252"} == {finding.code for finding in report.findings}
    assert () == report.passed_over


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("# ec: ignore EC201", {"EC201", "EC250"}),
        ("# ec: ignore EC201 because", {"EC201", "EC250"}),
        ("# ec: ignore because it is fine", {"EC201", "EC250"}),
        ("# ec: ignore EC299 because it is fine", {"EC201", "EC251"}),
        ("# ec: ignore EC201 EC202 because it is fine", {"EC252"}),
        ("# ec: ignore EC201 squawk:ban-drop-table because it is fine", set()),
        ("# ec: ignore EC251 because it is fine", {"EC201", "EC251"}),
        ("# noqa: EC201", {"EC201"}),
    ],
)
def test_what_is_wrong_with_a_comment_is_told(written: Written, comment: str, codes: set[str]) -> None:
    """No reason, no code, an unknown code, an unused one; of squawk's nothing is known where it did not run."""
    report = judge([written.record(None, f'def upgrade():\n    op.drop_table("t")  {comment}\n')])
    assert codes == {finding.code for finding in report.findings}


def test_a_string_is_no_comment() -> None:
    """Only comments count, wherever the words stand."""
    assert () == ignores('x = "# ec: ignore EC201 because no"\n')


def test_squawk_is_passed_over_by_name(written: Written) -> None:
    """Its findings take part where it ran; an unused name of it is then told."""
    comment = "# ec: ignore squawk:ban-x, squawk:ban-y because it is fine"
    revision = written.record(None, f'def upgrade():\n    op.execute("COMMENT ON TABLE t IS NULL")  {comment}\n')
    found = Finding(
        path=revision.path,
        line=revision.statements[0].line,
        code="squawk:ban-x",
        name="ban-x",
        severity=Severity.WARNING,
        revision=revision.id,
        what="x",
        why="y",
        fix="z",
    )
    report = judge([revision], {revision.id: [found]})
    assert (["EC252"], ["squawk:ban-x"]) == ([f.code for f in report.findings], [f.code for f in report.passed_over])


def test_what_one_finding_says_no_other_repeats(written: Written) -> None:
    """A rule yields to one that says more; once that is passed over with a reason, the weaker one is told."""
    body = 'op.create_check_constraint("c", "users", "a > 0")'
    told = judge([written.record(None, f"def upgrade():\n    {body}\n")])
    assert ["EC204"] == [finding.code for finding in told.findings]
    told = judge([written.record(None, f"def upgrade():\n    {body}  # ec: ignore EC204 because nobody writes\n")])
    assert ["EC222"] == [finding.code for finding in told.findings]
