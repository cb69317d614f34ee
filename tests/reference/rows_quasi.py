"""Launches that were not randomised: papers, and five packages side by side.

mpdta and the side-by-side runs need moderndid and pysyncon; California's tax needs the real data
beside the project. Rows whose package or data are absent are left out.
"""

from __future__ import annotations

from importlib import import_module, util
from pathlib import Path
from typing import Any, Literal

import numpy as np
import statsmodels.api as sm
from numpy.typing import NDArray

from octad.stats.aggregation import Kind, aggregate
from octad.stats.did import group_time, two_by_two
from octad.stats.moments import Moments
from octad.stats.regression import compress, ols, ols_cells, ols_moments
from octad.stats.structural import Model, log_likelihood
from octad.stats.synthetic import donor_weights, synthetic_difference
from octad.stats.trends import relative_magnitudes
from octad.stats.two_period import Method
from tests.reference.quasi_numbers import EHEC, INJURY, STAGED
from tests.reference.quasi_worlds import california, series, staged
from tests.reference.row import Row, row, worst

__all__ = [
    "california_tax",
    "diverging_trends",
    "donors",
    "four_cells",
    "least_squares",
    "likelihood",
    "minimum_wage",
    "staged_panel",
]

FloatArray = NDArray[np.float64]
KINDS: tuple[Kind, ...] = ("simple", "dynamic", "group", "calendar")
METHODS: tuple[Method, ...] = ("dr", "reg", "ipw")
CONTROLS: dict[Literal["never", "not yet"], str] = {
    "never": "nevertreated",
    "not yet": "notyettreated",
}
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def four_cells() -> list[Row]:
    """Card and Krueger's cell means; benefits and weeks off work."""
    card = "Card & Krueger (1994), table 3: cell means"
    mean = np.array([[23.33, 21.17], [20.44, 21.03]])[..., None]
    plain = two_by_two(Moments(np.full((2, 2), 70.0), mean, np.ones((2, 2, 1, 1))))
    n = np.array(INJURY["n"], dtype=np.float64)
    spread = np.array(INJURY["variance"]) * (n - 1)
    cells = Moments(n, np.array(INJURY["mean"])[..., None], spread[..., None, None])
    injury = two_by_two(cells, errors="classical")
    source = "Meyer, Viscusi & Durbin (1995), Kentucky; Wooldridge, example 13.4"
    return [
        row("2×2, Card-Krueger", float(plain.coefficients[3]), 2.75, tolerance=1e-9, source=card),
        # Both printed to four places; .190601 and .068509 before rounding.
        row("2×2, injury", float(injury.coefficients[3]), 0.1906, tolerance=5e-5, source=source),
        row("2×2, injury, error", float(injury.se[3]), 0.0685, tolerance=5e-5, source=source),
    ]


def least_squares() -> list[Row]:
    """Twenty regressions from cells and buckets against statsmodels on the rows."""
    pairs: dict[str, tuple[list[FloatArray], list[FloatArray]]] = {
        name: ([], []) for name in ("cells, HC1", "cells, CR1", "buckets, CR1", "rows, CR1")
    }
    for seed in range(20):
        rng = np.random.default_rng(seed)
        arm, band, group = (rng.integers(0, k, 300) for k in (2, 4, 15))
        x = np.column_stack([np.ones(300), arm, band]).astype(np.float64)
        y = arm + band + rng.normal(size=15)[group] + rng.normal(size=300) * (1 + band)
        robust = sm.OLS(y, x).fit(cov_type="HC1")
        clustered = sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": group})
        moments = Moments.from_rows(np.column_stack([x[:, 1:], y]), group)
        fits = {
            "cells, HC1": (ols_cells(compress(x, y)), robust),
            "cells, CR1": (ols_cells(compress(x, y, group), errors="CR1"), clustered),
            "buckets, CR1": (ols_moments(moments, 2, (0, 1)), clustered),
            "rows, CR1": (ols(x, y, errors="CR1", cluster=group), clustered),
        }
        for name, (ours, theirs) in fits.items():
            pairs[name][0].append(np.concatenate([ours.coefficients, ours.se]))
            pairs[name][1].append(np.concatenate([theirs.params, theirs.bse]))
    return [
        worst(f"OLS from {name}", np.array(a), np.array(b), source="statsmodels OLS on the rows")
        for name, (a, b) in pairs.items()
    ]


