"""Any balancer behind two commands: one prints the weights, one sets them."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from expandcontract.core.color import Weights
from expandcontract.errors import SwitchError, UsageError
from expandcontract.traffic.checks import Check
from expandcontract.traffic.switch import command_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

TIMEOUT = 60.0  # seconds
PAIR = re.compile(r"\b(blue|green)\s*[=:]\s*(\d+)")


class CommandSwitch:
    """Runs the user's own commands.

    Args:
        read: Prints ``blue=90 green=10``, or the same as JSON.
        write: Gets ``{blue}`` and ``{green}`` filled in; must end with 0 only once the weights are in force.
    """

    def __init__(self, read: Sequence[str], write: Sequence[str]) -> None:
        self._read = tuple(read)
        self._write = tuple(write)

    def read(self) -> Weights:
        """What the read command prints.

        Raises:
            SwitchError: It failed, or printed no weights.
        """
        said = run(self._read)
        try:
            found = json.loads(said) if said.lstrip().startswith("{") else dict(PAIR.findall(said))
            return Weights(int(found["blue"]), int(found["green"]))
        except (ValueError, KeyError, TypeError, UsageError) as exc:
            msg = f"{self._read[0]} printed {said.strip()[:80]!r} instead of weights"
            raise SwitchError(msg, hint="print a line like: blue=90 green=10") from exc

    def write(self, weights: Weights) -> None:
        """Run the write command.

        Raises:
            SwitchError: It failed.
        """
        run([part.format(blue=weights.blue, green=weights.green) for part in self._write])

    def checks(self) -> Iterator[Check]:
        """Both programs are there; the one that reads is run, as always, the one that writes is not."""
        for program in dict.fromkeys((self._read[0], self._write[0])):
            found = shutil.which(program) is not None
            said = "is there" if found else "is not found"
            yield Check(what=f"{program} {said}", ok=found, fix="" if found else "mend traffic.options")


def run(command: Sequence[str]) -> str:
    """What a command of the user's prints.

    Raises:
        SwitchError: It cannot be started, takes longer than a minute, or does not end with 0; its last line is quoted.
    """
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        msg = f"the traffic command {command[0]} could not be run: {exc}"
        raise SwitchError(msg, hint="run it by hand, or mend traffic.options") from exc
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        msg = f"the traffic command {shlex.join(command)} ended with {done.returncode}: {(said or [''])[-1]}"
        raise SwitchError(msg, hint="run it by hand to see all that it says")
    return done.stdout


def open_command(options: Mapping[str, object]) -> CommandSwitch:
    """From settings ``read`` and ``write``, each a command line."""
    return CommandSwitch(command_option(options, "read", "command"), command_option(options, "write", "command"))
