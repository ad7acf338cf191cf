"""An Application Load Balancer: the weights of two target groups in one listener or rule, by one call.

AWS has no compare-and-set here: the list is read again right before it is replaced, and until it reads as written.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-target-groups.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tenacity import RetryError, Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from expandcontract.core.color import Color, Weights
from expandcontract.errors import ConfigError, SwitchError
from expandcontract.traffic.alb_actions import forward, stickiness, weighed
from expandcontract.traffic.checks import Check, attempt
from expandcontract.traffic.elb import Elb
from expandcontract.traffic.switch import Abilities, option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expandcontract.traffic.alb_actions import Actions, Forward

HEALTHY_WITHIN = 120.0  # seconds; a target that has just been registered needs one good check, 30 s apart by default
SHOWN_WITHIN = 30.0  # seconds until AWS must read as it was written
PAUSE = 2.0  # seconds between two looks
LEAVING = {"draining", "unhealthy.draining"}
COMING = {"initial", "unused"}
ARN = re.compile(r"arn:aws[\w-]*:elasticloadbalancing:(?P<region>[\w-]+):\d+:(?P<what>[\w-]+)/(?P<rest>\S+)")


class _NotYetError(Exception):
    """AWS still shows something else."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the weights stand.

    Attributes:
        arn: Of the listener or the rule.
        rule: Whether it is a rule; otherwise a listener's default actions.
    """

    arn: str
    rule: bool

    def read(self, elb: Elb) -> Actions:
        """Its actions.

        Raises:
            SwitchError: AWS refuses, or nobody answers.
        """
        if self.rule:
            found = elb.call("describe_rules", RuleArns=[self.arn])["Rules"][0]["Actions"]
        else:
            found = elb.call("describe_listeners", ListenerArns=[self.arn])["Listeners"][0]["DefaultActions"]
        actions: Actions = found
        return actions

    def write(self, elb: Elb, actions: Actions) -> None:
        """Replace its actions; certificates, conditions and other rules stay.

        Raises:
            SwitchError: AWS refuses, or nobody answers.
        """
        if self.rule:
            elb.call("modify_rule", RuleArn=self.arn, Actions=actions)
        else:
            elb.call("modify_listener", ListenerArn=self.arn, DefaultActions=actions)

    def __str__(self) -> str:
        return f"{'rule' if self.rule else 'listener'} {self.arn.split('/', 2)[2]}"

    @property
    def look(self) -> str:
        """The command that shows it."""
        return f"aws elbv2 describe-{'rules --rule' if self.rule else 'listeners --listener'}-arns {self.arn}"


class AlbSwitch:
    """The weights of two target groups.

    Args:
        elb: The API.
        listener: Where the weights stand.
        groups: The target group of each color.
        healthy: Seconds that a color without traffic is given to become healthy.
        shown: Seconds until AWS must read as it was written.
        pause: Seconds between two looks.
    """

    def __init__(
        self,
        elb: Elb,
        listener: Listener,
        groups: Mapping[Color, str],
        *,
        healthy: float = HEALTHY_WITHIN,
        shown: float = SHOWN_WITHIN,
        pause: float = PAUSE,
    ) -> None:
        self.elb, self._listener, self._groups = elb, listener, dict(groups)
        self._healthy, self._shown, self._pause = healthy, shown, pause

    @property
    def abilities(self) -> Abilities:
        """Each request is routed, unless the clients keep their target group."""
        try:
            seconds = stickiness(self._listener.read(self.elb))
        except SwitchError:
            return Abilities()  # the reading that follows says what is wrong
        if not seconds:
            return Abilities()
        kept = f"clients keep their color for {seconds} s after each request, also at weight 0"
        return Abilities(per_request=False, warning=f"target group stickiness is on for {self._listener}: {kept}")

    def read(self) -> Weights:
        """The share of each color, as AWS tells it.

        Raises:
            SwitchError: AWS refuses, nobody answers, or the weights are not those of blue and green.
        """
        return self._forward(self._listener.read(self.elb)).shares

    def write(self, weights: Weights) -> None:
        """Write both weights by one call, and wait until AWS tells them.

        Raises:
            SwitchError: A color that shall get traffic has no healthy target, somebody else changed the actions, AWS
                refuses, or goes on telling other weights.
        """
        actions = self._listener.read(self.elb)
        before = self._forward(actions).shares
        if not self._forward(actions).whole:  # targets of a group that stands nowhere are not checked
            actions = self._put(actions, before)
        for color in Color:
            if weights.of(color) > before.of(color):
                self._need_healthy(color, within=0 if before.of(color) else self._healthy)
        if before != weights:
            if self._listener.read(self.elb) != actions:
                msg = f"someone else changed the actions of {self._listener} meanwhile; nothing was changed"
                raise SwitchError(msg, hint=f"{self._listener.look}; then the same command again")
            self._put(actions, weights)

    def checks(self) -> Iterator[Check]:
        """The target groups may be read. AWS tells nobody whether a call would be allowed without making it."""
        for color in Color:
            yield attempt("", partial(self._serving, color))
        needed = "elasticloadbalancing:ModifyRule" if self._listener.rule else "elasticloadbalancing:ModifyListener"
        yield Check(what=f"whether {needed} is allowed is seen at the first write", ok=True)

    def _serving(self, color: Color) -> str:
        states = self._states(self._groups[color]).values()
        return f"{color} has {sum(_serves(*one) for one in states)} healthy targets of {len(states)}"

    def _forward(self, actions: Actions) -> Forward:
        return forward(actions, self._groups, str(self._listener))

    def _put(self, actions: Actions, weights: Weights) -> Actions:
        self._listener.write(self.elb, weighed(actions, self._groups, weights))
        try:
            return self._policy(self._shown)(self._written, weights)
        except RetryError as exc:
            why = exc.last_attempt.exception()
            msg = f"{self._listener} was given {weights}, and after {self._shown:g} s {why}"
            raise SwitchError(msg, hint=self._listener.look) from exc

    def _written(self, weights: Weights) -> Actions:
        actions = self._listener.read(self.elb)
        found = self._forward(actions)
        if found.shares != weights or not found.whole:
            msg = f"reads {found.shares}"
            raise _NotYetError(msg)
        return actions

    def _need_healthy(self, color: Color, *, within: float) -> None:
        """Wait while targets are being taken up; in the end one that is healthy is enough.

        Raises:
            SwitchError: None is.
        """
        group = self._groups[color]
        try:
            self._policy(within)(self._settled, group)
        except RetryError as exc:
            states = self._states(group)
            if any(_serves(state, why) for state, why in states.values()):
                return
            shown = "; ".join(f"{target} {state} {why}".rstrip() for target, (state, why) in sorted(states.items()))
            msg = f"{color} has no healthy target ({shown or 'none is registered'}); {self._listener} was left as it is"
            hint = f"aws elbv2 describe-target-health --target-group-arn {group}"
            raise SwitchError(msg, hint=hint) from exc

    def _settled(self, group: str) -> None:
        states = self._states(group).values()
        if not any(_serves(*one) for one in states) or any(state in COMING for state, _ in states):
            raise _NotYetError

    def _states(self, group: str) -> dict[str, tuple[str, str]]:
        """State and reason of each target that is not about to leave."""
        found = self.elb.call("describe_target_health", TargetGroupArn=group)["TargetHealthDescriptions"]
        said = {f"{one['Target']['Id']}:{one['Target'].get('Port', '')}": one["TargetHealth"] for one in found}
        states = {target: (health["State"], str(health.get("Reason", ""))) for target, health in said.items()}
        return {target: state for target, state in states.items() if state[0] not in LEAVING}

    def _policy(self, within: float) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(_NotYetError), stop=stop_after_delay(within), wait=wait_fixed(self._pause)
        )


def _serves(state: str, reason: str) -> bool:
    """Whether a target gets requests; one whose health checks are turned off is never called healthy."""
    return state == "healthy" or reason == "Target.HealthCheckDisabled"


def _checked(options: Mapping[str, object], name: str, what: str) -> re.Match[str]:
    arn = option(options, name, "aws-alb")
    found = ARN.fullmatch(arn)
    if found is None or found["what"] != what:
        msg = f"traffic.options.{name} is not the ARN of a {what}: {arn}"
        raise ConfigError(msg, hint=f"arn:aws:elasticloadbalancing:REGION:ACCOUNT:{what}/…")
    if what != "targetgroup" and not found["rest"].startswith("app/"):
        msg = f"traffic.options.{name} does not belong to an Application Load Balancer: {arn}"
        raise ConfigError(msg, hint="others work per connection; switch command can move them")
    return found


def open_alb(options: Mapping[str, object]) -> AlbSwitch:
    """From settings ``listener_arn`` or ``rule_arn``, ``blue`` and ``green``; also ``profile`` and ``endpoint_url``.

    Raises:
        ConfigError: One is missing or no such ARN, both listener and rule are given, the groups are the same or of
            another region, or the extra ``aws`` is not installed.
    """
    given = [name for name in ("listener_arn", "rule_arn") if name in options]
    if len(given) != 1:
        msg = (
            "traffic switch aws-alb needs one of the settings traffic.options.listener_arn and traffic.options.rule_arn"
        )
        raise ConfigError(msg, hint="listener_arn for a listener's default actions, rule_arn for one of its rules")
    rule = given == ["rule_arn"]
    place = _checked(options, given[0], "listener-rule" if rule else "listener")
    groups = {color: _checked(options, str(color), "targetgroup") for color in Color}
    regions = {place["region"], *(found["region"] for found in groups.values())}
    if len(regions) != 1 or groups[Color.BLUE][0] == groups[Color.GREEN][0]:
        why = f"are of different regions: {', '.join(sorted(regions))}" if len(regions) > 1 else "are the same"
        msg = f"the target groups of traffic.options {why}"
        raise ConfigError(msg, hint="aws elbv2 describe-target-groups")
    profile, endpoint = (None if options.get(key) is None else str(options[key]) for key in ("profile", "endpoint_url"))
    elb = Elb(place["region"], profile, endpoint)
    return AlbSwitch(elb, Listener(place[0], rule=rule), {color: found[0] for color, found in groups.items()})
