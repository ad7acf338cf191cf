"""The user's own HTTP address."""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from expandcontract.core.throttle import Reading, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope

WITHIN_S = 2.0
SHOWN = 120
DIRECT = build_opener(ProxyHandler({}))  # never through a proxy of the environment


class Url:
    """GETs it; 2xx lets the backfill go on, everything else holds it back, an answer that does not come too."""

    signals = (Signal.URL,)

    def read(self, scope: Scope) -> Iterator[Reading]:
        """0 where it answered 2xx, 1 where not, with what it said."""
        why = _refusal(scope.limits.url or "")
        yield scope.reading(Signal.URL, 1 if why else 0, why)


def _refusal(url: str) -> str:
    try:
        request = Request(url, headers={"Connection": "close", "User-Agent": "expandcontract-throttle"})
        with DIRECT.open(request, timeout=WITHIN_S) as answer:
            said = answer.read(SHOWN).decode(errors="replace").strip()
            well = 200 <= answer.status < 300  # noqa: PLR2004  # 2xx
            return "" if well else f"{answer.status} {said}".strip()
    except HTTPError as exc:
        return f"{exc.code} {exc.read(SHOWN).decode(errors='replace').strip()}".strip()
    except (URLError, OSError, HTTPException, ValueError) as exc:
        return f"no answer: {getattr(exc, 'reason', exc)}"
