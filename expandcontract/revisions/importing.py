"""Makes the project's own code importable, as Alembic does before it reads the revisions."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from alembic.config import Config

if TYPE_CHECKING:
    from pathlib import Path


def prepend(ini: Path) -> None:
    """Put ``prepend_sys_path`` of an Alembic file in front of where modules are looked for, and its folder at the end.

    May be called any number of times; without the file nothing is done.
    https://alembic.sqlalchemy.org/en/latest/tutorial.html#editing-the-ini-file
    """
    if not ini.is_file():
        return
    given = Config(str(ini)).get_prepend_sys_paths_list() or []
    sys.path[:0] = [path for path in given if path not in sys.path]
    folder = str(ini.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)
