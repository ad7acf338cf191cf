"""Every setting, with its default and what it means.

Rules for the next editor:

1. A setting is documented by its ``description`` and by a row in ``docs/reference/settings.md``; a test compares.
2. A length of time is a :data:`~expandcontract.config.duration.Duration`; a bare number carries its unit in the name.
3. Nothing here reads a file or connects; :mod:`expandcontract.config.load` does the reading.
"""

from __future__ import annotations

import shlex
from datetime import timedelta
from pathlib import Path  # noqa: TC003 - pydantic reads the annotations
from typing import Annotated, Any

from pydantic import BeforeValidator, ByteSize, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from expandcontract.config.duration import Duration
from expandcontract.config.guard import GuardSettings, check_pointer
from expandcontract.config.section import Section
from expandcontract.core.color import FULL, Color


def _words(value: object) -> object:
    return tuple(shlex.split(value)) if isinstance(value, str) else value


def _numbers(value: object) -> object:
    return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else value


Command = Annotated[tuple[str, ...], BeforeValidator(_words)]
"""A command line: a list of words, or one string that is split as a shell would, without running a shell."""
Steps = Annotated[tuple[int, ...], BeforeValidator(_numbers)]
"""Rising whole per cents that end at 100: a list, or ``10,50,100``."""


def check_steps(steps: tuple[int, ...]) -> tuple[int, ...]:
    """``steps`` itself, where the traffic can be shifted along it.

    Raises:
        ValueError: It does not rise from above 0 to exactly 100.
    """
    rising = all(low < high for low, high in zip((0, *steps), steps, strict=False))
    if not steps or not rising or steps[-1] != FULL:
        shown = ",".join(map(str, steps)) or "none"
        msg = f"steps must rise and end at 100, like 10,50,100; found {shown}"
        raise ValueError(msg)
    return steps


class WindowSettings(Section):
    """``[window]``: the rollback window of changes that do not say their own."""

    length: Duration = Field(default=timedelta(hours=24), description="How long the way back is kept after cut-over.")


class LockSettings(Section):
    """``[lock]``: how long a lock in the database is waited for."""

    budget: Duration = Field(
        default=timedelta(minutes=30), description="How long attempts are repeated before the move pauses with exit 4."
    )
    statement: Duration = Field(
        default=timedelta(seconds=3), description="How long a statement may run that only changes the catalogue."
    )
    build: Duration = Field(
        default=timedelta(hours=12), description="How long one concurrent index build may take, waiting included."
    )
    snapshot: Duration = Field(
        default=timedelta(minutes=1),
        description="A concurrent index build does not start while a query's snapshot is older.",
    )


class ColorSettings(Section):
    """``[colors.blue]`` and ``[colors.green]``: one deployment slot."""

    role: str | None = Field(default=None, description="The login role that releases on this color connect as.")
    url: str | None = Field(
        default=None, description="Where this color itself answers, past the balancer; it is probed there."
    )


class TrafficSettings(Section):
    """``[traffic]``: the balancer, and how traffic is shifted."""

    switch: str | None = Field(default=None, description="The adapter, by name; unset: none.")
    steps: Steps = Field(default=(10, 30, 50, 75, 100), description="Per cents of a staged shift.")
    soak: Duration = Field(default=timedelta(seconds=10), description="How long each stage is watched before the next.")
    back_within: Duration = Field(
        default=timedelta(seconds=30),
        description="How long it is tried to take the traffic back where the balancer does not let us.",
    )
    options: dict[str, Any] = Field(default_factory=dict, description="What the adapter itself needs.")

    _rising = field_validator("steps")(check_steps)


class DeploySettings(Section):
    """``[deploy]``: how a release gets onto a color."""

    deployer: str = Field(
        default="external", description="`command`, `kubernetes`, or `external` where something else deploys."
    )
    command: Command = Field(default=(), description="Run with `{color}` and `{version}` filled in.")
    options: dict[str, Any] = Field(default_factory=dict, description="What the deployer itself needs.")
    release_file: str | None = Field(
        default=None,
        description="Where a release says what it speaks, `{version}` filled in; "
        "unset: `expandcontract.release.toml`, where there is one.",
    )


