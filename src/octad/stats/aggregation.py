"""Group-time effects brought together: one number, or a curve with a band.

Callaway and Sant'Anna (2021), section 3: weights are group sizes, and the influence of having
estimated those sizes is counted in (their corollary 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from octad.stats.did import GroupTime
from octad.stats.refusal import NotEstimable

__all__ = ["Aggregate", "Kind", "PerAdopter", "aggregate", "per_adopter"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Kind = Literal["simple", "dynamic", "group", "calendar"]


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """Group-time effects brought together.

    Attributes:
        kind: `simple`: every effect after treatment, by group size; `dynamic`: by time since
            treatment, the overall number being the mean of the curve from 0 on; `group`: by
            group; `calendar`: by period.
        value, se, low, high, p: The overall effect; normal, or Student's t with clusters.
        at: (e,) time since treatment, group or period; empty for `simple`.
        att, att_se: (e,) the curve.
        covariance: (e, e) of the curve.
        influence: (m,) of each independent unit on `value`; its squares add up to the variance.
        critical: Multiplier of `att_se` for a band that covers the whole curve at `level`.
        level: Coverage.
    """

    kind: Kind
    value: float
    se: float
    low: float
    high: float
    p: float
    at: FloatArray
    att: FloatArray
    att_se: FloatArray
    covariance: FloatArray
    influence: FloatArray
    critical: float
    level: float


def aggregate(
    effects: GroupTime,
    kind: Kind = "simple",
    *,
    balance: int | None = None,
    span: tuple[float, float] = (-np.inf, np.inf),
    level: float = 0.95,
) -> Aggregate:
    """Bring group-time effects together (Callaway and Sant'Anna 2021, section 3.1, table 1).

    Args:
        effects: From `group_time`.
        kind: See `Aggregate`.
        balance: For `dynamic`, keep the groups that are seen this long after treatment, and the
            times since treatment up to it, so that no point of the curve has other groups in it.
        span: For `dynamic`, the first and last time since treatment to keep.
        level: Coverage of the intervals.

    Returns:
        The overall effect and its curve.

    Raises:
        NotEstimable: When no effect after treatment is left.
    """
    since = effects.time - effects.group
    after = since >= 0
    if kind == "simple":
        sets = [after]
        labels = np.empty(0)
    else:
        keep = np.ones(len(since), dtype=bool)
        if kind == "dynamic":
            keep &= (since >= span[0]) & (since <= span[1])
            if balance is not None:
                last = effects.time.max()
                keep &= (last - effects.group >= balance) & (since <= balance)
                keep &= since >= balance - last + effects.time.min()
        else:
            keep &= after
        key = {"dynamic": since, "group": effects.group, "calendar": effects.time}[kind]
        labels = np.unique(key[keep])
        sets = [keep & (key == label) for label in labels]
    if not sets or not (after & np.any(sets, axis=0)).any():
        raise NotEstimable("No effect after the launch is left to bring together.")
    pieces = [_mix(effects, chosen, sized=kind != "group") for chosen in sets]
    att = np.array([value for value, _ in pieces])
    influence = np.column_stack([column for _, column in pieces])
    value, whole = _overall(effects, kind, labels, att, influence)
    covariance = influence.T @ influence
    se = float(np.sqrt(whole @ whole))
    reach = float(stats.t.ppf(0.5 + level / 2, effects.df))
    curve = slice(0, 0) if kind == "simple" else slice(None)
    return Aggregate(
        kind=kind,
        value=value,
        se=se,
        low=value - reach * se,
        high=value + reach * se,
        p=float(2 * stats.t.sf(abs(value) / se, effects.df)) if se > 0 else float(value == 0),
        at=labels,
        att=att[curve],
        att_se=np.sqrt(np.diag(covariance))[curve],
        covariance=covariance[curve, curve],
        influence=whole,
        critical=_band(covariance, level, effects.df),
        level=level,
    )


@dataclass(frozen=True, slots=True)
class PerAdopter:
    """The effect on those who took the launch up because they could.

    Attributes:
        value, low, high, p: In the outcome's unit; Fieller's interval.
        uptake, uptake_se: Share that took it up because they could.
        level: Coverage.
    """

    value: float
    low: float
    high: float
    p: float
    uptake: float
    uptake_se: float
    level: float


def per_adopter(
    outcome: GroupTime, adoption: GroupTime, kind: Kind = "simple", *, level: float = 0.95
) -> PerAdopter:
    """Divide the effect of being able to have the launch by the uptake it caused.

    People who take up a new version differ from those who do not, so the two are never compared.
    The date on which it could be had serves as instrument: its effect on the outcome comes all
    from the share that took it up (and it must work in no other way).

    Args:
        outcome: `group_time` of the outcome, groups by the date of eligibility.
        adoption: The same call on whether a unit uses it (0 or 1) in each period.
        kind: How effects are brought together, for both alike.
        level: Coverage.

    Returns:
        The ratio, with Fieller's interval from the joint influence of both.

    Raises:
        NotEstimable: When uptake cannot be told from zero, so that no bounded interval exists.
    """
    if outcome.influence.shape != adoption.influence.shape:
        msg = "outcome and adoption must come from the same units, dates and periods"
        raise ValueError(msg)
    top, bottom = aggregate(outcome, kind, level=level), aggregate(adoption, kind, level=level)
    reach = float(stats.t.ppf(0.5 + level / 2, outcome.df))
    if abs(bottom.value) <= reach * bottom.se or bottom.value == 0:
        raise NotEstimable(
            "So few took it up because they could, that the effect on each of them is unknown."
        )
    joint = float(top.influence @ bottom.influence)
    # (a − r·b)² ≤ t²·Var(a − r·b), solved for r.
    a = bottom.value**2 - reach**2 * bottom.se**2
    b = top.value * bottom.value - reach**2 * joint
    c = top.value**2 - reach**2 * top.se**2
    half = float(np.sqrt(max(b**2 - a * c, 0.0)))
    return PerAdopter(
        value=top.value / bottom.value,
        low=(b - half) / a,
        high=(b + half) / a,
        p=top.p,
        uptake=bottom.value,
        uptake_se=bottom.se,
        level=level,
    )


def _mix(effects: GroupTime, chosen: BoolArray, *, sized: bool) -> tuple[float, FloatArray]:
    """Mean of some effects, by group size or plain, with the influence of the sizes counted in."""
    if not sized:
        return float(effects.att[chosen].mean()), effects.influence[:, chosen].mean(axis=1)
    shares = effects.shares[chosen]
    weights = shares / shares.sum()
    value = float(weights @ effects.att[chosen])
    pull = effects.share_influence[:, chosen] @ (effects.att[chosen] - value) / shares.sum()
    return value, effects.influence[:, chosen] @ weights + pull


def _overall(
    effects: GroupTime, kind: Kind, labels: FloatArray, att: FloatArray, influence: FloatArray
) -> tuple[float, FloatArray]:
    """One number from the curve, with its influence."""
    if kind == "simple":
        return float(att[0]), influence[:, 0]
    if kind == "group":
        where = [int(np.flatnonzero(effects.group == g)[0]) for g in labels]
        shares = effects.shares[where]
        value = float(att @ shares / shares.sum())
        pull = effects.share_influence[:, where] @ (att - value) / shares.sum()
        return value, influence @ (shares / shares.sum()) + pull
    after = labels >= 0 if kind == "dynamic" else np.ones(len(labels), dtype=bool)
    return float(att[after].mean()), influence[:, after].mean(axis=1)


def _band(covariance: FloatArray, level: float, df: float) -> float:
    """Quantile of the largest |t| over the curve, by 20,000 seeded draws of normals (or of t)."""
    se = np.sqrt(np.diag(covariance))
    live = se > 0
    if live.sum() < 2:
        return float(stats.t.ppf(0.5 + level / 2, df))
    correlation = covariance[np.ix_(live, live)] / np.outer(se[live], se[live])
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    rng = np.random.default_rng(0)
    largest = np.abs(rng.normal(size=(20_000, int(live.sum()))) @ root.T).max(axis=1)
    if np.isfinite(df):
        largest *= np.sqrt(df / rng.chisquare(df, size=len(largest)))
    return float(np.quantile(largest, level))
