"""One region or product against others: synthetic control and synthetic difference in differences.

A mixture of untreated units stands in for the treated ones. Synthetic difference in differences
(Arkhangelsky, Athey, Hirshberg, Imbens and Wager 2021, algorithm 1) weights units *and* periods,
and forgives a constant gap between them; synthetic control (Abadie, Diamond and Hainmueller 2010)
weights units alone. Weights are found exactly, where the authors' package stops a Frank–Wolfe
iteration early. Errors come from placebos: the same reckoning for units that nothing happened to
(their algorithm 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, stats

from octad.stats.refusal import NotEstimable

__all__ = ["Estimator", "Synthetic", "donor_weights", "synthetic_difference"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Estimator = Literal["sdid", "sc", "did"]
"""Synthetic difference in differences, synthetic control, or all weights equal."""


@dataclass(frozen=True, slots=True, eq=False)
class Synthetic:
    """The effect on the treated units, averaged over them and over the periods after treatment.

    Attributes:
        estimator: How it was made.
        value: In the outcome's unit.
        se: Standard deviation of the placebos' effects; None without placebos.
        low, high, p: Interval at `level` and two-sided p-value, from Student's t with
            untreated units less one as degrees of freedom; None without placebos.
        placebos: (r,) effects of the same reckoning where nothing happened.
        exhaustive: Whether the placebos are all there are (one treated unit), not a sample.
        unit_weights: (controls,) of the untreated units, adding up to 1.
        time_weights: (pre,) of the periods before; zero for synthetic control.
        gap: (T,) treated less synthetic in every period, less its weighted mean before.
        pre_rmse: Root mean square of `gap` before treatment; about its own mean for `sdid`, `did`.
        post_rmse: The same after treatment.
        level: Coverage.
    """

    estimator: Estimator
    value: float
    se: float | None
    low: float | None
    high: float | None
    p: float | None
    placebos: FloatArray
    exhaustive: bool
    unit_weights: FloatArray
    time_weights: FloatArray
    gap: FloatArray
    pre_rmse: float
    post_rmse: float
    level: float


def synthetic_difference(
    outcome: ArrayLike,
    treated: ArrayLike,
    pre: int,
    *,
    estimator: Estimator = "sdid",
    placebos: int = 200,
    seed: int = 0,
    level: float = 0.95,
) -> Synthetic:
    """Compare treated units with a mixture of the others.

    Args:
        outcome: (N, T) one row a unit, one column a period.
        treated: (N,) whether the unit is treated from period `pre` on.
        pre: Periods before treatment.
        estimator: See `Estimator`.
        placebos: How many samples of placebo units; with one treated unit each other unit serves
            once and this is only a cap; 0 for no error.
        seed: Of the placebo samples.
        level: Coverage of the interval.

    Returns:
        The effect. Its placebo error takes treated and untreated units to vary alike.

    Raises:
        NotEstimable: When there are fewer than two periods before, none after, no treated unit,
            or fewer than two untreated ones more than treated ones.
    """
    y, is_treated = _checked(outcome, treated, pre)
    # Weights add up to 1, so a level shared by all changes nothing but rounding.
    y = y - float(np.median(y))
    controls, ours = y[~is_treated], y[is_treated]
    fit = _estimate(controls, ours, pre, estimator)
    effects, whole = _placebos(controls, len(ours), pre, estimator, placebos, seed)
    se = low = high = p = None
    if len(effects) > 1:
        # Their algorithm 4: the placebos' variance about their own mean, over r.
        se = float(effects.std())
        if se > 0:
            # However many placebos are drawn, they know only as much as there are controls; with
            # the normal's 1.96 a simulation with 24 of them covers 92%.
            df = len(controls) - 1
            reach = float(stats.t.ppf(0.5 + level / 2, df)) * se
            low, high = fit.value - reach, fit.value + reach
            p = float(2 * stats.t.sf(abs(fit.value) / se, df))
    return Synthetic(
        estimator=estimator,
        value=fit.value,
        se=se,
        low=low,
        high=high,
        p=p,
        placebos=effects,
        exhaustive=whole,
        unit_weights=fit.unit,
        time_weights=fit.time,
        gap=fit.gap,
        pre_rmse=fit.rmse(slice(None, pre), about_mean=estimator != "sc"),
        post_rmse=fit.rmse(slice(pre, None), about_mean=False),
        level=level,
    )


def donor_weights(
    target: ArrayLike,
    donors: ArrayLike,
    *,
    importance: ArrayLike | None = None,
    ridge: float = 0.0,
    intercept: bool = False,
) -> FloatArray:
    """Weights, none below zero and adding up to 1, that make donors most like the target.

    Minimises Σ_k v_k (target_k − Σ_j w_j donors_kj − w₀)² + ridge·Σ_j w_j².

    Args:
        target: (k,) what is to be matched.
        donors: (k, j) the same of each donor.
        importance: (k,) the v_k, not below zero; equal when absent.
        ridge: Penalty that spreads the weights.
        intercept: Whether a constant gap w₀ is forgiven.

    Returns:
        (j,) the weights.

    Raises:
        NotEstimable: When there is no donor, or a value is missing.

    >>> donor_weights([2.0, 3.0], [[1.0, 3.0], [2.0, 4.0]])
    array([0.5, 0.5])
    """
    b = np.asarray(target, dtype=np.float64)
    a = np.asarray(donors, dtype=np.float64)
    if a.ndim != 2 or b.shape != (a.shape[0],):
        msg = f"target must be (k,) and donors (k, j); got {b.shape} and {a.shape}"
        raise ValueError(msg)
    if a.shape[1] == 0:
        raise NotEstimable("There is no untreated unit to compare with.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise NotEstimable("Some values to match on are missing.")
    v = np.ones_like(b) if importance is None else np.asarray(importance, dtype=np.float64)
    # The weights add up to 1, so taking the target off every donor changes nothing but rounding.
    gaps = a - b[:, None]
    if intercept:
        gaps = gaps - np.average(gaps, axis=0, weights=v)
    gaps = gaps * np.sqrt(v)[:, None]
    rows = np.vstack([gaps, np.sqrt(ridge) * np.eye(a.shape[1])]) if ridge > 0 else gaps
    size = float(np.sqrt((rows**2).sum(axis=0)).max())
    if size == 0:
        return np.full(a.shape[1], 1 / a.shape[1])
    # Least squares over w ≥ 0 with one more row that asks Σw = 1: for any sum the best mixture is
    # the same, so dividing by the sum gives the exact answer on the simplex.
    system = np.vstack([rows / size, np.ones(a.shape[1])])
    right = np.append(np.zeros(len(rows)), 1.0)
    w, _ = optimize.nnls(system, right)
    return np.asarray(w / w.sum(), dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Effect, unit weights (controls,), time weights (pre,) and gap (T,)."""

    value: float
    unit: FloatArray
    time: FloatArray
    gap: FloatArray

    def rmse(self, where: slice, *, about_mean: bool) -> float:
        gap = self.gap[where]
        return float(np.sqrt(((gap - gap.mean() if about_mean else gap) ** 2).mean()))


