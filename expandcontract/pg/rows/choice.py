"""Finds for each column the variant with which rows satisfy their checks, by trying them on the server."""

from __future__ import annotations

from itertools import islice, product
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from expandcontract.pg.rows.draft import Draft
    from expandcontract.pg.rows.model import Check

    Chosen = dict[str, sql.Composable]
    Numbers = tuple[int, int, int]

SAMPLE = 100
ENOUGH = 0.85
MOST = 400
PER_COLUMN = 60


def choose(
    connection: psycopg.Connection, draft: Draft, first: int, count: int
) -> tuple[Chosen, tuple[Check, ...], float]:
    """The variants to take.

    Args:
        connection: To the scratch database, in a transaction; each trial is a savepoint of its own.
        draft: Of the rows.
        first: The number from which they count.
        count: How many are wanted; the trials are of numbers from all along them.

    Returns:
        A variant for each column, the checks that they do not satisfy, and the share of rows that do satisfy the rest.
    """
    numbers = (first, first + max(count, SAMPLE) - 1, max(count // SAMPLE, 1))
    chosen: Chosen = {name: found[0] for name, found in draft.choices.items() if found}
    unmet: list[Check] = []
    for checks in _together(draft):
        best, share = _best(connection, draft, chosen, checks, numbers)
        if not share and any(check.wished for check in checks):
            unmet += [check for check in checks if check.wished]
            checks = [check for check in checks if not check.wished]  # noqa: PLW2901  # the rest is tried without them
            best, share = _best(connection, draft, chosen, checks, numbers) if checks else (chosen, 1.0)
        if not share:
            unmet += checks
        chosen = best
    met = [check for check in draft.checks if check not in unmet]
    return chosen, tuple(unmet), _share(connection, draft, chosen, met, numbers)


def _together(draft: Draft) -> list[list[Check]]:
    """The checks, those that share a column to choose together."""
    groups: list[tuple[set[str], list[Check]]] = []
    for check in draft.checks:
        columns, members = set(check.columns & set(draft.choices)), [check]
        for group in [found for found in groups if found[0] & columns]:
            groups.remove(group)
            columns |= group[0]
            members = [*group[1], *members]
        groups.append((columns, members))
    return [members for _, members in groups]


def _best(
    connection: psycopg.Connection, draft: Draft, chosen: Chosen, checks: Sequence[Check], numbers: Numbers
) -> tuple[Chosen, float]:
    best, highest = chosen, 0.0
    names = sorted({name for check in checks for name in check.columns & set(draft.choices)})
    for combination in _combinations([draft.choices[name][:PER_COLUMN] for name in names]):
        tried = {**chosen, **dict(zip(names, combination, strict=True))}
        share = _share(connection, draft, tried, checks, numbers)
        if share > highest:
            best, highest = tried, share
        if highest >= ENOUGH:
            break
    return best, highest


def _combinations(choices: Sequence[Sequence[sql.Composable]]) -> Iterator[tuple[sql.Composable, ...]]:
    """At most so many, those of early variants first."""
    room = max(1, round((MOST * 5) ** (1 / max(len(choices), 1))))
    numbered = product(
        *(list(enumerate(found[:room])) if len(choices) > 1 else list(enumerate(found)) for found in choices)
    )
    ordered = sorted(numbered, key=lambda combination: sum(number for number, _ in combination))
    for combination in islice(ordered, MOST):
        yield tuple(value for _, value in combination)


def _share(
    connection: psycopg.Connection,
    draft: Draft,
    chosen: Mapping[str, sql.Composable],
    checks: Sequence[Check],
    numbers: Numbers,
) -> float:
    """Which share of a sample satisfies the checks and differs where it must; none where it cannot even be made."""
    columns = {name for check in checks for name in check.columns}
    apart = [column.name for column in draft.sketch.columns if column.unique and column.name in columns & set(chosen)]
    what = sql.SQL("DISTINCT ({})").format(sql.SQL(", ").join(map(sql.Identifier, apart))) if apart else sql.SQL("*")
    query = sql.SQL("SELECT count({}) FILTER (WHERE {}), count(*) FROM ({}) AS r").format(
        what, draft.condition(checks), draft.rows(chosen, *numbers)
    )
    try:
        with connection.transaction():
            row = connection.execute(query).fetchone()
    except psycopg.Error:
        return 0.0
    return float(row[0] / row[1]) if row and row[1] else 0.0
