"""What a release says of itself: places that agree, places that do not, and places that speak of another release."""

from __future__ import annotations

import pytest

from expandcontract.core.declaration import Declaration, agreed, of, speech
from expandcontract.core.release import Speaks
from expandcontract.errors import ConfigError

OLD, DUAL, NEW = Speaks
FLAG = Declaration(source="--speaks", version="v2", speaks={"a": NEW})
FILE = Declaration(source="the file", speaks={"a": NEW, "b": OLD}, baseline="c1")
OTHER = Declaration(source="Deployment shop-green", version="v1", speaks={"a": OLD})


def test_places_that_agree_are_one() -> None:
    """Each adds what the others leave out."""
    both = agreed((FLAG, FILE))
    assert {"a": NEW, "b": OLD} == both.speaks
    assert "c1" == both.baseline
    assert Declaration(source="") == agreed(())


def test_places_that_contradict_each_other() -> None:
    """The change, both words and both places are named; so is a baseline."""
    wrong = Declaration(source="the file", speaks={"a": DUAL})
    with pytest.raises(ConfigError) as refused:
        agreed((FLAG, wrong))
    assert "what is spoken of a is told in two ways: new by --speaks, dual by the file" == refused.value.message
    assert refused.value.hint
    with pytest.raises(ConfigError, match="the baseline is told in two ways: c1 by the file, c2 by a Deployment"):
        agreed((FILE, Declaration(source="a Deployment", baseline="c2")))
    assert "c1" == agreed((FILE, Declaration(source="a Deployment", baseline="c1"))).baseline


def test_what_is_said_of_another_release() -> None:
    """It counts for nothing here, where something else tells, or the ledger knows the release."""
    assert (FLAG,) == of("v2", (FLAG, OTHER), None)
    assert () == of("v2", (OTHER,), {})
    assert (FLAG, FILE) == of("v2", (FLAG, FILE), None)
    assert () == of("v2", (), None)


def test_a_new_release_of_which_only_another_is_told() -> None:
    """It would be taken for one that speaks old; that is not guessed."""
    with pytest.raises(ConfigError) as refused:
        of("v2", (OTHER,), None)
    assert "Deployment shop-green says what v1 speaks, and nothing says it of v2" == refused.value.message
    assert "give it the version v2, or --speaks CHANGE=old" == refused.value.hint


@pytest.mark.parametrize(("known", "before"), [({}, "old"), ({"a": DUAL}, "dual")])
def test_a_file_that_names_no_version(known: dict[str, Speaks], before: str) -> None:
    """What is in the tree today is not what an earlier release said; where both say the same, it is."""
    with pytest.raises(ConfigError, match=rf"v2 was deployed as speaking {before} of a, and the file.*says new") as no:
        of("v2", (FILE,), known)
    assert 'version = "v2" in it where it is right, or the file of that release' == no.value.hint
    assert (FILE,) == of("v2", (FILE,), {"a": NEW})
    bound = Declaration(source="the file", version="v2", speaks={"a": NEW})
    assert (bound,) == of("v2", (bound,), known)


def test_speech_in_one_line() -> None:
    """As an annotation holds it."""
    assert {"a": NEW, "b": OLD} == speech("a=new, b=old", "it")
    assert {} == speech("", "it")


@pytest.mark.parametrize("text", ["a", "a=", "a=newer", "a=new,a=new"])
def test_speech_that_is_none(text: str) -> None:
    """The item and its place are named."""
    with pytest.raises(ConfigError, match=r"it says 'a.*where CHANGE=old, CHANGE=dual or CHANGE=new is meant"):
        speech(text, "it")
