"""Every error of the product.

Rules for the next editor:

1. One class per situation a caller can act on; the class fixes ``code``, ``exit_code`` and ``http_status``.
2. The message states what was found beside what was needed, with names; the hint is one line to type or do.
3. Wrapped once, at the boundary where the foreign error appears, always ``from exc``.
4. A code is never reused. EC1xx usage and settings, EC2xx lint, EC3xx gates, EC4xx busy and fenced,
   EC5xx traffic and health, EC6xx failed work.

ExpandContractError
├── UsageError                     EC101  exit 2
│   ├── ConfigError                EC102
│   ├── UnknownNameError           EC103
│   ├── MappingError               EC104
│   ├── PairError                  EC105
│   ├── ConnectError               EC106
│   ├── LedgerMissingError         EC107
│   ├── UnreachableError           EC108
│   └── UndecidedError             EC109
├── RefusedError                   EC301  exit 3   (carries the verdicts; each has its gate's own code)
├── BusyError                      EC401  exit 4
│   └── LockTimeoutError           EC402
├── FencedError                    EC403  exit 1
├── TrafficError                   EC501  exit 5
│   ├── SwitchError                EC502
│   │   └── UnsavedError           EC506  (carries what is in force)
│   ├── UnhealthyError             EC503
│   ├── DeployError                EC504
│   └── AbortedError               EC507
└── FailedError                    EC601  exit 1
    ├── LedgerTamperedError        EC602
    ├── BackfillError              EC603  (carries the row, where one is at fault)
    │   └── PlanError              EC607  (carries the plan)
    ├── SealError                  EC604
    ├── RehearsalError             EC605  (carries all that was seen)
    └── FunctionError              EC606
"""

from __future__ import annotations

from typing import ClassVar


class ExpandContractError(Exception):
    """Something the product refused or could not do.

    Args:
        message: What was found beside what was needed, in one or a few lines.
        hint: What to type or do next; ``None`` where there is nothing to advise.
    """

    code: ClassVar[str] = "EC601"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(ExpandContractError):
    """A command, flag or file asks for something that cannot be."""

    code = "EC101"
    exit_code = 2
    http_status = 400


class ConfigError(UsageError):
    """A setting is unknown, missing or malformed."""

    code = "EC102"


class UnknownNameError(UsageError):
    """A change, table, column, color or release of that name does not exist."""

    code = "EC103"
    http_status = 404


class MappingError(UsageError):
    """A mapping's expression does not parse, is volatile, or names what is not there."""

    code = "EC104"


class PairError(UsageError):
    """One half of an expand/contract pair is missing, doubled or out of order."""

    code = "EC105"


class ConnectError(UsageError):
    """The database cannot be reached or does not let us in."""

    code = "EC106"
    http_status = 503


class LedgerMissingError(UsageError):
    """The database has no ledger, or one of another version."""

    code = "EC107"
    http_status = 503


class UnreachableError(UsageError):
    """The balancer that the settings name does not answer; nothing was begun."""

    code = "EC108"
    http_status = 503


class UndecidedError(UsageError):
    """What is meant can be read in two ways, and neither is guessed.

    Args:
        message: The question in words.
        hint: The flags that answer it, either way.
        questions: Each as what it is about, and the answers as flags; JSON-ready.
    """

    code = "EC109"

    def __init__(self, message: str, *, hint: str | None = None, questions: tuple[dict[str, object], ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.questions = questions


class RefusedError(ExpandContractError):
    """A gate is closed; nothing was changed.

    Args:
        message: The refusal in words.
        hint: The command to run next.
        document: The judgement as a JSON-ready mapping, empty where there is none.
    """

    code = "EC301"
    exit_code = 3
    http_status = 409

    def __init__(self, message: str, *, hint: str | None = None, document: dict[str, object] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.document: dict[str, object] = document or {}


class BusyError(ExpandContractError):
    """Another mover is at work; nothing was changed."""

    code = "EC401"
    exit_code = 4
    http_status = 423


class LockTimeoutError(BusyError):
    """A lock could not be had within its budget; the blocker is named, and the move pauses.

    Args:
        message: What was waited for, and who is in the way.
        hint: What to type against it.
        document: The blockers as a JSON-ready mapping.
    """

    code = "EC402"

    def __init__(self, message: str, *, hint: str | None = None, document: dict[str, object] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.document: dict[str, object] = document or {}


class FencedError(ExpandContractError):
    """This mover lost its lock and another began since; it wrote nothing more."""

    code = "EC403"
    http_status = 409


class TrafficError(ExpandContractError):
    """Traffic or health failed; the shift was taken back."""

    code = "EC501"
    exit_code = 5
    http_status = 502


class SwitchError(TrafficError):
    """The balancer cannot be reached, refused a write, or reads back something else."""

    code = "EC502"


class UnsavedError(SwitchError):
    """The balancer routes by other weights than it would after a restart.

    Args:
        message: Both, with the file's name.
        hint: What to type next.
        running: The weights in force, by color.
    """

    code = "EC506"

    def __init__(self, message: str, *, hint: str | None = None, running: dict[str, int]) -> None:
        super().__init__(message, hint=hint)
        self.running = running


class UnhealthyError(TrafficError):
    """A color does not answer its probes, or its smoke test failed."""

    code = "EC503"


class DeployError(TrafficError):
    """The deploy command failed."""

    code = "EC504"


class AbortedError(TrafficError):
    """Somebody aborted the shift from elsewhere; the traffic was taken back."""

    code = "EC507"


class FailedError(ExpandContractError):
    """Work began and did not succeed; running the command again resumes it."""

    code = "EC601"


class LedgerTamperedError(FailedError):
    """The journal's chain of hashes does not hold."""

    code = "EC602"


class BackfillError(FailedError):
    """The backfill stopped; its cursor stands at the last committed batch.

    Args:
        message: Where it stopped, and why.
        hint: What to do against it.
        document: The same as a JSON-ready mapping, where more is known.
    """

    code = "EC603"

    def __init__(self, message: str, *, hint: str | None = None, document: dict[str, object] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.document: dict[str, object] = document or {}


class PlanError(BackfillError):
    """PostgreSQL would go through a whole table for one batch; none was begun, and the document has the plan."""

    code = "EC607"


class SealError(FailedError):
    """An index or constraint of the new shape could not be made valid."""

    code = "EC604"


class RehearsalError(FailedError):
    """A rehearsed move failed, or a statement did other than the plan foretold; the target was not touched.

    Args:
        message: What failed, or what differs.
        hint: What to look at next.
        document: The rehearsal so far, as a JSON-ready mapping.
    """

    code = "EC605"

    def __init__(self, message: str, *, hint: str | None = None, document: dict[str, object] | None = None) -> None:
        super().__init__(message, hint=hint)
        self.document: dict[str, object] = document or {}


class FunctionError(FailedError):
    """A Python function of the project gave nothing that can be written; its batch was not."""

    code = "EC606"
