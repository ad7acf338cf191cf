"""An object with weighted lists of backends, as HTTPRoute and VirtualService are: read, and patched in one piece.

Every list that leads to one of our two backends is changed, or none is. A list that leads to one color alone, or to a
third backend, is refused by name: it would go on leading to a color whose release no longer fits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from expandcontract.core.color import FULL, Color, Weights
from expandcontract.errors import SwitchError
from expandcontract.traffic.checks import attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from expandcontract.traffic.checks import Check
    from expandcontract.traffic.cluster import Cluster, Kind, Object


@dataclass(frozen=True, slots=True)
class Split:
    """One list of backends.

    Attributes:
        where: For messages: ``rule 0``.
        path: JSON pointer of the list.
        name: The rule's own name, where it has one.
        backends: Name and weight of each, in order.
        raw: The list as it was read; the patch tests it.
    """

    where: str
    path: str
    name: str | None
    backends: tuple[tuple[str, int], ...]
    raw: Sequence[Any]


class RouteSwitch:
    """The weights of two backends in one object.

    Args:
        cluster: Where it is.
        kind: Its kind.
        name: Its name.
        backends: What stands for each color.
        splits: Finds the lists in the object.
        ready: What is wrong with a backend that shall get traffic; ``None`` where it can take it.
        settled: Waits until the change is in force, given the object as patched.
        leave: Names of rules that are left alone.
    """

    def __init__(
        self,
        cluster: Cluster,
        kind: Kind,
        name: str,
        backends: Mapping[Color, str],
        *,
        splits: Callable[[Object], list[Split]],
        ready: Callable[[str], str | None],
        settled: Callable[[Object], None] = lambda _object: None,
        leave: Sequence[str] = (),
    ) -> None:
        self._cluster, self._kind, self._name = cluster, kind, name
        self._backends = dict(backends)
        self._splits, self._ready, self._settled = splits, ready, settled
        self._leave = frozenset(leave)

    def read(self) -> Weights:
        """The share of each color, from the object itself.

        Raises:
            SwitchError: The API server does not answer, or the lists do not lead to our two backends alike.
        """
        return self._shares(self._ours(self._cluster.get(self._kind, self._name)))

    def write(self, weights: Weights) -> None:
        """Write both weights in all lists by one patch, and read them back.

        Raises:
            SwitchError: A color that shall get traffic cannot take it, somebody else changed the object, or it is
                refused.
        """
        found = self._cluster.get(self._kind, self._name)
        ours = self._ours(found)
        before = self._shares(ours)
        for color in Color:
            wrong = self._ready(self._backends[color]) if weights.of(color) > before.of(color) else None
            if wrong:
                msg = f"{color} cannot take traffic: {wrong}; {self._kind.name} {self._name} was left as it is"
                raise SwitchError(msg, hint=f"kubectl -n {self._cluster.namespace} get pods,endpointslices")
        if before != weights:
            found = self._cluster.patch(self._kind, found, self._operations(ours, weights))
        self._settled(found)
        after = self.read()
        if after != weights:
            msg = f"{self._kind.name} {self._name} was given {weights} and reads {after}: someone else moved it"
            raise SwitchError(msg, hint=self._cluster.look(self._kind, self._name))

    def checks(self) -> Iterator[Check]:
        """The object may be patched, by a dry run that only tests; and who answers behind each backend."""
        yield attempt("", lambda: self._cluster.may_patch(self._kind, self._name))
        for color in Color:
            yield attempt("", partial(self._answers, color))

    def _answers(self, color: Color) -> str:
        return f"{color}: {self._ready(self._backends[color]) or 'someone is ready to answer'}"

    def _operations(self, ours: Sequence[Split], weights: Weights) -> list[dict[str, Any]]:
        tests: list[dict[str, Any]] = [{"op": "test", "path": split.path, "value": split.raw} for split in ours]
        return tests + [
            {"op": "add", "path": f"{split.path}/{index}/weight", "value": weights.of(color)}  # add: it may be unset
            for split in ours
            for index, (backend, _) in enumerate(split.backends)
            for color, own in self._backends.items()
            if backend == own
        ]

    def _ours(self, found: Object) -> list[Split]:
        """The lists that lead to our backends.

        Raises:
            SwitchError: There is none, or one leads elsewhere too, or to one color alone.
        """
        own = set(self._backends.values())
        ours = [
            split
            for split in self._splits(found)
            if split.name not in self._leave and own & {name for name, _ in split.backends}
        ]
        if not ours:
            msg = f"no rule of {self._kind.name} {self._name} leads to {' or '.join(self._backends.values())}"
            raise self._wrong(msg)
        for split in ours:
            names = [name for name, _ in split.backends]
            place = f"{split.where} of {self._kind.name} {self._name}"
            if set(names) - own:
                msg = f"{place} leads to {', '.join(sorted(set(names) - own))} besides blue and green"
                raise self._wrong(msg)
            if len(names) != len(Color):
                shown = ", ".join(names)
                msg = f"{place} leads to {shown}, where each of {', '.join(self._backends.values())} is needed once"
                raise self._wrong(msg)
        return ours

    def _wrong(self, msg: str) -> SwitchError:
        hint = "mend the rule (a backend may have weight 0), or name it in traffic.options.leave"
        return SwitchError(msg, hint=f"{self._cluster.look(self._kind, self._name)}; {hint}")

    def _shares(self, ours: Sequence[Split]) -> Weights:
        found = {split.where: self._share(split) for split in ours}
        if len(set(found.values())) > 1:
            shown = "; ".join(f"{where}: {weights}" for where, weights in found.items())
            msg = f"the rules of {self._kind.name} {self._name} differ: {shown}"
            raise self._wrong(msg)
        return next(iter(found.values()))

    def _share(self, split: Split) -> Weights:
        weights = dict(split.backends)
        blue, green = (weights[self._backends[color]] for color in (Color.BLUE, Color.GREEN))
        total = blue + green
        if not total or blue * FULL % total:
            why = "nobody gets traffic" if not total else "that is no whole per cent"
            msg = f"{split.where} of {self._kind.name} {self._name} weighs {blue} to {green}: {why}"
            raise self._wrong(msg)
        return Weights(blue * FULL // total, green * FULL // total)


def leave(options: Mapping[str, object]) -> tuple[str, ...]:
    """The rules named in the setting ``leave``: a list, or text with commas between."""
    found = options.get("leave", ())
    words = found.split(",") if isinstance(found, str) else found if isinstance(found, list | tuple) else (found,)
    return tuple(str(word).strip() for word in words)
