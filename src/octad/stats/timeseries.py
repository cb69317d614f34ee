"""A launch to everyone at once: what happened, against what its series would have done.

As Brodersen, Gallusser, Koehler, Remy and Scott (2015), *Inferring causal impact using Bayesian
structural time-series models*: a model of the days before the launch, with series that the launch
should not touch as controls, forecasts the days after it. What differs from the forecast is put
down to the launch. That holds only while the controls stay untouched and keep their relation to
the outcome, and nothing else happened that day; a break in measurement is looked for and refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from octad.stats.breaks import refuse_gap, refuse_shared_step
from octad.stats.refusal import NotEstimable
from octad.stats.structural import Forecast, Model, forecast

__all__ = ["Impact", "impact"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_LONGEST = 1500
"""Days before the launch beyond which older ones are left out: memory grows with their square."""


@dataclass(frozen=True, slots=True, eq=False)
class Impact:
    """The difference between what happened and the forecast without the launch.

    Attributes:
        mean, mean_low, mean_high: Per day, in the outcome's unit.
        total, total_low, total_high: Over all the days after the launch.
        relative, relative_low, relative_high: Of the total, as a fraction of the forecast total;
            None when that is not surely above zero.
        p: Twice the smaller posterior tail of the mean effect about zero (of logs, if `log`).
        observed: (D,) outcome of each day after the launch; NaN where missing.
        expected, expected_low, expected_high: (D,) forecast without the launch.
        running, running_low, running_high: (D,) effect summed from the launch up to each day.
        drift: Posterior mean of the level's drift in a day over a day's noise (sd over sd).
        coefficients: (K,) of the controls used (of logs, if `log`).
        used: (K,) which controls served; one that stepped on the day is left out.
        days: Days before the launch behind the model.
        level: Coverage.
    """

    mean: float
    mean_low: float
    mean_high: float
    total: float
    total_low: float
    total_high: float
    relative: float | None
    relative_low: float | None
    relative_high: float | None
    p: float
    observed: FloatArray
    expected: FloatArray
    expected_low: FloatArray
    expected_high: FloatArray
    running: FloatArray
    running_low: FloatArray
    running_high: FloatArray
    drift: float
    coefficients: FloatArray
    used: BoolArray
    days: int
    level: float


def impact(
    outcome: ArrayLike,
    launch: int,
    *,
    controls: ArrayLike | None = None,
    season: int | None = 7,
    slope: bool = False,
    log: bool = False,
    level: float = 0.95,
    draws: int = 10_000,
    seed: int = 0,
) -> Impact:
    """Estimate the effect of a launch that everyone got on the same day.

    Args:
        outcome: (T,) one value a day; NaN where missing, though not around the launch.
        launch: Position of the first day with the launch.
        controls: (K, T) series the launch should not touch, without missing days.
        season: Days of the repeating pattern; None for none.
        slope: Whether the level has a slope of its own (needs a long history).
        log: Model logarithms: for counts and sums, whose weekends and drifts are proportional.
        level: Coverage of the intervals.
        draws: Seeded draws for the intervals (their ends scatter by about 1% of their width).
        seed: Of the draws.

    Returns:
        The effect with its forecast.

    Raises:
        NotEstimable: When measurement broke at the launch, there are too few days, a control is
            missing days, or logs are asked of values that are not above zero.
    """
    y, x = _checked(outcome, controls, launch)
    refuse_gap(np.vstack([y[None, :], x]), launch)
    if log:
        if (y[np.isfinite(y)] <= 0).any() or (x <= 0).any():
            raise NotEstimable("Logarithms need every day above zero, in the controls too.")
        y, x = np.log(y), np.log(x)
    used = np.ones(len(x), dtype=bool)
    if len(x):
        used = refuse_shared_step(y, x, launch, season=season)
    start = max(launch - _LONGEST, 0)
    y, x, first = y[start:], x[used][:, start:], launch - start
    model = Model.build(len(y), regressors=_scaled(x, first), season=season, slope=slope)
    after = np.arange(len(y)) >= first
    wanted = after & np.isfinite(y)
    ahead = forecast(model, y, ~after, wanted)
    drawn = ahead.draw(draws, seed)
    if log:
        # No day is worth more than the largest double; a forecast that wild is refused below.
        drawn, y = np.exp(np.minimum(drawn, 300.0)), np.exp(y)
    scale = x[:, :first].std(axis=1)
    columns = ahead.coefficients.shape[1] - len(x)
    return _summary(
        y[first:],
        drawn,
        p=_tail(ahead, np.log(y[wanted]) if log else y[wanted]),
        drift=float(ahead.weights @ ahead.ratios[:, 0]),
        coefficients=(ahead.weights @ ahead.coefficients[:, columns:]) / scale,
        used=used,
        days=int(np.isfinite(y[:first]).sum()),
        level=level,
    )


def _summary(
    observed: FloatArray,
    drawn: FloatArray,
    *,
    p: float,
    drift: float,
    coefficients: FloatArray,
    used: BoolArray,
    days: int,
    level: float,
) -> Impact:
    """Middles and intervals from draws (r, m) of the days that were seen after the launch."""
    seen = np.isfinite(observed)
    ends = [0.5 - level / 2, 0.5, 0.5 + level / 2]
    low, middle, high = (_spread(seen, row) for row in np.quantile(drawn, ends, axis=0))
    effects = np.cumsum(observed[seen] - drawn, axis=1)
    run_low, run, run_high = np.quantile(effects, ends, axis=0)
    size = int(seen.sum())
    whole = drawn.sum(axis=1)
    relative: list[float | None] = [None, None, None]
    if np.quantile(whole, 0.001) > 0:
        relative = [float(v) for v in np.quantile(observed[seen].sum() / whole - 1, ends)]
    return Impact(
        mean=float(run[-1]) / size,
        mean_low=float(run_low[-1]) / size,
        mean_high=float(run_high[-1]) / size,
        total=float(run[-1]),
        total_low=float(run_low[-1]),
        total_high=float(run_high[-1]),
        relative=relative[1],
        relative_low=relative[0],
        relative_high=relative[2],
        p=p,
        observed=observed,
        expected=middle,
        expected_low=low,
        expected_high=high,
        running=_spread(seen, run),
        running_low=_spread(seen, run_low),
        running_high=_spread(seen, run_high),
        drift=drift,
        coefficients=coefficients,
        used=used,
        days=days,
        level=level,
    )


def _spread(seen: BoolArray, values: FloatArray) -> FloatArray:
    """Put values back on their days, NaN where a day is missing."""
    whole = np.full(len(seen), np.nan)
    whole[seen] = values
    return whole


def _tail(ahead: Forecast, observed: FloatArray) -> float:
    below = ahead.cdf(np.full(len(observed), 1 / len(observed)), float(observed.mean()))
    return 2 * min(below, 1 - below)


def _scaled(x: FloatArray, first: int) -> FloatArray | None:
    """(T, K) controls about their mean before the launch, per standard deviation."""
    if not len(x):
        return None
    middle, sd = x[:, :first].mean(axis=1), x[:, :first].std(axis=1)
    if (sd <= 1e-12 * np.maximum(np.abs(middle), 1e-300)).any():
        raise NotEstimable("A control series is constant before the launch; leave it out.")
    return np.asarray(((x - middle[:, None]) / sd[:, None]).T, dtype=np.float64)


def _checked(
    outcome: ArrayLike, controls: ArrayLike | None, launch: int
) -> tuple[FloatArray, FloatArray]:
    y = np.asarray(outcome, dtype=np.float64)
    if y.ndim != 1:
        msg = f"outcome must be (T,); got {y.shape}"
        raise ValueError(msg)
    x = np.empty((0, len(y)))
    if controls is not None and np.size(controls):
        x = np.atleast_2d(np.asarray(controls, dtype=np.float64))
    if x.shape[1] != len(y):
        msg = f"controls must be (K, {len(y)}); got {x.shape}"
        raise ValueError(msg)
    if not 0 < launch < len(y) or not np.isfinite(y[launch:]).any():
        raise NotEstimable("There are no days after the launch, or none before it.")
    if np.isinf(y).any():
        raise NotEstimable("Some days have an infinite value.")
    near = slice(max(launch - 3, 0), launch + 3)
    away = np.ones(len(y), dtype=bool)
    away[near] = False
    if not np.isfinite(x[:, away]).all():
        raise NotEstimable("A control series misses days; leave it out or mend it first.")
    return y, x
