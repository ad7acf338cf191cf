"""Where the runner works: the settings, the database, the project, the switch and the deployer that they name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from expandcontract.errors import ConfigError
from expandcontract.pg.connect import parse
from expandcontract.traffic.deploy import open_deployer
from expandcontract.traffic.probe import Probes, probe
from expandcontract.traffic.proof import Proof
from expandcontract.traffic.smoke import smoke
from expandcontract.traffic.switch import open_switch

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import URL

    from expandcontract.config.settings import Settings
    from expandcontract.core.color import Color
    from expandcontract.core.facts import ColorHealth
    from expandcontract.revisions.project import Project
    from expandcontract.traffic.deploy import Deployer
    from expandcontract.traffic.switch import TrafficSwitch


@dataclass(frozen=True)
class Place:
    """The settings, and what they lead to; each is opened when first asked for."""

    settings: Settings
    directory: Path

    @cached_property
    def url(self) -> URL:
        """The target database.

        Raises:
            ConfigError: None is set.
        """
        if self.settings.database is None:
            raise ConfigError("no database is set", hint="set EC_DATABASE, or `database` in expandcontract.toml")
        return parse(self.settings.database.get_secret_value())

    @cached_property
    def project(self) -> Project:
        """The project's revisions, as they are now."""
        from expandcontract.revisions.project import Project  # noqa: PLC0415  # loads Alembic

        return Project.open(self.settings.alembic, url=self.url)

    @cached_property
    def switch(self) -> TrafficSwitch | None:
        """The balancer, or ``None`` where no switch is set."""
        traffic = self.settings.traffic
        return None if traffic.switch is None else open_switch(traffic.switch, traffic.options)

    def needed_switch(self) -> TrafficSwitch:
        """The balancer.

        Raises:
            ConfigError: No switch is set.
        """
        if self.switch is None:
            raise ConfigError("no traffic switch is set", hint="set traffic.switch in expandcontract.toml")
        return self.switch

    @cached_property
    def deployer(self) -> Deployer:
        """What puts a version on a color."""
        deploy = self.settings.deploy
        return open_deployer(deploy.deployer, deploy.command, deploy.options)

    @cached_property
    def probes(self) -> Probes:
        """How a color is probed."""
        found = self.settings.probe
        return Probes(
            health=found.health,
            ready=found.ready,
            proof=Proof(color_in=found.color_in, version_in=found.version_in),
            in_a_row=found.in_a_row,
            timeout=found.timeout,
            interval=found.interval,
            budget=found.budget,
        )

    def probe(self, color: Color, version: str | None = None, *, wait: bool = True) -> ColorHealth:
        """What the probes of a color say, where ``version`` is deployed.

        Raises:
            ConfigError: The color has no address.
        """
        return probe(color, self.address(color), self.probes, version=version, wait=wait)

    def address(self, color: Color) -> str:
        """Where the color itself answers.

        Raises:
            ConfigError: It is not set.
        """
        url = self.settings.color(color).url
        if url is None:
            msg = f"colors.{color}.url is not set, so {color} cannot be probed"
            raise ConfigError(msg, hint="set it in expandcontract.toml")
        return url

    def smoke(self, color: Color, version: str | None = None) -> str | None:
        """Why the smoke test failed; empty where it passed, ``None`` where none is set."""
        found = self.settings.smoke
        return smoke(found.command, color, self.address(color), version, found.timeout) if found.command else None
