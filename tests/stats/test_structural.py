"""The Gaussian form of a structural time series is the Kalman filter's, to rounding."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from octad.stats.refusal import NotEstimable
from octad.stats.structural import Forecast, Model, _Basis, forecast, log_likelihood
from tests.reference.quasi_worlds import series

FloatArray = NDArray[np.float64]


KINDS = [
    ("llevel", False, False, (0.3,)),
    ("llevel", False, False, (1.2,)),
    ("lltrend", True, False, (0.3, 0.05)),
    ("lltrend", True, False, (0.02, 0.01)),
    ("llevel", False, True, (0.3, 0.1)),
]


@pytest.mark.parametrize(("kind", "slope", "moving", "ratios"), KINDS)
def test_agrees_with_statsmodels(
    kind: str, slope: bool, moving: bool, ratios: tuple[float, ...]
) -> None:
    """UnobservedComponents with exact diffuse start: likelihood, forecasts and their variances."""
    y, x = series(0)
    first = 100
    noise = 1.3
    theirs = sm.tsa.UnobservedComponents(
        y[:first], level=kind, seasonal=7, stochastic_seasonal=moving, exog=x[:first],
        mle_regression=False, use_exact_diffuse=True,
    )  # fmt: skip
    shape = {"season": 7, "slope": slope, "moving_season": moving}
    before = Model.build(first, regressors=x[:first], **shape)  # type: ignore[arg-type]
    whole = Model.build(len(y), regressors=x, **shape)  # type: ignore[arg-type]

    def parameters(at: tuple[float, ...], scale: float) -> FloatArray:
        return np.array([scale] + [scale * r**2 for r in at])

    # The constant between the two does not depend on the variances.
    other = tuple(2 * r for r in ratios)
    ours = log_likelihood(before, y[:first], ratios, noise) - log_likelihood(
        before, y[:first], other, 0.7
    )
    their = theirs.loglike(parameters(ratios, noise)) - theirs.loglike(parameters(other, 0.7))
    assert ours == pytest.approx(their, abs=1e-8)

    ahead = theirs.smooth(parameters(ratios, noise)).get_forecast(30, exog=x[first:])
    seen = np.isfinite(y) & (np.arange(len(y)) < first)
    wanted = np.arange(len(y)) >= first
    mean, scale = _Basis.of(whole, y, seen, wanted, ratios[1:]).at(ratios[0]).predict()
    np.testing.assert_allclose(mean, ahead.predicted_mean, atol=1e-7)
    np.testing.assert_allclose(noise * np.diag(scale), ahead.var_pred_mean, atol=1e-7)


def test_the_grid_centres_on_the_most_likely_ratio() -> None:
    y, x = series(1)
    model = Model.build(len(y), regressors=x, season=7)
    used = np.arange(len(y)) < 110
    found = forecast(model, y, used, ~used)
    fit = sm.tsa.UnobservedComponents(
        y[:110], level="llevel", seasonal=7, stochastic_seasonal=False, exog=x[:110],
        mle_regression=False, use_exact_diffuse=True,
    ).fit(disp=False)  # fmt: skip
    noise, level = fit.params
    best = float(np.sqrt(level / noise))
    held = found.weights[np.abs(np.log(np.maximum(found.ratios[:, 0], 1e-3) / best)) < 1.2].sum()
    assert held > 0.8
    # The point forecast is near the most likely one's, within a fraction of its error.
    ahead = fit.get_forecast(20, exog=x[110:])
    gap = np.abs(found.weights @ found.mean - ahead.predicted_mean)
    assert (gap < 0.3 * np.sqrt(ahead.var_pred_mean)).all()


def test_draws_follow_the_mixture() -> None:
    y, x = series(2)
    used = np.arange(len(y)) < 110
    found = forecast(Model.build(len(y), regressors=x, season=7), y, used, ~used)
    drawn = found.draw(20_000, 0).mean(axis=1)
    contrast = np.full(20, 1 / 20)
    for value in np.quantile(drawn, [0.025, 0.5, 0.975]):
        # Three Monte-Carlo standard errors of a share of 20,000.
        share = (drawn < value).mean()
        assert found.cdf(contrast, float(value)) == pytest.approx(share, abs=0.011)


def test_a_constant_series_forecast_is_the_t_interval() -> None:
    """Without any drift the model is a mean: the forecast's scale is s·√(1 + 1/n)."""
    y = np.random.default_rng(3).normal(size=40)
    model = Model.build(40)
    seen = np.arange(40) < 39
    given = _Basis.of(model, y, seen, ~seen).at(0.0)
    mean, scale = given.predict()
    assert mean[0] == pytest.approx(y[:39].mean())
    assert scale[0, 0] * given.rss / 38 == pytest.approx(y[:39].var(ddof=1) * (1 + 1 / 39))


def test_coefficients_carry_their_tail() -> None:
    y, x = series(4)
    found: Forecast = forecast(
        Model.build(len(y), regressors=x, season=7),
        y,
        np.ones(len(y), dtype=bool),
        np.zeros(len(y), dtype=bool),
    )
    value, p = found.coefficient_p(-2)
    assert value == pytest.approx(1.0, abs=0.3)
    assert p < 0.001


def test_refusals_say_why() -> None:
    y, x = series(5)
    used = np.arange(len(y)) < 15
    with pytest.raises(NotEstimable, match="15 days before the launch are too few"):
        forecast(Model.build(len(y), season=7), y, used, ~used)
    early = np.arange(len(y)) < 100
    twice = Model.build(len(y), regressors=np.column_stack([x[:, 0], x[:, 0]]))
    with pytest.raises(NotEstimable, match="constant, or moves exactly"):
        forecast(twice, y, early, ~early)
    with pytest.raises(NotEstimable, match="all the same"):
        forecast(Model.build(len(y)), np.full(len(y), 5.0), early, ~early)
