"""The action list of a listener or rule, as plain data: the shares of two target groups read from it, and put into it.

A list is replaced whole by AWS, so all that stands in it is sent again: authentication, order, stickiness.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Action.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from expandcontract.core.color import FULL, Color, Weights
from expandcontract.errors import SwitchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORWARD = "forward"
LONE = 1  # the weight of a target group that stands alone

Actions = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Forward:
    """The one action that forwards.

    Attributes:
        where: The listener or rule, for messages.
        groups: The target group of each color.
        weights: Weight of each target group that stands there, in order.
    """

    where: str
    groups: Mapping[Color, str]
    weights: Mapping[str, int]

    @property
    def whole(self) -> bool:
        """Whether both colors stand there: a group that no rule names is not health-checked, and no target of it is."""
        return set(self.groups.values()) <= set(self.weights)

    @property
    def shares(self) -> Weights:
        """What each color gets.

        Raises:
            SwitchError: Another target group stands there, neither of ours does, or the shares are no whole per cents.
        """
        other = set(self.weights) - set(self.groups.values())
        if other or not self.weights:
            shown = ", ".join(sorted(other)) or "no target group"
            msg = f"{self.where} forwards to {shown}, where only those of blue and green should stand"
            raise SwitchError(msg, hint="mend the action, or traffic.options.blue and traffic.options.green")
        blue, green = (self.weights.get(self.groups[color], 0) for color in (Color.BLUE, Color.GREEN))
        total = blue + green
        if not total or blue * FULL % total:
            why = "nobody gets traffic" if not total else "that is no whole per cent"
            msg = f"{self.where} weighs blue {blue} to green {green}: {why}"
            raise SwitchError(msg, hint="set weights that add up to 100 there, like 100 and 0")
        return Weights(blue * FULL // total, green * FULL // total)


def forward(actions: Actions, groups: Mapping[Color, str], where: str) -> Forward:
    """The action that forwards, out of a list.

    Raises:
        SwitchError: None does.
    """
    found = next((action for action in actions if action["Type"] == FORWARD), None)
    if found is None:
        kinds = ", ".join(action["Type"] for action in actions) or "nothing"
        msg = f"{where} does not forward, it does {kinds}"
        raise SwitchError(msg, hint="name the listener or rule that forwards to blue and green in traffic.options")
    return Forward(where, groups, {one["TargetGroupArn"]: one.get("Weight", LONE) for one in _listed(found)})


def _listed(action: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Its target groups; a list of one may stand in the short form alone."""
    listed: Sequence[Mapping[str, Any]] = (action.get("ForwardConfig") or {}).get("TargetGroups") or ()
    return listed or ([{"TargetGroupArn": action["TargetGroupArn"]}] if "TargetGroupArn" in action else ())


def weighed(actions: Actions, groups: Mapping[Color, str], weights: Weights) -> Actions:
    """The same list with these weights, both target groups in it; all else is kept.

    Raises:
        SwitchError: An action has nothing but a type, so the installed botocore does not know what belongs to it.
    """
    return [_weighed(action, groups, weights) if action["Type"] == FORWARD else _kept(action) for action in actions]


def _weighed(action: Mapping[str, Any], groups: Mapping[Color, str], weights: Weights) -> dict[str, Any]:
    order = [one["TargetGroupArn"] for one in _listed(action)]
    color_of = {group: color for color, group in groups.items()}
    order += [group for group in color_of if group not in order]
    listed = [{"TargetGroupArn": group, "Weight": weights.of(color_of[group])} for group in order]
    rest = {key: value for key, value in action.items() if key != "TargetGroupArn"}  # the short form holds one group
    return {**rest, "ForwardConfig": {**(action.get("ForwardConfig") or {}), "TargetGroups": listed}}


def _kept(action: Mapping[str, Any]) -> dict[str, Any]:
    if set(action) <= {"Type", "Order"}:
        msg = f"the installed botocore does not know what belongs to an action {action['Type']}, and would take it away"
        raise SwitchError(msg, hint="pip install -U boto3")
    oidc = action.get("AuthenticateOidcConfig")
    if oidc is None or "ClientSecret" in oidc:
        return dict(action)
    return {**action, "AuthenticateOidcConfig": {**oidc, "UseExistingClientSecret": True}}  # AWS never tells a secret


def stickiness(actions: Actions) -> int:
    """For how many seconds a client keeps its target group, whatever the weights are; 0 where it does not."""
    found = next((action for action in actions if action["Type"] == FORWARD), {})
    config = (found.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    return int(config.get("DurationSeconds") or 0) if config.get("Enabled") else 0
