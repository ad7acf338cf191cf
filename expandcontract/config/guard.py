"""``[guard]``: what is watched while a color is given traffic."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from expandcontract.config.duration import Duration  # noqa: TC001 - pydantic reads the annotations
from expandcontract.config.section import Section


def check_pointer(where: str | None) -> str | None:
    """``where`` itself, where it is a JSON pointer or the name of a header.

    Raises:
        ValueError: It is neither.
    """
    if where is None or where.startswith("/"):
        return where
    if where.split() != [where] or "/" in where:
        msg = f"a JSON pointer begins with /, like /color; a header is one word, like X-Color; found {where!r}"
        raise ValueError(msg)
    return where


class MetricSettings(Section):
    """``[guard.metrics.NAME]``: one figure of a color, where it is read, and how high it may be."""

    source: Literal["http", "prometheus", "sql"] = Field(description="Where the figure is read.")
    url: str | None = Field(
        default=None,
        pattern=r"^(https?://|\{url\})",
        description="`http`: of a JSON document; `prometheus`: of the server.",
    )
    value: str = Field(
        default="", pattern="^(/.*)?$", description="`http`: JSON pointer of the figure; empty: the whole document."
    )
    query: str | None = Field(default=None, description="`prometheus`: PromQL; `sql`: one row with the figure.")
    requests: str | None = Field(
        default=None,
        description="How many requests the figure rests on. `http`: a JSON pointer; `prometheus`: a query. "
        "`sql` has it in the second column.",
    )
    minimum: int = Field(default=0, ge=0, description="With fewer requests the figure is not judged.")
    limit: float | None = Field(default=None, description="The highest figure that is allowed.")
    ratio_to_live: float | None = Field(
        default=None, gt=0, description="How many times the live color's figure is allowed."
    )
    ignore_below: float = Field(default=0, ge=0, description="Up to this figure the ratio is not looked at.")
    token_from: str | None = Field(
        default=None, description="The environment variable with a bearer token for `url`; it stands in no file."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        wrong = (
            ("limit or ratio_to_live", self.limit is None and self.ratio_to_live is None),
            ("url", self.source != "sql" and not self.url),
            ("query", self.source != "http" and not self.query),
            ("requests, which minimum is about", self.minimum and self.source != "sql" and not self.requests),
        )
        for what, missing in wrong:
            if missing:
                msg = f"a metric with source {self.source} needs {what}; found none"
                raise ValueError(msg)
        unused = {"http": {"query"}, "prometheus": {"value"}, "sql": {"url", "value", "requests", "token_from"}}
        for name in sorted(unused[self.source] & self.model_fields_set):
            msg = f"a metric with source {self.source} has no {name}; found one"
            raise ValueError(msg)
        if self.requests and self.source == "http" and not self.requests.startswith("/"):
            msg = f"requests is a JSON pointer, like /requests; found {self.requests!r}"
            raise ValueError(msg)
        return self


class GuardSettings(Section):
    """``[guard]``: how a stage is watched while it soaks."""

    interval: Duration = Field(
        default=timedelta(seconds=2),
        gt=timedelta(),
        description="Between two looks at a color that is given traffic; at least four looks a stage.",
    )
    may_fail: int = Field(
        default=0, ge=0, description="How many looks of a stage may find the color not ready; one more takes it back."
    )
    in_a_row: int = Field(default=1, ge=1, description="How many looks in a row must find a metric beyond its limit.")
    wait_for_data: Duration = Field(
        default=timedelta(minutes=1),
        description="How long a stage goes on beyond its soak while a metric cannot be judged; then it has failed.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=5), gt=timedelta(), description="How long one figure is waited for."
    )
    metrics: dict[str, MetricSettings] = Field(
        default_factory=dict, description="The figures that are watched, each a table `[guard.metrics.NAME]`."
    )
