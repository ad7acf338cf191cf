"""Alembic's environment: how to reach the database, and the guard that refuses a contract before its time."""

from __future__ import annotations

import os
from logging.config import fileConfig

from alembic import context
from sqlalchemy import URL, create_engine, pool

from expandcontract import guard
from expandcontract.pg.connect import parse

config = context.config
if config.config_file_name is not None:
    fileConfig(config.config_file_name, disable_existing_loggers=False)

# your models' MetaData, for `alembic revision --autogenerate`
target_metadata = None


def address() -> URL:
    """Where to: ``ec`` passes its own address; otherwise EC_DATABASE, then sqlalchemy.url."""
    given = config.get_main_option("sqlalchemy.url", "")
    if "expandcontract" not in config.attributes:
        given = os.environ.get("EC_DATABASE", given)
    return parse(given)


def run_offline() -> None:
    """Write the statements as a script."""
    options = {"paramstyle": "named"}  # so that a percent sign stays one
    context.configure(url=address(), target_metadata=target_metadata, literal_binds=True, dialect_opts=options)
    with context.begin_transaction():
        guard(context)
        context.run_migrations()


def run_online() -> None:
    """Run the statements, one transaction a revision."""
    engine = create_engine(address(), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=target_metadata,
            compare_server_default=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            guard(context)
            context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
