"""One GET, straight to its address: no proxy of the environment, no redirect followed, a connection of its own.

A redirect is not followed because what it leads to, a login page say, answers 200 whatever the color's state is.
"""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPException
from time import monotonic
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta
    from http.client import HTTPResponse
    from typing import Any

SHOWN = 120  # characters
LARGEST = 65536  # bytes that are read of a body


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Leave the redirect as it is: an answer that is not 2xx."""


DIRECT = build_opener(ProxyHandler({}), _Stay())


class NoReplyError(Exception):
    """Nothing answered in time; the text says why."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What answered.

    Attributes:
        status: The HTTP status.
        headers: Their names in lower case.
        body: At most 64 KiB of it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004  # 2xx

    def __str__(self) -> str:
        said = " ".join(self.body.decode(errors="replace").split())[:SHOWN]
        return f"{self.status} {said}".strip()


def get(url: str, within: timedelta, headers: Mapping[str, str] | None = None) -> Reply:
    """The answer to one GET, whatever its status.

    Args:
        url: ``http://`` or ``https://``.
        within: How long it may take, the body included.
        headers: Sent along.

    Raises:
        NoReplyError: There is none.
    """
    sent = {"Connection": "close", "Cache-Control": "no-cache", "User-Agent": "expandcontract", **(headers or {})}
    seconds = within.total_seconds()
    until = monotonic() + seconds
    try:
        with _opened(Request(url, headers=sent), seconds) as answer:
            known = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(int(answer.status or 0), known, _body(answer, until))
    except (URLError, OSError, HTTPException, ValueError) as exc:
        raise NoReplyError(str(getattr(exc, "reason", exc)) or type(exc).__name__) from exc


def _opened(request: Request, seconds: float) -> HTTPResponse | HTTPError:
    try:
        answer: HTTPResponse = DIRECT.open(request, timeout=seconds)
    except HTTPError as exc:
        return exc
    return answer


def _body(answer: HTTPResponse | HTTPError, until: float) -> bytes:
    """A body that trickles is not waited for: each piece may take as long as the whole."""
    body = b""
    while len(body) < LARGEST and (piece := answer.read1(LARGEST - len(body))):
        body += piece
        if monotonic() > until:
            raise TimeoutError("timed out")
    return body
