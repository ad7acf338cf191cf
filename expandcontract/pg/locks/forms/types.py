"""Changes of a column's type: which the catalogue alone can make, and which write every row anew."""

from __future__ import annotations

from expandcontract.pg.locks.forms.form import EVERY, NOT_PARTITIONED, PLAIN, Form, Kind

SAME, ANEW, INDEX = "change type, no rewrite", "change type, rewrite", "change type, index rebuilt"
KEPT = "change type, no rewrite, indexed"


def _change(
    name: str,
    old: str,
    new: str,
    *,
    zone: str = "UTC",
    given: str = "",
    case: str = "",
    on: frozenset[Kind] = PLAIN,
) -> Form:
    return Form(
        name=name,
        case=case or f"{old} to {new}",
        given=f"{given}; ALTER TABLE a ADD COLUMN x {old}",
        statement=f"ALTER TABLE a ALTER COLUMN x TYPE {new}",
        zone=zone,
        on=on,
    )


def _indexed(name: str, old: str, new: str) -> Form:
    return Form(
        name=name,
        case=f"{old} to {new}, indexed",
        given=f"ALTER TABLE a ADD COLUMN x {old}; CREATE INDEX a_ix ON a (x)",
        statement=f"ALTER TABLE a ALTER COLUMN x TYPE {new}",
        on=EVERY,
    )


