"""One worker: claim a segment, fill it batch by batch, claim the next. UPDATE and cursor are one commit.

A kill repeats nothing and loses nothing. A worker that lost its connection makes a new one and claims again; whether
its last batch was committed is read from the segment, never guessed.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

import psycopg
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from expandcontract.backfill.batch import LONGEST, BrokenOffError, LostClaimError, batch
from expandcontract.backfill.blame import blamed
from expandcontract.backfill.filling import Filling
from expandcontract.backfill.throttle.vacuums import DESPITE
from expandcontract.core.pace import REMEMBERED, Batch, Pace, Took, after, gentle, halved, next_batch, opened, steer
from expandcontract.errors import ConnectError
from expandcontract.functions.process import Caller, TooLongError
from expandcontract.ledger.segments import Segment, Segments
from expandcontract.pg.connect import hot
from expandcontract.pg.quoting import identifier
from expandcontract.pg.retry import sqlstate

if TYPE_CHECKING:
    from expandcontract.backfill.board import Board
    from expandcontract.backfill.job import Job
    from expandcontract.backfill.throttle.vacuums import Vacuums

AGAIN_S = 0.2
"""How long to wait where every segment is somebody's."""
RECONNECT_S = 60
CANCELLED, DISK_FULL = "57014", "53100"
FULL = "the server's disk is full; the backfill goes on by itself once there is room"
FULL_S = 5.0
LONGEST_REST_S = 5.0
"""The most that a limit that is near makes a worker rest; less than any lease."""


