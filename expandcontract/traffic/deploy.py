"""Deployers put a version on a color. ``command`` runs yours, ``kubernetes`` sets an image; ``external``: not we."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from expandcontract.errors import ConfigError, DeployError
from expandcontract.traffic.kubernetes_deploy import open_kubernetes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from expandcontract.core.color import Color
    from expandcontract.core.declaration import Declaration

TIMEOUT = 1800.0  # seconds


class Deployer(Protocol):
    """Puts a version on a color."""

    def deploy(self, color: Color, version: str) -> None:
        """Put ``version`` on ``color`` and return once that has begun to run. May run twice.

        Raises:
            DeployError: It failed.
        """
        ...


@runtime_checkable
class Declares(Protocol):
    """A deployer that finds, where it deploys, what the release there says of itself."""

    def declared(self, color: Color) -> Declaration | None:
        """What is said there of the release on ``color``; ``None`` where nothing is.

        Raises:
            DeployError: It cannot be read.
            ConfigError: It is not what it should be.
        """
        ...


@runtime_checkable
class ScalesDown(Protocol):
    """A deployer that can end all processes of a color."""

    def scale_down(self, color: Color) -> None:
        """End them, and return once none is left. May run twice.

        Raises:
            DeployError: It failed.
        """
        ...


class CommandDeployer:
    """Runs the user's own command, with ``{color}`` and ``{version}`` filled in."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = tuple(command)

    def deploy(self, color: Color, version: str) -> None:
        """Run the command and wait for its end.

        Raises:
            DeployError: It cannot be run or does not end with 0.
        """
        command = [part.replace("{color}", color).replace("{version}", version) for part in self._command]
        _run(command, f"deploying {version} on {color}", EC_COLOR=str(color), EC_VERSION=version)


class ScalingCommandDeployer(CommandDeployer):
    """Runs a second command of the user's to end a color, with ``{color}`` filled in."""

    def __init__(self, command: Sequence[str], down: Sequence[str]) -> None:
        super().__init__(command)
        self._down = tuple(down)

    def scale_down(self, color: Color) -> None:
        """Run the command and wait for its end.

        Raises:
            DeployError: It cannot be run or does not end with 0.
        """
        _run([part.replace("{color}", color) for part in self._down], f"scaling {color} down", EC_COLOR=str(color))


def _run(command: Sequence[str], doing: str, **told: str) -> None:
    try:
        done = subprocess.run(
            command, env={**os.environ, **told}, capture_output=True, text=True, timeout=TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        msg = f"the deploy command {command[0]} could not be run: {exc}"
        raise DeployError(msg) from exc
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        msg = f"{doing} ended with {done.returncode}: {(said or [''])[-1]}"
        raise DeployError(msg)


class ExternalDeployer:
    """Somebody else deploys; the probes tell when the release is there."""

    def deploy(self, color: Color, version: str) -> None:
        """Do nothing; the release is expected to be there."""


def open_deployer(name: str, command: Sequence[str], options: Mapping[str, object]) -> Deployer:
    """The deployer of that name.

    Args:
        name: ``command``, ``kubernetes`` or ``external``.
        command: What ``command`` runs.
        options: What ``kubernetes`` needs; ``scale_down`` of ``command``.

    Raises:
        ConfigError: There is no such deployer, or a setting of its own is missing.
    """
    if name == "kubernetes":
        return open_kubernetes(options)
    if name == "external":
        return ExternalDeployer()
    if name != "command":
        msg = f"there is no deployer {name!r}"
        raise ConfigError(msg, hint="one of command, external, kubernetes")
    if not command:
        raise ConfigError(
            "deployer command needs the setting deploy.command", hint='command = "deploy.sh {color} {version}"'
        )
    if "scale_down" not in options:
        return CommandDeployer(command)
    return ScalingCommandDeployer(command, _words(options["scale_down"]))


def _words(given: object) -> tuple[str, ...]:
    try:
        words = tuple(map(str, given)) if isinstance(given, list | tuple) else tuple(shlex.split(str(given)))
    except ValueError as exc:
        msg = f"deploy.options.scale_down is no command: {exc}"
        raise ConfigError(msg) from exc
    if not words:
        raise ConfigError("deploy.options.scale_down is empty", hint="give a command, or leave it out")
    return words
