"""How far trends may have drifted apart before a difference in differences stops holding.

Rambachan and Roth (2023), *A more credible approach to parallel trends*: suppose that from one
period to the next the trends drift apart by at most M̄ times the largest drift seen between two
periods before the launch (their Δ^RM, section 2.4.1). `relative_magnitudes` gives the interval
that covers the effect under every such drift; `breakdown` the M̄ at which zero enters it.

The set of drifts is a union, over the pre-period s with the largest drift and its sign, of
polyhedra (their footnote 9), and the interval is the union of theirs. Each is tested by the hybrid
conditional test of Andrews, Roth and Pakes (2023), which they recommend, on the moments after the
launch, as their package does by default. That test needs the vertices of a dual linear program;
for Δ^RM they can be written down (see `_vertices`), so nothing is solved numerically.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from octad.stats.refusal import NotEstimable

__all__ = ["Bounds", "EventStudy", "breakdown", "event_study", "relative_magnitudes"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_FIRST_STAGE = 0.1
"""Share of α spent on the first stage of the hybrid test (κ = α/10, as its authors advise)."""
_DRAWS = 50_000
"""Seeded draws for the first stage's critical value."""
_GRID = 801


@dataclass(frozen=True, slots=True, eq=False)
class EventStudy:
    """Effects by time since the launch, against the last period before it.

    Attributes:
        estimates: (pre + post,) in the order of time, the reference period left out.
        covariance: (pre + post, pre + post).
        pre: How many lie before the reference period.
    """

    estimates: FloatArray
    covariance: FloatArray
    pre: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is left of an effect when trends may drift.

    Attributes:
        m_bar: Largest drift after the launch, in multiples of the largest one before it.
        value: The estimate when trends are parallel.
        low, high: Interval that covers the effect under every such drift.
        set_low, set_high: The same without sampling error: what the estimates alone leave open.
        level: Coverage of `low` and `high`.
    """

    m_bar: float
    value: float
    low: float
    high: float
    set_low: float
    set_high: float
    level: float


def event_study(
    at: ArrayLike, estimates: ArrayLike, covariance: ArrayLike, *, reference: float = -1
) -> EventStudy:
    """Bring a curve from `aggregation.aggregate` (universal base) into the form needed here.

    Args:
        at: (e,) time since the launch, evenly spaced.
        estimates: (e,) effects.
        covariance: (e, e).
        reference: The period all others are compared with; it may be among `at` or left out.

    Returns:
        The event study without its reference period.

    Raises:
        NotEstimable: When there is no period before the reference or after it, or one is missing.
    """
    time = np.asarray(at, dtype=np.float64)
    keep = time != reference
    whole = np.sort(np.append(time[keep], reference))
    pre, steps = int((time < reference).sum()), np.diff(whole)
    if pre < 1 or pre == keep.sum():
        raise NotEstimable(
            "Bounds on diverging trends need two periods before the launch and one after it."
        )
    if not np.allclose(steps, steps[0]) or (np.diff(time) <= 0).any():
        raise NotEstimable(
            "A period is missing, so drifts from one to the next cannot be compared."
        )
    values = np.asarray(estimates, dtype=np.float64)[keep]
    return EventStudy(values, np.asarray(covariance, dtype=np.float64)[np.ix_(keep, keep)], pre)


def relative_magnitudes(
    study: EventStudy,
    m_bar: float,
    *,
    weights: ArrayLike | None = None,
    level: float = 0.95,
) -> Bounds:
    """Interval for a weighted effect after the launch, when trends may drift by up to M̄.

    Args:
        study: From `event_study`.
        m_bar: 0 assumes parallel trends after the launch; 1 lets them drift as badly as before it.
        weights: (post,) of the effects; the first period after the launch when absent.
        level: Coverage, under any drift allowed.

    Returns:
        The interval and its M̄.

    Raises:
        NotEstimable: When an error is zero or missing.
    """
    study, mix = _checked(study, weights)
    if m_bar < 0:
        msg = f"m_bar must not be below zero; got {m_bar}"
        raise ValueError(msg)
    post = study.estimates[study.pre :]
    value = float(mix @ post)
    reach = m_bar * float(np.abs(_drifts(study)).max() * np.abs(_by_step(mix)).sum())
    se = float(np.sqrt(mix @ study.covariance[study.pre :, study.pre :] @ mix))
    if m_bar == 0:
        half = float(stats.norm.ppf(0.5 + level / 2)) * se
        return Bounds(0.0, value, value - half, value + half, value, value, level)
    tests = _tests(study, mix, m_bar, 1 - level)
    low, high = _edges(tests, value, reach + 20 * se)
    return Bounds(m_bar, value, low, high, value - reach, value + reach, level)


def breakdown(
    study: EventStudy,
    *,
    weights: ArrayLike | None = None,
    null: float = 0.0,
    level: float = 0.95,
    highest: float = 10.0,
) -> float:
    """The smallest M̄, to a hundredth, at which the interval holds `null`.

    Args:
        study: From `event_study`.
        weights: As in `relative_magnitudes`.
        null: The effect that would change the conclusion.
        level: Coverage of the interval.
        highest: Where to stop looking.

    Returns:
        0 when parallel trends would not exclude `null` either; infinity when `highest` does.

    Raises:
        NotEstimable: As `relative_magnitudes`.
    """
    study, mix = _checked(study, weights)
    flat = relative_magnitudes(study, 0.0, weights=mix, level=level)
    if flat.low <= null <= flat.high:
        return 0.0

    def held(m_bar: float) -> bool:
        tests = _tests(study, mix, m_bar, 1 - level)
        return any(bool(test.accepts(np.array([null]))[0]) for test in tests)

    if not held(highest):
        return float("inf")
    below, above = 0.0, highest
    while above - below > 0.01:
        middle = (below + above) / 2
        below, above = (below, middle) if held(middle) else (middle, above)
    return float(np.ceil(above * 100 - 1e-9) / 100)


def _checked(study: EventStudy, weights: ArrayLike | None) -> tuple[EventStudy, FloatArray]:
    post = len(study.estimates) - study.pre
    mix = np.eye(post)[0] if weights is None else np.asarray(weights, dtype=np.float64)
    if mix.shape != (post,):
        msg = f"weights must have one entry for each of {post} periods after the launch"
        raise ValueError(msg)
    whole = np.isfinite(study.estimates).all() and np.isfinite(study.covariance).all()
    if not whole or (np.diag(study.covariance) <= 0).any() or not mix.any():
        raise NotEstimable("A period's effect has no standard error, so no bound can be given.")
    return study, mix


def _drifts(study: EventStudy) -> FloatArray:
    """(pre,) changes of the estimates between neighbouring periods up to the reference, at 0."""
    return np.diff(np.append(study.estimates[: study.pre], 0.0))


def _by_step(mix: FloatArray) -> FloatArray:
    """(post,) weight of each period's drift in l'δ: a drift stays for all the periods after it."""
    return np.cumsum(mix[::-1])[::-1]


@dataclass(frozen=True, slots=True, eq=False)
class _Polyhedron:
    """The hybrid test for one polyhedron: statistics (j,) less slope·θ, their covariance (j, j)."""

    statistic: FloatArray
    slope: FloatArray
    covariance: FloatArray
    first_stage: float
    alpha: float

    def accepts(self, theta: FloatArray) -> BoolArray:
        """Whether each hypothetical effect (g,) is accepted."""
        values = self.statistic[None, :] - self.slope[None, :] * theta[:, None]
        winner = values.argmax(axis=1)
        eta = values.max(axis=1)
        variance = np.diag(self.covariance)[winner]
        # A statistic without error cannot be lucky: it rejects when it is above zero.
        safe = np.where(variance > 0, variance, 1.0)
        pull = self.covariance[winner] / safe[:, None]
        rest = values - pull * eta[:, None]
        gap = 1 - pull
        with np.errstate(divide="ignore", invalid="ignore"):
            bound = rest / gap
        flat = np.abs(gap) < 1e-12
        low = np.where(~flat & (gap > 0), bound, -np.inf).max(axis=1)
        high = np.where(~flat & (gap < 0), bound, np.inf).min(axis=1)
        high = np.minimum(high, self.first_stage)
        sd = np.sqrt(safe)
        tail = _tail(eta / sd, low / sd, high / sd)
        lucky = np.where(variance > 0, tail >= self.alpha, False)
        return np.asarray((eta <= 0) | (lucky & (eta <= self.first_stage)))


def _tail(x: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """P(N > x) for a standard normal N kept between low and high, safe far out in the tail."""
    at, top, whole = special.log_ndtr(-x), special.log_ndtr(-high), special.log_ndtr(-low)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        share = np.exp(at - whole) * np.expm1(top - at) / np.expm1(top - whole)
    return np.asarray(np.where(np.isfinite(share), np.clip(share, 0.0, 1.0), 0.0))


def _tests(study: EventStudy, mix: FloatArray, m_bar: float, alpha: float) -> list[_Polyhedron]:
    """One test for each pre-period drift that may be the largest, and its sign."""
    kappa = alpha * _FIRST_STAGE
    size = (alpha - kappa) / (1 - kappa)
    tests = []
    for s in range(study.pre):
        for sign in (1.0, -1.0):
            rows, slope = _vertices(study, mix, m_bar, s, sign)
            covariance = rows @ study.covariance @ rows.T
            # The pairs are multiples of one number, so above zero the widest of them leads.
            lead = [0, 1, 2 + int(np.diag(covariance)[2:].argmax())]
            first = _first_stage(covariance[np.ix_(lead, lead)], 1 - kappa)
            tests.append(_Polyhedron(rows @ study.estimates, slope, covariance, first, size))
    return tests


def _first_stage(covariance: FloatArray, share: float) -> float:
    """Quantile of the largest of three normals around zero (3, 3)."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    return float(np.quantile((_normal() @ root.T).max(axis=1), share))


