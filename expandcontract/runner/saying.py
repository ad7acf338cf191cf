"""What a release says of itself: flags, its file and its Deployment, checked against project and ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.config.release_file import release_file
from expandcontract.core import declaration
from expandcontract.core.declaration import Declaration
from expandcontract.errors import ConfigError, TrafficError, UnknownNameError, UnreachableError
from expandcontract.runner.observe import merged
from expandcontract.traffic.deploy import Declares

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expandcontract.core.release import Release, Speaks
    from expandcontract.ledger import Ledger
    from expandcontract.runner.place import Place


def told(
    place: Place,
    ledger: Ledger,
    release: Release,
    flags: Mapping[str, Speaks],
    implied: Mapping[str, Speaks] | None = None,
) -> Release:
    """The release with all that is said of it.

    Args:
        place: Where.
        ledger: Of the database.
        release: With what the ledger remembers of that version.
        flags: What ``--speaks`` says.
        implied: What the move itself says of a change: that a dual-write deploys a release that speaks ``dual``.

    Raises:
        ConfigError: Two places contradict each other, or one of them cannot be read as what it should be.
        UnknownNameError: One names a change that does not exist.
        UnreachableError: The Deployment cannot be read.
    """
    before = ledger.version(release.version)
    held = declaration.of(release.version, tuple(_given(place, release, flags)), before[1] if before else None)
    for one in held:
        _need_known(place, ledger, one)
    found = declaration.agreed(held)
    speaks = {**release.speaks, **(implied or {}), **found.speaks}
    if found.baseline is None:
        return replace(release, speaks=speaks)
    return replace(release, speaks=speaks, baseline=_applied(place, ledger, found.baseline, found.source))


def _given(place: Place, release: Release, flags: Mapping[str, Speaks]) -> Iterator[Declaration]:
    if flags:
        yield Declaration(source="--speaks", version=release.version, speaks=flags)
    file = release_file(place.directory, place.settings.deploy.release_file, release.version)
    if file is not None:
        yield file
    deployer = place.deployer
    if isinstance(deployer, Declares):
        try:
            said = deployer.declared(release.color)
        except TrafficError as exc:
            msg = f"{exc.message}; nothing was begun"
            raise UnreachableError(msg, hint=exc.hint) from exc
        if said is not None:
            yield said


def _need_known(place: Place, ledger: Ledger, said: Declaration) -> None:
    known = {change.name for change in merged(place, ledger)}
    for name in said.speaks:
        if name in known:
            continue
        try:
            ledger.change(name)
        except UnknownNameError as exc:
            msg = f"{said.source} speaks of a change that is not there: {exc.message}"
            raise UnknownNameError(msg, hint=exc.hint) from exc


def _applied(place: Place, ledger: Ledger, baseline: str, source: str) -> str | None:
    """The newest contract that the baseline includes and the database has.

    Raises:
        ConfigError: It is no contract revision of this project.
    """
    contracts = {pair.contract.revision for pair in place.project.pairs() if pair.contract is not None}
    if baseline not in contracts:
        msg = f"the baseline {baseline} ({source}) is no contract revision of this project"
        raise ConfigError(
            msg, hint="the revision of the newest contract that the release was built on; ec status has them"
        )
    return place.project.newest_contract(place.project.ancestors([baseline]) & place.project.applied(ledger.connection))
