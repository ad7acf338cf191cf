"""``--watch``: the same answer again and again, until Ctrl-C."""

from __future__ import annotations

import sys
import time
from io import StringIO
from typing import TYPE_CHECKING, Any

from expandcontract.cli.screen import Plain, is_terminal, screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.cli.screen import Screen

EVERY_S = 2.0
CLEAR = "\x1b[2J\x1b[H"


def watch(ask: Callable[[], Any], show: Callable[[Screen, Any], None]) -> None:
    """Show the answer every two seconds; where nobody watches, only when it has changed. Ctrl-C ends it well."""
    terminal = is_terminal(sys.stdout)
    before = ""
    try:
        while True:
            document = ask()
            text = StringIO()
            show(Plain(text), document)
            if terminal:
                sys.stdout.write(CLEAR)
                show(screen(), document)
            elif text.getvalue() != before:
                before = text.getvalue()
                sys.stdout.write(before + "\n")
                sys.stdout.flush()
            time.sleep(EVERY_S)
    except KeyboardInterrupt:
        return
