"""Odd inputs: every answer is finite or says that it is open; everything else is refused.

Counts of zero, all equal, 1e9 ± 1, 1e-12, empty, one or two rows, NaN. Warnings are errors in these
tests, so that none escapes either.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from octad.stats import (
    agreement,
    changes,
    divergence,
    forecasts,
    logodds,
    novelty,
    proxies,
    rates,
    retention,
    sensitivity,
    shrinkage,
    specification,
    stars,
    strata,
    surrogates,
    unseen,
)
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

FloatArray = NDArray[np.float64]
Rng = np.random.Generator
SIZES = (0, 1, 2, 3, 5, 12, 30)

OPEN = {
    "RateRatio.high", "RateRatio.ratio", "LearningCurve.half_life_high", "CurveDifference.low",
    "CurveDifference.high", "CurveDifference.se", "RandomEffects.q", "Simpson.by_stratum_se",
    "Changes.before_after",
}  # fmt: skip
"""Fields whose docstring says that they may be infinite. None may ever be NaN."""


def _values(rng: Rng, *shape: int) -> FloatArray:
    kinds: list[Callable[[], ArrayLike]] = [
        lambda: np.zeros(shape),
        lambda: np.ones(shape),
        lambda: rng.integers(0, 6, shape).astype(np.float64),
        lambda: 1e9 + rng.integers(0, 3, shape),
        lambda: rng.random(shape) * 1e-12,
        lambda: rng.random(shape) * 10.0 ** rng.integers(-12, 12, shape),
        lambda: np.abs(rng.normal(size=shape)),
        lambda: (rng.random(shape) < 0.2) * rng.integers(1, 50, shape).astype(np.float64),
        lambda: np.where(rng.random(shape) < 0.1, np.nan, 1.0),
    ]
    return np.asarray(kinds[int(rng.integers(len(kinds)))](), dtype=np.float64)


def _size(rng: Rng) -> int:
    return int(rng.choice(SIZES))


def _one(rng: Rng) -> float:
    return float(_values(rng, 1)[0])


def _covariance(rng: Rng, *shape: int) -> FloatArray:
    root = rng.normal(size=(*shape, shape[-1])) * rng.choice([0.0, 1e-6, 1.0, 1e3])
    return np.asarray(root @ np.swapaxes(root, -1, -2))


def _halves(rng: Rng) -> Moments:
    rows = np.nan_to_num(_values(rng, _size(rng) + 1, 2))
    return Moments.from_rows(rows, rng.integers(0, 2, len(rows)), 2)


def _mixes(rng: Rng) -> list[object]:
    b, j, s = _size(rng), _size(rng), _size(rng)
    return [
        divergence.mix_divergence(_values(rng, b, j), _values(rng, b, j)),
        divergence.kitagawa(*(_values(rng, s) for _ in range(4))),
    ]


def _strata(rng: Rng) -> list[object]:
    s = _size(rng)
    tables = strata.mantel_haenszel(_values(rng, s, 2, 2))
    return [tables, strata.simpson(_values(rng, 2, s), _values(rng, 2, s), _values(rng, 2, s))]


def _terms(rng: Rng) -> object:
    w = _size(rng)
    one, two = _values(rng, w), _values(rng, w)
    n = float(np.nanmax(one, initial=1)) + 1, float(np.nanmax(two, initial=1))
    return logodds.log_odds(one, two, n)


def _ratio(rng: Rng) -> object:
    (a, b), (c, d) = _values(rng, 2), _values(rng, 2)
    return rates.rate_ratio((a, b), (c, d), dispersion=float(rng.choice([1.0, 3.0])))


def _models(rng: Rng) -> list[object]:
    n = _size(rng)
    design = np.column_stack([np.ones(n), rng.integers(0, 2, n)])
    fit = rates.fit_rates(np.round(_values(rng, n)), design, _values(rng, n))
    return [fit, rates.rate_trend(_values(rng, n), _values(rng, n))]


def _scores(rng: Rng) -> list[object]:
    n = _size(rng) + 30
    p, y = np.clip(_values(rng, n), 0, 1), (rng.random(n) < 0.5).astype(np.float64)
    scores: list[object] = [forecasts.brier_score(p, y), forecasts.calibration(p, y, 30)]
    return [*scores, forecasts.interval_coverage(-p, p, y, 0.8)]


def _kinds(rng: Rng) -> list[object]:
    t = _values(rng, _size(rng))
    once, twice = float((t == 1).sum()), float((t == 2).sum())
    walked = unseen.walked_share(t, rng.random(len(t)) < 0.5, once=once, twice=twice)
    return [walked, unseen.chao1(int((t > 0).sum()), float(t.sum()), once, twice)]


def _curve(rng: Rng) -> list[object]:
    n = _size(rng)
    band = novelty.simultaneous_band(_values(rng, n), _values(rng, n))
    return [band, novelty.learning_curve(np.arange(float(n)), _values(rng, n), _values(rng, n))]


def _hidden(rng: Rng) -> list[object]:
    n = _size(rng)
    controls = sensitivity.negative_controls(_values(rng, n), _values(rng, n))
    strength = sensitivity.robustness(_one(rng), _one(rng), _one(rng))
    judged = sensitivity.calibrate(_one(rng), _one(rng), controls)
    return [controls, strength, judged, sensitivity.e_value(_one(rng))]


def _choices(rng: Rng) -> object:
    n = _size(rng)
    again = (_values(rng, 4, n), _values(rng, 4, n))
    return specification.specification_curve(_values(rng, n), _values(rng, n), permuted=again)


def _series(rng: Rng) -> list[object]:
    y = _values(rng, 2 * _size(rng))
    return [changes.bursts(y), changes.change_points(y), changes.cusum(y)]


def _staying(rng: Rng) -> list[object]:
    n = _size(rng)
    observed = _values(rng, 2, n)
    curves = retention.retention_difference(observed * rng.random((2, n)), observed)
    return [curves, retention.fit_sbg(_values(rng, n), _values(rng, n))]


def _past(rng: Rng) -> list[object]:
    k = _size(rng)
    y, s = _values(rng, k), _values(rng, k)
    return [shrinkage.random_effects(y, s, "ML"), shrinkage.random_effects(y, s)]


def _joint(rng: Rng) -> list[object]:
    k = _size(rng)
    y, s = _values(rng, k, 2), _covariance(rng, k, 2)
    true = proxies.effect_covariance(y, s)
    return [true, proxies.slope_on_kpi(true), shrinkage.joint_random_effects(y, s)]


def _index(rng: Rng) -> list[object]:
    n = 3 * _size(rng)
    index = surrogates.fit_index(_values(rng, n, 2), _values(rng, n))
    return [index, surrogates.foretell(_values(rng, 2), _covariance(rng, 2), index)]


def _people(rng: Rng) -> list[object]:
    k, days = _size(rng), _size(rng)
    table = agreement.cohen_kappa(_values(rng, k, k))
    readers = agreement.krippendorff_alpha(_values(rng, k, 3), "interval")
    return [table, readers, stars.compare_stars(_values(rng, days, 5), _values(rng, days, 5))]


def _faults(found: object, where: str = "") -> list[str]:
    if dataclasses.is_dataclass(found):
        name = type(found).__name__
        parts = [(f"{name}.{f.name}", getattr(found, f.name)) for f in dataclasses.fields(found)]
        return [fault for place, part in parts for fault in _faults(part, place)]
    if isinstance(found, list | tuple):
        return [fault for part in found for fault in _faults(part, where)]
    if isinstance(found, float | np.ndarray):
        values = np.asarray(found)
        if values.dtype.kind != "f" or np.isfinite(values).all():
            return []
        if where in OPEN and not np.isnan(values).any():
            return []
        return [f"{where} is {found}"]
    return []


CASES = (
    _mixes, _strata, _terms, _ratio, _models, _scores, _kinds, _curve, _hidden, _choices, _series,
    _staying, _past, _joint, _index, _people,
    lambda rng: novelty.late_minus_early(_halves(rng)),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_finite_or_refused(case: Callable[[Rng], object]) -> None:
    rng = np.random.default_rng(1)
    answered = 0
    for _ in range(60):
        with contextlib.suppress(NotEstimable):
            faults = _faults(case(rng))
            assert not faults, faults
            answered += 1
    assert answered > 2  # and not everything is refused
