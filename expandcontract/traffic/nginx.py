"""nginx: an include file is renamed into place, tested, and taken by a reload; a status location reads it back.

A reload starts new workers and ends the old ones, which cuts idle keep-alive connections: a client that sends its
next request just then fails and has to repeat it. https://nginx.org/en/docs/control.html
"""

from __future__ import annotations

import re
import shlex
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError, UsageError
from expandcontract.traffic import kept
from expandcontract.traffic.checks import attempt, replaceable
from expandcontract.traffic.command import run
from expandcontract.traffic.switch import Abilities, command_option, option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from expandcontract.traffic.checks import Check

TIMEOUT = 3.0  # seconds
TAKEN_WITHIN = 10.0
IN_A_ROW = 6
"""Old workers take connections for 100 ms after the new ones have begun, so answers must agree for longer than that."""
LONGEST = 4096  # bytes of a status
SAID = re.compile(r"blue=(\d+) green=(\d+)")
DIRECT = build_opener(ProxyHandler({}))  # never through a proxy of the environment
WARNING = (
    "nginx takes new weights by a reload, which cuts idle keep-alive connections: a client that does not repeat a "
    "request sent at that moment sees an error. keepalive_min_timeout (nginx 1.27.4 and later) softens that"
)


class NginxSwitch:
    """One nginx that includes a file of ours.

    Args:
        include: The file, by the path that ``nginx.conf`` includes.
        status: Address of the location that returns ``$expandcontract_weights``.
        test: Command that ends with 0 where the configuration is good.
        reload: Command that makes nginx take it.
    """

    abilities = Abilities(warning=WARNING)

    def __init__(self, include: Path, status: str, test: Sequence[str], reload: Sequence[str]) -> None:
        self._include = include
        self._status = status
        self._test = tuple(test)
        self._reload = tuple(reload)

    def read(self) -> Weights:
        """The weights that nginx routes by, which are also those of the include file.

        Raises:
            UnsavedError: The include file says something else: it was not taken yet, or another was written since.
            SwitchError: nginx cannot be reached, or does not include a file of ours.
        """
        return kept.settled(self._running, self._saved, self._include)

    def write(self, weights: Weights) -> None:
        """Rename a new include file into place, test it, reload, and wait until no old worker answers.

        Raises:
            SwitchError: The configuration does not pass the test (the old file is back), the reload fails, or nginx
                does not show the weights within ten seconds.
        """
        self._running()  # nothing is written for an nginx that is not there
        before = kept.text_of(self._include)
        kept.put(self._include, include_file(weights))
        try:
            run(self._test)
        except SwitchError as exc:
            self._restore(before)
            msg = f"{exc.message}; {self._include} is as it was"
            raise SwitchError(msg, hint="mend nginx's configuration, then the same command again") from exc
        run(self._reload)
        kept.taken(self._running, weights, TAKEN_WITHIN, in_a_row=IN_A_ROW)

    def checks(self) -> Iterator[Check]:
        """The status location answers, the include file can be replaced, and the configuration passes its test."""
        yield attempt(f"nginx tells its weights at {self._status}", self._running)
        yield replaceable(self._include)
        yield attempt(f"{shlex.join(self._test)} passes", lambda: run(self._test))

    def _restore(self, before: str | None) -> None:
        if before is None:
            self._include.unlink(missing_ok=True)
        else:
            kept.put(self._include, before)

    def _running(self) -> Weights:
        request = Request(self._status, headers={"Connection": "close", "Cache-Control": "no-cache"})
        try:
            with DIRECT.open(request, timeout=TIMEOUT) as answer:
                said = answer.read(LONGEST).decode(errors="replace")
        except (URLError, OSError, HTTPException, ValueError) as exc:
            msg = f"nginx does not tell its weights at {self._status}: {exc}"
            raise SwitchError(msg, hint="start nginx, or mend traffic.options.status") from exc
        found = _weights(said)
        if found is None:
            msg = f"nginx at {self._status} says {said.strip()[:80]!r} instead of weights"
            raise SwitchError(msg, hint="let that location return 200 $expandcontract_weights")
        return found

    def _saved(self) -> Weights | None:
        return _weights(kept.text_of(self._include) or "")


def include_file(weights: Weights) -> str:
    """What nginx includes in its ``http`` block: ``$expandcontract_color`` and ``$expandcontract_weights``.

    ``split_clients`` refuses 0 %, so all or nothing is a plain map.
    https://nginx.org/en/docs/http/ngx_http_split_clients_module.html
    """
    if weights.live:
        color = f"map $host $expandcontract_color {{ default {weights.live}; }}"
    else:
        color = f"split_clients $request_id $expandcontract_color {{ {weights.green}% {Color.GREEN}; * {Color.BLUE}; }}"
    said = f'map $host $expandcontract_weights {{ default "blue={weights.blue} green={weights.green}"; }}'
    return f"# written by ec, which reloads nginx too\n{color}\n{said}\n"


def _weights(text: str) -> Weights | None:
    found = SAID.search(text)
    try:
        return Weights(int(found[1]), int(found[2])) if found else None
    except UsageError:
        return None


def open_nginx(options: Mapping[str, object]) -> NginxSwitch:
    """From settings ``include`` and ``status``, and the commands ``test`` and ``reload``."""
    return NginxSwitch(
        Path(option(options, "include", "nginx")),
        option(options, "status", "nginx"),
        command_option(options, "test", "nginx", ("nginx", "-t")),
        command_option(options, "reload", "nginx", ("nginx", "-s", "reload")),
    )
