"""Runs the rules over revisions, drops what is said twice, and passes over what a comment gives a reason for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.lint.finding import Finding, Report
from expandcontract.lint.ignore import ignores, reach
from expandcontract.lint.rule import Rule, rules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from expandcontract.core.revision import Ignore, Revision

SQUAWK = "squawk:"


def judge(
    revisions: Sequence[Revision],
    squawked: Mapping[str, Sequence[Finding]] | None = None,
    notes: Sequence[str] = (),
) -> Report:
    """What the rules say.

    Args:
        revisions: In chain order.
        squawked: The findings of squawk by revision; ``None`` where squawk did not run.
        notes: What the run could not do.
    """
    findings: list[Finding] = []
    passed: list[Finding] = []
    for revision in revisions:
        kept, over = _judge(revision, None if squawked is None else squawked.get(revision.id, ()))
        findings += kept
        passed += over
    return Report(
        findings=tuple(sorted(findings)),
        passed_over=tuple(sorted(passed)),
        revisions=tuple(revision.id for revision in revisions),
        notes=tuple(notes),
    )


def _judge(revision: Revision, squawked: Sequence[Finding] | None) -> tuple[list[Finding], list[Finding]]:
    first = [rule for rule in rules() if not rule.last]
    found = [finding for rule in first for finding in _hits(rule, revision)]
    found += _not_covered(first, found, squawked or ())
    comments = ignores(revision.source)
    over = {finding: comment for finding in found if (comment := _comment(revision, comments, finding))}
    used = {(comment.line, finding.code) for finding, comment in over.items()}
    told = tuple(_weighed(comment, used, ran=squawked is not None) for comment in comments)
    marked = replace(revision, ignores=told)
    kept = _said_once(first, [finding for finding in found if finding not in over])
    kept += [finding for rule in rules() if rule.last for finding in _hits(rule, marked)]
    return kept, [replace(finding, reason=comment.reason) for finding, comment in over.items()]


def _hits(rule: Rule, revision: Revision) -> list[Finding]:
    return [
        Finding(
            path=revision.path,
            line=hit.line,
            code=rule.code,
            name=rule.name,
            severity=hit.severity or rule.severity,
            revision=revision.id,
            change=revision.change,
            what=hit.what,
            why=rule.why,
            fix=hit.fix,
        )
        for hit in rule.check(revision)
    ]


def _not_covered(known: list[Rule], found: list[Finding], squawked: Sequence[Finding]) -> list[Finding]:
    there = {(finding.line, finding.code) for finding in found}
    covered = {
        (line, SQUAWK + name) for rule in known for line, code in there if code == rule.code for name in rule.covers
    }
    return [finding for finding in squawked if (finding.line, finding.code) not in covered]


def _said_once(known: list[Rule], found: list[Finding]) -> list[Finding]:
    there = {(finding.line, finding.code) for finding in found}
    stronger = {rule.code: rule.yields_to for rule in known}
    return [f for f in found if not any((f.line, code) in there for code in stronger.get(f.code, ()))]


def _comment(revision: Revision, comments: Sequence[Ignore], finding: Finding) -> Ignore | None:
    near = reach(revision.source, finding.line) if comments else ()
    named = (comment for comment in comments if comment.line in near and finding.code in comment.codes)
    return next((comment for comment in named if comment.reason), None)


def _weighed(comment: Ignore, used: set[tuple[int, str]], *, ran: bool) -> Ignore:
    codes = {rule.code for rule in rules() if not rule.last}
    unknown = tuple(code for code in comment.codes if code not in codes and not code.startswith(SQUAWK))
    # where squawk did not run, nobody can tell whether its comment is of use
    told = [code for code in comment.codes if code not in unknown and (ran or not code.startswith(SQUAWK))]
    unused = tuple(code for code in told if comment.reason and (comment.line, code) not in used)
    return replace(comment, unknown=unknown, unused=unused)
