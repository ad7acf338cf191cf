"""A load balancer of AWS: two weights change, and nothing else; what AWS refuses is told with what to do."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import ColorHealth
from expandcontract.errors import ConfigError, SwitchError
from expandcontract.traffic.aws_alb import AlbSwitch, Listener, open_alb
from expandcontract.traffic.checks import look
from expandcontract.traffic.elb import Elb
from expandcontract.traffic.shift import Written, shift
from expandcontract.traffic.switch import abilities, open_switch
from tests.fix_aws import REGION, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fix_aws import Account

STICKY = {"Enabled": True, "DurationSeconds": 3600}


def quick(account: Account) -> AlbSwitch:
    """The switch of the listener, which does not wait long."""
    return AlbSwitch(
        Elb(REGION, None, account.url),
        Listener(account.listener, rule=False),
        account.groups,
        healthy=0.3,
        shown=0.3,
        pause=0.05,
    )


def health(monkeypatch: pytest.MonkeyPatch, said: Callable[[str], list[tuple[str, str]]]) -> None:
    """Let AWS tell these states and reasons of the targets of a group; moto calls all of them healthy."""
    asked = Elb.call

    def call(elb: Elb, operation: str, **arguments: Any) -> dict[str, Any]:
        if operation != "describe_target_health":
            return asked(elb, operation, **arguments)
        return {
            "TargetHealthDescriptions": [
                {"Target": {"Id": f"10.0.0.{n}", "Port": 80}, "TargetHealth": {"State": state, "Reason": reason}}
                for n, (state, reason) in enumerate(said(arguments["TargetGroupArn"]))
            ]
        }

    monkeypatch.setattr(Elb, "call", call)


def test_every_stage_is_read_back(account: Account, alb: AlbSwitch) -> None:
    """A whole shift there and back: AWS tells each stage, both target groups stay in at weight 0."""

    def well(color: Color) -> ColorHealth:
        return ColorHealth(color=color, ok=True, evidence="200")

    for toward in (Color.GREEN, Color.BLUE):
        events = list(shift(alb, toward=toward, steps=(10, 30, 50, 75, 100), soak=timedelta(), check=well))
        stages = [event.weights.of(toward) for event in events if isinstance(event, Written)]
        assert [10, 30, 50, 75, 100] == stages
        groups = account.actions()[-1]["ForwardConfig"]["TargetGroups"]
        assert {account.groups[toward]: 100, account.groups[toward.other]: 0} == {
            one["TargetGroupArn"]: one["Weight"] for one in groups
        }


def test_everything_else_is_kept(account: Account, alb: AlbSwitch) -> None:
    """The login, its order and secret, the stickiness, the certificate and the listener's rule stay as they were."""
    account.forward(Weights(100, 0), TargetGroupStickinessConfig=STICKY)
    before = account.client.describe_listeners(ListenerArns=[account.listener])["Listeners"][0]
    rules = account.client.describe_rules(ListenerArn=account.listener)["Rules"]
    alb.write(Weights(25, 75))
    after = account.client.describe_listeners(ListenerArns=[account.listener])["Listeners"][0]
    for one, listed in zip(
        after["DefaultActions"][-1]["ForwardConfig"]["TargetGroups"],
        before["DefaultActions"][-1]["ForwardConfig"]["TargetGroups"],
        strict=True,
    ):
        one["Weight"] = listed["Weight"]
    assert before == after
    others = [rule for rule in rules if not rule["IsDefault"]]
    assert others == [
        rule for rule in account.client.describe_rules(ListenerArn=account.listener)["Rules"] if not rule["IsDefault"]
    ]


def test_a_rule(account: Account) -> None:
    """A rule's weights change, its condition, the other rules and the listener's default actions do not."""
    listener, before = account.actions(), account.client.describe_rules(RuleArns=[account.rule])["Rules"][0]
    switch = open_alb(account.options(rule_arn=account.rule))
    assert Weights(100, 0) == switch.read()
    switch.write(Weights(0, 100))
    after = account.client.describe_rules(RuleArns=[account.rule])["Rules"][0]
    assert [0, 100] == [one["Weight"] for one in after["Actions"][0]["ForwardConfig"]["TargetGroups"]]
    assert {**before, "Actions": None} == {**after, "Actions": None}
    assert listener == account.actions()


