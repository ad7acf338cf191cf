"""One file a command, about a screen each.

Rules for the next editor:

1. ``command`` (or ``group``, where there are sub-commands) is what the file offers; its docstring is its help.
2. No ``from __future__ import annotations`` here: Typer evaluates the annotations.
3. Parse, call the runner once, show, end. What is decided here is in the wrong place.
"""
