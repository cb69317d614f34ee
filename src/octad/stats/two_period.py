"""Difference in differences between two periods, with each unit's influence on the answer.

Sant'Anna and Zhao (2020), *Doubly robust difference-in-differences estimators*: outcome
regression (their equation 2.2), inverse probability weighting with normalised weights (Abadie
2005; their equation 4.1's weights), and the doubly robust estimator built of both (equation 2.6,
with a logit and least squares, as `drdid_panel` of their R package).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.stats.refusal import NotEstimable

__all__ = ["Method", "TwoPeriod", "two_period"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
Method = Literal["dr", "reg", "ipw"]

_OVERLAP = 0.999
"""A comparison unit this sure to have been treated has no counterpart; its weight would explode."""


@dataclass(frozen=True, slots=True, eq=False)
class TwoPeriod:
    """Effect on the treated between two periods.

    Attributes:
        att: In the outcome's unit.
        influence: (m,) each unit's influence; the standard error is √Σψ²/m.
    """

    att: float
    influence: FloatArray


def two_period(
    change: FloatArray,
    treated: BoolArray,
    covariates: FloatArray,
    weights: FloatArray,
    *,
    method: Method = "dr",
) -> TwoPeriod:
    """Estimate the effect on the treated from each unit's change.

    Args:
        change: (m,) outcome after less outcome before.
        treated: (m,) whether the unit was treated in between.
        covariates: (m, p) known before, with a constant first.
        weights: (m,) not below zero.
        method: Doubly robust, outcome regression, or inverse probability weighting.

    Returns:
        The effect and its influence function.

    Raises:
        NotEstimable: When a group is missing, or no comparison units resemble the treated.
    """
    d = treated.astype(np.float64)
    if not treated.any() or treated.all():
        raise NotEstimable("There are no units to compare with, or none that were treated.")
    fitted, regression = _outcome(change, d, covariates, weights)
    if method == "reg":
        w = weights * d
        gap = change - fitted
        att = float((w * gap).mean() / w.mean())
        pull = regression @ (w[:, None] * covariates).mean(axis=0)
        return TwoPeriod(att, (w * (gap - att) - pull) / w.mean())
    p, scores = _propensity(d, covariates, weights)
    if method == "ipw":
        fitted = np.zeros_like(change)
        regression = np.zeros_like(regression)
    gap = change - fitted
    treat, control = weights * d, weights * p * (1 - d) / (1 - p)
    up = float((treat * gap).mean() / treat.mean())
    down = float((control * gap).mean() / control.mean())
    pull_up = regression @ (treat[:, None] * covariates).mean(axis=0)
    pull_down = regression @ (control[:, None] * covariates).mean(axis=0)
    pull_score = scores @ ((control * (gap - down))[:, None] * covariates).mean(axis=0)
    influence_up = (treat * (gap - up) - pull_up) / treat.mean()
    influence_down = (control * (gap - down) + pull_score - pull_down) / control.mean()
    return TwoPeriod(up - down, influence_up - influence_down)


def _outcome(
    change: FloatArray, d: FloatArray, x: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Fitted change of the comparison units for everyone, and its linear representation (m, p)."""
    w = weights * (1 - d)
    cross = (w[:, None] * x).T @ x / len(d)
    inverse = _invert(cross, "comparison units")
    beta = inverse @ ((w * change) @ x / len(d))
    fitted = x @ beta
    return fitted, ((w * (change - fitted))[:, None] * x) @ inverse


def _propensity(d: FloatArray, x: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Logit probabilities of treatment by Newton's method, and their linear representation."""
    beta = np.zeros(x.shape[1])
    beta[0] = special.logit((weights * d).sum() / weights.sum())
    for _ in range(60):
        p = special.expit(x @ beta)
        information = (x * (weights * p * (1 - p))[:, None]).T @ x
        step = _invert(information, "units") @ ((weights * (d - p)) @ x)
        beta = beta + step
        if np.abs(step).max() < 1e-12 * max(1.0, np.abs(beta).max()):
            break
        if np.abs(x @ beta).max() > 500:
            raise NotEstimable(
                "Treated and comparison units do not overlap: what was known before tells them"
                " apart completely."
            )
    p = special.expit(x @ beta)
    if (p[d == 0] >= _OVERLAP).any():
        raise NotEstimable(
            "Some comparison units were all but sure to be treated, so nothing comparable is left"
            " to set beside them."
        )
    information = (x * (weights * p * (1 - p))[:, None]).T @ x / len(d)
    return p, ((weights * (d - p))[:, None] * x) @ _invert(information, "units")


def _invert(matrix: FloatArray, who: str) -> FloatArray:
    """Inverse of a scaled cross-product; refused when it is (nearly) singular."""
    size = np.diag(matrix)
    if not np.isfinite(matrix).all() or (size <= 0).any():
        raise NotEstimable(f"A covariate is constant or missing among the {who}.")
    scale = np.sqrt(size)
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    if values[0] <= 1e-10 * values[-1]:
        raise NotEstimable(f"Two covariates say the same among the {who}; leave one out.")
    return np.asarray((vectors / values) @ vectors.T / np.outer(scale, scale))