def test_a_group_that_stood_nowhere_is_put_in_first(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody checks the targets of a group that no action names: it gets weight 0, and traffic once it is healthy."""
    written: list[dict[str, int]] = []
    put = Listener.write

    def seen(listener: Listener, elb: Elb, actions: Any) -> None:
        put(listener, elb, actions)
        listed = actions[-1]["ForwardConfig"]["TargetGroups"]
        written.append({one["TargetGroupArn"]: one["Weight"] for one in listed})

    def said(_group: str) -> list[tuple[str, str]]:
        return [("healthy", "")] if written else [("unused", "Target.NotInUse")]

    monkeypatch.setattr(Listener, "write", seen)
    health(monkeypatch, said)
    quick(account).write(Weights(90, 10))
    blue, green = account.groups[Color.BLUE], account.groups[Color.GREEN]
    assert [{blue: 100, green: 0}, {blue: 90, green: 10}] == written


def test_a_second_write_changes_nothing(account: Account, alb: AlbSwitch) -> None:
    """Written again after a crash, nothing is sent."""
    alb.write(Weights(50, 50))
    asked = refuse(alb, "", times=0)
    alb.write(Weights(50, 50))
    assert ["DescribeListeners"] == asked


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ([], "none is registered"),
        ([("unhealthy", "Target.Timeout"), ("draining", "")], r"10\.0\.0\.0:80 unhealthy Target\.Timeout\)"),
        ([("initial", "Elb.RegistrationInProgress")], "initial Elb.RegistrationInProgress"),
    ],
)
def test_a_color_without_a_healthy_target(
    states: list[tuple[str, str]], said: str, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets no traffic, and the message says what AWS says of each target that is not about to leave."""
    health(monkeypatch, lambda _group: states)
    with pytest.raises(SwitchError, match=f"green has no healthy target.*{said}.*was left as it is") as refused:
        quick(account).write(Weights(90, 10))
    assert refused.value.hint == (f"aws elbv2 describe-target-health --target-group-arn {account.groups[Color.GREEN]}")
    assert Weights(100, 0) == quick(account).read()


def test_targets_are_awaited(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that is being taken up is waited for; in the end one healthy target is enough."""
    looks: list[str] = []

    def said(_group: str) -> list[tuple[str, str]]:
        looks.append(_group)
        return [("healthy", ""), ("initial" if len(looks) < 4 else "healthy", "")]

    health(monkeypatch, said)
    quick(account).write(Weights(90, 10))
    assert 4 == len(looks)
    health(monkeypatch, lambda _group: [("healthy", ""), ("initial", "")])
    quick(account).write(Weights(80, 20))
    assert Weights(80, 20) == quick(account).read()


def test_a_color_with_traffic_is_not_waited_for(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two stages a color that has lost its last target ends the shift at once."""
    switch = AlbSwitch(quick(account).elb, Listener(account.listener, rule=False), account.groups)
    account.forward(Weights(50, 50))
    health(monkeypatch, lambda _group: [("unhealthy", "Target.FailedHealthChecks")])
    with pytest.raises(SwitchError, match="green has no healthy target"):
        switch.write(Weights(25, 75))  # with the default patience: it would take two minutes


def test_targets_that_nobody_checks(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where health checks are turned off, AWS never calls a target healthy, and sends it requests all the same."""
    health(monkeypatch, lambda _group: [("unavailable", "Target.HealthCheckDisabled")])
    quick(account).write(Weights(0, 100))
    assert Weights(0, 100) == quick(account).read()


def test_somebody_else_changes_the_actions(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed while the targets were awaited is not overwritten."""
    account.forward(Weights(100, 0))
    switch = quick(account)

    def said(_group: str) -> list[tuple[str, str]]:
        account.forward(Weights(60, 40))
        return [("healthy", "")]

    health(monkeypatch, said)
    with pytest.raises(SwitchError, match="someone else changed the actions of listener shop/") as refused:
        switch.write(Weights(90, 10))
    assert f"aws elbv2 describe-listeners --listener-arns {account.listener}; then the same command again" == (
        refused.value.hint
    )
    assert Weights(60, 40) == switch.read()


def test_aws_accepts_and_does_nothing(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that is not read back fails, and says what is read instead."""
    account.forward(Weights(100, 0))
    monkeypatch.setattr(Listener, "write", lambda *_: None)
    with pytest.raises(SwitchError, match=r"was given blue 90 %, green 10 %, and after 0\.3 s reads blue 100 %"):
        quick(account).write(Weights(90, 10))


def test_aws_tells_it_late(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading may be behind writing for a while; it is waited for."""
    account.forward(Weights(100, 0))
    late: list[tuple[Elb, Any]] = []
    put, get = Listener.write, Listener.read

    def read(listener: Listener, elb: Elb) -> Any:
        found = get(listener, elb)
        if late:
            put(listener, *late.pop())
        return found

    monkeypatch.setattr(Listener, "write", lambda _listener, elb, actions: late.append((elb, actions)))
    monkeypatch.setattr(Listener, "read", read)
    quick(account).write(Weights(90, 10))
    assert Weights(90, 10) == quick(account).read()


def test_stickiness_is_warned_of(account: Account, alb: AlbSwitch) -> None:
    """A client that keeps its target group stays with its color, at weight 0 too; it is said before a shift."""
    assert "" == abilities(alb).warning
    assert abilities(alb).per_request
    account.forward(Weights(100, 0), TargetGroupStickinessConfig=STICKY)
    assert "target group stickiness is on for listener shop/" in abilities(alb).warning
    assert "for 3600 s after each request, also at weight 0" in abilities(alb).warning
    assert not abilities(alb).per_request
    account.stop()
    assert "" == abilities(alb).warning


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({"blue": 0, "green": 0}, "nobody gets traffic"),
        ({"blue": 1, "green": 2}, "no whole per cent"),
        ({"blue": 50, "green": 50, "other": 1}, "forwards to other, where only those of blue and green"),
        ({"other": 1}, "forwards to other"),
    ],
)
def test_weights_that_are_none(weights: Mapping[str, int], said: str, account: Account, alb: AlbSwitch) -> None:
    """What AWS takes and is no share of two colors is refused when it is read, and never written over."""
    arns = {str(color): arn for color, arn in account.groups.items()}
    account.forward({arns.get(name, name): weight for name, weight in weights.items()})
    for ask in (alb.read, lambda: alb.write(Weights(0, 100))):
        with pytest.raises(SwitchError, match=said) as refused:
            ask()
        assert refused.value.hint


def test_weights_are_shares(account: Account, alb: AlbSwitch) -> None:
    """AWS counts to 999: what counts is the share; a lone group has all, whatever its weight."""
    blue, green = account.groups.values()
    account.forward({blue: 900, green: 100})
    assert Weights(90, 10) == alb.read()
    account.forward({green: 7})
    assert Weights(0, 100) == alb.read()


def test_a_listener_that_does_not_forward(account: Account, alb: AlbSwitch) -> None:
    """It is said what it does instead."""
    account.client.modify_listener(
        ListenerArn=account.listener,
        DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "503"}}],
    )
    with pytest.raises(SwitchError, match="does not forward, it does fixed-response"):
        alb.read()


