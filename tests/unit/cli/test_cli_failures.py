"""Every failure is told in one clear way, with the right exit code and never a password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from expandcontract.cli.failure import redact
from expandcontract.errors import BusyError, ConnectError, FailedError, RefusedError, UnhealthyError
from tests.unit.cli.fake import judgement

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.fake import FakeRunner

Ec = "Callable[..., tuple[int, str, str]]"

WRONG = {
    "statsu": "no command is called 'statsu'; did you mean 'status'?",
    "new rename-colum": "did you mean 'rename-column'?",
    "advance": "no change is named",
    "run": "no change is named",
    "run a --release v3 --deployed": "--deployed and --release exclude each other",
    "run a --wait soon": "'soon' is not a duration",
    "run a --by hand": "--by takes only 'database'",
    "advance a --all": "--all takes no names",
    "advance --all --to backfilled": "--all makes one move of each change",
    "gate a contrct": "'contrct' is no move; did you mean 'contract'?",
    "advance a --to backfiled": "did you mean 'backfilled'?",
    "deploy bleu v1": "did you mean 'blue'?",
    "switch blue --steps 50,20": "must rise and end at 100",
    "switch blue --steps a": "not a list of whole per cents",
    "advance a --by hand": "--by takes only 'database'",
    "advance a --by database --release v2": "exclude each other",
    "deploy blue v1 --speaks a": "does not say what is spoken",
    "deploy blue v1 --speaks a=nwe": "did you mean 'new'?",
    "deploy blue v1 --speaks a=new,a=old": "twice",
    "window a --extend 5": "'5' is not a duration",
    "gate a contract --wait soon": "'soon' is not a duration",
    "status --frob": "No such option",
    "--config nowhere status": "no settings at",
}


@pytest.mark.parametrize("line", WRONG)
def test_wrong_usage_is_one_line_and_exit_2(
    line: str, ec: Callable[..., tuple[int, str, str]], fake: FakeRunner
) -> None:
    """Wrong usage says what is wrong and what to type, exits 2, and the runner is not asked."""
    code, out, err = ec(*line.split())
    assert (2, "") == (code, out)
    assert WRONG[line] in err.splitlines()[0]
    assert len(err.splitlines()) <= 2
    assert [] == fake.calls


RAISED = [
    (ConnectError("cannot connect", hint="set EC_DATABASE"), 2, "EC106: cannot connect"),
    (
        RefusedError("no release was named", hint="ec advance a --release VERSION"),
        3,
        "EC301 refused: no release was named",
    ),
    (BusyError("ec advance b holds the lock"), 4, "EC401 busy: ec advance b holds the lock"),
    (UnhealthyError("green answers 503"), 5, "EC503: green answers 503"),
    (FailedError("it stopped"), 1, "EC601: it stopped"),
    (psycopg.OperationalError("no such table\nDETAIL"), 1, "EC601: PostgreSQL says: no such table (OperationalError)"),
    (KeyError("x"), 1, "EC601: unexpected KeyError: 'x'"),
]


@pytest.mark.parametrize(("exc", "code", "line"), RAISED, ids=[type(exc).__name__ for exc, _, _ in RAISED])
def test_exit_code_and_line(
    exc: Exception, code: int, line: str, ec: Callable[..., tuple[int, str, str]], fake: FakeRunner
) -> None:
    """Each kind of error has its exit code and one line with its code; no traceback."""
    fake.raises = exc
    found, _, err = ec("advance", "a")
    assert code == found
    assert line == err.splitlines()[0]
    assert "Traceback" not in err


def test_debug_shows_the_traceback(ec: Callable[..., tuple[int, str, str]], fake: FakeRunner) -> None:
    """``--debug`` shows where it happened."""
    fake.raises = KeyError("x")
    assert "Traceback" in ec("--debug", "advance", "a")[2]


def test_refusal_shows_only_shut_gates(ec: Callable[..., tuple[int, str, str]], fake: FakeRunner) -> None:
    """A refused move tells the shut gates with measure, limit, time, and the command to run next."""
    shut = judgement(opened=False)
    fake.raises = RefusedError("contract is refused:\n  EC360", hint=shut.next_command, document=shut.document())
    code, _, err = ec("advance", "users_name")
    assert code == 3
    assert [
        "EC301 refused: contract of users_name, which is cut_over",
        "✗ EC360 window: the rollback window closes",
        "    measured 1h · limit 1d · opens at 2026-03-02 12:00:00 UTC",
        "  earliest: 2026-03-02 12:00:00 UTC, in 1d",
        "  next: ec gate users_name contract --wait 23h",
    ] == err.splitlines()


def test_error_document_keeps_events_and_judgement(
    document: Callable[..., tuple[int, dict[str, Any]]], fake: FakeRunner
) -> None:
    """With ``--json`` an error is a document with its code and exit code, the judgement, and the events until then."""
    shut = judgement(opened=False)
    fake.raises = RefusedError("closed", hint="wait", document=shut.document())
    code, found = document("advance", "users_name")
    assert code == 3
    assert {"code": "EC301", "message": "closed", "hint": "wait", "exit_code": 3} == found["error"]
    assert ["began", "progress"] == [event["kind"] for event in found["events"]]
    assert found["opens_at"] == "2026-03-02T12:00:00+00:00"


def test_usage_error_document(document: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    """Wrong usage is a document too, where one was asked for."""
    code, found = document("statsu")
    assert (2, "EC101") == (code, found["error"]["code"])


def test_interrupt_says_how_to_go_on(ec: Callable[..., tuple[int, str, str]], fake: FakeRunner) -> None:
    """Ctrl-C exits 130 and names the two ways on."""
    fake.raises = KeyboardInterrupt()
    code, _, err = ec("advance", "a", "b")
    assert code == 130
    assert err == "the move is left in flight: ec advance a b resumes it, ec rollback a b takes it back\n"


def test_interrupt_document(document: Callable[..., tuple[int, dict[str, Any]]], fake: FakeRunner) -> None:
    """Ctrl-C leaves one document behind, with what had happened."""
    fake.raises = KeyboardInterrupt()
    code, found = document("backfill", "a")
    assert (130, 130) == (code, found["error"]["exit_code"])
    assert len(found["events"]) == 2


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ec:s3cr3t@db:5432/shop",
        "postgresql+psycopg://ec:s3cr3t@x@db/shop",
        "host=db password=s3cr3t dbname=shop",
        "host=db password='s3cr3t x' dbname=shop",
        'Password: "s3cr3t"',
        "postgresql://db/shop?user=ec&password=s3cr3t&x=1",
    ],
)
def test_no_password_survives(text: str) -> None:
    """A password is starred out of an address and of a connection string, whatever it holds."""
    assert "s3cr3t" not in redact(text)
    assert "***" in redact(text)


def test_driver_message_is_redacted(ec: Callable[..., tuple[int, str, str]], fake: FakeRunner) -> None:
    """What a driver says is told without the password that it echoes, traceback included."""
    origin = psycopg.OperationalError('connection to "postgresql://ec:s3cr3t@db/shop" failed')
    fake.raises = OperationalError("SELECT 1", None, origin)
    code, out, err = ec("--debug", "advance", "a")
    assert code == 1
    assert "s3cr3t" not in out + err
