"""The action list as plain data: what AWS tells and wants back, which moto does not do."""

from __future__ import annotations

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError
from expandcontract.traffic.alb_actions import forward, stickiness, weighed

GROUPS = {Color.BLUE: "b", Color.GREEN: "g"}
BLUE = {"TargetGroupArn": "b", "Weight": 100}


def test_a_secret_that_aws_does_not_tell() -> None:
    """The login goes on with the secret that it has; one that is there is sent as it is."""
    oidc = {"ClientId": "shop", "SessionTimeout": 3600}
    login = {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": oidc}
    sent = weighed([login, {"Type": "forward", "Order": 2, "TargetGroupArn": "b"}], GROUPS, Weights(90, 10))
    assert {**login, "AuthenticateOidcConfig": {**oidc, "UseExistingClientSecret": True}} == sent[0]
    told = {**login, "AuthenticateOidcConfig": {**oidc, "ClientSecret": "x"}}
    assert told == weighed([told], GROUPS, Weights(90, 10))[0]


def test_other_actions_go_back_as_they_came() -> None:
    """Cognito, a token that is checked, their order."""
    others = [
        {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": {"UserPoolArn": "p"}},
        {"Type": "jwt-validation", "Order": 2, "JwtValidationConfig": {"Issuer": "i"}},
    ]
    actions = [*others, {"Type": "forward", "Order": 3, "ForwardConfig": {"TargetGroups": [BLUE]}}]
    sent = weighed(actions, GROUPS, Weights(90, 10))
    assert others == sent[:2]
    listed = [{"TargetGroupArn": "b", "Weight": 90}, {"TargetGroupArn": "g", "Weight": 10}]
    assert {"Type": "forward", "Order": 3, "ForwardConfig": {"TargetGroups": listed}} == sent[2]


def test_an_action_newer_than_botocore() -> None:
    """It came without what belongs to it; sent back like that it would be taken away."""
    with pytest.raises(SwitchError, match="does not know what belongs to an action think-twice") as refused:
        weighed([{"Type": "think-twice", "Order": 1}], GROUPS, Weights(100, 0))
    assert "pip install -U boto3" == refused.value.hint


@pytest.mark.parametrize(
    ("action", "shares", "whole"),
    [
        ({"TargetGroupArn": "g"}, Weights(0, 100), False),
        ({"TargetGroupArn": "b", "ForwardConfig": {"TargetGroups": [BLUE]}}, Weights(100, 0), False),
        ({"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": "g"}]}}, Weights(0, 100), False),
        (
            {"ForwardConfig": {"TargetGroups": [{**BLUE, "TargetGroupArn": "g"}, {**BLUE, "Weight": 0}]}},
            Weights(0, 100),
            True,
        ),
    ],
)
def test_the_forms_of_a_forward(action: dict[str, object], shares: Weights, whole: bool) -> None:  # noqa: FBT001
    """The short form, one group, two of them in any order; each is written as two groups in the order found."""
    actions = [{"Type": "forward", **action}]
    found = forward(actions, GROUPS, "listener x")
    assert shares == found.shares
    assert whole == found.whole
    sent = weighed(actions, GROUPS, Weights(40, 60))
    assert "TargetGroupArn" not in sent[0]
    again = forward(sent, GROUPS, "listener x")
    assert Weights(40, 60) == again.shares
    assert again.whole
    assert list(found.weights) == list(again.weights)[: len(found.weights)]


def test_a_forward_to_nobody() -> None:
    """There is nothing to weigh."""
    with pytest.raises(SwitchError, match="forwards to no target group"):
        _ = forward([{"Type": "forward"}], GROUPS, "listener x").shares
    with pytest.raises(SwitchError, match="does not forward, it does nothing"):
        forward([], GROUPS, "listener x")


@pytest.mark.parametrize(
    ("config", "seconds"),
    [({}, 0), ({"Enabled": False, "DurationSeconds": 60}, 0), ({"Enabled": True, "DurationSeconds": 60}, 60)],
)
def test_stickiness(config: dict[str, object], seconds: int) -> None:
    """Only where it is on; it is sent back as it came."""
    actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": [BLUE], "TargetGroupStickinessConfig": config}}]
    assert seconds == stickiness(actions)
    assert config == weighed(actions, GROUPS, Weights(0, 100))[0]["ForwardConfig"]["TargetGroupStickinessConfig"]
