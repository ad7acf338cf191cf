"""Steady reads and writes through the proxy, and a ledger of every acknowledged write.

Each key belongs to one worker, which waits for each answer: so every read has exactly one right value. A client that
retries would hide failures; this one never does.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from time import monotonic

import httpx

WORKERS = 4
PAUSE = 0.04  # seconds between two requests of a worker
KEYS = 500  # keys of each worker
SHOWN = 10


def first_name(key: int) -> str:
    """The name that a row has before anybody writes it."""
    return f"User {key}"


@dataclass
class Load:
    """The load and what came of it.

    Attributes:
        address: The proxy.
        phase: What the figures are booked under; set by whoever runs the demo.
        acknowledged: Every key written, with its last acknowledged name.
        requests: So far.
        failed: Requests without a good answer, for whatever reason.
        stale: Reads that were not what was acknowledged last.
        faults: The first few failures, in words.
        latencies: Seconds, by phase.
    """

    address: str
    phase: str = "planned"
    acknowledged: dict[int, str] = field(default_factory=dict)
    requests: int = 0
    failed: int = 0
    stale: int = 0
    faults: list[str] = field(default_factory=list)
    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), name="load", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; every request under way is waited for."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    async def _all(self) -> None:
        limits = httpx.Limits(max_connections=WORKERS * 2)
        async with httpx.AsyncClient(base_url=self.address, timeout=20, limits=limits, trust_env=False) as client:
            await asyncio.gather(*(self._worker(client, number) for number in range(WORKERS)))

    async def _worker(self, client: httpx.AsyncClient, number: int) -> None:
        chance = random.Random(number)
        keys = [1 + number + WORKERS * index for index in range(KEYS)]
        count = 0
        while not self._ending.is_set():
            count += 1
            kind = chance.random()
            if kind < 0.1:  # noqa: PLR2004  # a tenth are inserts
                await self._insert(client, keys, f"new {number}/{count}")
            elif kind < 0.5:  # noqa: PLR2004  # four tenths are updates
                await self._update(client, chance.choice(keys), f"name {number}/{count}")
            else:
                await self._read(client, chance.choice(keys))
            await asyncio.sleep(PAUSE)

    async def _ask(
        self, client: httpx.AsyncClient, method: str, path: str, body: dict[str, str] | None = None
    ) -> httpx.Response | None:
        phase, began = self.phase, monotonic()
        self.requests += 1
        try:
            answer = await client.request(method, path, json=body)
        except httpx.HTTPError as exc:
            self._fault(f"{method} {path} in {phase}: {type(exc).__name__} {exc}")
            return None
        self.latencies[phase].append(monotonic() - began)
        if not answer.is_success:
            self._fault(f"{method} {path} in {phase}: {answer.status_code} {answer.text[:120]}")
            return None
        return answer

    def _fault(self, text: str) -> None:
        self.failed += 1
        if len(self.faults) < SHOWN:
            self.faults.append(text)

    async def _insert(self, client: httpx.AsyncClient, keys: list[int], name: str) -> None:
        answer = await self._ask(client, "POST", "/users", {"name": name})
        if answer is not None:
            key = int(answer.json()["id"])
            self.acknowledged[key] = name
            keys.append(key)

    async def _update(self, client: httpx.AsyncClient, key: int, name: str) -> None:
        if await self._ask(client, "PUT", f"/users/{key}", {"name": name}) is not None:
            self.acknowledged[key] = name

    async def _read(self, client: httpx.AsyncClient, key: int) -> None:
        answer = await self._ask(client, "GET", f"/users/{key}")
        if answer is None:
            return
        expected, found = self.acknowledged.get(key, first_name(key)), answer.json()["name"]
        if found != expected:
            self.stale += 1
            if len(self.faults) < SHOWN:
                self.faults.append(f"GET /users/{key} in {self.phase}: {found!r}, {expected!r} was acknowledged")
