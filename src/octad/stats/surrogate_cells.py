"""A surrogate index learnt and used from moments alone: no row of a person is needed.

Users who were there long ago show how early behaviour and what came of it go together. The rule
is learnt from their moments by bucket, tried on those who came later, and then asked what the
launch's effect on early behaviour will come to (Athey, Chetty, Imbens & Kang 2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.shrinkage import random_effects

__all__ = [
    "Backcast",
    "CellIndex",
    "Forecast",
    "HeldOut",
    "backcast",
    "drift",
    "forecast",
    "index_from_cells",
    "try_on",
]

FloatArray = NDArray[np.float64]

RIDGE = 1e-6
"""Added to the features' correlations, so that features which explain one another share their
weight instead of blowing it up; it moves nothing else."""


@dataclass(frozen=True, slots=True, eq=False)
class CellIndex:
    """A linear rule from early behaviour to what came later.

    Attributes:
        intercept: Its level; `coefficients` (m,) β.
        covariance: (1 + m, 1 + m) of both, by leaving out one bucket of users at a time.
        r2: Share of the outcome's variance among users that it explains.
        sd: Standard deviation of the index among users.
        level: Mean of the outcome.
        n: Users.
    """

    intercept: float
    coefficients: FloatArray
    covariance: FloatArray
    r2: float
    sd: float
    level: float
    n: int


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The rule tried on users it was not learnt from.

    Attributes:
        foretold, came: Their mean outcome as the rule says it, and as it was.
        miss: ``came / foretold − 1``, and `miss_se`.
        slope: Of the outcome on the index among them: 1 when it neither flatters nor mutes
            differences; `slope_low`, `slope_high` its interval.
        n: Users.
    """

    foretold: float
    came: float
    miss: float
    miss_se: float
    slope: float
    slope_low: float
    slope_high: float
    n: int


@dataclass(frozen=True, slots=True)
class Backcast:
    """The launch's first days asked about its own later ones, which are known.

    Attributes:
        foretold, came: Relative effects on the later days.
        gap: What came less what was foretold, and `gap_se`; both are of the same users.
        p: That the first days do foretell the later ones.
    """

    foretold: float
    came: float
    gap: float
    gap_se: float
    p: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """A long-term effect as the rule foretells it, relative to control's foretold level.

    Attributes:
        value: And `se`, `low`, `high`, two-sided `p`.
        control, treatment: The foretold levels.
        from_effects, from_index, from_drift: Shares of the variance: from the launch's own users,
            from how well the rule is known, and from how it has changed over time.
        away: How far control's early behaviour lies from that of those who taught the rule, in
            standard deviations of the index.
        level: Coverage.
    """

    value: float
    se: float
    low: float
    high: float
    p: float
    control: float
    treatment: float
    from_effects: float
    from_index: float
    from_drift: float
    away: float
    level: float


def index_from_cells(cells: Moments, features: int, outcome: int) -> CellIndex:
    """Learn the rule by least squares, with errors robust to whatever spread users have.

    Args:
        cells: Leading shape (B,), columns the features and then the outcomes.
        features: How many features there are, m.
        outcome: Which of the columns after them is wanted, from 0.

    Raises:
        NotEstimable: With too few users or buckets, or an outcome that does not vary.
    """
    held = cells[cells.n > 0]
    total = held.total(0)
    n = int(total.n)
    if n < 20 * (features + 1) or len(held.n) < features + 10:
        raise NotEstimable(f"{features} early figures need more users than {n} to learn from")
    y = features + outcome
    if float(total.comoment[y, y]) <= 0:
        raise NotEstimable("the later outcome is the same for all users")
    live = np.flatnonzero(np.diag(total.comoment)[:features] > 0)
    if not len(live):
        raise NotEstimable("no early figure differs between users")
    keep = (*(int(i) for i in live), y)
    rule = _solve(total.columns(keep))
    size = len(held.n)
    whole = Moments(
        np.full(size, total.n),
        np.broadcast_to(total.mean, held.mean.shape),
        np.broadcast_to(total.comoment, held.comoment.shape),
    )
    each = _solve((whole - held).columns(keep))
    away = each - each.mean(axis=0)
    part = (size - 1) / size * (away.T @ away)
    place = np.concatenate([[0], 1 + live])
    covariance = np.zeros((1 + features, 1 + features))
    covariance[np.ix_(place, place)] = part
    coefficients = np.zeros(features)
    coefficients[live] = rule[1:]
    explained = float(coefficients @ total.comoment[:features, :features] @ coefficients)
    return CellIndex(
        float(rule[0]),
        coefficients,
        covariance,
        min(1.0, explained / float(total.comoment[y, y])),
        math.sqrt(max(0.0, explained / max(1, n - 1))),
        float(total.mean[y]),
        n,
    )


