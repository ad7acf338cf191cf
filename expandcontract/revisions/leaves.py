"""What of a seal is made on each partition first, where PostgreSQL makes it on a partitioned table only at one stroke.

A unique constraint cannot be built concurrently there, and a foreign key cannot be NOT VALID before PostgreSQL 18.
Where every partition has its own, the parent's statement takes these in, and neither builds nor scans.
https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.mapping import Table
from expandcontract.core.naming import default_name
from expandcontract.revisions.operations import SealForeignKey, SealItem, SealUnique

if TYPE_CHECKING:
    from sqlalchemy import Connection

NOT_VALID_FOREIGN_KEY = 180000  # the first release that takes one on a partitioned table
LEAVES = """SELECT n.nspname, c.relname FROM pg_partition_tree(
        to_regclass(format('%I.%I', cast(:schema AS text), cast(:table AS text)))) AS p
    JOIN pg_class AS c ON c.oid = p.relid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE p.isleaf AND p.level > 0 AND c.relkind = 'r' ORDER BY 1, 2"""
PARTITIONED = """SELECT relkind = 'p' FROM pg_class
    WHERE oid = to_regclass(format('%I.%I', cast(:schema AS text), cast(:table AS text)))"""


def parts(connection: Connection, item: SealItem) -> tuple[SealItem, ...] | None:
    """The item on each leaf; ``None`` where the table is not partitioned, or where the whole can be made at once."""
    if not isinstance(item, SealUnique | SealForeignKey) or not is_partitioned(connection, item.table):
        return None
    found = leaves(connection, item.table)
    if isinstance(item, SealUnique):
        keys = (*item.columns, *item.include)
        return tuple(replace(item, name=default_name(leaf.name, keys, "key"), table=leaf) for leaf in found)
    if _version(connection) >= NOT_VALID_FOREIGN_KEY:
        return None
    return tuple(replace(item, table=leaf) for leaf in found)


def is_partitioned(connection: Connection, table: Table) -> bool:
    """Whether the table has its rows in partitions."""
    values = {"schema": table.schema, "table": table.name}
    return bool(connection.execute(text(PARTITIONED), values).scalar_one_or_none())


def leaves(connection: Connection, table: Table) -> tuple[Table, ...]:
    """The partitions with rows of their own, however deep."""
    rows = connection.execute(text(LEAVES), {"schema": table.schema, "table": table.name})
    return tuple(Table(schema=row.nspname, name=row.relname) for row in rows)


def _version(connection: Connection) -> int:
    return int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
