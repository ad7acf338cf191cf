"""What AWS refuses: repeated where that helps, and explained where it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError
from expandcontract.traffic.aws_alb import open_alb
from tests.fix_aws import refuse

if TYPE_CHECKING:
    from expandcontract.traffic.aws_alb import AlbSwitch
    from tests.fix_aws import Account


@pytest.fixture
def patient(account: Account, monkeypatch: pytest.MonkeyPatch) -> AlbSwitch:
    """A switch that repeats as often as by default, without the pauses."""
    monkeypatch.delenv("AWS_MAX_ATTEMPTS")
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _seconds: None)
    return open_alb(account.options())


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "RequestLimitExceeded"])
@pytest.mark.parametrize("operation", ["DescribeListeners", "ModifyListener", "DescribeTargetHealth"])
def test_throttling_is_sat_out(operation: str, code: str, account: Account, patient: AlbSwitch) -> None:
    """Four refusals in a row of any call are repeated, and the write succeeds."""
    asked = refuse(patient, code, times=4, only=operation)
    patient.write(Weights(90, 10))
    assert 5 <= asked.count(operation)
    assert Weights(90, 10) == patient.read()


def test_throttling_that_does_not_end(patient: AlbSwitch) -> None:
    """After five attempts it is said how many there were, and how to allow more."""
    asked = refuse(patient, "Throttling", times=99)
    with pytest.raises(SwitchError, match="AWS throttled DescribeListeners 5 times: as Throttling says") as refused:
        patient.read()
    assert 5 == len(asked)
    assert "AWS_MAX_ATTEMPTS=10" in str(refused.value.hint)


def test_an_error_inside_aws_is_sat_out(patient: AlbSwitch) -> None:
    """A 503 is no answer."""
    refuse(patient, "ServiceUnavailable", times=2, status=503)
    assert Weights(100, 0) == patient.read()


@pytest.mark.parametrize(
    ("code", "status", "said", "hint"),
    [
        ("ExpiredToken", 403, "the AWS credentials have expired, so ModifyListener was refused", "aws sso login"),
        ("AccessDenied", 403, "the right elasticloadbalancing:ModifyListener is missing", "docs/how-to/alb.md"),
        ("InvalidClientTokenId", 403, "AWS does not know these credentials", "aws sts get-caller-identity"),
        ("SignatureDoesNotMatch", 403, "AWS does not know these credentials", "traffic.options.profile"),
        ("TargetGroupNotFound", 400, "ModifyListener in eu-central-1: .*TargetGroupNotFound", "blue and green"),
        ("ListenerNotFound", 400, "ModifyListener in eu-central-1: .*ListenerNotFound", "listener_arn"),
        ("TooManyActions", 400, "AWS refused ModifyListener .TooManyActions.: as TooManyActions says", "mend what AWS"),
    ],
)
def test_what_is_not_repeated(
    code: str, status: int, said: str, hint: str, account: Account, patient: AlbSwitch
) -> None:
    """It is asked once, nothing is changed, and the message says what to do."""
    account.forward(Weights(100, 0))
    asked = refuse(patient, code, status=status, only="ModifyListener")
    with pytest.raises(SwitchError, match=said) as refused:
        patient.write(Weights(90, 10))
    assert 1 == asked.count("ModifyListener")
    assert hint in str(refused.value.hint)
    assert Weights(100, 0) == patient.read()


def test_arns_that_lead_nowhere(account: Account) -> None:
    """Moto's own answers to a listener, a rule and a target group that there are not."""
    for options, said in (
        (account.options(listener_arn=account.listener[:-4] + "beef"), "ListenerNotFound"),
        (account.options(rule_arn=account.rule[:-4] + "beef"), "RuleNotFound"),
    ):
        with pytest.raises(SwitchError, match=said) as refused:
            open_alb(options).read()
        assert "mend traffic.options" in str(refused.value.hint)
    switch = open_alb(account.options(green=account.groups[Color.GREEN][:-4] + "beef"))
    assert Weights(100, 0) == switch.read()
    with pytest.raises(SwitchError, match="TargetGroupNotFound"):
        switch.write(Weights(0, 100))


def test_without_credentials(account: Account, alb: AlbSwitch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are none at all, it says how to look and what to set."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(SwitchError, match="no usable AWS credentials for DescribeListeners: Unable to locate") as found:
        alb.read()
    assert "aws sts get-caller-identity; then set traffic.options.profile, or renew them" == found.value.hint


def test_nobody_answers(account: Account, alb: AlbSwitch) -> None:
    """A write whose answer never came may have been done: it is said that the next reading tells."""
    assert Weights(100, 0) == alb.read()
    account.stop()
    with pytest.raises(SwitchError, match=r"does not answer to ModifyListener.*whether ModifyListener was done"):
        alb.elb.call("modify_listener", ListenerArn=account.listener, DefaultActions=[])
    with pytest.raises(SwitchError, match="the API of eu-central-1 does not answer to DescribeListeners") as refused:
        alb.read()
    assert "is the address reached from here" in str(refused.value.hint)
    account.start()


def test_an_argument_that_botocore_does_not_know(account: Account, alb: AlbSwitch) -> None:
    """What AWS has since added cannot be sent by an older botocore; nothing is sent then."""
    with pytest.raises(SwitchError, match="does not know its arguments") as refused:
        alb.elb.call("modify_listener", ListenerArn=account.listener, Mood="good")
    assert "pip install -U boto3" == refused.value.hint