def staged_panel() -> list[Row]:
    """A simulated staged launch, doubly robust with a covariate, against kept numbers."""
    y, first, times, x = staged(0, n=250, tilt=0.3)
    rows = []
    for compare in CONTROLS:
        effects = group_time(y, first, times, covariates=x[:, None], compare=compare)
        found = [aggregate(effects, kind) for kind in KINDS]
        ours = [(a.value, a.se) for a in found]
        theirs = [STAGED[compare, kind] for kind in KINDS]
        # The logit is found by two different iterations: 1e-7 is where they stop.
        name, source = f"staged, {compare} treated", "moderndid 0.2.0, kept in quasi_numbers"
        rows.append(worst(name, ours, theirs, source=source, relative=1e-7))
    return rows


def minimum_wage() -> list[Row]:
    """Callaway and Sant'Anna's mpdta: the published numbers, and every variant side by side."""
    if util.find_spec("moderndid") is None:
        return []
    package: Any = import_module("moderndid")
    data = package.load_mpdta()
    wide = data.pivot(on="year", index=["countyreal", "first.treat", "lpop"], values="lemp")
    years = [c for c in wide.columns if c.isdigit()]
    first = wide["first.treat"].to_numpy().astype(np.float64)
    y, first = wide.select(years).to_numpy(), np.where(first == 0, np.inf, first)
    times, lpop = np.array(years, dtype=np.float64), wide["lpop"].to_numpy()[:, None]
    effects = group_time(y, first, times)
    simple, dynamic = aggregate(effects), aggregate(effects, "dynamic")
    paper = "Callaway & Sant'Anna (2021), package did: mpdta, doubly robust"
    p = effects.pretest.p if effects.pretest else np.nan
    rows = [
        row("mpdta, simple", simple.value, -0.03995, tolerance=5e-6, source=paper),
        row("mpdta, simple, error", simple.se, 0.01203, tolerance=5e-6, source=paper),
        row("mpdta, dynamic", dynamic.value, -0.07724, tolerance=5e-6, source=paper),
        row("mpdta, dynamic, error", dynamic.se, 0.01996, tolerance=5e-6, source=paper),
        row("mpdta, pre-test p", p, 0.168, tolerance=5e-4, source=paper),
    ]
    ours, theirs = [], []
    for compare, control in CONTROLS.items():
        for method in METHODS:
            found = group_time(
                y,
                first,
                times,
                covariates=lpop,
                compare=compare,
                method=method,
            )
            their = package.att_gt(
                data=data, yname="lemp", tname="year", idname="countyreal", gname="first.treat",
                xformla="~lpop", control_group=control, est_method=method, boot=False, cband=False,
            )  # fmt: skip
            ours.append(np.concatenate([found.att, found.se]))
            theirs.append(np.concatenate([their.att_gt, their.se_gt]))
    source = f"moderndid {package.__version__}"
    # As above: two iterations for one logit.
    return [*rows, worst("mpdta with population", ours, theirs, source=source, relative=1e-7)]


def california_tax() -> list[Row]:
    """Synthetic difference in differences, and two plainer methods, on California's tax."""
    if not DATA.is_dir():
        return []
    y, treated, pre = california(DATA)
    sdid, plain = (synthetic_difference(y, treated, pre, estimator=e) for e in ("sdid", "did"))
    paper = "Arkhangelsky et al. (2021), synthdid: California"
    scatter = np.random.default_rng(0).choice(sdid.placebos, (5000, 200)).std(axis=1).std()
    return [
        # Their iteration stops before the optimum, where the estimate is still moving in its third
        # decimal; at the optimum it is -15.6054. With their stop rule our tests get -15.603828.
        row("SDID, California", sdid.value, -15.604, tolerance=2e-3, source=paper),
        row("DID, California", plain.value, -27.349, tolerance=5e-4, source=paper),
        # Theirs is from 200 random draws of 38 placebos; three of their Monte-Carlo errors.
        row("SDID, California, placebo error", sdid.se or np.nan, 8.4, tolerance=3 * scatter,
            source=f"{paper}, table 1 (200 random placebos)"),
    ]  # fmt: skip


