"""Probes of a color that answers over HTTP: what is ready, what proves who answered, and what is said of the rest."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Color
from expandcontract.traffic.probe import Probes, probe
from expandcontract.traffic.proof import Proof
from expandcontract.traffic.web import LARGEST, NoReplyError, get

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE = Probes(in_a_row=1, timeout=timedelta(seconds=2), budget=timedelta())
SECOND = timedelta(seconds=1)


class _Says(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """What it was told to, by path."""
        says = self.server.says  # type: ignore[attr-defined]
        status, headers, body = says.get(self.path, (404, {}, b"no such path"))
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in body if isinstance(body, list) else [body]:
            self.wfile.write(piece)
            self.wfile.flush()
            if isinstance(body, list):
                time.sleep(0.3)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def saying(**paths: object) -> Iterator[str]:
    """A server that answers each path as told; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Says)
    server.says = {f"/{path}": said for path, said in paths.items()}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


WELL = (200, {}, b"well")


@pytest.mark.parametrize(
    ("proof", "headers", "body", "said"),
    [
        (Proof(), {}, b"anything", ""),
        (Proof(color_in="/color", version_in="/v"), {}, b'{"color": "GREEN", "v": "v2"}', ""),
        (Proof(color_in="X-Color", version_in="x-version"), {"x-color": "green", "X-Version": "v2"}, b"", ""),
        (Proof(version_in="/app/0/a~1b"), {}, b'{"app": [{"a/b": "v2"}]}', ""),
        (Proof(color_in="/color"), {}, b'{"color": "blue"}', "is of color blue, not green"),
        (Proof(color_in="X-Color"), {"X-Color": "blue"}, b"", "is of color blue, not green"),
        (Proof(version_in="/v"), {}, b'{"v": "v1"}', "is of version v1, not v2"),
        (Proof(version_in="/v"), {}, b'{"v": 2}', "is of version 2, not v2"),
        (Proof(version_in="/v"), {}, b'{"v": null}', "does not tell its version: nothing at /v"),
        (Proof(version_in="/v"), {}, b'{"v": {}}', "does not tell its version: nothing at /v"),
        (Proof(version_in="/v/w"), {}, b'{"v": "v2"}', "does not tell its version: nothing at /v/w"),
        (Proof(version_in="/1"), {}, b'["v2"]', "does not tell its version: nothing at /1"),
        (Proof(color_in="/color"), {}, b"green", "does not tell its color: nothing at /color"),
        (Proof(color_in="X-Color"), {}, b"", "does not tell its color: nothing at X-Color"),
    ],
)
def test_who_answers(proof: Proof, headers: dict[str, str], body: bytes, said: str) -> None:
    """An answer that is not proved to be of this color and version is not ready, and is quoted."""
    with saying(ready=(200, headers, body), health=WELL) as url:
        found = probe(Color.GREEN, url, Probes(proof=proof, in_a_row=1), version="v2", wait=False)
    assert (not said) == found.ok
    assert said in found.evidence
    assert found.ok or body.decode()[:20] in found.evidence


def test_a_version_that_nobody_recorded_is_not_asked() -> None:
    """Where the ledger knows no release there is nothing to compare with."""
    with saying(ready=(200, {}, b"{}"), health=WELL) as url:
        assert probe(Color.GREEN, url, Probes(proof=Proof(version_in="/v"), in_a_row=1), wait=False).ok


@pytest.mark.parametrize(
    ("ready", "said"),
    [
        ((503, {}, b"  starting \n up"), "GET /ready: 503 starting up"),
        ((302, {"Location": "/health"}, b""), "GET /ready: 302"),
        ((304, {}, b""), "GET /ready: 304"),
        ((200, {}, [b"x"] * 9), "GET /ready: timed out"),
    ],
)
def test_what_is_not_ready(ready: object, said: str) -> None:
    """Only 2xx within the time is ready: no redirect is followed, and a body that trickles is not waited for."""
    with saying(ready=ready, health=WELL) as url:
        began = time.monotonic()
        found = probe(Color.GREEN, url, Probes(in_a_row=1, timeout=SECOND), wait=False)
    assert (False, said) == (found.ok, found.evidence)
    assert time.monotonic() - began < 2.5


def test_nobody_there() -> None:
    """A refused connection is told as such."""
    with saying() as url:
        pass
    assert "refused" in probe(Color.GREEN, url, ONE, wait=False).evidence
    with pytest.raises(NoReplyError):
        get("http://[", SECOND)


def test_a_large_answer_is_cut() -> None:
    """No more is read than can be of use."""
    with saying(large=(200, {}, b"x" * (LARGEST + 10))) as url:
        reply = get(f"{url}/large", SECOND)
    assert LARGEST == len(reply.body)
    assert f"200 {'x' * 120}" == str(reply)
