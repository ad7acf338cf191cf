"""What a pooler like PgBouncer does to a connection, without one: other keys, and no connection options."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ENCRYPTION_ASKED = {80877103, 80877104}  # SSLRequest, GSSENCRequest
REFUSAL = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"


class Pooler(ThreadingTCPServer):
    """Stands before a server on loopback.

    Args:
        port: The server's.
        drops: Whether connection options are dropped in silence; otherwise a connection that has any is refused.
    """

    daemon_threads = True

    def __init__(self, port: int, *, drops: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.upstream, self.drops = port, drops

    def address(self, database: str) -> str:
        """The same database, through the pooler."""
        return f"postgresql://postgres@127.0.0.1:{self.server_address[1]}/{database.rsplit('/', 1)[1]}"


class _Client(BaseRequestHandler):
    server: Pooler

    def handle(self) -> None:
        """Let one client through."""
        startup = self._startup()
        if b"options" in startup and not self.server.drops:
            self.request.sendall(b"E" + struct.pack("!i", len(REFUSAL) + 4) + REFUSAL)
            return
        with socket.create_connection(("127.0.0.1", self.server.upstream)) as upstream:
            body = b"".join(b"%s\0%s\0" % pair for pair in startup.items()) + b"\0"
            upstream.sendall(struct.pack("!ii", len(body) + 8, 3 << 16) + body)
            self._greeting(upstream)
            threading.Thread(target=_pump, args=(upstream, self.request), daemon=True).start()
            _pump(self.request, upstream)

    def _startup(self) -> dict[bytes, bytes]:
        while True:
            length, code = struct.unpack("!ii", _exactly(self.request, 8))
            body = _exactly(self.request, length - 8)
            if code not in ENCRYPTION_ASKED:
                break
            self.request.sendall(b"N")
        parts = body.rstrip(b"\0").split(b"\0")
        found = dict(zip(parts[::2], parts[1::2], strict=True))
        if self.server.drops:
            found.pop(b"options", None)
        return found

    def _greeting(self, upstream: socket.socket) -> None:
        """Pass on the server's greeting with a key of our own in it."""
        kind = b""
        while kind not in {b"Z", b"E"}:
            kind = _exactly(upstream, 1)
            head = _exactly(upstream, 4)
            body = _exactly(upstream, struct.unpack("!i", head)[0] - 4)
            self.request.sendall(kind + head + (struct.pack("!i", 1) + body[4:] if kind == b"K" else body))


def _exactly(source: socket.socket, size: int) -> bytes:
    found = b""
    while len(found) < size:
        more = source.recv(size - len(found))
        if not more:
            raise ConnectionError
        found += more
    return found


def _pump(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@contextmanager
def pooler(port: int, *, drops: bool) -> Iterator[Pooler]:
    """A pooler before the server on ``port``, for as long as the block lasts."""
    with Pooler(port, drops=drops) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()