@pytest.mark.parametrize("given", ["neither", "both"])
def test_a_listener_or_a_rule(given: str, account: Account) -> None:
    """One of the two, and not both."""
    options = account.options(**({"listener_arn": account.listener} if given == "both" else {}), rule_arn=account.rule)
    if given == "neither":
        del options["rule_arn"]
    with pytest.raises(ConfigError, match="needs one of the settings"):
        open_switch("aws-alb", options)


LISTENER = "arn:aws:elasticloadbalancing:eu-central-1:1:listener/app/shop/1/2"
GROUP = "arn:aws:elasticloadbalancing:{}:1:targetgroup/{}/1"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("listener_arn", "shop", "listener_arn is not the ARN of a listener: shop"),
        ("listener_arn", GROUP.format("eu-central-1", "shop"), "is not the ARN of a listener"),
        ("listener_arn", LISTENER.replace("/app/", "/net/"), "does not belong to an Application Load Balancer"),
        ("blue", LISTENER, "blue is not the ARN of a targetgroup"),
        ("blue", GROUP.format("us-east-1", "blue"), "are of different regions: eu-central-1, us-east-1"),
        ("blue", GROUP.format("eu-central-1", "green"), "are the same"),
        ("blue", None, r"needs the setting traffic\.options\.blue"),
    ],
)
def test_settings_that_cannot_be(name: str, value: str | None, said: str) -> None:
    """They are refused before AWS is asked."""
    groups = {color: GROUP.format("eu-central-1", color) for color in ("blue", "green")}
    options = {"listener_arn": LISTENER, **groups, name: value}
    with pytest.raises(ConfigError, match=said):
        open_switch("aws-alb", {key: found for key, found in options.items() if found is not None})


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(ConfigError, match="boto3, which is not installed") as refused:
        Elb(REGION)
    assert "pip install 'expandcontract[aws]'" == refused.value.hint


