"""The paradox of sums (Simpson 1951): one sign in all, the other in every part.

For a mean a user, the parts can only mislead when they are mixed differently in the arms. For a
ratio of events they can also mislead because the launch moved *where* the events happen: a crash
rate falls when people open more on good phones, though on every phone it rose.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.model.finding import Finding, Interval, Intervals, Number, Stance
from octad.model.inputs import Inputs, MetricCells
from octad.model.metric import MeanMetric, QuantileMetric, RatioMetric, ReviewMetric
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of, level_text, signed_percent
from octad.readings.claims import capital, in_arm, spoken
from octad.readings.measure import share_like
from octad.stats.effects import Effect, compare, compare_many
from octad.stats.moments import Moments
from octad.stats.refusal import NotEstimable

__all__ = ["Paradox", "paradox_of", "paradoxes"]

FloatArray = NDArray[np.float64]

_NEARLY_ALL = 0.9
"""Share of the weight that must lie in parts whose own effect points the other way."""
_COVERED = 0.9
"""Share of the users that an attribute's parts must hold to stand for all of them."""
_FEWEST = 50
_MIXED = 0.001
"""p above which the users of the parts pass for mixed alike in the arms."""
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True, eq=False)
class Paradox:
    """An effect in all and inside the parts of an attribute, absolute, control against treatment.

    Attributes:
        overall, overall_se: The plain difference.
        inside, inside_se: The parts' differences, weighed alike in both arms.
        parts, parts_se: (V,) each part's own.
        mix: (2, V) each part's share of the arm's denominator.
        opposed: Share of the weight in parts that point against `overall`.
        z: The smaller of the two z values; both must pass the bar.
        uneven: p that the *users* of the parts are mixed alike in the arms.
    """

    overall: float
    overall_se: float
    inside: float
    inside_se: float
    parts: FloatArray
    parts_se: FloatArray
    mix: FloatArray
    opposed: float
    z: float
    uneven: float

    def shown(self, bar: float) -> bool:
        """Whether both differences are clear of zero, and nearly all parts oppose the whole."""
        return self.overall * self.inside < 0 and self.z > bar and self.opposed >= _NEARLY_ALL


def paradox_of(parts: Moments, whole: Moments) -> Paradox:
    """Compare the difference in all with the difference inside parts.

    The parts are weighed by D₀D₁/(D₀ + D₁), with D the sum of the denominator (users, for a mean),
    as in `octad.stats.strata`; errors are those of users, not of events.

    Args:
        parts: Leading shape (V, 2): control, treatment; columns y, d, x, w.
        whole: Leading shape (2,).

    Raises:
        NotEstimable: When the whole cannot be compared, or fewer than two parts can.
    """
    return _paradox(parts, _inside(parts), _whole(whole))


def _whole(whole: Moments) -> Effect:
    return compare(whole[0], whole[1], relative=False, adjust=False)


@dataclass(frozen=True, slots=True, eq=False)
class _Inside:
    """The difference in each part, (V,): where there is one, it, and its error."""

    ok: NDArray[np.bool_]
    value: FloatArray
    se: FloatArray

    def of(self, places: list[int]) -> _Inside:
        return _Inside(self.ok[places], self.value[places], self.se[places])


def _inside(parts: Moments) -> _Inside:
    found = compare_many(parts[:, 0], parts[:, 1], relative=False, adjust=False)
    return _Inside(found.ok, found.value, found.se)


