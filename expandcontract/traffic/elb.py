"""Elastic Load Balancing through boto3: one call at a time, each error told with what to type next.

Rules for the next editor:

1. boto3 is imported inside functions: it is an extra, and nobody without an account at AWS pays for it.
2. botocore repeats what failed, throttled calls too; nothing is repeated here. A change of weights may be made twice.
3. Each call is a right that somebody has to grant: one more of them is one more row in docs/how-to/alb.md.

https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any
from weakref import finalize

from expandcontract.errors import ConfigError, SwitchError

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = 5  # the first included; AWS_MAX_ATTEMPTS and max_attempts of the profile go before
CONNECT_WITHIN, ANSWER_WITHIN = 3, 10  # seconds
MODE = "standard"  # repeats throttled and broken-off calls, each after a longer pause; retry_mode may say adaptive

THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "TooManyRequestsException",
}
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
INVALID = {"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "IncompleteSignature"}
ABSENT = {"ListenerNotFound": "listener_arn", "RuleNotFound": "rule_arn", "TargetGroupNotFound": "blue and green"}
WHO = "aws sts get-caller-identity"


class Elb:
    """One region of one account, with the credentials that boto3 finds.

    Args:
        region: As in the ARNs.
        profile: Of the AWS configuration files; ``None``: ``AWS_PROFILE``, variables, or the role of the machine.
        endpoint: Address of the API; ``None``: the region's own.

    Raises:
        ConfigError: The extra ``aws`` is not installed.
    """

    def __init__(self, region: str, profile: str | None = None, endpoint: str | None = None) -> None:
        try:
            import_module("boto3")
        except ImportError as exc:
            msg = "AWS is reached through boto3, which is not installed"
            raise ConfigError(msg, hint="pip install 'expandcontract[aws]'") from exc
        self._region, self._profile, self._endpoint = region, profile, endpoint

    @cached_property
    def client(self) -> Any:
        """boto3's own client.

        Raises:
            SwitchError: The profile, or a file of the AWS configuration, cannot be used.
        """
        import boto3  # noqa: PLC0415  # the extra
        import botocore.session  # noqa: PLC0415  # comes with the extra
        from botocore.config import Config  # noqa: PLC0415
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        try:
            files = botocore.session.Session(profile=self._profile)
            mode = files.get_config_variable("retry_mode")
            retries = {
                "mode": mode if mode == "adaptive" else MODE,
                "total_max_attempts": files.get_config_variable("max_attempts") or ATTEMPTS,
            }
            config = Config(connect_timeout=CONNECT_WITHIN, read_timeout=ANSWER_WITHIN, retries=retries)
            session = boto3.Session(botocore_session=files, region_name=self._region)
            client = session.client("elbv2", endpoint_url=self._endpoint, config=config)
        except (BotoCoreError, ValueError) as exc:
            msg = f"no usable AWS configuration: {exc}"
            raise SwitchError(msg, hint="aws configure list; then set traffic.options.profile, or AWS_PROFILE") from exc
        finalize(self, client.close)  # its connections end with us, not whenever the collector comes by
        return client

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        """What an operation answers.

        Args:
            operation: As boto3 has it: ``describe_listeners``.
            arguments: Of the operation.

        Raises:
            SwitchError: It was refused, or nobody answered.
        """
        client = self.client
        with self._told(client.meta.method_to_api_mapping[operation]):
            found: dict[str, Any] = getattr(client, operation)(**arguments)
        return found

    @contextmanager
    def _told(self, action: str) -> Iterator[None]:
        from botocore import exceptions  # noqa: PLC0415  # comes with the extra

        unsure = f"; whether {action} was done, the next reading tells" if action.startswith("Modify") else ""
        try:
            yield
        except exceptions.ClientError as exc:
            raise self._refused(exc, action) from exc
        except (exceptions.ParamValidationError, exceptions.UnknownKeyError) as exc:
            msg = f"{action} was not sent, since the installed botocore does not know its arguments: {exc}"
            raise SwitchError(msg, hint="pip install -U boto3") from exc
        except (exceptions.HTTPClientError, exceptions.ConnectionError) as exc:
            msg = f"the API of {self._region} does not answer to {action}: {exc}{unsure}"
            raise SwitchError(msg, hint=f"{WHO}; is the address reached from here, past a proxy or VPC?") from exc
        except exceptions.BotoCoreError as exc:  # none found, half of them, a role or a single sign-on that is over
            msg = f"no usable AWS credentials for {action}: {exc}"
            raise SwitchError(msg, hint=f"{WHO}; then set traffic.options.profile, or renew them") from exc

    def _refused(self, exc: Any, action: str) -> SwitchError:
        error, tried = exc.response.get("Error", {}), exc.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)
        code, said = error.get("Code", ""), error.get("Message", "")
        if code in THROTTLED:
            msg = f"AWS throttled {action} {tried + 1} times: {said}"
            return SwitchError(msg, hint="the same command again; or AWS_MAX_ATTEMPTS=10 before it")
        if code in DENIED:
            msg = f"the right elasticloadbalancing:{action} is missing: {said}"
            return SwitchError(msg, hint=f"{WHO}; the policy needed stands in docs/how-to/alb.md")
        if code in EXPIRED:
            msg = f"the AWS credentials have expired, so {action} was refused: {said}"
            return SwitchError(msg, hint=f"aws sso login, or whatever renews them; {WHO}")
        if code in INVALID:
            msg = f"AWS does not know these credentials ({code}): {said}"
            return SwitchError(msg, hint=f"{WHO}; then set traffic.options.profile, or AWS_PROFILE")
        if code in ABSENT:
            msg = f"{action} in {self._region}: {said} ({code})"
            return SwitchError(msg, hint=f"mend traffic.options, {ABSENT[code]}; {WHO} names the account")
        msg = f"AWS refused {action} ({code}): {said}"
        return SwitchError(msg, hint="mend what AWS names, then the same command again")
