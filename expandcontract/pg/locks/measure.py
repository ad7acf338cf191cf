"""Measures each form on a server, in a schema of its own that is dropped afterwards."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.effect import Effect
from expandcontract.errors import FailedError
from expandcontract.pg.locks.forms import FORMS, Form, Kind
from expandcontract.pg.locks.observe import observe
from expandcontract.pg.locks.roles import role

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from expandcontract.core.effect import LockMode

SCHEMA = "forms"
CLEAN = tuple(f"DROP SCHEMA IF EXISTS {schema} CASCADE" for schema in (SCHEMA, "other", "forms_schema"))
A = (
    "CREATE TABLE a (id int PRIMARY KEY, v varchar(20), n int, b_id int)",
    "INSERT INTO a (id, v, n, b_id) SELECT g, 'v' || g, g, g FROM generate_series(1, 40) AS g",
)
CHILDREN = {
    Kind.PLAIN: ("", ()),
    Kind.PARTITIONED: (
        " PARTITION BY RANGE (id)",
        (
            "CREATE TABLE {0}_1 PARTITION OF {0} FOR VALUES FROM (0) TO (21)",
            "CREATE TABLE {0}_2 PARTITION OF {0} FOR VALUES FROM (21) TO (1000)",
        ),
    ),
    Kind.INHERITED: ("", ("CREATE TABLE {0}_1 () INHERITS ({0})",)),
}
B = (
    "CREATE TABLE b (id int PRIMARY KEY, u int)",
    "INSERT INTO b (id, u) SELECT g, g FROM generate_series(1, 40) AS g",
)
Entry = dict[str, object]


def measure(connection: Connection, forms: Iterable[Form] = FORMS) -> dict[str, dict[str, Entry]]:
    """Every form's effect on every kind of table, by roles.

    Args:
        connection: To a scratch database, as superuser; all of its tables are locked meanwhile.
        forms: Which.

    Returns:
        By form and case, then by kind of table: ``locks`` (mode by role), ``rewrites`` and ``scans`` (roles),
        ``transactional``; or ``refused`` with PostgreSQL's reason.
    """
    return {
        form.key: {kind.value: _entry(connection, form, kind) for kind in Kind if kind in form.on} for form in forms
    }


def _entry(connection: Connection, form: Form, kind: Kind) -> Entry:
    with prepared(connection, form, kind) as refused:
        return {"refused": refused} if refused else by_role(seen(connection, form))


def seen(connection: Connection, form: Form) -> Effect:
    """What a form does where its schema is prepared; ``refused`` is PostgreSQL's reason where it does nothing."""
    try:
        return observe(connection, form.statement)
    except (DBAPIError, FailedError) as exc:
        return Effect(statement=form.statement, refused=reason(exc))
    finally:
        connection.rollback()


def by_role(effect: Effect) -> Entry:
    """An effect on the measured tables, told by roles; only the reason where it was refused.

    Raises:
        FailedError: Two relations of one role have different locks, or a relation has no role.
    """
    if effect.refused:
        return {"refused": effect.refused}
    locks: dict[str, LockMode] = {}
    for lock in effect.locks:
        part = role(lock.relation.removeprefix(f"{SCHEMA}."))
        if part.startswith("?") or locks.get(part, lock.mode) != lock.mode:
            msg = f"{effect.statement}: {lock} fits no role beside {locks}"
            raise FailedError(msg, hint="name the relation in expandcontract/pg/locks/roles.py")
        locks[part] = lock.mode
    return {
        "locks": {part: str(mode) for part, mode in sorted(locks.items())},
        **{what: _roles(getattr(effect, what)) for what in ("rewrites", "scans")},
        "transactional": effect.transactional,
    }


def _roles(relations: Iterable[str]) -> list[str]:
    return sorted({role(relation.removeprefix(f"{SCHEMA}.")) for relation in relations})


def reason(exc: Exception) -> str:
    """PostgreSQL's own sentence."""
    said = getattr(exc, "orig", None) or getattr(exc.__cause__, "orig", None) or exc
    return str(said).splitlines()[0]


@contextmanager
def prepared(connection: Connection, form: Form, kind: Kind) -> Iterator[str]:
    """The schema that a form works on, committed; dropped afterwards.

    Yields:
        Why PostgreSQL refused what the form takes as given; empty where it did not.
    """
    _run(connection, *CLEAN, f"CREATE SCHEMA {SCHEMA}", f"SET search_path = {SCHEMA}")
    connection.execute(text("SELECT set_config('TimeZone', :zone, false)"), {"zone": form.zone})
    refused = ""
    try:
        tables = (*_table("b", B, form.referenced, empty=form.empty), *_table("a", A, kind, empty=form.empty))
        _run(connection, *tables)
        if form.given:
            _run(connection, form.given)
        connection.commit()
    except DBAPIError as exc:
        connection.rollback()
        refused = reason(exc)
    try:
        yield refused
    finally:
        connection.rollback()
        _run(connection, *CLEAN, "RESET search_path", "RESET TimeZone")
        connection.commit()


def _table(name: str, statements: tuple[str, str], kind: Kind, *, empty: bool) -> list[str]:
    suffix, children = CHILDREN[kind]
    made = [statements[0] + suffix, *(child.format(name) for child in children)]
    if empty:
        return made
    made.append(statements[1])
    if kind is Kind.INHERITED:
        made.append(f"INSERT INTO {name}_1 SELECT * FROM ONLY {name}")
    return made


def _run(connection: Connection, *statements: str) -> None:
    """All in one round trip: there are a dozen for each of the forms."""
    connection.exec_driver_sql(";\n".join(statements).replace("%", "%%"))