class ProbeSettings(Section):
    """``[probe]``: how a color's health is asked."""

    health: str = Field(default="/health", description="Path that answers 200 while the process is well.")
    ready: str = Field(default="/ready", description="Path that answers 200 while it can take traffic.")
    color_in: str | None = Field(
        default=None,
        description="Where the answer of `ready` names its color: a JSON pointer like `/color`, or a header's name.",
    )
    version_in: str | None = Field(default=None, description="Where it names its version, in the same way.")
    in_a_row: int = Field(default=3, ge=1, description="Good answers in a row that count as healthy.")
    timeout: Duration = Field(default=timedelta(seconds=2), description="How long one answer is waited for.")
    interval: Duration = Field(default=timedelta(seconds=0.5), description="Pause between two probes.")
    budget: Duration = Field(default=timedelta(seconds=60), description="How long until a color counts as unhealthy.")

    _pointers = field_validator("color_in", "version_in")(check_pointer)


class SmokeSettings(Section):
    """``[smoke]``: a test of the idle color before it gets traffic."""

    command: Command = Field(
        default=(),
        description="Run with EC_COLOR, EC_URL and EC_VERSION set, `{color}`, `{url}` and `{version}` filled in; "
        "exit 0 passes. Unset: no test.",
    )
    timeout: Duration = Field(
        default=timedelta(minutes=5), gt=timedelta(), description="After that long it is ended and has failed."
    )


def _off(value: object) -> object:
    return None if value == "off" else value


Span = Annotated[Duration | None, BeforeValidator(_off)]
"""A length of time, or ``off``."""
Count = Annotated[int | None, Field(ge=0), BeforeValidator(_off)]
"""A number from 0, or ``off``."""
Size = Annotated[ByteSize | None, BeforeValidator(_off)]
"""Bytes, as a number or as ``"10GiB"``, or ``off``."""
Share = Annotated[float | None, Field(gt=0, lt=1), BeforeValidator(_off)]
"""A share between 0 and 1, or ``off``."""
Names = Annotated[tuple[str, ...], BeforeValidator(_numbers)]
"""A list of names, in a variable with commas between."""


class ThrottleSettings(Section):
    """``[backfill.throttle]``: what makes a backfill wait; ``"off"`` for what is not to be looked at."""

    replica_lag: Span = Field(default=timedelta(seconds=5), description="How far a standby may be behind, in time.")
    replica_lag_bytes: Size = Field(default=None, description="How far a standby may be behind, in bytes of WAL.")
    except_replicas: Names = Field(
        default=(), description="Standbys, by `application_name`, whose lag is of no concern: those delayed on purpose."
    )
    slot_backlog_bytes: Size = Field(default=None, description="How much WAL a replication slot may keep.")
    slots_at_risk: Count = Field(default=0, description="How many slots may be about to lose WAL that they need.")
    archive_backlog: Count = Field(default=None, description="How many WAL files may wait to be archived.")
    archive_failing: Span = Field(
        default=timedelta(minutes=1), description="For how long WAL archiving may have been failing."
    )
    wal_bytes_per_s: Size = Field(default=None, description="How much WAL the whole server may write in a second.")
    oldest_snapshot: Span = Field(
        default=None, description="How old another session's snapshot may be; unset: as `snapshot_limit`."
    )
    dead_share: Share = Field(default=None, description="What share of the table's rows may be dead.")
    vacuums: Count = Field(default=None, description="How many vacuums of others may be at work on the table.")
    waiting_sessions: Count = Field(default=0, description="How many sessions may wait for a lock of the backfill.")
    active_backends: Count = Field(default=None, description="How many sessions of others may be active at once.")
    query: str | None = Field(default=None, description="SQL of your own that gives one number; it is only read.")
    query_limit: float = Field(default=0, description="Above this number of `query` the backfill waits.")
    command: Command = Field(default=(), description="Run every half second; while it ends with 0 rows are filled.")
    url: str | None = Field(
        default=None, pattern="^https?://", description="Asked every half second; while it answers 2xx rows are filled."
    )


