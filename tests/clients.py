"""Clients that keep their connections and never repeat what failed; each answer is kept with who gave it and when."""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Self

WORKERS = 12
KEYS = 50
"""Of each worker, nobody else's: so every read has one right answer."""


@dataclass(frozen=True)
class Answered:
    """One good answer.

    Attributes:
        sent: When the request was sent, seconds since the epoch.
        done: When the answer was there.
        color: Who gave it.
        release: Its version.
    """

    sent: float
    done: float
    color: str
    release: str


@dataclass
class Clients:
    """A load of so many requests a second, shared by a dozen clients.

    Attributes:
        port: Of the proxy, on loopback.
        rate: Requests a second, by the clock: one that waits does not make the next come faster.
        seed: Which requests.
        answered: Every good answer.
        failed: Every request without one, and reads of what was never acknowledged, in words.
        cut: Requests sent on a connection that had been idle, and that was closed under them before any answer began.
    """

    port: int
    rate: float = 300
    seed: int = 0
    answered: list[Answered] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    cut: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _began: float = 0

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._threads = [threading.Thread(target=self._work, args=(number,)) for number in range(WORKERS)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join()

    @property
    def told(self) -> str:
        """The figures in a line."""
        seconds = time.monotonic() - self._began
        done = f"{len(self.answered)} answers, {len(self.answered) / seconds:.0f} a second"
        return f"{done}; {len(self.failed)} failed, {self.cut} idle connections cut"

    def _work(self, number: int) -> None:
        chance = random.Random(self.seed * WORKERS + number)  # noqa: S311 - which requests, not a secret
        names: dict[int, str] = {}
        link = HTTPConnection("127.0.0.1", self.port, timeout=20)
        due, turn = time.monotonic(), 0
        while not self._ending.wait(max(0.0, due - time.monotonic())):
            due = max(due + WORKERS / self.rate, time.monotonic() - 1)  # a second's delay is made up for, no more
            turn += 1
            key = 1 + number * KEYS + chance.randrange(KEYS)
            name = f"name {number}/{turn}" if chance.random() < 0.3 else None
            if self._ask(link, key, name, names.get(key, f"User {key}")) and name is not None:
                names[key] = name
        link.close()

    def _ask(self, link: HTTPConnection, key: int, name: str | None, expected: str) -> bool:
        """Write ``name``, or read where there is none; says whether it was answered well."""
        kept, sent = link.sock is not None, time.time()
        what = f"{'GET' if name is None else 'PUT'} /users/{key}"
        method, path = what.split()
        body = None if name is None else json.dumps({"name": name})
        try:
            link.request(method, path, body)
            answer = link.getresponse()
            said = answer.read()
        except ConnectionError as exc:  # RemoteDisconnected is one
            link.close()
            if kept:
                self.cut += 1
                return self._ask(link, key, name, expected)  # as a browser does, on a connection of its own
            self.failed.append(f"{what}: {exc!r}")
            return False
        except (HTTPException, OSError) as exc:
            link.close()
            self.failed.append(f"{what}: {exc!r}")
            return False
        if answer.status != 200:
            self.failed.append(f"{what}: {answer.status} {said[:100]!r}")
            return False
        found = json.loads(said)
        self.answered.append(Answered(sent, time.time(), found["color"], found["release"]))
        if name is None and found["name"] != expected:
            self.failed.append(f"{what}: {found['name']!r}, {expected!r} was acknowledged")
        return True