def _paradox(parts: Moments, found: _Inside, overall: Effect) -> Paradox:
    ok = found.ok & (parts.n.min(axis=1) >= _FEWEST)
    if ok.sum() < 2:
        raise NotEstimable("fewer than two parts can be compared")
    base = np.where(ok[:, None], parts.n * parts.mean[..., 1], 0.0)
    weight = base[:, 0] * base[:, 1] / np.maximum(base.sum(axis=1), 1e-300)
    weight = weight / weight.sum()
    inside = float(weight @ found.value)
    inside_se = float(np.sqrt(weight**2 @ found.se**2))
    users = np.where(ok[:, None], parts.n, 0.0)[ok]
    expected = users.sum(axis=1, keepdims=True) * users.sum(axis=0) / users.sum()
    chi = float(((users - expected) ** 2 / expected).sum())
    z = min(
        abs(overall.value) / overall.se if overall.se > 0 else 0.0,
        abs(inside) / inside_se if inside_se > 0 else 0.0,
    )
    return Paradox(
        overall=overall.value,
        overall_se=overall.se,
        inside=inside,
        inside_se=inside_se,
        parts=np.where(ok, found.value, np.nan),
        parts_se=np.where(ok, found.se, np.nan),
        mix=(base / base.sum(axis=0)).T,
        opposed=float(weight[ok & (found.value * overall.value < 0)].sum()),
        z=z,
        uneven=float(special.chdtrc(len(users) - 1, chi)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """One metric, arm and attribute that was looked at."""

    name: str
    arm: int
    attribute: str
    values: list[str]
    paradox: Paradox


def paradoxes(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Look for the paradox in every metric and attribute.

    The bar is Bonferroni's over all that were looked at, so that any false one is as rare as the
    plan's level allows.
    """
    seen: list[_Seen] = []
    for name in plan.launch.metrics:
        cells = inputs.metrics.get(name)
        if cells is None or isinstance(plan.metric(name), ReviewMetric | QuantileMetric):
            continue
        totals = cells.totals
        wholes: dict[int, Effect] = {}
        insides: dict[int, _Inside] = {}
        for attribute, (values, places) in _attributes(cells).items():
            for arm in range(1, len(inputs.arms)):
                sides = [0, arm]
                try:
                    if arm not in wholes:
                        wholes[arm] = _whole(totals[0, sides])
                        # Slices are compared each by itself, so all at once for all attributes.
                        insides[arm] = _inside(totals[:, sides])
                    parts = totals[places][:, sides]
                    one = _paradox(parts, insides[arm].of(places), wholes[arm])
                except NotEstimable:
                    continue
                seen.append(_Seen(name, arm, attribute, values, one))
    bar = float(special.ndtri(1 - (1 - plan.launch.rules.level) / 2 / max(1, len(seen))))
    return [_finding(plan, inputs, s, bar, len(seen)) for s in seen if s.paradox.shown(bar)]


def _attributes(cells: MetricCells) -> dict[str, tuple[list[str], list[int]]]:
    """Attributes whose values are slices that together hold nearly everyone."""
    found: dict[str, tuple[list[str], list[int]]] = {}
    for i, piece in enumerate(cells.slices):
        if len(piece.values) == 1:
            ((name, value),) = piece.values
            values, places = found.setdefault(name, ([], []))
            values.append(value)
            places.append(i)
    users = cells.users
    return {
        name: (values, places)
        for name, (values, places) in found.items()
        if len(places) > 1 and users[places].sum() >= _COVERED * users[0]
    }


def _why(inputs: Inputs, ratio: bool, seen: _Seen) -> str:
    """Which of the two causes it is, with the value whose weight differs most."""
    one = seen.paradox
    most = int(np.nanargmax(np.abs(one.mix[1] - one.mix[0])))
    mixed = (
        f"{seen.values[most]} makes {one.mix[1, most]:.0%} of it in {inputs.arms[seen.arm]} and "
        f"{one.mix[0, most]:.0%} in {inputs.arms[0]}"
    )
    if ratio and one.uneven > _MIXED:
        return f"the launch moved where it happens ({mixed})"
    return f"the arms are not mixed alike ({mixed})"


def _drawn(seen: _Seen, title: str, bar: float, *, share: bool) -> Intervals:
    one, said = seen.paradox, spoken(seen.attribute)
    rows = [
        ("everyone", one.overall, one.overall_se),
        (f"inside {said}", one.inside, one.inside_se),
    ]
    rows += [
        (value, float(v), float(e))
        for value, v, e in zip(seen.values, one.parts, one.parts_se, strict=True)
        if math.isfinite(v)
    ]
    return Intervals(
        title=title,
        x_label="difference from control" + (", in points" if share else ""),
        rows=tuple(
            Interval(
                label=label,
                value=v,
                low=v - bar * e,
                high=v + bar * e,
                stance=Stance.MIXED if label == "everyone" else None,
            )
            for label, v, e in rows
        ),
        percent=share,
    )


def _finding(plan: Plan, inputs: Inputs, seen: _Seen, bar: float, looked: int) -> Finding:
    name, arm, one = seen.name, seen.arm, seen.paradox
    cells, metric = inputs.metrics[name], plan.metric(name)
    whole = cells.moments[0].total(1)
    share = share_like(metric, whole[0] + whole[arm])
    level = float(whole.mean[0, 0] / whole.mean[0, 1])
    said, what = spoken(seen.attribute), capital(spoken(name))
    count, of = int((one.parts * one.overall < 0).sum()), int(np.isfinite(one.parts).sum())
    each = f"each of its {of} parts" if count == of else f"{count} of its {of} parts"
    why = _why(inputs, isinstance(metric, RatioMetric | MeanMetric), seen)
    title = f"{what}: in all, and by {said} (control {level_text(level, share=share)})"
    grade = grade_of(plan)
    return Finding(
        id=f"breadth.paradox.{name}.{seen.attribute}"
        + (f".{inputs.arms[arm]}" if len(inputs.arms) > 2 else ""),
        claim=f"The sum misleads: {spoken(name)} {'rose' if one.overall > 0 else 'fell'} in all "
        f"({signed_percent(one.overall / abs(level))}{in_arm(inputs, inputs.arms[arm])}), yet "
        f"{'rose' if one.inside > 0 else 'fell'} in {each} by {said} "
        f"({signed_percent(one.inside / abs(level))} inside them): {why}. Believe the figure "
        "inside the parts.",
        stance=Stance.MIXED,
        grade=grade,
        metric=name,
        estimate=Number(
            value=one.inside,
            low=one.inside - _Z * one.inside_se,
            high=one.inside + _Z * one.inside_se,
            level=0.95,
            unit="share" if share else metric.unit,
            se=one.inside_se,
            z=one.inside / one.inside_se,
        ),
        n=int(whole.n[[0, arm]].sum()),
        method="the plain difference against the difference inside parts, each part weighed alike "
        f"in both arms; both beyond {bar:.2f} errors (Bonferroni over {looked} looked at)",
        assumes=ASSUMES[grade],
        breaks=BREAKS[grade],
        evidence=(_drawn(seen, title, bar, share=share),),
        query_digest=cells.query,
    )
