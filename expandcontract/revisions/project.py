"""The project's revisions: its pairs, in chain order, and which of them a database has."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError

from expandcontract.core.change import Change
from expandcontract.core.facts import Finding
from expandcontract.core.phase import ROUTES, Phase
from expandcontract.errors import ConfigError, ExpandContractError, PairError, UnknownNameError
from expandcontract.revisions.probe import probe

if TYPE_CHECKING:
    from collections.abc import Collection

    from alembic.script import Script
    from sqlalchemy import URL, Connection

EXPAND, CONTRACT = "expand", "contract"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The two revisions of a change; ``contract`` is ``None`` for an additive change or a missing half."""

    change: Change
    expand: Script
    contract: Script | None

    @property
    def name(self) -> str:
        """The change's name."""
        return self.change.name


def half_of(script: Script) -> tuple[str, str] | None:
    """The change's name and ``expand`` or ``contract``, by the revision's ``change``; ``None`` for an ordinary one."""
    change = getattr(script.module, "change", None)
    if isinstance(change, Change):
        return change.name, EXPAND
    return (change, CONTRACT) if isinstance(change, str) else None


def ancestors(scripts: ScriptDirectory, revisions: Collection[str]) -> frozenset[str]:
    """These revisions and all that they stand on, dependencies included."""
    seen: set[str] = set()
    waiting = [script for script in scripts.get_revisions(tuple(revisions)) if script]
    while waiting:
        script = waiting.pop()
        if script.revision in seen:
            continue
        seen.add(script.revision)
        below = (*_listed(script.down_revision), *_listed(script.dependencies))
        waiting.extend(found for found in scripts.get_revisions(below) if found)
    return frozenset(seen)


