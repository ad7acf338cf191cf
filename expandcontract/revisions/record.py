"""Records what a revision's functions would do, line by line, without a database: the data that ``ec lint`` judges.

The functions run against Alembic's own operations in offline mode, so the SQL is what ``alembic upgrade --sql`` writes.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import alembic.op
from alembic.operations import BatchOperations, Operations, ops
from alembic.runtime.migration import MigrationContext
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import CompileError

from expandcontract.core.phase import Kind as ChangeKind
from expandcontract.core.revision import Action, Half, Kind, Part, Revision, Statement, Stopped
from expandcontract.pg.parsed import cut
from expandcontract.pg.statement import read
from expandcontract.revisions.operations import AssertContractOp, BeginChangeOp, EndChangeOp, _SealOp
from expandcontract.revisions.project import half_of
from expandcontract.revisions.seal import describe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from alembic.script import Script
    from sqlalchemy import Executable

    from expandcontract.core.change import Change
    from expandcontract.core.mapping import Table

OURS = {BeginChangeOp: Kind.BEGIN_CHANGE, EndChangeOp: Kind.END_CHANGE, AssertContractOp: Kind.ASSERT_CONTRACT}
DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


class NeedsDatabaseError(Exception):
    """A revision asked the database something, so what follows depends on the answer."""


def revision(script: Script, path: str, change: Change | None) -> Revision:
    """What the revision does; its functions are called, and nothing is run on any database.

    Args:
        script: Alembic's own view of it.
        path: Its file, as messages shall name it.
        change: The change that it belongs to, as the expand declares it; ``None`` for an ordinary revision.
    """
    half = half_of(script)
    recorder = _Recorder(script.module)
    for part in Part:
        recorder.run(part)
    return Revision(
        id=script.revision,
        path=path,
        half=Half(half[1]) if half else None,
        change=half[0] if half else None,
        statements=tuple(recorder.statements),
        needed=_needed(change),
        irreversible=change.irreversible if change is not None else "",
        held=change is not None and bool(change.shape.holds),
        own=frozenset(change.shape.tables) if change is not None else frozenset(),
        source=Path(script.path).read_text(encoding="utf-8"),
        stopped=tuple(recorder.stopped),
    )


def _needed(change: Change | None) -> frozenset[tuple[Table, str]]:
    if change is None:
        return frozenset()
    # the columns of a swapped change have traded names by the time its contract runs
    swapped = change.kind is ChangeKind.SWAPPED
    old = ((mapping.table, mapping.old) for mapping in change.shape.mappings)
    sides = old if swapped else ((hold.table, hold.columns) for hold in change.shape.arriving)
    return frozenset((table, column) for table, columns in sides for column in columns)


class _Recorder:
    """Takes the place of ``alembic.op`` while one function runs."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._part = Part.UPGRADE
        self._autocommit = False
        self._depth = 0
        self._written: list[str] = []
        self.statements: list[Statement] = []
        self.stopped: list[Stopped] = []

    def write(self, text: str) -> None:
        """Called by Alembic with each statement."""
        self._written.append(text)

    def flush(self) -> None:
        """Called by Alembic after each statement."""

    def run(self, part: Part) -> None:
        """Call the function of that name, if the revision has it."""
        function = getattr(self._module, part, None)
        if function is None:
            return
        self._part = part
        operations = self._operations()
        prior = getattr(alembic.op, "_proxy", None)
        operations._install_proxy()  # noqa: SLF001  # Alembic's own way to lend ``op`` to another object
        try:
            with redirect_stdout(StringIO()):  # what it prints is no part of the answer
                function()
        except Exception as exc:  # noqa: BLE001  # whatever it raises is told, with its line
            reason = str(exc) if isinstance(exc, NeedsDatabaseError) else f"{type(exc).__name__}: {exc}"
            self.stopped.append(Stopped(part=part, line=self._raised(exc), reason=reason.splitlines()[0]))
        finally:
            operations._remove_proxy()  # noqa: SLF001
            if prior is not None:
                prior._install_proxy()  # noqa: SLF001

    def _operations(self) -> Any:
        options = {"as_sql": True, "literal_binds": True, "output_buffer": self}
        context: Any = MigrationContext.configure(dialect=DIALECT, opts=options)
        operations: Any = Operations(context)
        plain = operations.invoke

        @contextmanager
        def autocommit_block() -> Iterator[None]:
            self._autocommit = True
            try:
                yield
            finally:
                self._autocommit = False

        @contextmanager
        def batch_alter_table(table_name: str, schema: str | None = None, **_: object) -> Iterator[BatchOperations]:
            batch: Any = BatchOperations(context, impl=SimpleNamespace(table_name=table_name, schema=schema))  # type: ignore[arg-type]
            batch.invoke = operations.invoke
            yield batch

        context.autocommit_block = autocommit_block
        operations.invoke = lambda operation: self._invoke(operation, plain)
        operations.batch_alter_table = batch_alter_table
        operations.get_bind = lambda: _Bind(operations)
        return operations

    def _invoke(self, operation: Any, plain: Any) -> Any:
        if self._depth:
            return plain(operation)
        steps = (_SealOp, ops.CreateIndexOp) if self._part is Part.SEAL else (_SealOp,) if self._restoring() else ()
        sealed = isinstance(operation, steps)
        if sealed:
            self._note("", (_seal_step(operation),))
            return None
        self._depth += 1
        self._written.clear()
        try:
            result = plain(operation)
        except CompileError:
            # it would run online, where values need not be written out
            rows = isinstance(operation, ops.BulkInsertOp)
            self._note("", (Action(kind=Kind.INSERT if rows else Kind.UNKNOWN, name=type(operation).__name__),))
            return None
        finally:
            self._depth -= 1
        self._keep(operation, [one.text for text in self._written for one in cut(text)])
        return result

    def _keep(self, operation: Any, statements: list[str]) -> None:
        kind = OURS.get(type(operation))
        if kind is not None:
            self._note(statements[0] if statements else "", (Action(kind=kind),))
            return
        for sql in statements:
            self._note(sql, tuple(_completed(action, operation) for action in read(sql)))

    def _note(self, sql: str, actions: tuple[Action, ...]) -> None:
        self.statements.append(
            Statement(sql=sql, line=self._line(), part=self._part, actions=actions, autocommit=self._autocommit)
        )

    def _restoring(self) -> bool:
        """Whether ``restore()`` is what calls: ec makes its steps online, before the rest of the way back."""
        frame = sys._getframe()  # noqa: SLF001  # as below
        while frame is not None:
            if frame.f_globals is vars(self._module) and frame.f_code.co_name == "restore":
                return True
            frame = frame.f_back  # type: ignore[assignment]
        return False

    def _line(self) -> int:
        frame = sys._getframe()  # noqa: SLF001  # the calls of the revision's own file are looked for
        lines = []
        while frame is not None:
            if frame.f_globals is vars(self._module):
                lines.append(frame.f_lineno)
            frame = frame.f_back  # type: ignore[assignment]
        return lines[0] if lines else 1

    def _raised(self, exc: Exception) -> int:
        trace, line = exc.__traceback__, 1
        while trace is not None:
            if trace.tb_frame.f_globals is vars(self._module):
                line = trace.tb_lineno
            trace = trace.tb_next
        return line


