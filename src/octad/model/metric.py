"""Metrics: what is measured, per user, since exposure.

A metric is written by what it does: ``{count: pay, window: 28d}``. The first key says its kind.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from octad.model.base import Span, Stored

__all__ = [
    "METRIC_KINDS",
    "AnyMetric",
    "ColumnMetric",
    "CountMetric",
    "FunnelMetric",
    "MeanMetric",
    "Metric",
    "QuantileMetric",
    "RatioMetric",
    "ReturnsMetric",
    "ReviewMetric",
    "SumMetric",
    "is_share",
]


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Events = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1)]
"""One event name, or a list of names that count alike."""


class _Metric(Stored):
    """What every metric may say.

    Attributes:
        window: How long after exposure is counted; to the end of the data when absent.
        better: Which direction is good.
        where: A condition on the event's columns, such as ``value > 10 and region == "north"``.
        unit: How its level is written: ``s``, ``€``; free text.
        what: What it means, in a person's words.
    """

    window: Span | None = None
    better: Literal["up", "down"] = "up"
    where: str | None = None
    unit: str = ""
    what: str = ""


class CountMetric(_Metric):
    """How many times a user did it: ``{count: open, window: 14d}``."""

    count: Events
    winsorize: float | None = Field(default=None, gt=0.5, lt=1)


class SumMetric(_Metric):
    """A column added up over a user's events: ``{sum: value, of: pay, winsorize: 0.999}``."""

    sum: str
    of: Events
    winsorize: float | None = Field(default=None, gt=0.5, lt=1)


class MeanMetric(_Metric):
    """A column's mean over events, by the delta method: ``{mean: value, of: pay}``."""

    mean: str
    of: Events


class AnyMetric(_Metric):
    """The share of users who did it at least once: ``{any: pay}``."""

    any: Events


class ReturnsMetric(_Metric):
    """The share with the event in a span: ``{returns: open, between: [21d, 28d]}``."""

    returns: Events
    between: tuple[Span, Span]

    @model_validator(mode="after")
    def _ordered(self) -> ReturnsMetric:
        if self.between[0] >= self.between[1]:
            msg = "between: must go from an earlier to a later time, such as [21d, 28d]"
            raise ValueError(msg)
        if self.window is not None:
            msg = "returns: has its span in 'between', and takes no window"
            raise ValueError(msg)
        return self


class RatioMetric(_Metric):
    """One event over another: ``{ratio: [crash, open], better: down}``."""

    ratio: tuple[Events, Events]


class QuantileMetric(_Metric):
    """A column's quantile over events: ``{quantile: 0.95, of: wait_ms, better: down}``.

    Attributes:
        quantile: Which quantile, strictly between 0 and 1.
        of: The column.
        on: The events it is read on; every event that has the column when absent.
    """

    quantile: float = Field(gt=0, lt=1)
    of: str
    on: Events | None = None


class FunnelMetric(_Metric):
    """The share of users who entered a funnel and got through it in order, in time.

    ``{funnel: [open, cart, pay], within: 1d}``: each step at or after the one before, the last
    within the span of the first.
    """

    funnel: tuple[Events, ...] = Field(min_length=2)
    within: Span = timedelta(days=1)


class ColumnMetric(_Metric):
    """A column of a `units` source, one row a user: ``{column: retention_7}``."""

    column: str
    winsorize: float | None = Field(default=None, gt=0.5, lt=1)

    @model_validator(mode="after")
    def _no_window(self) -> ColumnMetric:
        if self.window is not None or self.where is not None:
            msg = "column: is one number a user, and takes no window and no where"
            raise ValueError(msg)
        return self


class ReviewMetric(_Metric):
    """A figure read off our own reviews: ``{reviews: stars}`` or ``{reviews: volume}``."""

    reviews: Literal["stars", "volume"]


METRIC_KINDS: dict[str, type[_Metric]] = {
    "count": CountMetric,
    "sum": SumMetric,
    "mean": MeanMetric,
    "any": AnyMetric,
    "returns": ReturnsMetric,
    "ratio": RatioMetric,
    "quantile": QuantileMetric,
    "funnel": FunnelMetric,
    "column": ColumnMetric,
    "reviews": ReviewMetric,
}


def _kind(value: Any) -> str | None:
    keys = value if isinstance(value, dict) else getattr(type(value), "model_fields", {})
    return next((kind for kind in METRIC_KINDS if kind in keys), None)


Metric = Annotated[
    Annotated[CountMetric, Tag("count")]
    | Annotated[SumMetric, Tag("sum")]
    | Annotated[MeanMetric, Tag("mean")]
    | Annotated[AnyMetric, Tag("any")]
    | Annotated[ReturnsMetric, Tag("returns")]
    | Annotated[RatioMetric, Tag("ratio")]
    | Annotated[QuantileMetric, Tag("quantile")]
    | Annotated[FunnelMetric, Tag("funnel")]
    | Annotated[ColumnMetric, Tag("column")]
    | Annotated[ReviewMetric, Tag("reviews")],
    Discriminator(
        _kind,
        custom_error_type="metric_kind",
        custom_error_message="a metric says one of " + ", ".join(METRIC_KINDS),
    ),
]


def is_share(metric: Metric) -> bool:
    """Whether a metric's level is a share of users or events, shown in per cent."""
    return isinstance(metric, AnyMetric | ReturnsMetric | FunnelMetric | RatioMetric)
