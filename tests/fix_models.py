"""A project whose models change, and what ``ec new auto`` makes of that, taken through every phase."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command

from expandcontract.core.phase import Phase
from expandcontract.lint.finding import Severity
from expandcontract.revisions.project import Project as Revisions
from tests.compat.drive import REVISION, Case, Drive

if TYPE_CHECKING:
    from expandcontract.runner.events import Written

ENV = """
import runpy

target_metadata = runpy.run_path({models!r})["metadata"]
"""
HEAD = """
import sqlalchemy as sa
from sqlalchemy import (
    BigInteger, CheckConstraint, Column, Computed, Enum, ForeignKey, ForeignKeyConstraint, Identity, Index, Integer,
    MetaData, Numeric, Sequence, String, Table, Text, UniqueConstraint, func, text,
)

metadata = MetaData()
"""


class Modelled(Drive):
    """A :class:`Drive` whose changes come from models."""

    @classmethod
    def of(cls, project: Any, server: Any, setup: str, *, schemas: bool = False) -> Modelled:
        """The project with these tables, release v1 on blue; ``env.py`` reads ``models.py``.

        Args:
            project: A folder with settings, on an empty database.
            server: Where the database is.
            setup: The tables.
            schemas: Whether other schemas are compared too.
        """
        case = Case(name="none", recipe="auto", arguments={}, setup=setup, old=(), new=())
        drive = cls(case, project, server)
        list(drive.runner.init())
        versions = project.directory / "migrations" / "versions"
        (versions / "0001_tables.py").write_text(REVISION.format(setup=setup), encoding="utf-8")
        env = project.directory / "migrations" / "env.py"
        source = env.read_text(encoding="utf-8")
        read = ENV.format(models=str(project.directory / "models.py"))
        source = source.replace("target_metadata = None", read)
        if schemas:
            source = source.replace("connection=connection,", "connection=connection, include_schemas=True,")
        env.write_text(source, encoding="utf-8")
        drive.models("")
        command.upgrade(drive.config(project.database), "head")
        drive.do("deploy", "blue", "v1")
        drive.do("switch", "blue", (100,))
        return drive

    def models(self, source: str) -> None:
        """What ``models.py`` says from now on."""
        (self.project.directory / "models.py").write_text(HEAD + source, encoding="utf-8")

    def auto(self, message: str = "models", **answers: Any) -> Written:
        """``ec new auto``."""
        return self.runner.new_auto(message, **answers)

    def pairs(self) -> list[str]:
        """The changes, in the order of the chain, each with its kind."""
        project = Revisions.open(self.project.directory / "alembic.ini")
        return [f"{pair.name}: {pair.change.kind}" for pair in project.pairs()]

    def check(self) -> None:
        """``alembic check`` finds nothing to do."""
        command.check(self.config(self.project.database))

    def well_written(self, *known: str) -> None:
        """``ec lint`` finds no error in any pair, Ruff nothing at all, and its formatter changes nothing.

        Args:
            known: Codes of what ``ec lint`` says of the recipe's own statements, without knowing the table.
        """
        pairs = Revisions.open(self.project.directory / "alembic.ini").pairs()
        report = self.runner.lint([pair.name for pair in pairs])
        found = {finding.code for finding in report.findings if finding.severity is Severity.ERROR}
        assert set(known) == found, report.findings
        scripts = [half for pair in pairs for half in (pair.expand, pair.contract) if half is not None]
        for verb in (("check",), ("format", "--diff")):
            command_line = [sys.executable, "-m", "ruff", *verb, "--isolated", *(str(half.path) for half in scripts)]
            done = subprocess.run(command_line, capture_output=True, text=True, check=False)
            assert 0 == done.returncode, done.stdout + done.stderr

    def through(self) -> None:
        """Every change that there is, one after the other, to its end; the clients work in every phase."""
        for label in self.pairs():
            self.case = replace(self.case, name=label.split(":")[0])
            while not (state := self.state()).ended:
                if state.phase is Phase.CUT_OVER:
                    self.contract()
                else:
                    self.advance()
                self.clients()
            if state.contracts:  # the old release is gone with its shape
                self.case = replace(self.case, old=())
        assert [] == self.failed
        assert self.fresh() == self.dump()
        assert [] == self.project.sql("SELECT * FROM expandcontract.integrity()")


@pytest.fixture
def modelled(empty: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a :class:`Modelled`, in its folder."""
    monkeypatch.chdir(empty.directory)
    return lambda setup, **more: Modelled.of(empty, server, setup, **more)