class Worker:
    """Fills segments until none is left.

    Args:
        job: What is to do.
        board: Shared with the other workers of this process.
        vacuums: Shared as well.
        name: Unique among all processes; shown to whoever asks who works.
        number: Among the workers of this process, from 0; one beyond the allowed number waits.
        epoch: Of the mover; each batch is fenced by it.
    """

    def __init__(self, job: Job, board: Board, vacuums: Vacuums, *, name: str, number: int, epoch: int) -> None:
        self._job = job
        self._board = board
        self._vacuums = vacuums
        self._name = name
        self._number = number
        self._epoch = epoch
        by = job.function
        self._caller = Caller(by.function or "", by.writes, job.how.function_limit) if by else None
        self._connection = self._connect()
        self._segments = Segments(self._connection, job.change)
        self._ceiling = job.how.ceiling
        self._paces: dict[int, Pace] = {}

    def _connect(self) -> psycopg.Connection:
        connection = hot(self._job.url, command=f"backfill {self._job.change}")
        # a process that was stopped in the middle of a batch does not keep its locks
        connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '5s', false)")
        return connection

    def run(self) -> None:
        """Work until nothing is left or the board says stop; an error goes to the board."""
        try:
            while not self._board.stopped:
                try:
                    if not self._next():
                        return
                except psycopg.Error as exc:  # idle too long in a transaction: an InternalError
                    if sqlstate(exc) == DISK_FULL:
                        self._full()
                    elif self._connection.broken:
                        self._reconnect()
                    else:
                        raise
        except Exception as exc:  # noqa: BLE001 - a thread's error is raised by the one that watches
            self._board.fail(exc)
        finally:
            self._connection.close()
            if self._caller is not None:
                self._caller.close()

    def _reconnect(self) -> None:
        policy = Retrying(
            retry=retry_if_exception_type(ConnectError),
            wait=wait_random_exponential(multiplier=0.1, max=5),
            stop=stop_after_delay(RECONNECT_S),
            reraise=True,
        )
        self._connection.close()
        self._connection = policy(self._connect)
        self._segments = Segments(self._connection, self._job.change)

    def _next(self) -> bool:
        if self._vacuum_is_due():
            self._vacuum()
            return True
        if self._waits():
            self._board.rest(AGAIN_S)
            return True
        segment = batch(
            self._connection,
            self._segments,
            lambda: self._segments.claim(self._job.relations, self._name, self._job.how.lease),
        )
        if segment is None:
            if not self._segments.totals(self._job.relations).open:
                return False
            self._board.show(self._name, "every segment is another worker's")
            self._board.rest(AGAIN_S)
            return True
        self._segment(segment)
        return True

    def _waits(self) -> bool:
        allowed = self._board.allowed
        return bool(self._board.reasons) or (allowed is not None and self._number >= allowed)

    def _vacuum_is_due(self) -> bool:
        allowed = self._board.allowed
        return self._board.may_vacuum(DESPITE) and (allowed is None or self._number < allowed)

    def _vacuum(self) -> None:
        relation = self._board.take_vacuum()
        if relation is not None:
            leaf = self._job.leaves[relation]
            self._board.show(self._name, f"vacuuming {leaf.name}")
            self._vacuums.run(self._connection, relation, identifier(leaf.schema, leaf.name))
            self._board.show(self._name, "")

    def _full(self) -> None:
        self._board.hold_back("disk", FULL)
        self._board.rest(FULL_S)
        self._board.hold_back("disk", None)

    def _segment(self, segment: Segment) -> None:
        pace = self._asked(self._paces.get(segment.relation) or self._job.pace(segment.relation))
        last: deque[Took] = deque(maxlen=REMEMBERED)
        filling = self._filling()
        at = opened(segment.at, pace)
        while (todo := next_batch(at, pace)) is not None:
            between = at.passing is not None and at.passing.stripe == 0 and at.passing.page == at.page
            if self._board.stopped or self._waits() or (between and self._vacuum_is_due()):
                self._segments.release(segment)
                return
            began = monotonic()
            try:
                filled = filling.one(segment, todo, at, self._ceiling, piece_pages=pace.piece_pages)
            except LostClaimError:
                return
            except BrokenOffError:
                self._segments.release(segment)
                return
            except (psycopg.Error, TooLongError) as exc:
                pace = self._smaller(exc, segment, pace, todo)
                continue
            seconds = monotonic() - began
            at = opened(after(at, todo), pace)
            overhead = 0.0 if filled.work is None else seconds - filled.work
            last.append(Took(pages=todo.pages, seconds=seconds, overhead=overhead, trip=filled.trip))
            self._board.tell(self._name, rows=filled.rows, seconds=seconds, pages=todo.pages)
            self._board.rest(min(seconds * self._rest_batches, LONGEST_REST_S))
            pace = steer(self._asked(pace), last, most_pages=self._job.how.most_pages)
            self._paces[segment.relation] = pace
        self._segments.done(segment)

    @property
    def _gentle(self) -> bool:
        """Whether others are at work whom a batch could keep waiting.

        A function computes in a process of its own, so that its batches are long without keeping the server.
        """
        return self._board.company and self._caller is None

    @property
    def _rest_batches(self) -> float:
        least = self._job.how.gentle_rest if self._gentle else 0.0
        return max(self._board.rest_batches, least)

    def _asked(self, pace: Pace) -> Pace:
        """The pace with the target that was asked for, or a shorter one where others are at work."""
        how = self._job.how
        asked = replace(pace, target=self._board.target or how.pace.target, statement=None)
        return gentle(asked, how.gentle_target, how.gentle_statement) if self._gentle else asked

    def _smaller(self, exc: psycopg.Error | TooLongError, segment: Segment, pace: Pace, todo: Batch) -> Pace:
        state = sqlstate(exc)
        if (state == CANCELLED or isinstance(exc, TooLongError)) and todo.pages > 1:
            return halved(replace(pace, batch_pages=todo.pages))
        if isinstance(exc, TooLongError):
            raise exc
        if state == CANCELLED and self._ceiling < LONGEST:
            self._ceiling = min(2 * self._ceiling, LONGEST)
            return pace
        if state == DISK_FULL:
            self._full()
            return pace
        if self._connection.broken:
            raise exc
        raise blamed(self._connection, self._job, segment.relation, todo, exc) from exc

    def _filling(self) -> Filling:
        return Filling(
            self._job,
            self._board,
            self._connection,
            self._segments,
            name=self._name,
            epoch=self._epoch,
            caller=self._caller,
        )
