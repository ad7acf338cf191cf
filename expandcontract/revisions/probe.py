"""Asks a project's ``env.py`` what only it knows: whether it calls the guard, and where it keeps its versions."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

from alembic import command

from expandcontract.errors import ConfigError, ExpandContractError
from expandcontract.revisions.guarding import ATTRIBUTE, CALL, IMPORT, PROBE

if TYPE_CHECKING:
    from alembic.config import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What ``env.py`` said.

    Attributes:
        guarded: Whether it calls the guard.
        version_table: The name of Alembic's own table; its default where the guard is not called.
        version_table_schema: The schema of that table; ``None`` for the one in the search path.
    """

    guarded: bool
    version_table: str = "alembic_version"
    version_table_schema: str | None = None


def probe(config: Config) -> Environment:
    """Run ``env.py`` as ``alembic current`` does; reads only, and may run any number of times.

    Raises:
        ConfigError: It fails.
    """
    said: dict[str, str | None] = {}
    config.attributes[PROBE] = said
    config.attributes[ATTRIBUTE] = None
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            command.current(config)
    except ExpandContractError:
        raise
    except Exception as exc:
        last = (str(exc).strip().splitlines() or [""])[0]
        msg = f"env.py fails: {type(exc).__name__}: {last}"
        raise ConfigError(msg, hint="alembic current shows where") from exc
    finally:
        del config.attributes[PROBE], config.attributes[ATTRIBUTE]
    if not said:
        return Environment(guarded=False)
    return Environment(
        guarded=True,
        version_table=said["version_table"] or "alembic_version",
        version_table_schema=said["version_table_schema"],
    )


def need_guard(config: Config) -> None:
    """Make sure that ``env.py`` calls the guard; without it no phase would be recorded, and nothing refused.

    Raises:
        ConfigError: It does not, or fails.
    """
    if not probe(config).guarded:
        msg = "env.py does not call the guard, so no phase would be recorded; nothing was run"
        raise ConfigError(msg, hint=f"ec init, or by hand `{IMPORT}` and `{CALL}` before context.run_migrations()")