FORMS = (
    _change(SAME, "varchar(20)", "varchar(50)", on=EVERY),
    _indexed(KEPT, "varchar(20)", "varchar(50)"),
    _change(SAME, "varchar(20)", "text"),
    _indexed(KEPT, "varchar(20)", "text"),
    _change(SAME, "text", "varchar"),
    _change(SAME, "numeric(10,2)", "numeric(12,2)"),
    _change(SAME, "numeric(10,2)", "numeric"),
    _change(SAME, "timestamp", "timestamptz", case="timestamp to timestamptz, TimeZone UTC"),
    _change(SAME, "timestamptz", "timestamp", case="timestamptz to timestamp, TimeZone UTC"),
    _change(SAME, "timestamptz(3)", "timestamptz(6)"),
    _change(SAME, "timestamp(3)", "timestamp"),
    _change(SAME, "time(3)", "time(6)"),
    _change(SAME, "interval(3)", "interval(6)"),
    _change(SAME, "varbit(8)", "varbit(16)"),
    _change(SAME, "varbit(8)", "varbit"),
    _change(SAME, "cidr", "inet"),
    _change(SAME, "oid", "int"),
    _change(SAME, "int", "oid"),
    _change(SAME, "xml", "text"),
    _change(SAME, "int", "unchecked", given="CREATE DOMAIN unchecked AS int"),
    _change(
        SAME,
        "checked",
        "int",
        given="CREATE DOMAIN checked AS int CHECK (VALUE > 0)",
        case="checked domain to its base",
    ),
    _change(SAME, "int", "int", case="int to int"),
    Form(
        name=SAME,
        case="USING the column itself",
        statement="ALTER TABLE a ALTER COLUMN v TYPE text USING v::text",
        on=PLAIN,
    ),
    _change(ANEW, "int", "bigint", on=EVERY),
    _indexed(ANEW, "int", "bigint"),
    _change(ANEW, "varchar(20)", "varchar(10)"),
    _change(ANEW, "text", "varchar(50)"),
    _change(ANEW, "numeric(10,2)", "numeric(12,4)"),
    _change(ANEW, "numeric(12,2)", "numeric(10,2)"),
    _change(ANEW, "numeric", "numeric(12,2)"),
    _change(
        ANEW, "timestamp", "timestamptz", zone="Europe/Berlin", case="timestamp to timestamptz, TimeZone Europe/Berlin"
    ),
    _change(
        ANEW, "timestamptz", "timestamp", zone="Europe/Berlin", case="timestamptz to timestamp, TimeZone Europe/Berlin"
    ),
    _change(ANEW, "timestamptz(6)", "timestamptz(3)"),
    _change(ANEW, "interval(6)", "interval(3)"),
    _change(ANEW, "bit(8)", "varbit(16)"),
    _change(ANEW, "char(10)", "char(20)"),
    _change(ANEW, "char(10)", "text"),
    _change(ANEW, "json", "jsonb"),
    _change(ANEW, "inet", "cidr"),
    _change(ANEW, "date", "timestamp"),
    _change(ANEW, "int", "text"),
    _change(ANEW, "int", "checked", given="CREATE DOMAIN checked AS int CHECK (VALUE > 0)"),
    _change(ANEW, "varchar(20)[]", "varchar(10)[]"),
    _change(ANEW, "int[]", "bigint[]"),
    Form(
        name=ANEW,
        case="USING an expression",
        statement="ALTER TABLE a ALTER COLUMN v TYPE text USING lower(v)",
        on=PLAIN,
    ),
    Form(
        name=INDEX,
        case="collation",
        given="CREATE INDEX a_ix ON a (v)",
        statement='ALTER TABLE a ALTER COLUMN v TYPE varchar(20) COLLATE "C"',
    ),
    Form(
        name=INDEX,
        case="index of another operator class",
        given="ALTER TABLE a ADD COLUMN x int; CREATE INDEX a_ix ON a (x)",
        statement="ALTER TABLE a ALTER COLUMN x TYPE oid",
        on=PLAIN,
    ),
    Form(
        name=INDEX,
        case="index over an expression",
        given="CREATE INDEX a_ix ON a (lower(v))",
        statement="ALTER TABLE a ALTER COLUMN v TYPE varchar(50)",
    ),
    Form(
        name="change type, no rewrite, checked",
        given="ALTER TABLE a ADD CONSTRAINT c CHECK (v <> '')",
        statement="ALTER TABLE a ALTER COLUMN v TYPE varchar(50)",
    ),
    Form(
        name="change type, no rewrite, of a foreign key",
        given="ALTER TABLE b ADD COLUMN k varchar(10) UNIQUE; ALTER TABLE a ADD COLUMN k varchar(5) REFERENCES b (k)",
        statement="ALTER TABLE a ALTER COLUMN k TYPE varchar(10)",
    ),
    Form(
        name="change type, rewrite, of a foreign key",
        given="ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (b_id) REFERENCES b",
        statement="ALTER TABLE a ALTER COLUMN b_id TYPE bigint",
    ),
    Form(
        name="change type, rewrite, of a foreign key",
        case="to a partitioned table",
        given="ALTER TABLE a ADD CONSTRAINT fk FOREIGN KEY (b_id) REFERENCES b",
        statement="ALTER TABLE a ALTER COLUMN b_id TYPE bigint",
        on=PLAIN,
        referenced=Kind.PARTITIONED,
    ),
    Form(
        name="change type, no rewrite, referenced",
        given="ALTER TABLE a ADD COLUMN k varchar(5) UNIQUE; CREATE TABLE r (k varchar(5) REFERENCES a (k))",
        statement="ALTER TABLE a ALTER COLUMN k TYPE varchar(10)",
        on=NOT_PARTITIONED,
    ),
    Form(
        name="change type, rewrite, referenced",
        given="CREATE TABLE r (u int REFERENCES a)",
        statement="ALTER TABLE a ALTER COLUMN id TYPE bigint",
        on=NOT_PARTITIONED,
    ),
    _change(ANEW, "serial", "bigint", on=EVERY),
    _change("change type, rewrite, identity", "int GENERATED BY DEFAULT AS IDENTITY", "bigint", case="int to bigint"),
    _change(SAME, "varchar(20)[]", "varchar[]"),
    _change(ANEW, "varchar(20)[]", "varchar(50)[]"),
    _change(ANEW, "varchar(20)[]", "text[]"),
    _change(SAME, "timestamptz", "timestamptz(6)"),
    _change(SAME, "timestamp(3)", "timestamptz(6)", case="timestamp(3) to timestamptz(6), TimeZone UTC"),
    _change(ANEW, "timestamp", "timestamptz(3)", case="timestamp to timestamptz(3), TimeZone UTC"),
    _change(SAME, "varchar(20)", "named", given="CREATE DOMAIN named AS text"),
    _change(
        ANEW,
        "varchar(20)",
        "named",
        given="CREATE DOMAIN named AS varchar(10)",
        case="varchar(20) to domain over varchar(10)",
    ),
)
