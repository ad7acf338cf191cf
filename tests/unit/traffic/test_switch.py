"""What the switches make of settings, files and answers that are not as they should be.

The contract that all keep is in tests/integration/test_switch_contract.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from expandcontract.core.color import Weights
from expandcontract.errors import ConfigError, SwitchError, UnsavedError
from expandcontract.traffic import kept
from expandcontract.traffic.command import CommandSwitch
from expandcontract.traffic.switch import open_switch


@pytest.mark.parametrize("said", ["nothing", "blue=90", '{"blue": "x", "green": 1}', "blue=60 green=60"])
def test_a_command_that_prints_no_weights(said: str) -> None:
    """Whatever is not two weights that make a hundred is refused."""
    with pytest.raises(SwitchError, match="instead of weights"):
        CommandSwitch(("echo", said), ("true",)).read()


def test_a_command_that_fails() -> None:
    """Its last line is quoted; one that does not exist is named."""
    with pytest.raises(SwitchError, match="no such pool"):
        CommandSwitch(("true",), ("sh", "-c", "echo no such pool >&2; exit 3")).write(Weights(0, 100))
    with pytest.raises(SwitchError, match="could not be run"):
        CommandSwitch(("no-such-command-of-ours",), ("true",)).read()


def test_an_unknown_switch() -> None:
    """The nearest that exists is named, and so is a setting that is missing."""
    with pytest.raises(ConfigError, match="did you mean envoy"):
        open_switch("envoi", {})
    with pytest.raises(ConfigError, match=r"traffic\.options\.read"):
        open_switch("command", {})
    with pytest.raises(ConfigError, match=r"traffic\.options\.socket"):
        open_switch("haproxy", {"map": "x"})
    with pytest.raises(ConfigError, match=r"traffic\.options\.status"):
        open_switch("nginx", {"include": "x"})


@pytest.mark.parametrize(("said", "why"), [("'open", "is no command"), ("", "is empty"), ([], "is empty")])
def test_a_command_that_is_none(said: object, why: str) -> None:
    """What cannot be split into words, and nothing at all, is refused before anything is run."""
    with pytest.raises(ConfigError, match=why):
        open_switch("nginx", {"include": "x", "status": "http://127.0.0.1:1", "reload": said})


def test_a_command_is_words_or_a_line() -> None:
    """Both forms of a command run the same."""
    for said in (["echo", "blue=90", "green=10"], "echo 'blue=90 green=10'"):
        assert Weights(90, 10) == open_switch("command", {"read": said, "write": "true"}).read()


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    """A file that is replaced is readable by whom it was; nothing is left beside it."""
    path = tmp_path / "colors.map"
    path.write_text("green 0\n", encoding="utf-8")
    path.chmod(0o640)
    kept.put(path, "green 100\n")
    assert "green 100\n" == path.read_text(encoding="utf-8")
    assert 0o640 == path.stat().st_mode & 0o7777
    assert [path] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """The folder is named; a file that cannot be read gives nothing."""
    path = tmp_path / "missing" / "colors.map"
    with pytest.raises(SwitchError, match=r"colors\.map cannot be written: No such file") as refused:
        kept.put(path, "green 100\n")
    assert f"let this user create and rename files in {path.parent}" == refused.value.hint
    assert kept.text_of(path) is None


def test_a_writer_between_its_two_writes() -> None:
    """File and balancer that agree within a second are no drift: another process is just writing."""
    balancer = iter([Weights(100, 0), Weights(100, 0), Weights(0, 100)])
    assert Weights(0, 100) == kept.settled(lambda: next(balancer), lambda: Weights(0, 100), Path("colors.map"))


def test_a_file_without_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is gone is a drift too: a restart would not know what to do."""
    monkeypatch.setattr(kept, "SETTLED_WITHIN", 0.0)
    with pytest.raises(UnsavedError, match=r"colors\.map gives no weights") as found:
        kept.settled(lambda: Weights(40, 60), lambda: None, Path("colors.map"))
    assert {"blue": 40, "green": 60} == found.value.running
    assert "find out who wrote last; ec switch COLOR writes both" == found.value.hint