@lru_cache(maxsize=1)
def _normal() -> FloatArray:
    """The same standard normal draws each time, so that answers do not flicker."""
    draws = np.random.default_rng(0).normal(size=(_DRAWS, 3))
    draws.setflags(write=False)
    return draws


def _vertices(
    study: EventStudy, mix: FloatArray, m_bar: float, s: int, sign: float
) -> tuple[FloatArray, FloatArray]:
    """Rows (j, pre + post) and slopes (j,) of the statistics whose largest is tested.

    With u_t the drift into period t after the launch and v the signed drift at s, the moments are
    ±u_t − M̄v ≤ 0, and the hypothesis l'τ = θ fixes only Σ w_t u_t = l'β − θ. A weighting γ ≥ 0 of
    the moments is free of the other effects when γ₊ − γ₋ = c·w for some number c. Scaled to
    γ'σ = 1, such weightings are mixtures of: c > 0 alone, c < 0 alone, and each pair γ₊ = γ₋ = 1
    at one t, which says v ≥ 0. So these post + 2 statistics are all that the test needs.
    """
    pre, post = study.pre, len(mix)
    change = np.diff(np.eye(pre + 1, pre), axis=0)[s] * sign  # (pre,) the drift v at s
    v = np.concatenate([change, np.zeros(post)])
    into = np.zeros((post, pre + post))
    into[:, pre:] = np.eye(post) - np.eye(post, k=-1)
    up, down = into - m_bar * v, -into - m_bar * v
    scale_up, scale_down = (
        np.sqrt(np.einsum("ij,jk,ik->i", rows, study.covariance, rows)) for rows in (up, down)
    )
    w = _by_step(mix)
    plus, minus = np.maximum(w, 0), np.maximum(-w, 0)
    rise = (plus @ up + minus @ down) / (plus @ scale_up + minus @ scale_down)
    fall = (minus @ up + plus @ down) / (minus @ scale_up + plus @ scale_down)
    pairs = (up + down) / (scale_up + scale_down)[:, None]
    slope = np.zeros(post + 2)
    slope[0] = 1 / (plus @ scale_up + minus @ scale_down)
    slope[1] = -1 / (minus @ scale_up + plus @ scale_down)
    return np.vstack([rise, fall, pairs]), slope


def _edges(tests: list[_Polyhedron], middle: float, reach: float) -> tuple[float, float]:
    """Outermost accepted effects, refined by halving the last step of a grid."""

    def accepts(theta: FloatArray) -> BoolArray:
        return np.asarray(np.any([test.accepts(theta) for test in tests], axis=0))

    grid = np.linspace(middle - reach, middle + reach, _GRID)
    inside = np.flatnonzero(accepts(grid))
    if not len(inside):
        raise NotEstimable(
            "No effect agrees with the drifts allowed; the estimates contradict them."
        )
    edges = []
    for at, step in ((int(inside[0]), -1), (int(inside[-1]), 1)):
        kept = float(grid[at])
        out = float(grid[min(max(at + step, 0), _GRID - 1)])
        for _ in range(30):
            half = (kept + out) / 2
            kept, out = (half, out) if accepts(np.array([half]))[0] else (kept, half)
        edges.append(kept)
    return edges[0], edges[1]
