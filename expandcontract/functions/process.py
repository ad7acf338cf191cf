"""A function called in a process of its own, which may hang, die or be ended without harm to us.

No executor of the standard library is used: none lets go of a call that hangs before Python 3.14.
https://docs.python.org/3/library/multiprocessing.html#contexts-and-start-methods
"""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from datetime import timedelta
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from time import monotonic
from typing import TYPE_CHECKING, Any

from expandcontract.errors import FunctionError, MappingError
from expandcontract.functions.call import Fault, Given, Row, call
from expandcontract.functions.found import find

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

LOOK_S = 0.1
"""How often it is looked whether to go on waiting."""
STARTING = timedelta(minutes=1)
"""How long importing may take."""
LIMIT = timedelta(minutes=1)
"""How long one call may take, where nobody said."""


class TooLongError(FunctionError):
    """One call took longer than it may; its process was ended."""


class FaultError(FunctionError):
    """The function gave nothing that can be written.

    Args:
        fault: What was wrong.
    """

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.said)
        self.fault = fault


class Caller:
    """Calls one function for one worker; the process is started with the first call and again after it was ended.

    Args:
        name: ``package.module:function``.
        writes: The columns of each result.
        limit: How long one call may take.
    """

    def __init__(self, name: str, writes: Sequence[str], limit: timedelta = LIMIT) -> None:
        self.name = name
        self._writes = tuple(writes)
        self._limit = limit
        self._process: SpawnProcess | None = None
        self._line: Connection | None = None

    def ask(self, rows: Sequence[Row], meanwhile: Callable[[], None]) -> Given:
        """The results for these rows.

        Args:
            rows: Each with its key and what is read; must go through pickle.
            meanwhile: Called ten times a second; what it raises ends the call and its process.

        Raises:
            FaultError: The function raised, or gave something else than it should.
            TooLongError: It took longer than it may.
            FunctionError: Its process ended by itself.
        """
        try:
            line = self._begun(meanwhile)
            self._sent(line, rows)
            found = self._answer(line, self._limit, meanwhile)
        except (EOFError, OSError) as exc:
            raise self._died() from exc
        except BaseException:
            self.close()
            raise
        if isinstance(found, Fault):
            raise FaultError(found)
        given: Given = found
        return given

    @staticmethod
    def _sent(line: Connection, rows: Sequence[Row]) -> None:
        try:
            line.send(list(rows))
        except OSError:
            raise
        except Exception as exc:
            msg = f"cannot be given these rows: {type(exc).__name__}: {exc}"
            raise FunctionError(msg) from exc

    def _begun(self, meanwhile: Callable[[], None]) -> Connection:
        if self._line is not None:
            return self._line
        context = get_context("spawn")
        self._line, theirs = context.Pipe()
        self._process = context.Process(
            target=serve, args=(theirs, self.name, self._writes), name=f"function {self.name}", daemon=True
        )
        self._process.start()
        theirs.close()
        fault = self._answer(self._line, STARTING, meanwhile)
        if fault is not None:
            raise FaultError(fault)
        return self._line

    def _answer(self, line: Connection, limit: timedelta, meanwhile: Callable[[], None]) -> Any:
        until = monotonic() + limit.total_seconds()
        while not line.poll(LOOK_S):
            meanwhile()
            if monotonic() > until:
                msg = f"took longer than {limit.total_seconds():g}s"
                raise TooLongError(msg)
        return line.recv()

    def _died(self) -> FunctionError:
        process = self._process
        code = None
        if process is not None:
            process.join(timeout=1)
            code = process.exitcode
        self.close()
        how = "" if code is None else f" with exit code {code}"
        if code is not None and code < 0:
            how = f", killed by {signal.Signals(-code).name}"
        return FunctionError(f"ended its own process{how}")

    def close(self) -> None:
        """End the process, whatever it is at. May be called any number of times."""
        line, process = self._line, self._process
        self._line = self._process = None
        if line is not None:
            line.close()
        if process is not None:
            process.kill()
            process.join()
            process.close()


def serve(line: Connection, name: str, writes: tuple[str, ...]) -> None:
    """What the process does: import the function, say so, and call it until nobody is there to ask."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all; the one that asks decides
    os.dup2(2, 1)  # what the function prints does not get between the lines of a document
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        try:
            function = find(name)
        except MappingError as exc:
            line.send(Fault(said=exc.message))
            return
        line.send(None)
        while True:
            found = call(function, line.recv(), writes)
            try:
                line.send(found)
            except (OSError, EOFError):
                raise
            except Exception as exc:  # noqa: BLE001 - pickle raises what it likes
                line.send(Fault(said=f"gave something that cannot leave its process: {type(exc).__name__}: {exc}"))


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None  # noqa: S101  # this is a child
    wait([parent.sentinel])
    os._exit(1)