class Project:
    """An Alembic environment.

    Args:
        config: Alembic's configuration.

    Raises:
        ConfigError: There is no environment, or a revision file cannot be imported.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        try:
            self.scripts = ScriptDirectory.from_config(config)
            self._ordered = tuple(reversed(list(self.scripts.walk_revisions())))
        except ExpandContractError:
            raise
        except (CommandError, KeyError) as exc:
            msg = f"the Alembic environment cannot be read: {exc}"
            raise ConfigError(msg, hint="ec init") from exc
        except Exception as exc:
            msg = f"a revision file cannot be imported: {type(exc).__name__}: {exc}"
            raise ConfigError(msg) from exc

    @classmethod
    def open(cls, ini: Path, *, url: URL | None = None) -> Project:
        """Read the environment of ``alembic.ini`` at ``ini``.

        Raises:
            ConfigError: There is no such file or environment.
        """
        if not ini.is_file():
            msg = f"there is no {ini}"
            raise ConfigError(msg, hint="ec init")
        config = Config(str(ini), stdout=StringIO())
        if url is not None:
            config.set_main_option("sqlalchemy.url", url.render_as_string(hide_password=False).replace("%", "%%"))
        return cls(config)

    @property
    def ordered(self) -> tuple[Script, ...]:
        """Every revision, each after those that it stands on."""
        return self._ordered

    def pairs(self) -> tuple[Pair, ...]:
        """Every pair, in the order of the expand chain."""
        contracts = {}
        for script in self._ordered:
            half = half_of(script)
            if half and half[1] == CONTRACT:
                contracts[half[0]] = script
        found = [
            Pair(change=change, expand=script, contract=contracts.pop(change.name, None))
            for script in self._ordered
            if isinstance(change := getattr(script.module, "change", None), Change)
        ]
        if contracts:
            name, script = next(iter(contracts.items()))
            msg = f"contract {script.revision} names change {name!r}, and no expand declares it"
            raise PairError(msg, hint=f"restore the expand half, or delete {Path(script.path).name}")
        self._refuse_doubles(found)
        return tuple(found)

    @staticmethod
    def _refuse_doubles(pairs: list[Pair]) -> None:
        names = [pair.name for pair in pairs]
        for pair in pairs:
            if names.count(pair.name) > 1:
                msg = f"two expands declare change {pair.name!r}"
                raise PairError(msg, hint="rename one of them")

    def pair(self, name: str) -> Pair:
        """The pair of a change, with both halves where it maps columns.

        Raises:
            UnknownNameError: No pair declares it; the nearest is named.
            PairError: A half is missing.
        """
        known = {pair.name: pair for pair in self.pairs()}
        if name not in known:
            near = get_close_matches(name, known, n=1)
            msg = f"there is no change {name!r}" + (f"; did you mean {near[0]}?" if near else "")
            raise UnknownNameError(msg, hint="ec status")
        found = known[name]
        if found.contract is None and Phase.CONTRACTED in ROUTES[found.change.kind]:
            msg = f"the pair of {name} has no contract half: no revision says change = {name!r}"
            raise PairError(msg, hint=f"restore the file of the contract, or ec abandon {name}")
        return found

    def faults(self, pair: Pair) -> tuple[Finding, ...]:
        """What is wrong with how the two halves stand in their chains."""
        found = []
        if pair.contract is not None and pair.expand.revision not in self.ancestors([pair.contract.revision]):
            found.append(
                Finding(
                    what=f"contract {pair.contract.revision} does not depend on its expand",
                    fix=f'set depends_on = "{pair.expand.revision}" in it',
                )
            )
        return tuple(found)

    def ancestors(self, revisions: list[str]) -> frozenset[str]:
        """These revisions and all that they stand on, dependencies included."""
        return ancestors(self.scripts, revisions)

    def applied(self, connection: Connection) -> frozenset[str]:
        """The revisions that the database has, through ancestors and dependencies."""
        heads = MigrationContext.configure(connection).get_current_heads() or self._elsewhere(connection)
        try:
            return self.ancestors(list(heads))
        except CommandError as exc:
            msg = f"the database has revisions that this project has not: {exc}"
            raise PairError(msg, hint="check out the project as it was when they were run") from exc

    def _elsewhere(self, connection: Connection) -> tuple[str, ...]:
        """The heads in the version table that ``env.py`` itself names."""
        said = probe(self.config)
        named = {"version_table": said.version_table, "version_table_schema": said.version_table_schema}
        return MigrationContext.configure(connection, opts=named).get_current_heads()

    def earlier_expands(self, pair: Pair, applied: frozenset[str]) -> tuple[str, ...]:
        """What of the expand chain must be applied before this pair's expand, by change or revision."""
        return self._pending(pair.expand, applied)

    def earlier_contracts(self, pair: Pair, applied: frozenset[str]) -> tuple[str, ...]:
        """What of the contract chain must be applied before this pair's contract, by change or revision."""
        return () if pair.contract is None else self._pending(pair.contract, applied)

    def _pending(self, script: Script, applied: frozenset[str]) -> tuple[str, ...]:
        before = self.ancestors([script.revision]) - {script.revision} - applied
        return tuple(_label(found) for found in self._ordered if found.revision in before)

    def later_expands(self, pair: Pair, applied: frozenset[str]) -> tuple[str, ...]:
        """What of the expand chain stands on this pair's expand and is applied, by change or revision."""
        return tuple(
            _label(found)
            for found in self._ordered
            if found.revision in applied
            and found.revision != pair.expand.revision
            and pair.expand.revision in self.ancestors([found.revision])
        )

    def in_order(self, names: Collection[str], half: str) -> list[str]:
        """The names of changes in the order in which the chain has that half of them; unknown ones last."""
        chain = [found[0] for script in self._ordered if (found := half_of(script)) and found[1] == half]
        return sorted(names, key=lambda name: chain.index(name) if name in chain else len(chain))

    def newest_contract(self, applied: frozenset[str]) -> str | None:
        """The last contract revision that the database has and the project knows, or ``None``."""
        found = [s.revision for s in self._ordered if s.revision in applied and (half_of(s) or ("", ""))[1] == CONTRACT]
        return found[-1] if found else None


def _label(script: Script) -> str:
    half = half_of(script)
    return half[0] if half else script.revision


def _listed(value: object) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(item) for item in value]  # type: ignore[attr-defined]
