"""Forms of indexes.

https://www.postgresql.org/docs/current/sql-createindex.html
"""

from __future__ import annotations

from expandcontract.pg.locks.forms.form import EVERY, NOT_PARTITIONED, PARTITIONED, PLAIN, Form, Kind

THERE = "CREATE INDEX a_ix ON a (v)"
ONLY = "CREATE INDEX a_ix ON ONLY a (v); CREATE INDEX a_1_ix ON a_1 (v)"


def _form(
    name: str,
    statement: str,
    given: str = "",
    *,
    case: str = "",
    on: frozenset[Kind] = EVERY,
    transactional: bool = True,
) -> Form:
    return Form(name=name, statement=statement, given=given, case=case, on=on, transactional=transactional)


FORMS = (
    _form("create index", "CREATE INDEX a_ix ON a (v)"),
    _form("create index", "CREATE UNIQUE INDEX a_ix ON a (id, v)", case="unique"),
    _form("create index, there already", "CREATE INDEX IF NOT EXISTS a_ix ON a (v)", THERE),
    _form("create index only", "CREATE INDEX a_ix ON ONLY a (v)", on=PARTITIONED),
    _form("create index concurrently", "CREATE INDEX CONCURRENTLY a_ix ON a (v)", transactional=False),
    _form(
        "create index concurrently",
        "CREATE UNIQUE INDEX CONCURRENTLY a_ix ON a (id, v)",
        case="unique",
        on=PLAIN,
        transactional=False,
    ),
    _form(
        "create index concurrently, there already",
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS a_ix ON a (v)",
        THERE,
        on=NOT_PARTITIONED,
        transactional=False,
    ),
    _form("drop index", "DROP INDEX a_ix", THERE),
    _form("drop index, not there", "DROP INDEX IF EXISTS a_ix"),
    _form("drop index concurrently", "DROP INDEX CONCURRENTLY a_ix", THERE, transactional=False),
    _form("reindex index", "REINDEX INDEX a_ix", THERE, on=NOT_PARTITIONED),
    _form("reindex table", "REINDEX TABLE a", THERE, on=NOT_PARTITIONED),
    _form(
        "reindex index concurrently", "REINDEX INDEX CONCURRENTLY a_ix", THERE, on=NOT_PARTITIONED, transactional=False
    ),
    _form("reindex table concurrently", "REINDEX TABLE CONCURRENTLY a", THERE, on=NOT_PARTITIONED, transactional=False),
    _form("rename index", "ALTER INDEX a_ix RENAME TO a_ix2", THERE),
    _form("set index option", "ALTER INDEX a_ix SET (fillfactor = 80)", THERE, on=NOT_PARTITIONED),
    _form(
        "set index statistics",
        "ALTER INDEX a_ix ALTER COLUMN 1 SET STATISTICS 100",
        "CREATE INDEX a_ix ON a (lower(v))",
    ),
    _form("attach index", "ALTER INDEX a_ix ATTACH PARTITION a_1_ix", ONLY, on=PARTITIONED),
)
