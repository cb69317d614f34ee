"""Difference in differences for launches that went out to some groups and not, or later, to others.

`two_by_two` compares two groups over two periods. `group_time` handles launches in stages
(Callaway and Sant'Anna 2021, *Difference-in-differences with multiple time periods*): one effect
for each group g (units first treated at g) and time t, of which `aggregation` makes one number or
a curve. Errors come from influence functions (their section 4.1), so any mixture has one too.

The crowd that chose a new version early is no group: group units by the date on which they
*could* have it. What it did to those who took it up is then `aggregation.per_adopter`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable
from octad.stats.regression import Cells, Errors, Fit, ols_cells
from octad.stats.two_period import Method, two_period

__all__ = ["GroupTime", "Pretest", "group_time", "two_by_two"]

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

_SATURATED = np.array([[1, 0, 0, 0], [1, 0, 1, 0], [1, 1, 0, 0], [1, 1, 1, 1]], dtype=np.float64)
"""Constant, treated, after, treated × after; groups (control, treated) by periods."""


def two_by_two(moments: Moments, *, errors: Errors = "HC1") -> Fit:
    """The simple difference in differences, from the four cells.

    Args:
        moments: Leading shape (2, 2) or (2, 2, C), columns with the outcome first: control and
            treated group, before and after, and clusters where there are any.
        errors: `CR1` when there are clusters; the units are independent otherwise.

    Returns:
        The saturated fit: control's level before, gap before, control's change, and last (index
        3) the difference in differences.

    Raises:
        NotEstimable: When one of the four cells is empty, or cannot carry an error.

    >>> rows = [[1.0], [2.0], [2.0], [4.0], [3.0], [5.0], [8.0], [9.0]]
    >>> four = Moments.from_rows(rows, [0, 0, 1, 1, 2, 2, 3, 3])
    >>> cells = Moments(four.n.reshape(2, 2), four.mean.reshape(2, 2, 1),
    ...                 four.comoment.reshape(2, 2, 1, 1))
    >>> round(float(two_by_two(cells).coefficients[3]), 6)
    3.0
    """
    if moments.shape[:2] != (2, 2) or len(moments.shape) > 3:
        msg = f"moments must be (2, 2) or (2, 2, clusters); got {moments.shape}"
        raise ValueError(msg)
    clusters = moments.shape[2] if len(moments.shape) == 3 else 1
    whole = moments.n.reshape(2, 2, clusters).sum(axis=2)
    if (whole == 0).any():
        raise NotEstimable("One of the four cells (two groups, before and after) has no data.")
    cells = Cells(
        design=np.repeat(_SATURATED, clusters, axis=0),
        n=moments.n.reshape(-1),
        mean=moments.mean[..., 0].reshape(-1),
        spread=moments.comoment[..., 0, 0].reshape(-1),
        cluster=np.tile(np.arange(clusters), 4) if len(moments.shape) == 3 else None,
    )
    return ols_cells(cells, errors=errors)


@dataclass(frozen=True, slots=True)
class Pretest:
    """Wald test that every effect before treatment is zero; passing it proves nothing."""

    statistic: float
    df: int
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class GroupTime:
    """Effects by group and time.

    Attributes:
        group, time: (c,) the group's first treated period, and the period of the effect.
        att: (c,) effect on the group's units, in the outcome's unit.
        se: (c,) standard errors.
        influence: (m, c) influence of each cluster (or unit) on each effect, scaled so that the
            covariance is influenceᵀ·influence.
        shares: (c,) weight of each cell's group among all units.
        share_influence: (m, c) of `shares`, on the same scale.
        pretest: Whether effects before treatment are jointly zero; None when there are none, or
            they cannot be told apart.
        clusters: Independent units behind the errors.
        df: Degrees of freedom: clusters less one; infinite when units stand alone.
        dropped: Units treated in the first period already, and left out.
    """

    group: FloatArray
    time: FloatArray
    att: FloatArray
    se: FloatArray
    influence: FloatArray
    shares: FloatArray
    share_influence: FloatArray
    pretest: Pretest | None
    clusters: int
    df: float
    dropped: int


def group_time(
    outcome: ArrayLike,
    first_treated: ArrayLike,
    times: ArrayLike,
    *,
    covariates: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
    compare: Literal["never", "not yet"] = "never",
    method: Method = "dr",
    base: Literal["varying", "universal"] = "varying",
    anticipation: int = 0,
) -> GroupTime:
    """Effects by group and time in a balanced panel.

    Args:
        outcome: (n, T) one row a unit (a user, a region, or a region's bucket of users).
        first_treated: (n,) one of `times`; infinity for units never treated.
        times: (T,) rising.
        covariates: (n, p) known before the first period, without a constant.
        weights: (n,) users behind a unit; equal when absent.
        cluster: (n,) what was assigned, when that is not the unit.
        compare: With units never treated, or with those not treated yet (which include them).
        method: See `two_period`.
        base: Before treatment, compare with the period before (`varying`), or always with the
            last one before treatment (`universal`, which `trends` needs).
        anticipation: Periods before treatment in which behaviour may already have changed.

    Returns:
        Effects with their influence functions.

    Raises:
        NotEstimable: When values are missing, no group can be compared, or a group has fewer than
            two independent units (its error could not be known; see `synthetic`).
    """
    panel = _Panel.of(
        outcome, first_treated, times, covariates=covariates, weights=weights, cluster=cluster
    )
    columns: list[FloatArray] = []
    found: list[tuple[float, float, float]] = []
    for g in np.unique(panel.first[np.isfinite(panel.first)]):
        last_before = int(np.searchsorted(panel.times, g)) - 1 - anticipation
        if last_before < 0:
            continue
        for t in range(len(panel.times)):
            pair = _pair(t, last_before, base)
            if pair is None:
                continue
            before, after = pair
            control = np.isinf(panel.first)
            if compare == "not yet":
                late = panel.times[min(max(t, before) + anticipation, len(panel.times) - 1)]
                control = control | ((panel.first > late) & (panel.first != g))
                if not control.any():
                    continue  # by now everyone is treated: nothing is left to compare with
            if before == after:
                found.append((g, panel.times[t], 0.0))
                columns.append(panel.summed(np.zeros(len(panel.y))))
                continue
            att, influence = _cell(panel, panel.first == g, control, (before, after), method)
            found.append((g, panel.times[t], att))
            columns.append(panel.summed(influence))
    if not found:
        raise NotEstimable("No group has a period before its launch and others to compare with.")
    return _collect(panel, np.array(found), np.column_stack(columns))


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    """The checked panel: y (n, T), first (n,), times (T,), x (n, 1+p), w (n,), cluster (n,)."""

    y: FloatArray
    first: FloatArray
    times: FloatArray
    x: FloatArray
    w: FloatArray
    cluster: IntArray
    clustered: bool
    dropped: int

    @classmethod
    def of(
        cls,
        outcome: ArrayLike,
        first_treated: ArrayLike,
        times: ArrayLike,
        *,
        covariates: ArrayLike | None,
        weights: ArrayLike | None,
        cluster: ArrayLike | None,
    ) -> _Panel:
        y = np.asarray(outcome, dtype=np.float64)
        first = np.asarray(first_treated, dtype=np.float64)
        at = np.asarray(times, dtype=np.float64)
        if y.ndim != 2 or first.shape != (len(y),) or at.shape != (y.shape[1],):
            got = f"{y.shape}, {first.shape}, {at.shape}"
            msg = f"outcome (n, T), first_treated (n,), times (T,); got {got}"
            raise ValueError(msg)
        if not len(y):
            raise NotEstimable("There are no units to compare.")
        if len(at) < 2 or (np.diff(at) <= 0).any():
            raise NotEstimable("A difference in differences needs two periods or more, in order.")
        if not np.isin(first, np.append(at, np.inf)).all():
            msg = "first_treated must be one of times, or infinity for never"
            raise ValueError(msg)
        n = len(y)
        x = np.ones((n, 1))
        if covariates is not None:
            x = np.column_stack([x, np.asarray(covariates, dtype=np.float64)])
        w = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
        if not (np.isfinite(y).all() and np.isfinite(x).all() and np.isfinite(w).all()):
            raise NotEstimable("Some units miss a period, a covariate or a weight.")
        if (w < 0).any() or not w.any():
            raise NotEstimable("Weights must not be below zero, nor all zero.")
        codes = np.arange(n) if cluster is None else np.unique(cluster, return_inverse=True)[1]
        keep = (first > at[0]) & (w > 0)
        if not keep.any():
            raise NotEstimable("Every unit was treated from the first period on.")
        w = w[keep] / w[keep].mean()
        codes = np.unique(codes[keep], return_inverse=True)[1]
        always = int((first <= at[0]).sum())
        return cls(y[keep], first[keep], at, x[keep], w, codes, cluster is not None, always)

    @property
    def clusters(self) -> int:
        """How many independent units there are."""
        return int(self.cluster.max()) + 1

    def independent(self, group: BoolArray) -> int:
        """How many of them have a part in a group of units."""
        if not self.clustered:
            return int(group.sum())
        return int((np.bincount(self.cluster[group]) > 0).sum())

    def summed(self, influence: FloatArray) -> FloatArray:
        """Influence (n,) by independent unit, on the scale whose squares add up to a variance."""
        if not self.clustered:
            return influence / len(self.y)
        # As CR1: a few clusters vary more than their residuals show.
        scale = np.sqrt(self.clusters / max(self.clusters - 1, 1)) / len(self.y)
        return np.asarray(np.bincount(self.cluster, influence, self.clusters) * scale)


def _pair(t: int, last_before: int, base: str) -> tuple[int, int] | None:
    """Positions of the periods compared for the effect at t; None when there is no earlier one."""
    if base == "universal" or t > last_before:
        return last_before, t
    return (t - 1, t) if t > 0 else None


def _cell(
    panel: _Panel,
    treated: BoolArray,
    control: BoolArray,
    periods: tuple[int, int],
    method: Method,
) -> tuple[float, FloatArray]:
    """One effect, and its influence on the scale of all units."""
    if not control.any():
        raise NotEstimable(
            "Nobody went without the launch, so there is nothing to compare with but those who got"
            " it later."
        )
    for what, group in (("got the launch on a date", treated), ("went without it", control)):
        if panel.independent(group) < 2:
            raise NotEstimable(
                f"Only one independent unit {what}, so chance cannot be told from effect."
            )
    both = treated | control
    change = panel.y[both, periods[1]] - panel.y[both, periods[0]]
    if panel.x.shape[1] == 1:
        method = "reg"  # without covariates the three methods are one, and this is the quickest
    one = two_period(change, treated[both], panel.x[both], panel.w[both], method=method)
    influence = np.zeros(len(panel.y))
    influence[both] = one.influence * (len(panel.y) / both.sum())
    return one.att, influence


def _collect(panel: _Panel, found: FloatArray, psi: FloatArray) -> GroupTime:
    """The effects with their errors, and the influence of each unit on its group's share."""
    groups, where = np.unique(found[:, 0], return_inverse=True)
    shares, pulls = np.empty(len(groups)), np.empty((len(psi), len(groups)))
    for k, g in enumerate(groups):
        member = panel.w * (panel.first == g)
        shares[k] = member.mean()
        pulls[:, k] = panel.summed(member - shares[k])
    df = panel.clusters - 1.0 if panel.clustered else np.inf
    return GroupTime(
        group=found[:, 0],
        time=found[:, 1],
        att=found[:, 2],
        se=np.sqrt((psi**2).sum(axis=0)),
        influence=psi,
        shares=shares[where],
        share_influence=pulls[:, where],
        pretest=_pretest(found, psi, df),
        clusters=panel.clusters,
        df=df,
        dropped=panel.dropped,
    )


def _pretest(found: FloatArray, psi: FloatArray, free: float) -> Pretest | None:
    """Joint test of the effects before treatment (their reference period left out).

    χ² as the authors', or with few clusters Hotelling's F.
    """
    before = (found[:, 1] < found[:, 0]) & ((psi**2).sum(axis=0) > 0)
    if not before.any():
        return None
    covariance = psi[:, before].T @ psi[:, before]
    df = int(before.sum())
    if np.linalg.matrix_rank(covariance, hermitian=True) < df:
        return None
    att = found[before, 2]
    statistic = float(att @ np.linalg.solve(covariance, att))
    if np.isinf(free):
        return Pretest(statistic, df, float(stats.chi2.sf(statistic, df)))
    if free < df:
        return None
    spare = free - df + 1
    return Pretest(statistic, df, float(stats.f.sf(statistic * spare / (df * free), df, spare)))
