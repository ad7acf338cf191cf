"""How an error is told: one line with its code, what to do next, and an exit code; never a password."""

from __future__ import annotations

import re
import sys
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import typer

from expandcontract.cli.screen import emit, in_line
from expandcontract.errors import ExpandContractError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

INTERRUPTED = 130
IN_ADDRESS = re.compile(r"(://[^:/@\s]*):(\S*)@")
IN_WORDS = re.compile(r"(password\s*[=:]\s*)('[^']*'|\"[^\"]*\"|[^\s,;&)]+)", re.IGNORECASE)
FOREIGN = {"psycopg": "PostgreSQL", "sqlalchemy": "PostgreSQL", "alembic": "Alembic"}


class Interrupted(Exception):  # noqa: N818 - it is no error
    """Ctrl-C, with what it leaves behind. Typer would swallow a KeyboardInterrupt, so this is none.

    Args:
        said: What stands now and how to go on.
        document: What had happened by then, for ``--json``.
    """

    def __init__(self, said: str, document: Mapping[str, object] | None = None) -> None:
        super().__init__(said)
        self.said = said
        self.document = dict(document or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An error in words.

    Attributes:
        code: ``EC301``; stable.
        message: What was found beside what was needed.
        hint: What to type next.
        exit_code: Of the process.
        document: More for ``--json``: the judgement, or the events until then.
    """

    code: str
    message: str
    hint: str | None = None
    exit_code: int = 1
    document: dict[str, object] = field(default_factory=dict)

    def json(self) -> dict[str, object]:
        """As one document."""
        error = {"code": self.code, "message": self.message, "hint": self.hint, "exit_code": self.exit_code}
        return {**self.document, "error": error}


def redact(text: str) -> str:
    """``text`` with every password of an address or a connection string starred out."""
    return IN_WORDS.sub(r"\1***", IN_ADDRESS.sub(r"\1:***@", text))


def told(exc: BaseException) -> Told:
    """What is said of ``exc``."""
    events = getattr(exc, "so_far", {})
    if isinstance(exc, ExpandContractError):
        document = {**events, **getattr(exc, "document", {})}
        hint = redact(exc.hint) if exc.hint else None
        return Told(code=exc.code, message=redact(exc.message), hint=hint, exit_code=exc.exit_code, document=document)
    if isinstance(exc, (Interrupted, KeyboardInterrupt)):
        said, document = getattr(exc, "said", "interrupted"), getattr(exc, "document", {})
        return Told(code="interrupted", message=said, exit_code=INTERRUPTED, document=document)
    if isinstance(exc, typer.Abort):
        return Told(code="interrupted", message="interrupted", exit_code=INTERRUPTED)
    if hasattr(exc, "format_message") and hasattr(exc, "exit_code"):
        return Told(code="EC101", message=redact(_usage(exc)), hint=_help(exc), exit_code=2)
    return Told(
        code="EC601", message=_unexpected(exc), hint="run it again with --debug for the traceback", document=events
    )


def _usage(exc: BaseException) -> str:
    # Typer wraps lists of choices over lines; a refusal is one line
    message = " ".join(exc.format_message().split())  # type: ignore[attr-defined]
    return str(message).rstrip(".")


def _help(exc: BaseException) -> str:
    context = getattr(exc, "ctx", None)
    return f"{context.command_path if context else 'ec'} --help"


def _unexpected(exc: BaseException) -> str:
    root = exc
    while root.__cause__ is not None:
        root = root.__cause__
    lines = str(root).strip().splitlines() or [""]
    source = FOREIGN.get(type(root).__module__.split(".")[0])
    name = type(root).__name__
    return redact(f"{source} says: {lines[0]} ({name})" if source else f"unexpected {name}: {lines[0]}")


def report(exc: BaseException, *, json: bool, debug: bool, lines: bool = False) -> int:
    """Tell ``exc`` to whoever called and give the exit code.

    Args:
        exc: What went wrong.
        json: As a document instead of in words.
        debug: With its traceback.
        lines: The document on one line.
    """
    telling = told(exc)
    if debug:
        sys.stderr.write(redact("".join(traceback.format_exception(exc))))
    if lines:
        sys.stdout.write(in_line(telling.json()) + "\n")
        return telling.exit_code
    if json:
        emit(telling.json())
        return telling.exit_code
    if isinstance(exc, RefusedError) and exc.document.get("gates"):
        from expandcontract.cli.show_gate import show_refusal  # noqa: PLC0415 - most errors carry no judgement

        show_refusal(exc.document, telling)
        return telling.exit_code
    verb = {3: " refused", 4: " busy"}.get(telling.exit_code, "")
    head = "" if telling.code == "interrupted" else f"{telling.code}{verb}: "
    sys.stderr.write(f"{head}{telling.message}\n")
    if telling.hint:
        sys.stderr.write(f"  next: {telling.hint}\n")
    return telling.exit_code
