"""The smoke test's contract: what it is given, how long it may take, and what is told of it."""

from __future__ import annotations

import sys
import time
from datetime import timedelta

import pytest

from expandcontract.core.color import Color
from expandcontract.traffic.smoke import smoke

URL = "http://127.0.0.1:8002"
LONG = timedelta(seconds=20)


def run(script: str, *words: str, within: timedelta = LONG) -> str:
    """What is told of a Python script."""
    return smoke([sys.executable, "-c", script, *words], Color.GREEN, URL, "v2", within)


def test_what_it_is_given() -> None:
    """Color, address and version, in the environment and in its words; other braces stay."""
    told = (
        "import os, sys; print(sys.argv[1:], [os.environ['EC_' + n] for n in ('COLOR', 'URL', 'VERSION')]); sys.exit(1)"
    )
    said = run(told, "{color}-{url}", "{version}{other}", "{{}}")
    assert f"it ended with 1: ['green-{URL}', 'v2{{other}}', '{{{{}}}}'] ['green', '{URL}', 'v2']" == said


def test_passed() -> None:
    """Exit 0 passes, whatever it wrote."""
    assert run("import sys; print('x', file=sys.stderr)") == ""


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import sys; sys.exit(7)", "it ended with 7: it wrote nothing"),
        ("import os; os.kill(os.getpid(), 9)", "it ended with -9: it wrote nothing"),
        ("import sys; [print(n) for n in range(9)]; sys.exit(1)", "it ended with 1: 6 | 7 | 8"),
        ("import sys; print('x' * 300000); print('end'); sys.exit(1)", f"it ended with 1: {'x' * 200} | end"),
        ("import sys; print('postgresql://ann:pa55@db/x'); sys.exit(1)", "it ended with 1: postgresql://ann:***@db/x"),
        (
            "import sys; print('host=db password=pa55 port=1'); sys.exit(1)",
            "it ended with 1: host=db password=*** port=1",
        ),
        (
            "import sys; print('Authorization: Bearer abc.def'); sys.exit(1)",
            "it ended with 1: Authorization: Bearer ***",
        ),
    ],
)
def test_what_is_told(script: str, said: str) -> None:
    """How it ended, and its last lines: short, and without secrets."""
    assert said == run(script)


def test_one_that_takes_too_long() -> None:
    """It is ended together with what it started, and what it wrote by then is told."""
    began = time.monotonic()
    child = "import subprocess, sys, time; print('asking', flush=True); subprocess.run(['sleep', '60'])"
    assert run(child, within=timedelta(seconds=1)) == "it took longer than 1 s and was ended: asking"
    assert time.monotonic() - began < 15


def test_one_that_is_not_there() -> None:
    """The command is named."""
    said = smoke(["./no-such-smoke"], Color.GREEN, URL, None, LONG)
    assert said == "./no-such-smoke cannot be started: No such file or directory"
