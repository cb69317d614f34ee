"""Who gains and who pays, as one picture: every segment, every metric, nothing picked."""

from __future__ import annotations

import numpy as np

from octad.model.finding import Finding, Interval, Panel, PanelRow, Stance
from octad.model.inputs import Inputs, MetricCells, Slice
from octad.model.metric import QuantileMetric, ReviewMetric
from octad.model.numbers import count, plain
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of
from octad.readings.claims import capital, in_arm, spoken
from octad.readings.measure import anytime_decides
from octad.stats.effects import Effects, compare_many
from octad.stats.moments import Moments
from octad.stats.segments import FEWEST_USERS

__all__ = ["picture"]

_MOST_ROWS = 60


def picture(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Draw the effect on every metric in every value of every attribute, one finding an arm.

    The intervals hold all at once (Bonferroni over the whole picture), so that the eye may go to
    any of them.
    """
    names = [n for n in plan.launch.metrics if _drawable(plan, inputs, n)]
    if not names or len(inputs.arms) < 2:
        return []
    return [
        found
        for arm in range(1, len(inputs.arms))
        if (found := _one(plan, inputs, names, arm)) is not None
    ]


def _drawable(plan: Plan, inputs: Inputs, name: str) -> bool:
    cells = inputs.metrics.get(name)
    if cells is None or isinstance(plan.metric(name), ReviewMetric | QuantileMetric):
        return False
    return len(cells.slices) > 1


def _effects(cells: MetricCells, arm: int, pieces: list[Slice], level: float) -> Effects:
    """Effects in some slices; where a metric lacks one, nobody is in it."""
    place = {piece: i for i, piece in enumerate(cells.slices)}
    pooled = cells.totals[[place.get(piece, 0) for piece in pieces]]
    there = np.array([piece in place for piece in pieces])
    pooled = Moments(pooled.n * there[:, None], pooled.mean, pooled.comoment)
    return compare_many(pooled[:, 0], pooled[:, arm], theta="first", level=level)


def _one(plan: Plan, inputs: Inputs, names: list[str], arm: int) -> Finding | None:
    first = inputs.metrics[names[0]]
    users = first.users
    single = [i for i, piece in enumerate(first.slices) if len(piece.values) == 1]
    # Where there are too many to draw, the largest are: a rule that no result can bend.
    single = sorted(sorted(single, key=lambda i: -users[i])[:_MOST_ROWS])
    if not single:
        return None
    level = 1 - (1 - plan.launch.rules.level) / (len(single) * len(names))
    pieces = [first.slices[i] for i in (0, *single)]
    drawn = [_effects(inputs.metrics[n], arm, pieces, level) for n in names]
    anytime = anytime_decides(plan, inputs)
    signs = [1 if plan.metric(n).better == "up" else -1 for n in names]
    rows = tuple(
        PanelRow(
            label=": ".join((spoken(k), v)) if i else "everyone",
            note=f"{count(int(users[i]))} users",
            cells=tuple(
                _cell(e, at, s, anytime=anytime) for e, s in zip(drawn, signs, strict=True)
            ),
        )
        for at, i in enumerate((0, *single))
        for k, v in (first.slices[i].values or (("", ""),))
    )
    told = [c.stance for row in rows[1:] for c in row.cells if c is not None]
    gains, pays = told.count(Stance.FOR), told.count(Stance.AGAINST)
    grade = grade_of(plan)
    arm_words = in_arm(inputs, inputs.arms[arm])
    return Finding(
        id="breadth.who" + (f".{inputs.arms[arm]}" if len(inputs.arms) > 2 else ""),
        claim=f"Who gains and who pays{arm_words}: of {count(len(told))} pairs of a segment and a "
        f"metric, {count(gains)} {'is' if gains == 1 else 'are'} shown to gain and {count(pays)} "
        "to pay; the others cannot be told from no change.",
        grade=grade,
        n=int(users[0]),
        method="each metric in each segment, adjusted by the users' own past; all "
        f"{count(len(single) * len(names))} intervals hold at once (Bonferroni: each at "
        f"{plain(level * 100, 3)}%)" + ("; anytime intervals" if anytime else ""),
        assumes=ASSUMES[grade] + " The attributes were known before exposure.",
        breaks=BREAKS[grade],
        evidence=(
            Panel(
                title=capital(f"who gains and who pays{arm_words}"),
                x_label="change against control; every interval holds beside all others",
                columns=tuple(spoken(n) for n in names),
                rows=rows,
                percent=True,
            ),
        ),
        query_digest=first.query,
    )


def _cell(effects: Effects, at: int, sign: int, *, anytime: bool) -> Interval | None:
    bounds = (effects.anytime_low, effects.anytime_high) if anytime else (effects.low, effects.high)
    value, low, high = (float(x[at]) for x in (effects.value, *bounds))
    users = min(float(effects.n_control[at]), float(effects.n_treatment[at]))
    if not effects.ok[at] or users < FEWEST_USERS or not np.isfinite([value, low, high]).all():
        return None
    stance = None
    if low > 0 or high < 0:
        stance = Stance.FOR if sign * value > 0 else Stance.AGAINST
    return Interval(label="", value=value, low=low, high=high, stance=stance)