def _seal_step(operation: Any) -> Action:
    if isinstance(operation, _SealOp):
        return Action(kind=Kind.SEAL, table=operation.item.table, name=describe(operation.item))
    return Action(kind=Kind.SEAL, name=f"index {operation.index_name}")


def _completed(action: Action, operation: Any) -> Action:
    existing = getattr(operation, "existing_type", None)
    if action.kind is not Kind.CHANGE_TYPE or existing is None:
        return action
    # through the same reader, so that both are spelled alike
    (old,) = read(f"ALTER TABLE t ALTER COLUMN c TYPE {existing.compile(dialect=DIALECT)}")
    return replace(action, old_type=old.type)


class _Bind:
    """What ``op.get_bind()`` gives: statements are recorded, answers are not to be had."""

    def __init__(self, operations: Any) -> None:
        self._operations = operations
        self.dialect = DIALECT

    def execute(self, statement: Executable | str, parameters: object = None) -> _Answer:
        """Record the statement; its parameters are not written out."""
        del parameters
        self._operations.execute(statement)
        return _Answer()

    def exec_driver_sql(self, statement: str, parameters: object = None) -> _Answer:
        """Record the statement."""
        return self.execute(statement.replace(":", "\\:"), parameters)

    def __getattr__(self, name: str) -> NoReturn:
        msg = f"it asks the database (.{name})"
        raise NeedsDatabaseError(msg)


class _Answer:
    """A result that nobody can look into."""

    def __getattr__(self, name: str) -> NoReturn:
        msg = f"it asks the database for an answer (.{name})"
        raise NeedsDatabaseError(msg)

    def __iter__(self) -> NoReturn:
        raise NeedsDatabaseError("it asks the database for rows")
