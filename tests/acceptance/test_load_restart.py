"""The proxy is restarted in the middle of a shift: the weights are as last written, or that is found and repaired."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Weights
from tests.acceptance.test_together import wait_until
from tests.clients import Clients
from tests.fix_shop import CHANGE, Shop

if TYPE_CHECKING:
    import subprocess

pytestmark = pytest.mark.slow

DUAL = ("advance", CHANGE, "--release", "v2")


def paused(shop: Shop) -> subprocess.Popen[str]:
    """A shift that stays at a half."""
    shop.ec("advance", CHANGE)
    shop.soak("60s")
    process = shop.begin(*DUAL, "--steps", "50,100")
    wait_until(lambda: shop.given()["green"] == 50)
    shop.ec("switch", "pause", "--why", "the proxy is restarted")
    return process


@pytest.mark.parametrize("shop", ["envoy", "haproxy", "nginx"], indirect=True)
def test_restarted_under_a_shift(shop: Shop) -> None:
    """The weights are as last written, requests reach both colors again, and the same process ends the shift."""
    process = paused(shop)
    shop.rig.stop()
    shop.rig.start()
    assert Weights(50, 50) == shop.rig.switch().read()
    with Clients(shop.rig.listen, rate=100) as clients:
        wait_until(lambda: {"blue", "green"} == {answer.color for answer in list(clients.answered)})
    assert [] == clients.failed
    shop.kill(process)
    shop.soak("0s")
    shop.ec("switch", "resume")
    said = shop.ec(*DUAL)
    assert "resuming dual-write" in said
    assert {"blue": 0, "green": 100} == shop.given()


@pytest.mark.parametrize("shop", ["envoy", "haproxy", "nginx"], indirect=True)
def test_restarted_with_other_weights(shop: Shop) -> None:
    """A file changed by hand jumps into force with the restart: found first, kept in the journal, and put right."""
    process = paused(shop)
    shop.kill(process)
    shop.rig.stop()
    shop.rig.edit(Weights(90, 10))
    shop.rig.start()
    assert Weights(90, 10) == shop.rig.switch().read()
    shop.soak("0s")
    shop.ec("switch", "resume")
    said = shop.ec(*DUAL)
    assert "the balancer gives blue 90 %, green 10 %, the ledger last read blue 50 %, green 50 %" in said
    events = [event for (event,) in shop.sql("SELECT event FROM expandcontract.journal ORDER BY seq")]
    drift = events.index("traffic_drift")
    assert "traffic_intent" in events[drift:]
    assert "traffic_intent" not in events[events.index("shift_resume") : drift]
    assert {"blue": 0, "green": 100} == shop.given()
