"""What ``ec new`` writes is laid out as a formatter would do it."""

from __future__ import annotations

import ast
import subprocess
import sys

from hypothesis import given, settings
from hypothesis import strategies as st

from expandcontract.revisions.layout import layout, quoted

LONG = "a" * 30
LINES = [
    f'op.drop_column("{LONG}", "{LONG}")',
    f'op.drop_column("{LONG}", "{LONG}", schema="x")',
    f'op.drop_column("{LONG}", "{LONG}", schema="{LONG}")',
    f'op.add_column("{LONG}", sa.Column("{LONG}", sa.Numeric(10, 2), nullable=False, server_default=sa.text("12")))',
    f'op.seal_unique("{LONG}", "{LONG}", ["{LONG}", "{LONG}", "{LONG}"], deferrable=True)',
    f'op.execute("{LONG}{LONG}{LONG}")',
    f'op.assert_contract("{LONG}")  # {LONG} {LONG}',
    f'op.x("{LONG}", {{"{LONG}": "{LONG}", "b": ["{LONG}", "{LONG}", "{LONG}"]}})',
    f'op.x("é{LONG}", "{LONG}", "{LONG}")  # é',
]


def formatted(text: str, *options: str) -> str:
    """What ``ruff format`` makes of it by default."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", *options, "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def test_long_lines_are_broken_as_the_formatter_breaks_them() -> None:
    """Calls, lists and dicts within each other, keywords, comments behind."""
    body = "\n".join(layout(line, 4) for line in LINES)
    source = f"def upgrade() -> None:\n{body}\n"
    assert formatted(source) == source


@given(st.text(st.characters(blacklist_categories=["Cs"])))
@settings(max_examples=200)
def test_a_string_is_written_so_that_python_reads_it_back(text: str) -> None:
    """Whatever it holds, in either kind of quotes."""
    assert text == ast.literal_eval(quoted(text))


def test_quotes_are_the_formatters_choice() -> None:
    """Double, unless single ones need fewer backslashes."""
    texts = ["a", 'a "b"', "it's", 'it\'s "b"', "'' \"b\"", "\\\"'", 'a\\"']
    source = "".join(f"x = {quoted(text)}\n" for text in texts)
    assert formatted(source) == source


def test_what_is_laid_out_stands_under_any_common_length() -> None:
    """A project whose lines may be longer leaves the files alone too, and none is longer than 120."""
    long = "op.execute(" + quoted("SELECT 'it''s' AS x, " * 12) + ")"
    source = "def upgrade() -> None:\n" + "\n".join(layout(line, 4) for line in [*LINES, long]) + "\n"
    assert [] == [line for line in source.splitlines() if len(line) > 120]
    for length in ("88", "100", "120"):
        assert formatted(source, "--line-length", length) == source
