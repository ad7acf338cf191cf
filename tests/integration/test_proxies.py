"""What single proxies do beyond the contract: requests in flight, refused configurations, what a reload costs."""

from __future__ import annotations

import socket
import threading
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError
from expandcontract.traffic.envoy import EnvoySwitch
from expandcontract.traffic.haproxy import open_haproxy
from expandcontract.traffic.nginx import NginxSwitch
from expandcontract.traffic.switch import abilities, in_flight
from tests.acceptance.test_together import wait_until
from tests.switches.envoy import EnvoyRig
from tests.switches.haproxy import HAProxyRig
from tests.switches.nginx import NginxRig
from tests.switches.rig import BLUE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.switches.rig import ProcessRig

RIGS = {"envoy": EnvoyRig, "haproxy": HAProxyRig, "nginx": NginxRig}


STAGES = [
    Weights.toward(color, percent) for color in (Color.GREEN, Color.BLUE, Color.GREEN) for percent in (10, 50, 100)
]


class _Colors(ThreadingHTTPServer):
    request_queue_size = 128


class _Holds(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer at once, but what is asked to wait only when it may."""
        if self.path == "/wait":
            self.server.may_answer.wait(60)  # type: ignore[attr-defined]
        self.send_response(BLUE)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Client(threading.Thread):
    """Asks again and again on one connection; what is cut before any answer is asked once more on a new one.

    Attributes:
        answered: Requests that were.
        cut: Connections that were closed while they were idle.
        faults: What else went wrong.
    """

    def __init__(self, port: int, ending: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.ending = port, ending
        self.answered = self.cut = 0
        self.faults: list[str] = []

    def run(self) -> None:
        """Until it shall end."""
        link = HTTPConnection("127.0.0.1", self.port, timeout=30)
        reused = False
        while not self.ending.wait(0.005):
            try:
                link.request("GET", "/")
                answer = link.getresponse()
                answer.read()
            except (HTTPException, OSError) as exc:
                link.close()
                self.cut += reused
                self.faults += [] if reused else [repr(exc)]
                reused = False
                continue
            self.answered += 1
            reused = not answer.will_close
            self.faults += [] if answer.status == BLUE else [str(answer.status)]
        link.close()


@pytest.fixture
def held() -> Iterator[ThreadingHTTPServer]:
    """Both colors in one server, whose slow answers wait until they may."""
    server = _Colors(("127.0.0.1", 0), _Holds)
    server.may_answer = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.may_answer.set()  # type: ignore[attr-defined]
    server.shutdown()
    server.server_close()


@pytest.fixture(params=RIGS)
def rig(request: pytest.FixtureRequest, tmp_path: Path, held: ThreadingHTTPServer) -> Iterator[ProcessRig]:
    """A proxy that gives blue everything."""
    found = RIGS[request.param](tmp_path, dict.fromkeys(Color, int(held.server_address[1])))
    try:
        found.start()
        yield found
    finally:
        found.stop()


@pytest.mark.parametrize("rig", ["envoy", "haproxy"], indirect=True)
def test_requests_in_flight_are_counted(rig: ProcessRig, held: ThreadingHTTPServer) -> None:
    """A request that the old color still answers after the switch is counted there until it is answered."""
    switch = rig.switch()
    assert 0 == in_flight(switch, Color.BLUE) == in_flight(switch, Color.GREEN)
    client = HTTPConnection("127.0.0.1", rig.listen, timeout=60)
    client.request("GET", "/wait")
    wait_until(lambda: in_flight(switch, Color.BLUE))
    switch.write(Weights(0, 100))
    assert 1 == in_flight(switch, Color.BLUE)
    assert 0 == in_flight(switch, Color.GREEN)
    held.may_answer.set()  # type: ignore[attr-defined]
    assert BLUE == client.getresponse().status
    wait_until(lambda: in_flight(switch, Color.BLUE) == 0)
    client.close()


def test_an_idle_connection(rig: ProcessRig) -> None:
    """Only the switch that warns of it cuts a connection that is kept alive."""
    with socket.create_connection(("127.0.0.1", rig.listen), timeout=30) as link:
        link.sendall(b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
        assert link.recv(65536).startswith(b"HTTP/1.1 200")
        switch = rig.switch()
        switch.write(Weights(0, 100))
        if abilities(switch).warning:
            assert b"" == link.recv(65536)
        else:
            link.sendall(b"GET / HTTP/1.1\r\nHost: app\r\n\r\n")
            assert link.recv(65536).startswith(b"HTTP/1.1 200")


def test_shifts_under_load(rig: ProcessRig) -> None:
    """There, back and there again no request of clients that keep their connection fails; nginx cuts idle ones only."""
    ending = threading.Event()
    clients = [_Client(rig.listen, ending) for _ in range(6)]
    for client in clients:
        client.start()
    for weights in STAGES:
        answered = [client.answered for client in clients]
        rig.switch().write(weights)
        wait_until(lambda seen=answered: all(c.answered > n for c, n in zip(clients, seen, strict=True)))  # type: ignore[misc]
    ending.set()
    for client in clients:
        client.join()
    assert [] == [fault for client in clients for fault in client.faults]
    if not abilities(rig.switch()).warning:
        assert 0 == sum(client.cut for client in clients)


@pytest.mark.parametrize("rig", ["nginx"], indirect=True)
def test_a_configuration_that_fails_its_test(rig: NginxRig) -> None:
    """Nothing is reloaded, the old include file is back, and nginx's own reason is quoted."""
    good, before = rig.config.read_text(encoding="utf-8"), rig.include.read_text(encoding="utf-8")
    rig.config.write_text(good + "nonsense;\n", encoding="utf-8")
    with pytest.raises(SwitchError, match=r"nginx.conf test failed; .*weights.conf is as it was"):
        rig.switch().write(Weights(0, 100))
    assert before == rig.include.read_text(encoding="utf-8")
    assert Weights(100, 0) == rig.switch().read()
    rig.config.write_text(good, encoding="utf-8")
    rig.switch().write(Weights(0, 100))
    assert Weights(0, 100) == rig.switch().read()


@pytest.mark.parametrize("rig", ["nginx"], indirect=True)
def test_a_reload_that_does_nothing(rig: NginxRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reload that ends well is not believed: what was written and what is in force are both named."""
    monkeypatch.setattr("expandcontract.traffic.nginx.TAKEN_WITHIN", 0.3)
    status = f"http://127.0.0.1:{rig.control}/weights"
    with pytest.raises(SwitchError, match=r"did not take .*green 100.*it reads .*blue 100"):
        NginxSwitch(rig.include, status, ("true",), ("true",)).write(Weights(0, 100))


@pytest.mark.parametrize("rig", ["nginx"], indirect=True)
def test_an_address_that_tells_no_weights(rig: NginxRig) -> None:
    """The application's own answer is not taken for weights."""
    with pytest.raises(SwitchError, match="instead of weights"):
        NginxSwitch(rig.include, f"http://127.0.0.1:{rig.listen}/", ("true",), ("true",)).read()


@pytest.mark.parametrize("rig", ["envoy"], indirect=True)
def test_a_route_file_that_envoy_does_not_watch(rig: EnvoyRig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write is not believed: what was written and what is in force are both named."""
    monkeypatch.setattr("expandcontract.traffic.envoy.TAKEN_WITHIN", 0.3)
    stray = EnvoySwitch(tmp_path / "stray.json", f"http://127.0.0.1:{rig.control}")
    with pytest.raises(SwitchError, match=r"did not take .*green 100.*it reads .*blue 100"):
        stray.write(Weights(0, 100))


@pytest.mark.parametrize("rig", ["haproxy"], indirect=True)
def test_a_map_that_haproxy_does_not_ask(rig: HAProxyRig, tmp_path: Path) -> None:
    """HAProxy's refusal is quoted with what to mend; so is a backend that it does not have."""
    stray = open_haproxy({**rig.options(), "map": str(tmp_path / "stray.map"), "blue": "azure"})
    for ask in (stray.read, lambda: stray.write(Weights(0, 100))):
        with pytest.raises(SwitchError, match="Unknown map") as refused:
            ask()
        assert refused.value.hint == f"let haproxy.cfg ask {tmp_path / 'stray.map'}, by that very path"
    with pytest.raises(SwitchError, match="no backend 'azure'"):
        stray.in_flight(Color.BLUE)


@pytest.mark.parametrize("rig", ["haproxy"], indirect=True)
def test_a_map_without_the_entry(rig: HAProxyRig) -> None:
    """An entry that was taken out counts as the configuration counts it, as 0, and the next write puts it back."""
    rig.switch().write(Weights(0, 100))
    with socket.create_connection(("127.0.0.1", rig.control), timeout=30) as link:
        link.sendall(f"clear map {rig.map}\n".encode())
        assert b"" == link.recv(65536).strip()
    with pytest.raises(SwitchError, match=r"routes by blue 100 %.*says blue 0 %, green 100 %"):
        rig.switch().read()
    rig.switch().write(Weights(40, 60))
    assert Weights(40, 60) == rig.switch().read()
