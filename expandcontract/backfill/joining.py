"""Fills pages from other tables, within the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.pg import computed, joined

if TYPE_CHECKING:
    from collections.abc import Mapping

    import psycopg

    from expandcontract.errors import BackfillError
    from expandcontract.pg.computed import Form


def fill(connection: psycopg.Connection, form: Form, pages: sql.Composable, numbers: Mapping[str, int]) -> int:
    """Fill the unfilled rows of some pages; how many were.

    Takes ROW EXCLUSIVE on the target and ROW SHARE on the joined tables; locks the rows of both.

    Raises:
        BackfillError: A row is joined to several; nothing was filled.
    """
    work = form.work
    locked = [row[0] for row in connection.execute(joined.lock(work, form.relation, pages), numbers)]
    if not locked:
        return 0
    low, high = computed.around(locked)
    query = joined.fill(
        work, form.relation, sql.Placeholder("locked"), (sql.Placeholder("low"), sql.Placeholder("high"))
    )
    filled, several = connection.execute(query, {"locked": locked, "low": low, "high": high}).fetchall()[0]
    if several:
        raise _ambiguous(connection, form, several)
    return int(filled)


def _ambiguous(connection: psycopg.Connection, form: Form, places: list[str]) -> BackfillError:
    named = []
    if form.key:
        query = joined.keys(form.relation, form.key, sql.Placeholder("places"))
        named = connection.execute(query, {"places": places}).fetchall()
    return joined.ambiguous(form, places, named)
