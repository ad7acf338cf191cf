"""What a statement does, as data: the strongest lock counts, parts add up, and foretold is compared with seen."""

from __future__ import annotations

import pytest

from expandcontract.core.effect import Effect, Lock, LockMode, differences, strongest, together

SHARE = Lock(relation="public.a", mode=LockMode.SHARE)
EXCLUSIVE = Lock(relation="public.a", mode=LockMode.ACCESS_EXCLUSIVE)
OTHER = Lock(relation="public.b", mode=LockMode.ROW_SHARE)
A, B = frozenset({"public.a"}), frozenset({"public.b"})


@pytest.mark.parametrize(
    ("mode", "stops_reads", "stops_writes"),
    [
        (LockMode.ROW_EXCLUSIVE, False, False),
        (LockMode.SHARE_UPDATE_EXCLUSIVE, False, False),
        (LockMode.SHARE, False, True),
        (LockMode.EXCLUSIVE, False, True),
        (LockMode.ACCESS_EXCLUSIVE, True, True),
    ],
)
def test_whom_a_mode_stops(mode: LockMode, *, stops_reads: bool, stops_writes: bool) -> None:
    """SHARE and stronger stop writes; only ACCESS EXCLUSIVE stops reads."""
    assert (stops_reads, stops_writes) == (mode.stops_reads, mode.stops_writes)


def test_a_lock_in_words() -> None:
    """A lock reads as in PostgreSQL's manual."""
    assert "ACCESS EXCLUSIVE on public.a" == str(EXCLUSIVE)


def test_the_strongest_lock_on_each_relation() -> None:
    """Of several locks on one relation the strongest is kept, and relations come sorted."""
    assert (EXCLUSIVE, OTHER) == strongest([OTHER, SHARE, EXCLUSIVE, SHARE])
    assert LockMode.ACCESS_EXCLUSIVE is Effect(statement="", locks=(EXCLUSIVE, OTHER)).strongest
    assert None is Effect(statement="").strongest


def test_parts_add_up() -> None:
    """A statement of two parts takes the stronger lock, rewrites or reads what either does, a rewrite being enough."""
    one = Effect(statement="1", form="one", locks=(SHARE,), rewrites=A, refused="no such type")
    two = Effect(statement="2", form="two", locks=(EXCLUSIVE, OTHER), scans=A | B, transactional=False, assumed=True)
    whole = together("1, 2", [one, two, one])
    expected = Effect(
        statement="1, 2",
        form="one + two",
        locks=(EXCLUSIVE, OTHER),
        rewrites=A,
        scans=B,
        transactional=False,
        assumed=True,
        refused="no such type",
    )
    assert expected == whole
    assert whole.known


def test_one_part_unknown_makes_the_whole_unknown() -> None:
    """What is known of a statement is kept, and that it is not all is said."""
    whole = together("?", [Effect(statement="1", form="one", locks=(SHARE,)), Effect(statement="2")])
    assert ("unknown", (SHARE,), False) == (whole.form, whole.locks, whole.known)


def test_foretold_and_seen_agree() -> None:
    """Equal effects differ in nothing, and a lock that the transaction had before cannot be seen again."""
    foretold = Effect(statement="", form="x", locks=(SHARE, OTHER), scans=A)
    assert () == differences(foretold, Effect(statement="", locks=(SHARE, OTHER), scans=A))
    assert () == differences(foretold, Effect(statement="", locks=(OTHER,), scans=A), held=[EXCLUSIVE])


def test_foretold_and_seen_differ() -> None:
    """Each difference is named with the relation and both sides."""
    foretold = Effect(statement="", form="x", locks=(SHARE,), rewrites=A)
    seen = Effect(statement="", locks=(EXCLUSIVE, OTHER), scans=B)
    assert (
        "public.a: SHARE was foretold, ACCESS EXCLUSIVE was taken",
        "public.b: no lock was foretold, ROW SHARE was taken",
        "public.a was to be rewritten and was not",
        "public.b was read whole and that was not foretold",
    ) == differences(foretold, seen)


def test_what_rows_drag_along() -> None:
    """A query may lock further tables as weakly as every release does, and no more."""
    foretold = Effect(statement="", form="update", locks=(SHARE,))
    assert () == differences(foretold, Effect(statement="", locks=(SHARE, OTHER)))
    strong = Lock(relation="public.b", mode=LockMode.SHARE)
    assert 1 == len(differences(foretold, Effect(statement="", locks=(SHARE, strong))))