def _estimate(controls: FloatArray, ours: FloatArray, pre: int, estimator: Estimator) -> _Fit:
    """Weights and effect (algorithm 1)."""
    n, after = len(controls), controls.shape[1] - pre
    mean = ours.mean(axis=0)
    steps = np.diff(controls[:, :pre], axis=1)
    noise = float(steps.std(ddof=1)) if steps.size > 1 else 0.0
    unit, time = np.full(n, 1 / n), np.full(pre, 1 / pre)
    if estimator == "sc":
        # The authors' package keeps a trace of ridge here, so that ties are broken evenly.
        ridge = (1e-6 * noise) ** 2 * pre
        unit = donor_weights(mean[:pre], controls[:, :pre].T, ridge=ridge)
        time = np.zeros(pre)
    elif estimator == "sdid":
        zeta = (len(ours) * after) ** 0.25 * noise
        unit = donor_weights(mean[:pre], controls[:, :pre].T, ridge=zeta**2 * pre, intercept=True)
        time = donor_weights(
            controls[:, pre:].mean(axis=1),
            controls[:, :pre],
            ridge=(1e-6 * noise) ** 2 * n,
            intercept=True,
        )
    gap = mean - unit @ controls
    gap = gap - time @ gap[:pre]
    return _Fit(float(gap[pre:].mean()), unit, time, gap)


def _placebos(
    controls: FloatArray, size: int, pre: int, estimator: Estimator, number: int, seed: int
) -> tuple[FloatArray, bool]:
    """Effects for untreated units taken as treated; all of them when one is taken at a time."""
    n = len(controls)
    if number <= 0:
        return np.empty(0), False
    if n - size < 2:
        raise NotEstimable(
            f"Untreated units: {n}. That is too few to try the comparison where nothing happened."
        )
    rng = np.random.default_rng(seed)
    whole = size == 1 and n <= number
    chosen = (
        [np.array([i]) for i in range(n)]
        if whole
        else [rng.choice(n, size, replace=False) for _ in range(number)]
    )
    effects = []
    for pick in chosen:
        rest = np.delete(controls, pick, axis=0)
        effects.append(_estimate(rest, controls[pick], pre, estimator).value)
    return np.array(effects), whole


def _checked(
    outcome: ArrayLike, treated: ArrayLike, pre: int
) -> tuple[FloatArray, NDArray[np.bool_]]:
    y = np.asarray(outcome, dtype=np.float64)
    flag = np.asarray(treated, dtype=bool)
    if y.ndim != 2 or flag.shape != (len(y),):
        msg = f"outcome must be (N, T) and treated (N,); got {y.shape} and {flag.shape}"
        raise ValueError(msg)
    if pre < 2 or pre >= y.shape[1]:
        raise NotEstimable("The comparison needs two periods before the launch and one after it.")
    if not flag.any() or flag.all():
        raise NotEstimable("The comparison needs units with the launch, and units without it.")
    if not np.isfinite(y).all():
        raise NotEstimable("Some units miss a period.")
    return y, flag