def donors() -> list[Row]:
    """Weighted synthetic controls: the loss at our weights and at pysyncon's."""
    if util.find_spec("pysyncon") is None:
        return []
    package: Any = import_module("pysyncon")
    ours, theirs = [], []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        a, b, v = rng.normal(size=(9, 6)), rng.normal(size=9), rng.uniform(0.1, 1, 9)
        w, _ = package.Synth().w_optimize(V_mat=np.diag(v), X0=a, X1=b)
        ours.append(v @ (b - a @ donor_weights(b, a, importance=v)) ** 2)
        theirs.append(v @ (b - a @ w) ** 2)
    # Theirs (SLSQP) stops when the loss changes by less than 1e-6; ours is the exact optimum.
    source = f"pysyncon {package.__version__}, Synth.w_optimize"
    return [worst("synthetic control, loss", ours, theirs, source=source, relative=2e-5)]


def likelihood() -> list[Row]:
    """Structural series: likelihood ratios of three models at random variances."""
    ours, theirs = [], []
    kinds = [("llevel", False, False), ("lltrend", True, False), ("llevel", False, True)]
    for seed, (kind, slope, moving) in enumerate(kinds):
        y, x = series(seed)
        model = Model.build(len(y), regressors=x, season=7, slope=slope, moving_season=moving)
        filtered = sm.tsa.UnobservedComponents(
            y, level=kind, seasonal=7, stochastic_seasonal=moving, exog=x,
            mle_regression=False, use_exact_diffuse=True,
        )  # fmt: skip
        rng = np.random.default_rng(seed)
        points = [rng.uniform(0.05, 1, len(model.drifts)) for _ in range(4)]
        mine = [log_likelihood(model, y, tuple(r.tolist()), 1.3) for r in points]
        their = [filtered.loglike(np.concatenate([[1.3], 1.3 * r**2])) for r in points]
        ours += np.diff(mine).tolist()
        theirs += np.diff(their).tolist()
    source = "statsmodels UnobservedComponents, exact diffuse"
    # A filter of 130 steps against one factorisation; relative to the likelihood, some 200.
    return [
        worst("structural series, likelihood ratio", ours, theirs, source=source, relative=1e-7)
    ]


def diverging_trends() -> list[Row]:
    """Bounds for Medicaid's expansion, on the grid of the authors' package."""
    paper = "Rambachan & Roth (2023), HonestDiD: ehec, C-LF, relative magnitudes"
    other = "moderndid 0.2.0, create_sensitivity_results_rm, mean of two periods"
    rows = []
    for m_bar, low, high in ((0.5, 0.0241, 0.0673), (1.0, 0.0171, 0.0720)):
        # The published limits are the outermost accepted points of a grid some .0004 wide.
        ours = on_their_grid(m_bar, np.array([1.0, 0.0]))
        rows += [
            row(f"M̄ {m_bar}, {side}", o, t, tolerance=5e-5, source=paper)
            for side, o, t in (("low", ours[0], low), ("high", ours[1], high))
        ]
    for m_bar, low, high in ((1.0, 0.019767, 0.090149), (2.0, -0.008538, 0.117249)):
        ours = on_their_grid(m_bar, np.array([0.5, 0.5]))
        rows += [
            row(f"M̄ {m_bar} of a mean, {side}", o, t, tolerance=5e-7, source=other)
            for side, o, t in (("low", ours[0], low), ("high", ours[1], high))
        ]
    flat = relative_magnitudes(EHEC, 0.0)
    conventional = "moderndid 0.2.0, construct_original_cs"
    return [
        *rows,
        row("M̄ 0, low", flat.low, 0.028509522450, tolerance=1e-11, source=conventional),
        row("M̄ 0, high", flat.high, 0.064384185869, tolerance=1e-11, source=conventional),
    ]


def on_their_grid(m_bar: float, mix: FloatArray, points: int = 1000) -> tuple[float, float]:
    """Our interval as HonestDiD prints it: the outermost points of its grid that we accept."""
    ours = relative_magnitudes(EHEC, m_bar, weights=mix)
    largest = np.abs(np.diff(np.append(EHEC.estimates[:5], 0))).max()
    sd = np.sqrt(mix @ EHEC.covariance[5:, 5:] @ mix)
    half = m_bar * (np.arange(1, 3) @ np.abs(mix)) * largest + 20 * sd
    grid = np.linspace(ours.value - half, ours.value + half, points)
    inside = grid[(grid >= ours.low) & (grid <= ours.high)]
    return float(inside[0]), float(inside[-1])
