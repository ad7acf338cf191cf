"""The file that a restart of the balancer reads: renamed into place, and compared with what is in force."""

from __future__ import annotations

import os
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from expandcontract.errors import SwitchError, UnsavedError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from expandcontract.core.color import Weights

SETTLED_WITHIN = 1.0  # seconds that file and balancer may differ: another process may be between its two writes
LOOK_EVERY = 0.05


class _NotYetError(Exception):
    """The balancer still shows other weights."""


def put(path: Path, text: str) -> None:
    """Replace a file whole: whoever reads it finds the old text or the new, also after a crash of the machine.

    Mode and, where we may, owner stay as they were. May run twice. https://man7.org/linux/man-pages/man2/rename.2.html

    Raises:
        SwitchError: It cannot be written; the old one is as it was.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        _keep_rights(path, fresh)
        fresh.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
        msg = f"{path} cannot be written: {exc.strerror}"
        raise SwitchError(msg, hint=f"let this user create and rename files in {path.parent}") from exc


def _keep_rights(path: Path, fresh: Path) -> None:
    with suppress(FileNotFoundError):
        before = path.stat()
        fresh.chmod(before.st_mode & 0o7777)
        with suppress(PermissionError):
            os.chown(fresh, before.st_uid, before.st_gid)


def text_of(path: Path) -> str | None:
    """What the file says; ``None`` where it is not there or may not be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def settled(running: Callable[[], Weights], saved: Callable[[], Weights | None], path: Path) -> Weights:
    """The weights in force, once the file says the same.

    Args:
        running: Asks the balancer.
        saved: Reads the file; ``None`` where it gives no weights.
        path: The file, for the message.

    Raises:
        UnsavedError: After a second they still differ: a restart would change the traffic.
        SwitchError: The balancer does not answer.
    """
    try:
        return _patient(SETTLED_WITHIN)(_same, running, saved)
    except RetryError:
        force, kept = running(), saved()
    if force == kept:
        return force
    says = f"says {kept}" if kept else "gives no weights that could be read"
    msg = f"the balancer routes by {force}, but {path} {says}; a restart would change the traffic"
    hint = f"find out who wrote last; ec switch {force.live or 'COLOR'} writes both"
    raise UnsavedError(msg, hint=hint, running=force.document())


def _same(running: Callable[[], Weights], saved: Callable[[], Weights | None]) -> Weights:
    found = running()
    if found != saved():
        raise _NotYetError
    return found


def taken(running: Callable[[], Weights], wanted: Weights, within: float, *, in_a_row: int = 1) -> None:
    """Wait until the balancer shows ``wanted``.

    Args:
        running: Asks the balancer.
        wanted: What was written.
        within: Seconds to wait at most.
        in_a_row: How many answers must agree, 50 ms apart.

    Raises:
        SwitchError: It does not, within that time; what it shows is named.
    """

    def shows() -> None:
        for left in reversed(range(in_a_row)):
            if running() != wanted:
                raise _NotYetError
            if left:
                sleep(LOOK_EVERY)

    try:
        _patient(within)(shows)
    except RetryError as exc:
        msg = f"the balancer did not take {wanted} within {within:.3g} s, it reads {running()}"
        raise SwitchError(msg, hint="look at its log; it may watch another file") from exc


def _patient(within: float) -> Retrying:
    return Retrying(
        retry=retry_if_exception_type(_NotYetError), stop=stop_after_delay(within), wait=wait_fixed(LOOK_EVERY)
    )
