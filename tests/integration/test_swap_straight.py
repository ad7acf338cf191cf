"""Swapped pairs where nothing is running: straight through and back; and what a script can and cannot do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic import command

from expandcontract.core.phase import Phase
from expandcontract.errors import RefusedError
from tests.compat.cases import keep_name
from tests.compat.drive import Case, Drive

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

MINDING = Case(
    name="minding_amount",
    recipe="change-type",
    arguments={"table": "minding", "column": "amount", "type": "bigint", "keep_name": True},
    setup="""
    CREATE TABLE minding (id int PRIMARY KEY, amount int NOT NULL, other int, CHECK (num_nonnulls(amount, other) = 2));
    ALTER TABLE minding ADD UNIQUE NULLS NOT DISTINCT (amount);
    INSERT INTO minding SELECT n, n, n FROM generate_series(1, 50) AS n;
    """,
    old=(),
    new=(),
)


def _drive(case: Case, empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Drive:
    monkeypatch.chdir(empty.directory)
    drive = Drive(case, empty, server)
    drive.prepare()
    return drive


def test_rules_that_mind_null_do_not_fail_a_write(
    empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the swap no check or unique constraint of the old column fails a value that it is NULL for."""
    drive = _drive(MINDING, empty, server, monkeypatch)
    while drive.state().phase is not Phase.BACKFILLED:
        drive.advance()
    before = drive.dump()
    drive.advance()
    empty.sql("UPDATE minding SET amount = 3000000000 + id WHERE id IN (1, 2)")
    assert [(1, None), (2, None)] == empty.sql("SELECT id, amount_beside FROM minding WHERE id < 3 ORDER BY id")
    with pytest.raises(psycopg.errors.UniqueViolation):
        empty.sql("UPDATE minding SET amount = 3 WHERE id = 4")
    with pytest.raises(RefusedError, match="EC372"):
        drive.do("rollback", [drive.case.name])
    empty.sql("UPDATE minding SET amount = id WHERE id IN (1, 2)")
    drive.do("rollback", [drive.case.name])
    assert _bare(before) == _bare(drive.dump())


def test_a_value_in_the_last_moment(empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A value written between the gate and the proof is found by the proof: the roll-back is taken back."""
    drive = _drive(MINDING, empty, server, monkeypatch)
    while drive.state().phase is not Phase.CUT_OVER:
        drive.advance()
    before = drive.dump()
    events = drive.runner.rollback([drive.case.name])
    next(event for event in events if event.kind == "began")
    empty.sql("UPDATE minding SET amount = 3000000000 WHERE id = 1")
    with pytest.raises(RefusedError, match="was taken back, it is cut_over"):
        list(events)
    assert (Phase.CUT_OVER, None) == (drive.state().phase, drive.state().in_flight)
    assert before == drive.dump()
    empty.sql("UPDATE minding SET amount = 3000000001 WHERE id = 1")


@pytest.mark.parametrize("lossy", [False, True], ids=["exact", "lossy"])
def test_a_value_that_is_rounded(
    empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch, *, lossy: bool
) -> None:
    """A finer value closes the way back, and not the contract; under a mapping declared lossy it is only told."""
    case = Case(
        name="prices",
        recipe="change-type",
        arguments={"table": "price", "column": "v", "type": "numeric(12,4)", "keep_name": True, "lossy": lossy},
        setup="CREATE TABLE price (id int, v numeric(10,2)); INSERT INTO price VALUES (1, 1.25), (2, 2.5)",
        old=(),
        new=(),
    )
    drive = _drive(case, empty, server, monkeypatch)
    while drive.state().phase is not Phase.CUT_OVER:
        drive.advance()
    empty.sql("UPDATE price SET v = 1.2345 WHERE id = 1")
    assert [("1.2345", "1.23")] == empty.sql("SELECT v::text, v_beside::text FROM price WHERE id = 1")
    assert "old and new shape agree on every row" in empty.ec("verify", case.name)
    if lossy:
        assert "1 rows of price.v tell more than price.v_beside can give again" in empty.ec("rollback", case.name)
        assert [("1.23",)] == empty.sql("SELECT v::text FROM price WHERE id = 1")
        return
    assert "1 rows have a value of price.v that the old type cannot have" in empty.ec("rollback", case.name, expect=3)
    drive.contract()
    assert [("1.2345",)] == empty.sql("SELECT v::text FROM price WHERE id = 1")


@pytest.mark.parametrize("case", [keep_name.CASES[0], MINDING], ids=lambda case: case.name)
def test_development_goes_down_and_up_again(
    case: Case, empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a development database each half's downgrade undoes it, rows included, and the way up ends the same."""
    drive = _drive(case, empty, server, monkeypatch)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE dev_{case.name}")
    url = server.dsn(f"dev_{case.name}")
    monkeypatch.setenv("EC_DATABASE", url)
    empty.database = url
    empty.ec("init", "--development")
    config = drive.config(url)
    command.upgrade(config, "0001")
    before, rows = drive.dump(url), empty.sql(f"SELECT * FROM {_table(case)} ORDER BY id")
    command.upgrade(config, "expand@head")
    expanded = drive.dump(url)
    command.upgrade(config, "heads")
    end = drive.dump(url)
    command.downgrade(config, "contract@-1")
    assert sorted(_bare(expanded)) == sorted(_bare(drive.dump(url)))
    command.downgrade(config, "expand@-1")
    assert sorted(_bare(before)) == sorted(_bare(drive.dump(url)))
    assert sorted(rows) == sorted(_in_order(empty, case, rows))
    command.upgrade(config, "heads")
    assert sorted(_bare(end)) == sorted(_bare(drive.dump(url)))


def _table(case: Case) -> str:
    return str(case.arguments["table"])


def _in_order(empty: Project, case: Case, rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """The rows with the columns in their first order: one that was dropped and made again stands last."""
    names = [
        row[0]
        for row in empty.sql(
            f"SELECT attname FROM pg_attribute WHERE attrelid = '{_table(case)}'::regclass"
            " AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
        )
    ]
    first = ["id", "amount", *[name for name in names if name not in ("id", "amount")]]
    assert len(first) == len(rows[0])
    return empty.sql(f"SELECT {', '.join(map(str, first))} FROM {_table(case)}")


def _bare(dump: str) -> list[str]:
    """A dump without what tells the order of columns and the number of a trigger function."""
    return [re.sub(r"sync_\d+", "sync", line.rstrip(",")) for line in dump.splitlines()]


def test_a_script_drops_no_new_column(empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contract's script is refused by the server where the names are not traded, on a development database too."""
    drive = _drive(MINDING, empty, server, monkeypatch)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE scripted")
    url = server.dsn("scripted")
    empty.database = url
    empty.ec("init", "--development")
    command.upgrade(drive.config(url), "expand@head")
    span = f"{_revision(empty, 'expand')}:{_revision(empty, 'contract')}"
    script = empty.run("alembic", "upgrade", span, "--sql").split("INFO")[0]
    with pytest.raises(psycopg.Error, match="would drop the new column: the names are not traded"):
        empty.sql(script)


def _revision(empty: Project, half: str) -> str:
    path = next((empty.directory / "migrations" / "versions").glob(f"*_{MINDING.name}_{half}.py"))
    return path.name.split("_")[0]