def _solve(moments: Moments) -> FloatArray:
    """(..., 1 + m) intercept and coefficients of the last column on the others."""
    c, mean = moments.comoment, moments.mean
    scale = np.sqrt(np.maximum(np.diagonal(c, axis1=-2, axis2=-1)[..., :-1], 1e-300))
    gram = c[..., :-1, :-1] / (scale[..., :, None] * scale[..., None, :])
    gram = gram + RIDGE * np.eye(gram.shape[-1])
    link = c[..., :-1, -1] / scale
    beta = np.linalg.solve(gram, link[..., None])[..., 0] / scale
    intercept = mean[..., -1] - (beta * mean[..., :-1]).sum(axis=-1)
    return np.concatenate([intercept[..., None], beta], axis=-1)


def try_on(index: CellIndex, cells: Moments, outcome: int, *, level: float = 0.95) -> HeldOut:
    """Ask a rule about users it was not learnt from, whose outcome is known.

    Args:
        index: The rule.
        cells: Leading shape (B,), their moments, columns as in `index_from_cells`.
        outcome: Which outcome.
        level: Coverage of the slope's interval.

    Raises:
        NotEstimable: When there are too few of them, or the rule says the same of all.
    """
    m = len(index.coefficients)
    weights = np.zeros((2, cells.k))
    weights[0, :m], weights[1, m + outcome] = index.coefficients, 1.0
    held = cells[cells.n > 0].linear(weights)
    size, total = len(held.n), held.total(0)
    if size < 10 or float(total.comoment[0, 0]) <= 0:
        raise NotEstimable("there are too few later users to try the rule on")
    whole = Moments(
        np.full(size, total.n),
        np.broadcast_to(total.mean, held.mean.shape),
        np.broadcast_to(total.comoment, held.comoment.shape),
    )
    rest = whole - held
    slopes = rest.comoment[:, 0, 1] / np.maximum(rest.comoment[:, 0, 0], 1e-300)
    slope = float(total.comoment[0, 1] / total.comoment[0, 0])
    error = math.sqrt((size - 1) / size * float(((slopes - slopes.mean()) ** 2).sum()))
    half = float(special.stdtrit(size - 1, 0.5 + level / 2)) * error
    foretold, came = index.intercept + float(total.mean[0]), float(total.mean[1])
    if foretold <= 0:
        raise NotEstimable("the rule foretells no use at all")
    gap = total.linear([[-1.0, 1.0]])
    early = np.concatenate([[1.0], cells[cells.n > 0].total(0).mean[:m]])
    own = float(gap.comoment[0, 0]) / max(1.0, float(total.n) * (float(total.n) - 1))
    variance = own + float(early @ index.covariance @ early)
    return HeldOut(
        foretold,
        came,
        came / foretold - 1,
        math.sqrt(variance) / foretold,
        slope,
        slope - half,
        slope + half,
        int(total.n),
    )


def drift(
    periods: Moments, features: int, outcome: int, control: Moments, treatment: Moments
) -> float:
    """How much a forecast depends on when its rule was learnt: a standard deviation.

    The rule is learnt anew from each period's users, and each foretells the launch's relative
    effect; what these forecasts differ by beyond the errors of their rules is an error that all of
    a launch's users share, and that no number of users mends.

    Args:
        periods: Leading shape (G, B), one period of entry each.
        features: How many features.
        outcome: Which outcome.
        control: Moments of the launch's early behaviour, columns the features.
        treatment: The same of the treatment.

    Returns:
        In shares of control's level; 0 with a single period. It is known from as many periods as
        there are, so it is widened by Student's t over the normal quantile: normal intervals made
        with it then cover as they say.
    """
    said: list[float] = []
    errors: list[float] = []
    for g in range(periods.shape[0]):
        try:
            found = _foretell(index_from_cells(periods[g], features, outcome), control, treatment)
        except NotEstimable:
            continue
        said.append(found.gap / found.base)
        errors.append(math.sqrt(max(0.0, found.of_rule)))
    if len(said) < 2:
        return 0.0
    few = float(special.stdtrit(len(said) - 1, 0.975) / special.ndtri(0.975))
    return few * random_effects(said, errors).tau


@dataclass(frozen=True, slots=True)
class _Foretold:
    """Control's level and the gap to treatment's, and the two parts of the relative variance."""

    base: float
    gap: float
    of_users: float
    of_rule: float


