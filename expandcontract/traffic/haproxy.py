"""HAProxy: per cents of green in a map, written to the map file and over the stats socket together.

The file is what a restart or reload reads, the socket changes what is in force, without a reload. The map takes one
write for both colors, so no request finds them at 0/0; server weights take two.
https://docs.haproxy.org/2.6/management.html#9.3
"""

from __future__ import annotations

import csv
import socket
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError, UsageError
from expandcontract.traffic import kept
from expandcontract.traffic.checks import attempt, replaceable
from expandcontract.traffic.switch import option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expandcontract.traffic.checks import Check

TIMEOUT = 3.0  # seconds
TAKEN_WITHIN = 3.0
ENTRY = "green"
NOTE = "# per cent of the requests that green gets; written by ec, which sets the running HAProxy too"


class HAProxySwitch:
    """One HAProxy that asks a map of ours for each request.

    Args:
        map_file: The map, by the path that ``haproxy.cfg`` has.
        address: Path of the stats socket, or ``host:port``; it must have ``level admin``.
        backends: The name of each color's backend.
    """

    def __init__(self, map_file: Path, address: str, backends: Mapping[Color, str]) -> None:
        self._map = map_file
        self._address = address
        self._backends = backends

    def read(self) -> Weights:
        """The weights that HAProxy routes by, which are also those of the map file.

        Raises:
            UnsavedError: The map file says something else.
            SwitchError: It cannot be reached, or has no map of ours.
        """
        return kept.settled(self._running, self._saved, self._map)

    def write(self, weights: Weights) -> None:
        """Rename a new map file into place, then set the map that is in force.

        Raises:
            SwitchError: The file cannot be written, or HAProxy refuses; the next write or reading finds what differs.
        """
        self._ask("show info")  # nothing is written for a HAProxy that is not there
        kept.put(self._map, f"{NOTE}\n{ENTRY} {weights.green}\n")
        said = self._ask(f"set map {self._map} {ENTRY} {weights.green}")
        if "not found" in said:
            said = self._ask(f"add map {self._map} {ENTRY} {weights.green}")
        if said:
            raise self._refused(said)
        kept.taken(self._running, weights, TAKEN_WITHIN)

    def in_flight(self, color: Color) -> int:
        """How many sessions the color's backend has now; requests that wait for a server count too.

        Raises:
            SwitchError: HAProxy cannot be reached, or has no such backend.
        """
        name = self._backends[color]
        rows = csv.DictReader(self._ask("show stat").removeprefix("# ").splitlines())
        for row in rows:
            if (row.get("pxname"), row.get("svname")) == (name, "BACKEND"):
                return int(row["scur"] or 0)
        msg = f"HAProxy at {self._address} has no backend {name!r}"
        raise SwitchError(msg, hint=f"name it in traffic.options.{color}")

    def checks(self) -> Iterator[Check]:
        """The stats socket answers and may write, the map file can be replaced, and both backends are there."""
        yield attempt("", self._level)
        yield replaceable(self._map)
        for color in Color:
            yield attempt("", partial(self._backend, color))

    def _level(self) -> str:
        said = self._ask("show cli level")
        if said.split()[-1:] != ["admin"]:
            msg = f"Permission denied: the level of the socket is {said or 'not known'}"
            raise self._refused(msg)
        return f"HAProxy answers at {self._address}, with level admin"

    def _backend(self, color: Color) -> str:
        return f"backend {self._backends[color]} has {self.in_flight(color)} requests in flight"

    def _running(self) -> Weights:
        said = self._ask(f"show map {self._map}")
        entries = [line.split()[1:] for line in said.splitlines() if line.startswith("0x")]
        found = next((entry[1] for entry in entries if entry[0] == ENTRY and entry[1:]), None)
        if found is None and said and not entries:
            raise self._refused(said)
        weights = _weights(found or "0")  # as map_str_int(…,0) takes an entry that is not there
        if weights is None:
            msg = f"HAProxy at {self._address} gives green {found!r} by {self._map}; per cents are 0 to 100"
            raise SwitchError(msg, hint=self._by_hand())
        return weights

    def _saved(self) -> Weights | None:
        text = kept.text_of(self._map)
        if text is None:
            return None
        entries = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        return _weights(next((entry[1] for entry in entries if entry[0] == ENTRY and entry[1:]), "0"))

    def _ask(self, command: str) -> str:
        try:
            with _connect(self._address) as link:
                link.sendall(f"{command}\n".encode())
                answer = b"".join(iter(lambda: link.recv(65536), b""))
        except (OSError, ValueError) as exc:
            msg = f"HAProxy does not answer at {self._address}: {exc}"
            raise SwitchError(msg, hint="start HAProxy, or mend traffic.options.socket") from exc
        return answer.decode(errors="replace").strip()

    def _refused(self, said: str) -> SwitchError:
        msg = f"HAProxy at {self._address} refuses: {said.splitlines()[0]}"
        if "ermission" in said:
            return SwitchError(msg, hint="give its stats socket `level admin`")
        if "Unknown map" in said:
            return SwitchError(msg, hint=f"let haproxy.cfg ask {self._map}, by that very path")
        return SwitchError(msg, hint=self._by_hand())

    def _by_hand(self) -> str:
        return f"ec switch COLOR, or by hand: set map {self._map} {ENTRY} PERCENT"


def _connect(address: str) -> socket.socket:
    host, colon, port = address.rpartition(":")
    if colon and "/" not in address:
        return socket.create_connection((host, int(port)), timeout=TIMEOUT)
    link = socket.socket(socket.AF_UNIX)
    try:
        link.settimeout(TIMEOUT)
        link.connect(address)
    except OSError:
        link.close()
        raise
    return link


def _weights(percent: str) -> Weights | None:
    try:
        return Weights.toward(Color.GREEN, int(percent))
    except (ValueError, UsageError):
        return None


def open_haproxy(options: Mapping[str, object]) -> HAProxySwitch:
    """From settings ``map`` and ``socket``, and the backends' names ``blue`` and ``green``."""
    return HAProxySwitch(
        Path(option(options, "map", "haproxy")),
        option(options, "socket", "haproxy"),
        {color: str(options.get(color, color)) for color in Color},
    )
