"""Reading what was typed: phases, moves, colors, what a release speaks, steps, durations."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from expandcontract.cli.group import nearest
from expandcontract.core.color import Color
from expandcontract.core.duration import parse
from expandcontract.core.phase import Move, Phase
from expandcontract.core.release import Speaks
from expandcontract.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

Word = TypeVar("Word", bound=StrEnum)
FULL = 100


def one_of(kind: type[Word], text: str, what: str) -> Word:
    """The member of ``kind`` that ``text`` names; ``_`` and ``-`` are the same.

    Raises:
        UsageError: There is none; the nearest is named.
    """
    for member in kind:
        if member.value.replace("_", "-") == text.strip().lower().replace("_", "-"):
            return member
    known = tuple(member.value for member in kind)
    msg = f"{text!r} is no {what}; {nearest(text, known)}"
    raise UsageError(msg, hint=f"one of {', '.join(known)}")


def color(text: str) -> Color:
    """``blue`` or ``green``."""
    return one_of(Color, text, "color")


def move(text: str) -> Move:
    """A move; ``rollback`` and ``dual_write`` are understood."""
    return Move.ROLL_BACK if text == "rollback" else one_of(Move, text, "move")


def phase(text: str | None) -> Phase | None:
    """A phase, or ``None`` where none was given."""
    return None if text is None else one_of(Phase, text, "phase")


def speaks(texts: Iterable[str]) -> dict[str, Speaks]:
    """``CHANGE=new`` as often as given, or several in one with commas.

    Raises:
        UsageError: An item is not ``CHANGE=old|dual|new``, or a change is given twice.
    """
    found: dict[str, Speaks] = {}
    for item in (part for text in texts for part in text.split(",")):
        change, equals, word = item.partition("=")
        if not equals or not change.strip():
            msg = f"{item!r} does not say what is spoken"
            raise UsageError(msg, hint="--speaks CHANGE=new")
        if change.strip() in found:
            msg = f"--speaks names {change.strip()} twice"
            raise UsageError(msg, hint="give each change once")
        found[change.strip()] = one_of(Speaks, word, "shape to speak")
    return found


def steps(text: str | None) -> tuple[int, ...] | None:
    """``10,50,100``: rising whole per cents that end at 100; ``None`` where none were given.

    Raises:
        UsageError: They are not.
    """
    if text is None:
        return None
    try:
        found = tuple(int(part) for part in text.split(","))
    except ValueError as exc:
        msg = f"--steps {text!r} is not a list of whole per cents"
        raise UsageError(msg, hint="--steps 10,50,100") from exc
    if found[-1] != FULL or any(low >= high for low, high in zip((0, *found), found, strict=False)):
        msg = f"--steps {text} must rise and end at 100"
        raise UsageError(msg, hint="--steps 10,50,100")
    return found


def duration(text: str | None) -> timedelta | None:
    """``10m``; ``None`` where none was given."""
    return None if text is None else parse(text)


STEERING = {"pause": {"why"}, "resume": set(), "set": {"workers", "target"}, "history": set()}
"""What a backfill can be told or asked, and the options that go with it."""
PAUSING, SETTING = "ec backfill CHANGE pause --why REASON", "ec backfill CHANGE set --target 50ms --workers 1"


def told(word: str | None, **options: object) -> str | None:
    """What a backfill is told or asked, or ``None`` where it is to run.

    Raises:
        UsageError: There is no such word, or an option does not go with it.
    """
    if word is not None and word not in STEERING:
        msg = f"a backfill cannot be told {word!r}; {nearest(word, tuple(STEERING))}"
        raise UsageError(msg, hint="ec backfill CHANGE pause, resume, history, or set --target 50ms --workers 1")
    allowed = {"workers"} if word is None else STEERING[word]
    for name, value in options.items():
        if value is not None and name not in allowed:
            goes = next(word for word, names in STEERING.items() if name in names)
            msg = f"--{name} goes with {goes}"
            raise UsageError(msg, hint=PAUSING if goes == "pause" else SETTING)
    if word == "set" and all(value is None for value in options.values()):
        raise UsageError("there is nothing to set", hint=SETTING)
    return word


TELLING = {"pause": {"why"}, "resume": set(), "abort": {"why"}}
"""What a shift can be told, and the options that go with it."""


def shifting(slot: str | None, percents: str | None, why: str | None, *, adopt: bool, check: bool) -> str:
    """What ``ec switch`` is to do: ``shift``, ``adopt``, ``check``, or what a shift under way is told.

    Raises:
        UsageError: Nothing was asked for, or two things that exclude each other.
    """
    asked = [word for word, given in (("adopt", adopt), ("check", check), (slot, slot is not None)) if given]
    if not asked:
        msg = "no color was named"
        raise UsageError(msg, hint="ec switch blue, or ec switch pause, or ec switch --check")
    if len(asked) > 1:
        msg = f"--{asked[0]} stands alone, without {asked[1]}"
        raise UsageError(msg, hint="ec switch --adopt" if adopt else "ec switch --check")
    word = "adopt" if adopt else "check" if check else slot if slot in TELLING else "shift"
    if why is not None and "why" not in TELLING.get(word, ()):
        msg = "--why goes with pause and abort"
        raise UsageError(msg, hint="ec switch pause --why REASON")
    if percents is not None and word != "shift":
        msg = "--steps goes with a color"
        raise UsageError(msg, hint="ec switch green --steps 10,50,100")
    return word


def by_database(text: str | None, release: str | None) -> bool:
    """Whether ``--by database`` was given.

    Raises:
        UsageError: Another word than ``database``, or a release beside it.
    """
    if text is None:
        return False
    if text != "database":
        msg = f"--by takes only 'database', not {text!r}"
        raise UsageError(msg, hint="ec advance CHANGE --by database")
    if release is not None:
        msg = "--by database and --release exclude each other"
        raise UsageError(msg, hint="ec advance --help")
    return True