def _foretell(index: CellIndex, control: Moments, treatment: Moments) -> _Foretold:
    if min(float(control.n), float(treatment.n)) < 2:
        raise NotEstimable("too few of the launch's users were observed so long")
    beta, s_c, s_t = index.coefficients, control.mean, treatment.mean
    base = index.intercept + float(beta @ s_c)
    later = index.intercept + float(beta @ s_t)
    if base <= 0:
        raise NotEstimable("the rule foretells no use at all in control")
    gap = later - base
    of_users = sum(
        weight**2 * float(beta @ arm.covariance() @ beta) / float(arm.n)
        for arm, weight in ((treatment, 1 / base), (control, later / base**2))
    )
    slope = np.concatenate([[-gap / base**2], (s_t - s_c) / base - gap * s_c / base**2])
    return _Foretold(base, gap, of_users, float(slope @ index.covariance @ slope))


def backcast(
    cells: Moments,
    control: Moments,
    treatment: Moments,
    *,
    early: tuple[int, ...],
    late: tuple[int, ...],
) -> Backcast:
    """Try the very assumption on the launch itself: do its first days foretell its later ones?

    Among older users, more early use goes with more later use; a launch may raise the one without
    the other (the surrogate paradox). That the launch's effect passes through early behaviour
    cannot be tested for the days to come, but it can for those that were seen.

    Args:
        cells: The older users, leading shape (B,), the features first among the columns.
        control: Moments of the launch's users, columns the features.
        treatment: The same of the treatment.
        early: Columns of the first days.
        late: Columns of the later days that add up to the outcome.

    Raises:
        NotEstimable: As in `index_from_cells` and `forecast`.
    """
    m = len(early)
    mapped = np.zeros((m + 1, cells.k))
    mapped[np.arange(m), list(early)] = 1.0
    mapped[m, list(late)] = 1.0
    index = index_from_cells(cells.linear(mapped), m, 0)
    arms = [arm.linear(mapped[:, : arm.k]) for arm in (control, treatment)]
    short = [arm.columns(tuple(range(m))) for arm in arms]
    found = _foretell(index, *short)
    low, high = (float(arm.mean[m]) for arm in arms)
    if low <= 0:
        raise NotEstimable("control did nothing of it in the later days")
    came, foretold = high / low - 1, found.gap / found.base
    later = 1 + foretold
    # What came less what was foretold, as it moves with each arm's means.
    slopes = (
        np.append(index.coefficients * later / found.base, -high / low**2),
        np.append(-index.coefficients / found.base, 1 / low),
    )
    of_users = sum(
        float(slope @ arm.covariance() @ slope) / float(arm.n)
        for slope, arm in zip(slopes, arms, strict=True)
    )
    se = math.sqrt(of_users + found.of_rule)
    if se <= 0:
        raise NotEstimable("nothing here has an error, so none can be given")
    gap = came - foretold
    return Backcast(foretold, came, gap, se, float(2 * special.ndtr(-abs(gap / se))))


def forecast(
    index: CellIndex,
    control: Moments,
    treatment: Moments,
    *,
    drift_sd: float = 0.0,
    level: float = 0.95,
) -> Forecast:
    """What the launch will come to, relative to control, if the rule holds for it.

    ``r = β′(S_T − S_C) / (a + β′S_C)``. Its variance has three parts: of both arms' early means,
    from their users; of the rule, by the jackknife; and `drift_sd` squared. The first two are a
    little too large together by the product of their errors (Goodman 1960), which is left in.

    Args:
        index: The rule, from other users.
        control: Moments of its early behaviour, columns the features.
        treatment: The same of the treatment.
        drift_sd: From `drift`, in shares of control's level.
        level: Coverage.

    Raises:
        NotEstimable: When an arm has nobody observed so long, or control's level would be none.
    """
    found = _foretell(index, control, treatment)
    parts = np.array([found.of_users, found.of_rule, drift_sd**2])
    variance = float(parts.sum())
    if variance <= 0:
        raise NotEstimable("nothing here has an error, so none can be given")
    base, gap = found.base, found.gap
    se, value = math.sqrt(variance), gap / base
    half = float(special.ndtri((1 + level) / 2)) * se
    away = abs(base - index.level) / index.sd if index.sd > 0 else math.inf
    a, b, c = (float(p) for p in parts / variance)
    p = float(2 * special.ndtr(-abs(value / se)))
    return Forecast(
        value, se, value - half, value + half, p, base, base + gap, a, b, c, away, level
    )  # fmt: skip
