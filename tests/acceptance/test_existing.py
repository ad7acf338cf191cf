"""A project with twenty linear revisions and data takes ``ec init`` and goes on as before."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from pathlib import Path

    from expandcontract.pg.server import LocalServer

ENV = '''"""the project's own environment, as it always was"""
from alembic import context
from sqlalchemy import Column, BigInteger, Integer, MetaData, Table, Text, create_engine, pool

config = context.config
target_metadata = MetaData()
Table("users", target_metadata, Column("id", BigInteger, primary_key=True), Column("full_name", Text, nullable=False),
      *(Column(f"c{n}", Integer) for n in range(1, 20)))


def run_migrations_offline():
    context.configure(url=config.get_main_option("sqlalchemy.url"), target_metadata=target_metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_migrations_online():
    engine = create_engine(config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata)
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    run_migrations_offline()
else:
    run_migrations_online()
'''
FIRST = """
def upgrade():
    op.execute("CREATE TABLE users (id bigint PRIMARY KEY, full_name text NOT NULL)")
    op.execute("INSERT INTO users SELECT n, 'User ' || n FROM generate_series(1, 500) AS n")

def downgrade():
    op.execute("DROP TABLE users")
"""
LATER = """
def upgrade():
    op.execute("ALTER TABLE users ADD COLUMN c{n} integer")

def downgrade():
    op.execute("ALTER TABLE users DROP COLUMN c{n}")
"""


@pytest.fixture
def existing(tmp_path: Path, database: str) -> Project:
    """Twenty revisions, all applied, before anybody heard of expandcontract."""
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    url = database.replace("postgresql://", "postgresql+psycopg://")
    (tmp_path / "alembic.ini").write_text(f"[alembic]\nscript_location = %(here)s/migrations\nsqlalchemy.url = {url}\n")
    (tmp_path / "migrations" / "env.py").write_text(ENV)
    (tmp_path / "migrations" / "script.py.mako").write_text(
        '"""${message}"""\nfrom alembic import op\nimport sqlalchemy as sa\n\nrevision = ${repr(up_revision)}\n'
        "down_revision = ${repr(down_revision)}\nbranch_labels = ${repr(branch_labels)}\n"
        "depends_on = ${repr(depends_on)}\n\n\ndef upgrade():\n    ${upgrades if upgrades else 'pass'}\n\n\n"
        "def downgrade():\n    ${downgrades if downgrades else 'pass'}\n"
    )
    for n in range(20):
        down = None if n == 0 else f"r{n - 1:02d}"
        head = f'from alembic import op\n\nrevision = "r{n:02d}"\ndown_revision = {down!r}\n'
        (versions / f"r{n:02d}.py").write_text(head + (FIRST if n == 0 else LATER.format(n=n)))
    project = Project(tmp_path, database)
    project.run("alembic", "upgrade", "head")
    return project


def _head(project: Project) -> list[tuple[object, ...]]:
    return project.sql("SELECT version_num FROM alembic_version")


def test_plain_alembic_works_as_before(existing: Project) -> None:
    """After ``ec init`` there is no branch, and check, history, revision, downgrade and upgrade do what they did."""
    before = existing.run("alembic", "history")
    existing.ec("init")
    env = (existing.directory / "migrations" / "env.py").read_text()
    assert 2 == env.count("guard(context)")
    assert before == existing.run("alembic", "history")
    assert "No new upgrade operations detected" in existing.run("alembic", "check")
    existing.run("alembic", "downgrade", "-2")
    assert [("r17",)] == _head(existing)
    existing.run("alembic", "upgrade", "head")
    existing.run("alembic", "revision", "--autogenerate", "-m", "nothing")
    existing.run("alembic", "upgrade", "head")
    assert [("r19",)] != _head(existing)
    existing.ec("init")
    assert env == (existing.directory / "migrations" / "env.py").read_text()


def test_after_the_first_pair_with_expand_head(existing: Project) -> None:
    """From the first pair on the same commands work with expand@head for head, while the change is open."""
    existing.ec("init")
    existing.ec("new", "rename-column", "users", "full_name", "display_name")
    existing.run("alembic", "upgrade", "expand@head")
    assert existing.phase() == "expanded"
    assert "No new upgrade operations detected" in existing.run("alembic", "check")
    assert CHANGE.split("_to_")[0] in existing.run("alembic", "history").replace(".", "_")
    existing.run("alembic", "revision", "--autogenerate", "-m", "additive", "--head", "expand@head")
    existing.run("alembic", "upgrade", "expand@head")
    existing.run("alembic", "downgrade", "expand@-1")
    existing.run("alembic", "downgrade", "expand@-1")
    assert (existing.phase(), [("r19",)]) == ("planned", _head(existing))
    assert "only a change that is cut_over can be contracted" in existing.run("alembic", "upgrade", "heads", expect=255)


def _dump(server: LocalServer, dsn: str) -> str:
    done = subprocess.run(
        [server.bin / "pg_dump", "--schema-only", "--exclude-schema=expandcontract", dsn],
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line for line in done.stdout.splitlines() if "restrict" not in line)


def test_fresh_upgrade_and_the_phased_way_end_alike(project: Project, server: LocalServer) -> None:
    """A fresh ``alembic upgrade heads`` on an empty database gives the same schema as all five phases did."""
    project.to("cut_over")
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    project.ec("deploy", "green", "v3")
    project.ec("advance", CHANGE)
    name = f"fresh_{project.database.rsplit('/', 1)[1]}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    fresh = Project(project.directory, server.dsn(name))
    fresh.run("alembic", "upgrade", "heads")
    assert _dump(server, project.database) == _dump(server, fresh.database)
    assert [("contracted", True)] == fresh.sql("SELECT phase, straight FROM expandcontract.change")
    assert [(5000,)] == fresh.sql("SELECT count(display_name) FROM users")


def test_a_development_database_runs_straight_through(project: Project, server: LocalServer) -> None:
    """On a database marked for development pairs run up and down; one with a recorded release cannot be marked."""
    said = project.ec("init", "--development", expect=2)
    assert "serves 1 recorded releases" in said
    name = f"development_{project.database.rsplit('/', 1)[1]}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    mine = Project(project.directory, server.dsn(name))
    mine.run("alembic", "upgrade", "0001")
    mine.ec("init", "--development")
    mine.run("alembic", "upgrade", "heads")
    assert mine.phase() == "contracted"
    mine.run("alembic", "downgrade", "contract@-1")
    assert mine.phase() == "expanded"
    mine.run("alembic", "upgrade", "heads")
    mine.run("alembic", "downgrade", "base")
    assert mine.phase() == "planned"
