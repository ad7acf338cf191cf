"""A load balancer of AWS on loopback: moto's server, with a listener that asks for a login and a rule beside it.

moto checks next to nothing of what it is given, calls every target healthy and never refuses: what AWS says then is
put into the answers by :meth:`Account.answers`.
"""

from __future__ import annotations

import io
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.traffic.aws_alb import open_alb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.traffic.aws_alb import AlbSwitch

REGION = "eu-central-1"
LOGIN = {
    "Issuer": "https://login.example",
    "AuthorizationEndpoint": "https://login.example/auth",
    "TokenEndpoint": "https://login.example/token",
    "UserInfoEndpoint": "https://login.example/user",
    "ClientId": "shop",
    "ClientSecret": "told-once",
    "Scope": "openid",
    "SessionTimeout": 3600,
    "OnUnauthenticatedRequest": "authenticate",
}
REFUSAL = """<ErrorResponse xmlns="http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/">
<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId>
</ErrorResponse>"""


class Account:
    """One load balancer in an account of moto's.

    Attributes:
        port: Of the API on loopback.
        client: Somebody else's: boto3's own.
        listener: ARN of the listener; its default actions ask for a login, then forward to blue.
        rule: ARN of the rule for ``/api``, which forwards by weights.
        groups: ARN of the target group of each color, with one target in each.
    """

    def __init__(self) -> None:
        from moto.moto_api._internal.models import moto_api_backend  # noqa: PLC0415  # slow to load

        moto_api_backend.reset()
        self.port = 0
        self.start()
        self._session = _session()
        self.client = self._session.client("elbv2", endpoint_url=self.url)
        network = self._network()
        self.groups = {color: self._group(color, network[0]) for color in Color}
        balancer = self.client.create_load_balancer(Name="shop", Subnets=network[1:])["LoadBalancers"][0]
        blue = self.groups[Color.BLUE]
        made = self.client.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": self._certificate()}],
            DefaultActions=[
                {"Type": "authenticate-oidc", "Order": 1, "AuthenticateOidcConfig": LOGIN},
                {"Type": "forward", "Order": 2, "TargetGroupArn": blue},
            ],
        )
        self.listener: str = made["Listeners"][0]["ListenerArn"]
        weighted = [{"TargetGroupArn": self.groups[color], "Weight": 100 * (color is Color.BLUE)} for color in Color]
        self.rule: str = self.client.create_rule(
            ListenerArn=self.listener,
            Priority=1,
            Conditions=[{"Field": "path-pattern", "Values": ["/api/*"]}],
            Actions=[{"Type": "forward", "ForwardConfig": {"TargetGroups": weighted}}],
        )["Rules"][0]["RuleArn"]

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"http://127.0.0.1:{self.port}"

    def _network(self) -> list[str]:
        """The network that an account has from the start: its id, and those of two parts of it."""
        ec2 = self._session.client("ec2", endpoint_url=self.url)
        found = ec2.describe_subnets()["Subnets"]
        ec2.close()
        return [found[0]["VpcId"], *(one["SubnetId"] for one in found[:2])]

    def _certificate(self) -> str:
        iam = self._session.client("iam", endpoint_url=self.url)
        made = iam.upload_server_certificate(ServerCertificateName="shop", CertificateBody="-", PrivateKey="-")
        iam.close()
        arn: str = made["ServerCertificateMetadata"]["Arn"]
        return arn

    def _group(self, color: Color, vpc: str) -> str:
        made = self.client.create_target_group(
            Name=f"shop-{color}", Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip"
        )
        arn: str = made["TargetGroups"][0]["TargetGroupArn"]
        self.client.register_targets(TargetGroupArn=arn, Targets=[{"Id": f"10.0.0.{len(color)}"}])
        return arn

    def start(self) -> None:
        """Answer on loopback; what was there before still is."""
        from moto.server import ThreadedMotoServer  # noqa: PLC0415  # slow to load

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self.port, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]

    def stop(self) -> None:
        """Answer no more."""
        self.client.close()
        self._server.stop()

    def options(self, **more: object) -> dict[str, object]:
        """The settings that lead here: to the listener, unless ``rule_arn`` is given."""
        place = {} if "rule_arn" in more else {"listener_arn": self.listener}
        return {**place, **{str(color): arn for color, arn in self.groups.items()}, "endpoint_url": self.url, **more}

    def actions(self) -> list[dict[str, Any]]:
        """The listener's default actions, as somebody else reads them."""
        found: list[dict[str, Any]] = self.client.describe_listeners(ListenerArns=[self.listener])["Listeners"][0][
            "DefaultActions"
        ]
        return found

    def forward(self, weights: Weights | dict[str, int], **more: object) -> None:
        """Somebody else's write of the listener's forward action; by color, or by ARN."""
        listed = {self.groups[color]: weights.of(color) for color in Color} if isinstance(weights, Weights) else weights
        config = {"TargetGroups": [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in listed.items()], **more}
        actions = [*self.actions()[:-1], {"Type": "forward", "Order": 2, "ForwardConfig": config}]
        self.client.modify_listener(ListenerArn=self.listener, DefaultActions=actions)


@cache
def _session() -> Any:
    """One for all tests: it keeps what it has read of the services."""
    import boto3  # noqa: PLC0415  # slow to load

    return boto3.Session("testing", "testing", region_name=REGION)


def refuse(switch: AlbSwitch, code: str, *, times: int = 1, status: int = 400, only: str = "") -> list[str]:
    """Let the next calls of a switch be refused as AWS would.

    Args:
        switch: The switch.
        code: AWS's own: ``Throttling``.
        times: How many calls.
        status: Of HTTP.
        only: Only calls of this operation.

    Returns:
        Where the operation of each call made from now on is put.
    """
    from botocore.awsrequest import AWSResponse  # noqa: PLC0415  # slow to load

    asked: list[str] = []
    left = [times]

    def answer(request: Any, event_name: str, **_: object) -> Any:
        operation = event_name.rpartition(".")[2]
        asked.append(operation)
        if not left[0] or (only and operation != only):
            return None
        left[0] -= 1
        body = REFUSAL.format(code=code, message=f"as {code} says").encode()
        return AWSResponse(request.url, status, {"Content-Type": "text/xml"}, _Raw(body))

    switch.elb.client.meta.events.register("before-send.elastic-load-balancing-v2", answer)
    return asked


class _Raw(io.BytesIO):
    """A body as urllib3 would give it."""

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


@pytest.fixture(autouse=True)
def _no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test ever finds somebody's real account, and none waits for what does not answer."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_MAX_ATTEMPTS", "1"),
        ("MOTO_EC2_LOAD_DEFAULT_AMIS", "false"),  # some thousand that nobody asks for
    ):
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def account() -> Iterator[Account]:
    """A load balancer whose listener gives blue everything."""
    found = Account()
    yield found
    found.stop()


@pytest.fixture
def alb(account: Account) -> AlbSwitch:
    """The switch of its listener."""
    return open_alb(account.options())
