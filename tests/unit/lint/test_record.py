"""What a revision does is recorded call by call, with the line of each, and nothing needs a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.mapping import Table
from expandcontract.core.revision import Half, Kind, Part

if TYPE_CHECKING:
    from tests.fix_revisions import Written

USERS = Table(schema="public", name="users")


def test_a_pair_is_known_by_its_halves(written: Written) -> None:
    """Half, change, mapping and needed columns come with both halves; seal steps carry no SQL of their own."""
    source = """def upgrade():
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.begin_change(change)


def seal():
    op.create_index("ix", "users", ["display_name"])
    op.seal_not_null("users", "display_name")


def downgrade():
    op.end_change(change)
    op.drop_column("users", "display_name")
"""
    found = written.record(Half.EXPAND, source)
    assert (Half.EXPAND, "users_name", True) == (found.half, found.change, found.held)
    assert {(USERS, "display_name")} == set(found.needed)
    steps = [(statement.part, action.kind) for statement, action in found.actions()]
    assert [
        (Part.UPGRADE, Kind.ADD_COLUMN),
        (Part.UPGRADE, Kind.BEGIN_CHANGE),
        (Part.SEAL, Kind.SEAL),
        (Part.SEAL, Kind.SEAL),
        (Part.DOWNGRADE, Kind.END_CHANGE),
        (Part.DOWNGRADE, Kind.DROP_COLUMN),
    ] == steps
    assert {""} == {statement.sql for statement in found.statements if statement.part is Part.SEAL}
    assert {(USERS, "display_name")} == set(written.record(Half.CONTRACT, "def upgrade(): pass\n").needed)


def test_each_statement_has_the_line_of_its_call(written: Written) -> None:
    """Also of calls over several lines, in helpers of the file, in loops, and of several statements in one string."""
    source = """def _add(name):
    op.add_column("users", sa.Column(name, sa.Text()))  # in a helper


def upgrade():
    _add("a")
    op.create_foreign_key(  # over several lines
        "fk",
        "users",
        "orgs",
        ["org_id"],
        ["id"],
    )
    op.execute("SET lock_timeout = '1s'; COMMENT ON TABLE users IS 'a;b'")
"""
    found = written.record(None, source)
    lines = [(statement.line, action.kind) for statement, action in found.actions()]
    together = written.line("COMMENT ON")
    assert [
        (written.line("in a helper"), Kind.ADD_COLUMN),
        (written.line("over several"), Kind.ADD_CONSTRAINT),
        (together, Kind.SETTING),
        (together, Kind.COMMENT),
    ] == lines


def test_batch_autocommit_and_bind_are_seen_through(written: Written) -> None:
    """Batch operations, autocommit blocks and ``op.get_bind()`` hide nothing."""
    source = """def upgrade():
    with op.batch_alter_table("users", schema="shop") as batch:
        batch.drop_column("nick")
    with op.get_context().autocommit_block():
        op.create_index("ix", "users", ["nick"], postgresql_concurrently=True)
    assert op.get_bind().dialect.name == "postgresql"
    op.get_bind().execute(sa.text("UPDATE users SET nick = :nick"), {"nick": "x"})
    op.get_bind().exec_driver_sql("DELETE FROM users WHERE seen < '12:00:00'")
"""
    dropped, indexed, updated, deleted = written.record(None, source).statements
    assert Table(schema="shop", name="users") == dropped.actions[0].table
    assert (True, False) == (indexed.autocommit, indexed.transactional)
    assert (Kind.UPDATE, Kind.DELETE) == (updated.actions[0].kind, deleted.actions[0].kind)
    assert "'12:00:00'" in deleted.sql
    assert {False} == {statement.autocommit for statement in (dropped, updated, deleted)}


def test_what_depends_on_the_database_stops_there(written: Written) -> None:
    """An answer is never made up: the line is told, what came before is kept, and other functions are still read."""
    source = """def upgrade():
    op.add_column("users", sa.Column("a", sa.Text()))
    if op.get_bind().execute(sa.text("SELECT count(*) FROM users")).scalar():  # asks
        op.drop_column("users", "b")


def downgrade():
    raise NotImplementedError("no way back")
"""
    found = written.record(None, source)
    assert [Kind.ADD_COLUMN, Kind.SELECT] == [action.kind for _, action in found.actions()]
    up, down = found.stopped
    assert (Part.UPGRADE, written.line("# asks")) == (up.part, up.line)
    assert "it asks the database for an answer (.scalar)" == up.reason
    assert (Part.DOWNGRADE, "NotImplementedError: no way back") == (down.part, down.reason)
    for how in ("sa.inspect(op.get_bind())", "list(op.get_bind().execute('SELECT 1'))", "op.get_bind().engine"):
        assert [Part.UPGRADE] == [stop.part for stop in written.record(None, f"def upgrade():\n    {how}\n").stopped]


def test_a_value_that_cannot_be_written_out_is_unknown(written: Written) -> None:
    """Offline SQL of such a statement does not exist; it is noted, and the rest is read."""
    source = """def upgrade():
    op.execute(sa.text("SELECT :a").bindparams(sa.bindparam("a", object(), sa.types.NullType())))
    op.drop_table("t")
"""
    kinds = [action.kind for _, action in written.record(None, source).actions()]
    assert [Kind.UNKNOWN, Kind.DROP_TABLE] == kinds


def test_the_old_type_comes_from_the_call(written: Written) -> None:
    """``existing_type`` is what the SQL does not tell."""
    source = """def upgrade():
    op.alter_column("users", "nick", type_=sa.String(80), existing_type=sa.String(40))
"""
    ((_, action),) = written.record(None, source).actions()
    assert ("VARCHAR(80)".lower(), "varchar(40)") == (action.type, action.old_type)


def test_names_that_need_quoting_are_read_as_the_catalogue_has_them(written: Written) -> None:
    """Quotes, dots, unicode, ``%`` and ``:`` come through."""
    source = """def upgrade():
    op.add_column('We"ird.t', sa.Column("é %s :x", sa.Text()), schema="My S")
"""
    ((statement, action),) = written.record(None, source).actions()
    assert (Table(schema="My S", name='We"ird.t'), "é %s :x") == (action.table, action.column)
    assert statement.sql.startswith('ALTER TABLE "My S"."We""ird.t" ADD COLUMN')
