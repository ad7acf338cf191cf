"""What the rules say of revisions."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding weighs; the words are those of SARIF."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One place where a rule applies.

    Attributes:
        line: In the revision's file.
        what: The fact, with names.
        fix: What to do instead, with code to paste; may be several lines.
        severity: Where it differs from the rule's own.
    """

    line: int
    what: str
    fix: str
    severity: Severity | None = None


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Finding:
    """A hit, with whose it is.

    Attributes:
        path: The revision's file.
        line: In that file.
        code: ``EC204``, or ``squawk:…`` for a rule of squawk.
        name: The rule's name.
        severity: How much it weighs.
        revision: Alembic's identifier.
        change: The change, where it is a half of a pair.
        what: The fact, with names.
        why: What may happen.
        fix: What to do instead.
        reason: Why a comment passes over it; empty where none does.
    """

    path: str
    line: int
    code: str
    name: str = field(compare=False)
    severity: Severity = field(compare=False)
    revision: str = field(compare=False)
    change: str | None = field(compare=False, default=None)
    what: str
    why: str = field(compare=False)
    fix: str = field(compare=False)
    reason: str = field(compare=False, default="")

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        known = {
            "code": self.code,
            "rule": self.name,
            "severity": str(self.severity),
            "path": self.path,
            "line": self.line,
            "revision": self.revision,
            "change": self.change,
            "what": self.what,
            "why": self.why,
            "fix": self.fix,
        }
        return {**known, "reason": self.reason} if self.reason else known


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The outcome of one run.

    Attributes:
        findings: By file and line.
        passed_over: Findings that a comment with a reason passes over.
        revisions: The identifiers of what was judged, in chain order.
        notes: What the run itself could not do: squawk is missing.
    """

    findings: tuple[Finding, ...] = ()
    passed_over: tuple[Finding, ...] = ()
    revisions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def count(self, severity: Severity) -> int:
        """How many findings are of that severity."""
        return sum(finding.severity is severity for finding in self.findings)

    @property
    def clean(self) -> bool:
        """Whether no finding is an error."""
        return not self.count(Severity.ERROR)

    @property
    def warned(self) -> bool:
        """Whether a finding is a warning."""
        return bool(self.count(Severity.WARNING))

    def document(self) -> dict[str, object]:
        """As the document of ``--json``."""
        return {
            "clean": self.clean,
            "counts": {str(severity): self.count(severity) for severity in Severity},
            "revisions": list(self.revisions),
            "findings": [finding.document() for finding in self.findings],
            "passed_over": [finding.document() for finding in self.passed_over],
            "notes": list(self.notes),
        }
