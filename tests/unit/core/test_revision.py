"""What follows from a revision's statements."""

from __future__ import annotations

from expandcontract.core.effect import Effect, Lock, LockMode
from expandcontract.core.mapping import Table
from expandcontract.core.revision import Action, Half, Kind, Part, Revision, Statement

A, B = (Table(schema=schema, name="t") for schema in ("public", "other"))


def statement(*actions: Action, part: Part = Part.UPGRADE, effects: tuple[Effect, ...] = ()) -> Statement:
    """A statement of a revision."""
    return Statement(sql="…", line=1, part=part, actions=actions, effects=effects)


def test_a_table_is_new_by_its_schema_too() -> None:
    """What is done to a table that the upgrade makes concerns nobody; one of the same name elsewhere is in use."""
    made = statement(Action(kind=Kind.CREATE_TABLE, table=A))
    drops = [statement(Action(kind=Kind.DROP_TABLE, table=table), part=Part.DOWNGRADE) for table in (A, B)]
    revision = Revision(id="r", path="r.py", statements=(made, *drops))
    assert {A} == revision.created
    assert [B] == [action.table for _, action in revision.on_live()]
    assert [A, B] == [action.table for _, action in revision.actions(Part.DOWNGRADE)]


def test_a_downgrade_is_live_in_an_expand_alone() -> None:
    """A roll-back calls an expand's; a contract cannot be undone, and nobody of ours calls an ordinary one's."""
    parts = {half: Revision(id="r", path="r.py", half=half).live_parts for half in (*Half, None)}
    every = (Part.UPGRADE, Part.CUT_OVER, Part.ROLL_BACK, Part.DOWNGRADE)
    one = (Part.UPGRADE,)
    assert {Half.EXPAND: every, Half.CONTRACT: one, None: one} == parts
    assert [True, False, True] == [Revision(id="r", path="r.py", half=half).additive for half in parts]


def test_whether_a_statement_can_share_a_transaction() -> None:
    """Its words tell, or what is predicted of it."""
    plain = Action(kind=Kind.CREATE_INDEX, table=A)
    alone = Effect(statement="…", form="create index concurrently", transactional=False)
    assert statement(plain).transactional
    assert not statement(Action(kind=Kind.CREATE_INDEX, said=frozenset({"concurrently"}))).transactional
    assert not statement(plain, effects=(alone,)).transactional


def test_an_action_in_words() -> None:
    """What it does, to what."""
    assert "DROP COLUMN t.a" == str(Action(kind=Kind.DROP_COLUMN, table=A, column="a"))
    assert "DROP TABLE other.t" == str(Action(kind=Kind.DROP_TABLE, table=B))
    assert "DROP INDEX i" == str(Action(kind=Kind.DROP_INDEX, name="i"))
    assert "SELECT" == str(Action(kind=Kind.SELECT))


def test_an_effect_is_known_by_its_form() -> None:
    """The strongest lock is that of any relation."""
    locks = (Lock(relation="a", mode=LockMode.SHARE), Lock(relation="b", mode=LockMode.ROW_SHARE))
    assert (LockMode.SHARE, True) == ((found := Effect(statement="…", form="x", locks=locks)).strongest, found.known)
    assert (None, False) == ((found := Effect(statement="…")).strongest, found.known)
