"""What a half took away comes back: online and first, and also where the half was broken off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from expandcontract.core.phase import Phase
from expandcontract.errors import FailedError
from expandcontract.revisions.guard import _Recorder
from tests.compat.cases import drop_index, drop_not_null, enum_added
from tests.compat.drive import Drive

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.compat.drive import Case
    from tests.fix_project import Project

INDEX = "SELECT indisunique, indisvalid FROM pg_index WHERE indexrelid = to_regclass('users_nick_key')"


@pytest.fixture
def prepared(empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A project with the pair of a case, made when asked for."""
    monkeypatch.chdir(empty.directory)

    def prepare(case: Case) -> Drive:
        drive = Drive(case, empty, server)
        drive.prepare()
        return drive

    return prepare


def test_an_index_whose_contract_was_broken_off(prepared: Any, empty: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is gone before the contract's last transaction; taken back, it is there again, and may go again."""
    drive = prepared(drop_index.CASES[0])
    drive.forward()
    empty.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    drive.do("deploy", "green", "v3") if "blue=100" in empty.weights() else drive.do("deploy", "blue", "v3")

    def broken_off(*_: object, **__: object) -> None:
        msg = "broken off"
        raise psycopg.OperationalError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(_Recorder, "__call__", broken_off)
        with pytest.raises((FailedError, psycopg.OperationalError), match="broken off"):
            drive.advance()
    assert [] == empty.sql(INDEX)
    drive.do("rollback", [drive.case.name])
    assert [(True, True)] == empty.sql(INDEX)
    assert Phase.CUT_OVER is drive.state().phase
    drive.contract()
    assert [] == empty.sql(INDEX)
    assert Phase.CONTRACTED is drive.state().phase


def test_not_null_comes_back_without_a_scan_in_the_downgrade(prepared: Any, empty: Project) -> None:
    """The rule is put back by a constraint that is validated while others read and write; the rows are filled first."""
    drive = prepared(drop_not_null.CASES[0])
    drive.forward()
    nulls = empty.sql("SELECT count(*) FROM users WHERE nick IS NULL")[0][0]
    drive.free()
    events = list(drive.runner.rollback([drive.case.name]))
    said = [event.text for event in events]
    assert f"{nulls} rows filled" in said
    assert said.index("put back: NOT NULL of users.nick") < next(n for n, s in enumerate(said) if "taking back" in s)
    assert [(0,)] == empty.sql("SELECT count(*) FROM users WHERE nick IS NULL")


def test_what_is_for_good_is_said_before(prepared: Any) -> None:
    """Plan and advance say that an enum value stays, before the expand adds it."""
    drive = prepared(enum_added.CASES[0])
    assert "PostgreSQL cannot take a value out of an enum" == drive.runner.plan(drive.case.name)["irreversible"]
    said = [event.text for event in drive.runner.advance([drive.case.name])]
    warning = next(n for n, text in enumerate(said) if "cannot be taken back once it is expanded" in text)
    assert warning < next(n for n, text in enumerate(said) if text.startswith("applying"))
