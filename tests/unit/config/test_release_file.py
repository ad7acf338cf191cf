"""The file in which a release says what it speaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.config.release_file import NAME, release_file
from expandcontract.core.release import Speaks
from expandcontract.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = 'version = "v2"\nbaseline = "c1"\n[speaks]\nusers_name = "new"\norders_total = "old"\n'


def test_it_is_found_by_its_name(tmp_path: Path) -> None:
    """Beside the settings; where there is none nothing is said."""
    assert release_file(tmp_path, None, "v2") is None
    (tmp_path / NAME).write_text(WHOLE, encoding="utf-8")
    found = release_file(tmp_path, None, "v9")
    assert found is not None
    assert "v2" == found.version
    assert "c1" == found.baseline
    assert {"users_name": Speaks.NEW, "orders_total": Speaks.OLD} == found.speaks
    assert str(tmp_path / NAME) == found.source


def test_a_file_of_each_release(tmp_path: Path) -> None:
    """With ``{version}`` in its path it is of that version, unless it says of which."""
    (tmp_path / "v3").mkdir()
    (tmp_path / "v3" / "release.toml").write_text('[speaks]\nusers_name = "dual"\n', encoding="utf-8")
    found = release_file(tmp_path, "{version}/release.toml", "v3")
    assert found is not None
    assert "v3" == found.version
    assert found.baseline is None
    (tmp_path / "v3" / "release.toml").write_text(WHOLE, encoding="utf-8")
    found = release_file(tmp_path, "{version}/release.toml", "v3")
    assert found is not None
    assert "v2" == found.version
    with pytest.raises(ConfigError, match=r"deploy\.release_file leads to .*v4/release\.toml, which is not there"):
        release_file(tmp_path, "{version}/release.toml", "v4")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 2", "version: Input should be a valid string, found 2"),
        (
            '[speaks]\nusers_name = "newer"',
            r"speaks\.users_name: Input should be 'old', 'dual' or 'new', found 'newer'",
        ),
        ('speak = "new"', "speak: Extra inputs are not permitted"),
        ("[speaks", "is not TOML"),
    ],
)
def test_a_file_that_says_something_else(text: str, said: str, tmp_path: Path) -> None:
    """The file, the key and the value are named."""
    (tmp_path / NAME).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said) as refused:
        release_file(tmp_path, None, "v2")
    assert NAME in refused.value.message
    assert refused.value.hint