def test_a_profile_that_there_is_not(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile of the settings is the one that is used."""
    (tmp_path / "config").write_text("[profile shop]\nmax_attempts = 7\nretry_mode = adaptive\n", encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    for profile, expected in (("shop", {"mode": "adaptive", "total_max_attempts": 7}), (None, None)):
        switch = open_alb(account.options(**({} if profile is None else {"profile": profile})))
        retries = switch.elb.client.meta.config.retries
        assert (expected or {"mode": "standard", "total_max_attempts": 5}) == retries
    with pytest.raises(SwitchError, match=r"no usable AWS configuration: .*nowhere") as refused:
        open_alb(account.options(profile="nowhere")).read()
    assert "traffic.options.profile" in str(refused.value.hint)


GUIDE = (Path(__file__).parents[2] / "docs" / "how-to" / "alb.md").read_text(encoding="utf-8")
PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "switches.md").read_text(encoding="utf-8")


def test_the_guide_names_the_rights_and_settings_that_are_needed(account: Account, alb: AlbSwitch) -> None:
    """The guide's settings open a switch, its policy grants what going there and back asks for, and no more."""
    shown = re.findall(r" *```(\w+)\n(.*?)```", GUIDE, re.DOTALL)
    traffic = tomllib.loads(dict(shown)["toml"])["traffic"]
    assert "aws-alb" == traffic["switch"]
    assert isinstance(open_switch("aws-alb", traffic["options"]), AlbSwitch)
    granted = {
        action
        for statement in json.loads(dict(shown)["json"])["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    asked = refuse(alb, "", times=0)
    for weights in (Weights(0, 100), Weights(100, 0)):
        alb.write(weights)
        assert weights == alb.read()
    assert granted == {f"elasticloadbalancing:{operation}" for operation in asked}
    section = PAGE.split("\n## aws-alb\n", 1)[1].split("\n## ", 1)[0]
    rows = set(re.findall(r"`(\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", section, re.MULTILINE))))
    assert {"rule_arn", *account.options(profile="x")} == rows


def test_checked_without_a_write(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets of both colors are counted, and what is amiss with one is told; what a write needs is named."""
    health(monkeypatch, lambda group: [("healthy", "")] if group == account.groups[Color.BLUE] else [("initial", "")])
    found = look(quick(account))
    assert [
        (True, "blue has 1 healthy targets of 1"),
        (True, "green has 0 healthy targets of 1"),
        (True, "whether elasticloadbalancing:ModifyListener is allowed is seen at the first write"),
    ] == [(check.ok, check.what) for check in found[:-1]]
    assert found[-1].what.startswith("the balancer gives blue")
