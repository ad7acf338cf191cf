"""A service on each color: it says who it is, counts what it answers, and fails in the ways that a test asks for."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

WINDOW_S = 2.0
"""How long a request counts in the figures."""


class Service:
    """One color.

    Attributes:
        ready: Whether ``/ready`` says so.
        failing: Whether requests are answered with 500.
        slow_s: How long a request takes.
        flaps: How often ``/ready`` says no from the first request of a user on.
        color: What it says it is.
        directory: Where a file has what was deployed on it.
    """

    def __init__(self, color: str, directory: Path) -> None:
        self.color = color
        self.ready, self.failing, self.slow_s, self.flaps = True, False, 0.0, 0
        self.directory = directory
        self._seen: deque[tuple[float, bool, float]] = deque()
        self._lock = threading.Lock()
        self.served = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        self.server.service = self  # type: ignore[attr-defined]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def version(self) -> str:
        """What was deployed last."""
        file = self.directory / f"{self.color}.version"
        return file.read_text(encoding="utf-8").strip() if file.exists() else "none"

    def is_ready(self) -> bool:
        """What ``/ready`` says now."""
        with self._lock:
            if self.flaps and self.served:
                self.flaps -= 1
                return False
            return self.ready

    def serve(self) -> bool:
        """Answer a user; whether it went well."""
        time.sleep(self.slow_s)
        with self._lock:
            self.served += 1
            self._seen.append((time.monotonic(), self.failing, self.slow_s))
            return not self.failing

    def stats(self) -> dict[str, object]:
        """The figures of the last two seconds."""
        with self._lock:
            while self._seen and self._seen[0][0] < time.monotonic() - WINDOW_S:
                self._seen.popleft()
            count = len(self._seen)
            errors = sum(failed for _, failed, _ in self._seen)
            slowest = max((took for *_, took in self._seen), default=None)
        return {"requests": count, "error_rate": errors / count if count else None, "latency": {"max": slowest}}

    def close(self) -> None:
        """End it."""
        self.server.shutdown()
        self.server.server_close()


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Probes, figures, and everything else as a user's request."""
        service: Service = self.server.service  # type: ignore[attr-defined]
        who = {"color": service.color, "version": service.version}
        match self.path:
            case "/health":
                self._answer(200, who)
            case "/ready":
                ready = service.is_ready()
                self._answer(200 if ready else 503, {"ready": ready, **who})
            case "/stats":
                self._answer(200, service.stats())
            case _:
                self._answer(200 if service.serve() else 500, who)

    def _answer(self, status: int, document: dict[str, object]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Users:
    """Who asks through the balancer, some fifty times a second.

    Attributes:
        failed: How many answers were no 200.
        answered: How many answers there were.
    """

    def __init__(self, url: str) -> None:
        self.failed, self.answered = 0, 0
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._over.wait(0.02):
            try:
                with urlopen(self._url, timeout=5) as answer:  # noqa: S310  # the balancer's
                    answer.read()
            except OSError:
                self.failed += 1
            self.answered += 1

    @contextmanager
    def asking(self) -> Iterator[Users]:
        """While the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()


@contextmanager
def when(condition: Callable[[], object], then: Callable[[], object]) -> Iterator[None]:
    """Within the block, do something as soon as something is so; at the end it must have been."""
    over, done = threading.Event(), threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            if condition():
                then()
                done.set()
                return

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert done.is_set(), "it never came to that"
