"""Several tests at once: which error each correction keeps.

Holm keeps the chance of even one false claim; Benjamini and Hochberg keep the share of false
claims among all claims. Guardrails need neither: shipping requires that *every* one is shown
safe, so a single false "safe" is not made likelier by having many. What many guardrails do make
likelier is to miss one that is safe; so their power must be raised (Schultzberg, Ankargren,
Frånberg 2024, "Risk-aware product decisions in A/B tests with multiple metrics").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Split", "benjamini_hochberg", "holm", "risk_split"]

FloatArray = NDArray[np.float64]


def _checked(p: ArrayLike) -> FloatArray:
    values = np.asarray(p, dtype=np.float64).ravel()
    if not ((values >= 0) & (values <= 1)).all():
        msg = "p-values must lie between 0 and 1"
        raise ValueError(msg)
    return values


def holm(p: ArrayLike) -> FloatArray:
    """Adjusted p-values that keep the familywise error (Holm 1979).

    Args:
        p: (m,) p-values.

    Returns:
        (m,) in the same order; a claim holds when its value is at most the error allowed.

    Raises:
        ValueError: When a value is not a probability.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = _checked(p)
    order = np.argsort(values, kind="stable")
    raised = values[order] * np.arange(len(values), 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1.0)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> FloatArray:
    """Adjusted p-values that keep the false discovery rate (Benjamini and Hochberg 1995).

    It holds for tests that are independent or positively dependent.

    Args:
        p: (m,) p-values.

    Returns:
        (m,) in the same order.

    Raises:
        ValueError: When a value is not a probability.

    >>> benjamini_hochberg([0.01, 0.04, 0.03]).round(6).tolist()
    [0.03, 0.04, 0.04]
    """
    values = _checked(p)
    order = np.argsort(values, kind="stable")[::-1]
    raised = values[order] * (len(values) / np.arange(len(values), 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.minimum.accumulate(raised), 1.0)
    return adjusted


@dataclass(frozen=True, slots=True)
class Split:
    """How to share out the errors of one decision among its tests.

    Attributes:
        success_error: One-sided error of each success metric's test (superiority).
        guardrail_error: One-sided error of each guardrail's test (non-inferiority): not divided.
        power: Power each test must be planned with, so that the decision has the power wanted.
    """

    success_error: float
    guardrail_error: float
    power: float


def risk_split(success: int, guardrails: int, *, error: float = 0.05, power: float = 0.8) -> Split:
    """Share the errors of "at least one success, and every guardrail shown safe".

    Schultzberg et al. (2024), proposition 4.1: the false-positive rate is divided by the number
    of success metrics only; the false-negative rate by the number of guardrails, plus one when
    there is a success metric.

    Args:
        success: Success metrics; `guardrails` the guardrails.
        guardrails: Metrics that must be shown not to fall beyond their margin.
        error: One-sided error of the whole decision.
        power: Power of the whole decision.

    Raises:
        ValueError: When there is no metric at all, or a rate is not between 0 and 1.

    >>> risk_split(1, 4)
    Split(success_error=0.05, guardrail_error=0.05, power=0.96)
    """
    if success < 0 or guardrails < 0 or success + guardrails == 0:
        msg = "a decision needs at least one metric"
        raise ValueError(msg)
    if not (0 < error < 1 and 0 < power < 1):
        msg = "error and power lie between 0 and 1"
        raise ValueError(msg)
    missed = (1 - power) / (guardrails + (success > 0))
    return Split(error / max(success, 1), error, 1 - missed)
