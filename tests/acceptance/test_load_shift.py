"""A whole staged shift there, back and there again under load, with ``ec`` killed between stages and resumed."""

from __future__ import annotations

import random
import sys
from typing import TYPE_CHECKING

import pytest

from tests.clients import Clients
from tests.fix_shop import CHANGE, Shop

if TYPE_CHECKING:
    from collections.abc import Callable

STAGES = (10, 50)


def there_and_back(shop: Shop, chance: random.Random) -> None:
    """Dual-write, roll-back by stages, dual-write; each broken off at some stage and run again."""
    for color, move in (
        ("green", ("advance", CHANGE, "--release", "v2")),
        ("blue", ("rollback", CHANGE, "--steps", "10,50,100")),
        ("green", ("advance", CHANGE, "--release", "v2")),
    ):
        shop.killed(color, chance.choice(STAGES), *move)
        shop.ec(*move)
        assert 100 == shop.given()[color]


def on_to_the_end(shop: Shop, chance: random.Random) -> None:
    """Backfill and cut-over, back and over again, and the contract."""
    shop.ec("advance", CHANGE)
    cut_over = ("advance", CHANGE, "--release", "v3")
    for color, move in (
        ("blue", cut_over),
        ("green", ("rollback", CHANGE, "--steps", "10,50,100")),
        ("blue", cut_over),
    ):
        shop.killed(color, chance.choice(STAGES), *move)
        shop.ec(*move)
    shop.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    shop.ec("deploy", "green", "v3")
    shop.ec("advance", CHANGE)
    assert "contracted" == shop.phase()


def _run(shop: Shop, seed: int, *parts: Callable[[Shop, random.Random], None]) -> Clients:
    chance = random.Random(seed)  # noqa: S311 - which stage, not a secret
    shop.ec("advance", CHANGE)
    with Clients(shop.rig.listen, seed=seed) as clients:
        for part in parts:
            part(shop, chance)
    assert {"v1", "v2"} <= {answer.release for answer in clients.answered}
    assert {"blue", "green"} == {answer.color for answer in clients.answered}
    assert [] == clients.failed
    assert [] == shop.misplaced(clients.answered)
    return clients


@pytest.mark.parametrize("shop", ["envoy", "haproxy"], indirect=True)
def test_no_request_fails(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """300 requests a second: none fails, no connection is cut, and every answer is of a release that fits then."""
    clients = _run(shop, 1, there_and_back)
    with capsys.disabled():
        sys.stdout.write(f"\n{shop.rig.name}: {clients.told}\n")
    assert 0 == clients.cut


@pytest.mark.parametrize("shop", ["nginx"], indirect=True)
def test_nginx_cuts_idle_connections_and_nothing_else(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """The known cost of its reloads is counted and shown; a client that repeats such a request sees no failure."""
    clients = _run(shop, 2, there_and_back)
    with capsys.disabled():
        sys.stdout.write(f"\nnginx: {clients.told}\n")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3, 6))
@pytest.mark.parametrize("shop", ["envoy", "haproxy", "nginx"], indirect=True)
def test_all_the_way(shop: Shop, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """From the first expand to the contract, there and back at both shifts, each time killed at another stage."""
    clients = _run(shop, seed, there_and_back, on_to_the_end)
    with capsys.disabled():
        sys.stdout.write(f"\n{shop.rig.name}: {clients.told}\n")
    assert shop.rig.name == "nginx" or 0 == clients.cut