def check_stripes(stripes: int) -> int:
    """``stripes`` itself, where rows can be hashed into that many classes with a mask.

    Raises:
        ValueError: It is no power of two.
    """
    if stripes & (stripes - 1):
        msg = f"stripes must be a power of two, like 16; found {stripes}"
        raise ValueError(msg)
    return stripes


class BackfillSettings(Section):
    """``[backfill]``: how rows are filled."""

    workers: int = Field(
        default=0, ge=0, description="Threads of one process; 0: half as many as this machine has processors."
    )
    target: Duration = Field(
        default=timedelta(seconds=0.1), description="How long a batch should take; its size follows."
    )
    gentle_target: Duration = Field(
        default=timedelta(milliseconds=10),
        description="How long a batch should take at most while others are at work on the server.",
    )
    gentle_statement: Duration = Field(
        default=timedelta(microseconds=500), description="How long one statement of a batch should take then."
    )
    gentle_rest: float = Field(
        default=1.0, ge=0, description="How long a worker rests after each batch then, in times of what the batch took."
    )
    ceiling: Duration = Field(
        default=timedelta(seconds=0.5), description="How long one statement may take; then it is broken off and halved."
    )
    window_pages: int = Field(
        default=3000, ge=1, description="Heap pages of the first window; it grows with the speed."
    )
    most_pages: int = Field(default=3000, ge=1, description="Heap pages of the largest window; fits in shared buffers.")
    stripes: int = Field(
        default=16, ge=1, description="The most passes over a window, each taking one hash class; a power of two."
    )
    lease: Duration = Field(
        default=timedelta(seconds=30), description="After how long a silent worker's segment is taken over."
    )
    function_limit: Duration = Field(
        default=timedelta(minutes=1),
        description="How long a Python function may take for one batch; then it is broken off and gets fewer rows.",
    )
    vacuum: Share = Field(
        default=0.2, description="From which share of dead rows on the table is vacuumed between windows; `off`: never."
    )
    keys: dict[str, Names] = Field(
        default_factory=dict,
        description="Columns by which a partition that is no heap table is gone through, by `schema.table`.",
    )
    throttle: ThrottleSettings = ThrottleSettings()

    _masked = field_validator("stripes")(check_stripes)


class Settings(BaseSettings):
    """All settings, checked and frozen; :func:`expandcontract.config.load.load` makes them."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="EC_")

    database: SecretStr | None = Field(
        default=None, description="Address of the target database; unset: `sqlalchemy.url` of the Alembic file."
    )
    alembic: Path = Field(default="alembic.ini", description="The project's Alembic file.", validate_default=True)
    snapshot_limit: Duration = Field(
        default=timedelta(minutes=15), description="A backfill does not start while a snapshot is older."
    )
    window: WindowSettings = WindowSettings()
    lock: LockSettings = LockSettings()
    colors: dict[Color, ColorSettings] = Field(default_factory=dict)
    traffic: TrafficSettings = TrafficSettings()
    deploy: DeploySettings = DeploySettings()
    probe: ProbeSettings = ProbeSettings()
    smoke: SmokeSettings = SmokeSettings()
    guard: GuardSettings = GuardSettings()
    backfill: BackfillSettings = BackfillSettings()

    @field_validator("guard")
    @classmethod
    def _watched(cls, guard: GuardSettings, others: ValidationInfo) -> GuardSettings:
        traffic = others.data.get("traffic")
        if guard.metrics and traffic is not None and not traffic.soak:
            msg = "a metric is measured while a stage soaks; found traffic.soak = 0s"
            raise ValueError(msg)
        return guard

    def color(self, color: Color) -> ColorSettings:
        """The settings of one color; all unset where the file has none."""
        return self.colors.get(color, ColorSettings())
