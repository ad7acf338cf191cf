"""What an application is told of readiness is the fit table."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from expandcontract.core.fit import FITS
from expandcontract.core.phase import Kind, Phase
from expandcontract.core.release import Speaks
from expandcontract.ready import KindName, Spoken, fits, phases

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "readiness.md"


def test_the_words_are_those_of_the_core() -> None:
    """A kind or a way to speak that is new is known here, too."""
    assert {str(kind) for kind in Kind} == set(get_args(KindName))
    assert {str(speaks) for speaks in Speaks} == set(get_args(Spoken))


@pytest.mark.parametrize("kind", Kind)
def test_every_row_of_the_table(kind: Kind) -> None:
    """Each phase fits here exactly where it fits there."""
    for speaks in Speaks:
        for phase in Phase:
            assert (speaks in FITS[kind][phase]) == fits(phase, speaks.value, kind.value)
            assert (phase in phases(speaks.value, kind.value)) == fits(phase, speaks.value, kind.value)


def test_a_change_that_was_not_begun_is_planned() -> None:
    """The ledger knows a change from its first move on."""
    assert fits(None, "old")
    assert not fits(None, "new")


@pytest.mark.parametrize(("phase", "speaks", "kind"), [("gone", "new", "mapped"), ("planned", "new", "odd")])
def test_a_word_that_is_none(phase: str, speaks: Spoken, kind: KindName) -> None:
    """It is an error, not a release that is never ready."""
    with pytest.raises(ValueError, match=r"gone|odd"):
        fits(phase, speaks, kind)


def test_the_guide_has_the_table() -> None:
    """The rows of the guide are those of a mapped change."""
    rows = re.findall(r"^\| `(old|dual|new)` \| (.*) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    assert {speaks: set(said.split(", ")) for speaks, said in rows} == {str(s): set(phases(s.value)) for s in Speaks}
