"""Several tests at once, margins, and the arms' sizes."""

from __future__ import annotations

import numpy as np
import tea_tasting as tt
from numpy.typing import NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportions_ztest
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from octad.stats.effects import compare, of_shares
from octad.stats.moments import Moments
from octad.stats.multiplicity import benjamini_hochberg, holm, risk_split
from octad.stats.noninferiority import against_margin, equivalence
from octad.stats.sample_ratio import sample_ratio
from tests.reference.row import Row, exact, row, worst

Values = NDArray[np.float64]

__all__ = ["corrections", "margins", "sample_ratios"]


def corrections() -> list[Row]:
    """Holm and Benjamini-Hochberg."""
    rng = np.random.default_rng(3)
    families = [rng.beta(0.4, 2.0, int(rng.integers(1, 40))) for _ in range(30)]
    tied = [np.round(family, 2) for family in families]
    few = families[:3] + tied[:3]
    tests = "tea-tasting tests/test_multiplicity.py, default family"
    known = [0.005, 0.06, 0.007, 0.04, 0.01, 0.03]
    rows = [
        row(f"Benjamini-Hochberg, p {p}", ours, theirs, tolerance=1e-12, source=tests)
        for p, ours, theirs in zip(
            known[1:], benjamini_hochberg(known)[1:], (0.06, 0.02, 0.048, 0.02, 0.045), strict=True
        )
    ]
    experiment = tt.experiment.ExperimentResult(
        {str(i): {"pvalue": p} for i, p in enumerate(known)}
    )
    bonferroni = tt.multiplicity.adjust_fwer(
        experiment, method="bonferroni", arbitrary_dependence=True
    )
    theirs = [bonferroni["-"][str(i)]["pvalue_adj"] for i in range(6)]
    split = risk_split(2, 4, error=0.05, power=0.8)
    spotify = "Schultzberg et al. 2024: α over success metrics, β over guardrails + 1"
    return [
        *rows,
        worst("Holm, six metrics", holm(known), theirs, source="tea-tasting adjust_fwer"),
        # statsmodels collects garbage at every call, which takes a quarter of a second.
        _flat("Holm", [(holm(f), multipletests(f, method="holm")[1]) for f in few], "statsmodels"),
        _flat(
            "Benjamini-Hochberg",
            [(benjamini_hochberg(f), stats.false_discovery_control(f)) for f in families + tied],
            "scipy false_discovery_control",
        ),
        exact("Spotify's rule, success α", split.success_error, 0.025, source=spotify),
        exact("Spotify's rule, guardrail α", split.guardrail_error, 0.05, source=spotify),
        exact("Spotify's rule, power of each", split.power, 0.96, source=spotify),
    ]


def _flat(name: str, pairs: list[tuple[Values, Values]], source: str) -> Row:
    ours, theirs = (np.concatenate(side) for side in zip(*pairs, strict=True))
    return worst(f"{name}, random families", ours, theirs, source=source)


def margins() -> list[Row]:
    """Non-inferiority: Cookie Cats, and one-sided tests of shifted means."""
    cookie = "Cookie Cats, margin 1 point"
    one = compare(of_shares(20034, 44700), of_shares(20119, 45489), relative=False)
    week = compare(of_shares(8502, 44700), of_shares(8279, 45489), relative=False)
    first, last = against_margin(one, 0.01), against_margin(week, 0.01)
    shifted = proportions_ztest(
        [8279, 8502], [45489, 44700], value=-0.01, alternative="larger", prop_var=False
    )
    rng = np.random.default_rng(5)
    ours, theirs, same, tost = [], [], [], []
    for _ in range(40):
        a, b = rng.gamma(2, 2, int(rng.integers(5, 90))), rng.gamma(2, 2, int(rng.integers(5, 90)))
        effect = compare(_mean(a), _mean(b), relative=False)
        ours.append(against_margin(effect, 0.7).p_safe)
        pair = CompareMeans(DescrStatsW(b), DescrStatsW(a))
        theirs.append(pair.ttest_ind(alternative="larger", usevar="unequal", value=-0.7)[1])
        same.append(equivalence(effect, 1.5).p)
        tost.append(pair.ttost_ind(-1.5, 1.5, usevar="unequal")[0])
    return [
        row("day 1, shown safe (no)", float(first.safe), 0.0, tolerance=0.1, source=cookie),
        row("day 7, shown safe (no)", float(last.safe), 0.0, tolerance=0.1, source=cookie),
        row("day 7, shown worse (yes)", float(last.worse), 1.0, tolerance=0.1, source=cookie),
        # Theirs takes the variance of the pooled share, ours each arm's own: 0.1% apart here.
        row("day 7, p of safety", last.p_safe, shifted[1], tolerance=2e-3, source="statsmodels"),
        worst("p of safety, means", ours, theirs, source="statsmodels CompareMeans"),
        worst("equivalence, p", same, tost, source="statsmodels ttost_ind"),
    ]


def _mean(values: Values) -> Moments:
    one = np.ones(len(values))
    return Moments.from_rows(np.stack([values, one, 0 * one, one], axis=1))


def sample_ratios() -> list[Row]:
    """Chi-square and the Bayes factor."""
    fabijan = sample_ratio([821588, 815482])
    cookie = sample_ratio([44700, 45489])
    rng = np.random.default_rng(11)
    counts = rng.integers(50, 5000, (40, 3))
    split = np.array([2.0, 1.0, 1.0])
    found = [sample_ratio(c, split) for c in counts]
    chi = [stats.chisquare(c, c.sum() * split / split.sum()).pvalue for c in counts]
    share = split / split.sum()
    factor = [
        stats.dirichlet_multinomial.logpmf(c, 10_000 * share, c.sum())
        - stats.multinomial.logpmf(c, c.sum(), share)
        for c in counts
    ]
    many = tt.SampleRatio(ratio=1, method="norm", correction=False)
    theirs = many.analyze({0: tt.aggr.Aggregates(44700), 1: tt.aggr.Aggregates(45489)}, 0, 1)
    published = "Fabijan et al. 2019, 821,588 : 815,482"
    return [
        row("sample ratio, Fabijan, p", fabijan.p, 1.8e-6, tolerance=5e-8, source=published),
        row("sample ratio, Cookie Cats, p", cookie.p, 0.0086, tolerance=5e-5, source="Cookie Cats"),
        exact("sample ratio, z²'s p", cookie.p, theirs.pvalue, source="tea-tasting SampleRatio"),
        worst("sample ratio, p", [f.p for f in found], chi, source="scipy chisquare"),
        worst(
            "sample ratio, log Bayes factor",
            [f.bayes_factor_log for f in found],
            factor,
            source="scipy dirichlet_multinomial over multinomial",
            # Both take differences of log-gammas of about 1e5: ten digits are left.
            relative=1e-7,
        ),
    ]
