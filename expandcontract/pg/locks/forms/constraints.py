"""Forms of constraints.

https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
"""

from __future__ import annotations

from dataclasses import replace

from expandcontract.pg.locks.forms.form import EVERY, NOT_PARTITIONED, PARTITIONED, Form, Kind

REFERENCES = "FOREIGN KEY (b_id) REFERENCES b"
FK = f"ALTER TABLE a ADD CONSTRAINT c {REFERENCES}"
REVERSE = "CREATE TABLE r (u int REFERENCES a)"
PARTS = "ALTER TABLE a_1 ADD {0}; ALTER TABLE a_2 ADD {0}"
DEEP = (
    "CREATE TABLE a_3 PARTITION OF a FOR VALUES FROM (1000) TO (2000) PARTITION BY RANGE (id);"
    "CREATE TABLE a_3_1 PARTITION OF a_3 DEFAULT; ALTER TABLE a_3 ADD {0}; " + PARTS
)
NOBODY = "ALTER TABLE a DROP CONSTRAINT a_pkey CASCADE; ALTER TABLE a ALTER COLUMN id DROP NOT NULL"
STRICT = NOBODY + "; ALTER TABLE a ALTER COLUMN id SET NOT NULL"


def _form(
    name: str,
    action: str,
    given: str = "",
    *,
    case: str = "",
    since: int = 0,
    on: frozenset[Kind] = EVERY,
    referenced: Kind = Kind.PLAIN,
) -> Form:
    return Form(
        name=name,
        statement=f"ALTER TABLE a {action}",
        given=given,
        case=case,
        since=since,
        on=on,
        referenced=referenced,
    )


def _partitions_have(name: str, what: str, given: str = "SELECT") -> tuple[Form, ...]:
    return tuple(
        _form(name, f"ADD CONSTRAINT c {what}", f"{given}; {parts.format(what)}", case=case, on=PARTITIONED)
        for case, parts in (("", PARTS), ("so have partitions of these", DEEP))
    )


def _added(what: str) -> str:
    return f"ALTER TABLE a ADD CONSTRAINT c {what}"


FOREIGN_KEYS = (
    _form("add foreign key", "ADD CONSTRAINT c FOREIGN KEY (b_id) REFERENCES b"),
    _form("add foreign key not valid", "ADD CONSTRAINT c FOREIGN KEY (b_id) REFERENCES b NOT VALID"),
    _form("add foreign key not enforced", "ADD CONSTRAINT c FOREIGN KEY (b_id) REFERENCES b NOT ENFORCED", since=18),
    _form("validate foreign key", "VALIDATE CONSTRAINT c", FK + " NOT VALID"),
    _form("drop foreign key", "DROP CONSTRAINT c", FK),
    _form("alter foreign key deferrable", "ALTER CONSTRAINT c DEFERRABLE", FK),
    _form("alter foreign key not enforced", "ALTER CONSTRAINT c NOT ENFORCED", FK, since=18),
    _form("alter foreign key enforced", "ALTER CONSTRAINT c ENFORCED", FK + " NOT ENFORCED", since=18),
)

FORMS = (
    _form("add check", "ADD CONSTRAINT c CHECK (n > 0)"),
    _form("add check not valid", "ADD CONSTRAINT c CHECK (n > 0) NOT VALID"),
    _form("add check not enforced", "ADD CONSTRAINT c CHECK (n > 0) NOT ENFORCED", since=18),
    _form("validate check", "VALIDATE CONSTRAINT c", _added("CHECK (n > 0) NOT VALID")),
    _form("validate, valid already", "VALIDATE CONSTRAINT c", _added("CHECK (n > 0)")),
    _form("drop check", "DROP CONSTRAINT c", _added("CHECK (n > 0)")),
    _form("drop constraint, not there", "DROP CONSTRAINT IF EXISTS c"),
    _form("add not null", "ADD CONSTRAINT c NOT NULL v", since=18),
    _form("add not null not valid", "ADD CONSTRAINT c NOT NULL v NOT VALID", since=18),
    _form("validate not null", "VALIDATE CONSTRAINT c", _added("NOT NULL v NOT VALID"), since=18),
    _form("drop not null", "DROP CONSTRAINT c", _added("NOT NULL v"), since=18, case="by name"),
    _form("rename constraint", "RENAME CONSTRAINT c TO d", _added("CHECK (n > 0)")),
    *FOREIGN_KEYS,
    *(replace(f, case="to a partitioned table", referenced=Kind.PARTITIONED) for f in FOREIGN_KEYS),
    *_partitions_have("add foreign key, partitions have it", REFERENCES),
    *(
        replace(form, referenced=Kind.PARTITIONED)
        for form in _partitions_have("add foreign key to a partitioned table, partitions have it", REFERENCES)
    ),
    _form(
        "alter constraint inherit", "ALTER CONSTRAINT c NO INHERIT", _added("NOT NULL v"), since=18, on=NOT_PARTITIONED
    ),
    _form("add unique", "ADD CONSTRAINT c UNIQUE (id, v)"),
    *_partitions_have("add unique, partitions have it", "UNIQUE (id, v)"),
    _form(
        "add unique using index",
        "ADD CONSTRAINT c UNIQUE USING INDEX a_ix",
        "CREATE UNIQUE INDEX a_ix ON a (id, v)",
        on=NOT_PARTITIONED,
    ),
    _form("add primary key", "ADD CONSTRAINT c PRIMARY KEY (id)", STRICT),
    _form("add primary key, nullable column", "ADD CONSTRAINT c PRIMARY KEY (id)", NOBODY),
    *_partitions_have("add primary key, nullable column, partitions have it", "PRIMARY KEY (id)", NOBODY),
    *_partitions_have("add primary key, partitions have it", "PRIMARY KEY (id)", STRICT),
    _form(
        "add primary key using index",
        "ADD CONSTRAINT c PRIMARY KEY USING INDEX a_ix",
        STRICT + "; CREATE UNIQUE INDEX a_ix ON a (id)",
        on=NOT_PARTITIONED,
    ),
    _form(
        "add primary key using index, nullable column",
        "ADD CONSTRAINT c PRIMARY KEY USING INDEX a_ix",
        NOBODY + "; CREATE UNIQUE INDEX a_ix ON a (id)",
        on=NOT_PARTITIONED,
    ),
    _form("add exclusion", "ADD CONSTRAINT c EXCLUDE USING btree (id WITH =, v WITH =)", on=NOT_PARTITIONED),
    _form("drop unique", "DROP CONSTRAINT c", _added("UNIQUE (id, v)")),
    _form("drop unique", "DROP CONSTRAINT a_pkey", case="primary key"),
    _form("drop unique + drop foreign key", "DROP CONSTRAINT a_pkey CASCADE", REVERSE),
)
