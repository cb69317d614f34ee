"""Effects in plain words, and the findings made of them."""

from __future__ import annotations

from collections.abc import Iterable

from octad.model.base import Margin
from octad.model.finding import (
    Evidence,
    Finding,
    Interval,
    Intervals,
    Stance,
    State,
    Table,
)
from octad.model.inputs import Inputs
from octad.model.metric import (
    AnyMetric,
    CountMetric,
    FunnelMetric,
    MeanMetric,
    Metric,
    QuantileMetric,
    RatioMetric,
    ReturnsMetric,
    SumMetric,
)
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of, level_text, percent_text
from octad.readings.judge import Judged
from octad.readings.measure import Measured, anytime_decides, number_of

__all__ = [
    "brief",
    "capital",
    "decider",
    "finding_of",
    "forest",
    "in_arm",
    "meaning",
    "moved",
    "segment_words",
    "spoken",
    "stance_of_state",
]


def stance_of_state(state: State) -> Stance:
    """What a state says of the launch."""
    match state:
        case State.WORSE:
            return Stance.AGAINST
        case State.UNCLEAR:
            return Stance.MIXED
        case _:
            return Stance.FOR


def in_arm(inputs: Inputs, arm: str) -> str:
    """`` in ARM``, when there are several treatments to tell apart; else nothing."""
    return f" in {arm}" if len(inputs.arms) > 2 else ""


def capital(text: str) -> str:
    """A sentence's beginning: the first letter large, the rest as it is."""
    return text[:1].upper() + text[1:]


def spoken(name: str) -> str:
    """A metric's name as one says it.

    >>> spoken("crash_rate")
    'crash rate'
    """
    return name.replace("_", " ")


def brief(measured: Measured) -> str:
    """The shortest way to say an effect: ``payments −3.1% [−4.0, −2.2]``."""
    effect = measured.best
    if effect.relative:
        return f"{spoken(measured.metric)} {percent_text(effect.value, *measured.bounds)}"
    low, high = measured.bounds
    value = _points(measured, effect.value)
    if low is None or high is None:
        return f"{spoken(measured.metric)} {value}"
    edges = f"[{_points(measured, low)}, {_points(measured, high)}]"
    return f"{spoken(measured.metric)} {value} {edges}"


def _points(measured: Measured, value: float) -> str:
    if measured.share:
        return f"{plain(value * 100, 2, signed=True)} points"
    return plain(value, 3, signed=True)


def _far_from_counted(measured: Measured) -> bool:
    """Whether the adjustment by users' past moves the estimate by more than two errors."""
    counted = measured.raw_treatment - measured.raw_control
    return abs(counted - measured.absolute.value) > 2 * measured.absolute.se > 0


def moved(measured: Measured) -> str:
    """A sentence's core: ``payments fell from 5.12 to 4.96 a user (−3.1% [−4.0, −2.2])``."""
    effect = measured.best
    one, two = (
        level_text(level, share=measured.share)
        for level in (measured.absolute.control, measured.absolute.treatment)
    )
    verb = "stayed at" if one == two else "rose" if effect.value > 0 else "fell"
    path = f"{verb} {one}" if one == two else f"{verb} from {one} to {two}"
    figure = (
        percent_text(effect.value, *measured.bounds)
        if effect.relative
        else f"{_points(measured, effect.value)}"
    )
    if _far_from_counted(measured):
        counted = " and ".join(
            level_text(level, share=measured.share)
            for level in (measured.raw_control, measured.raw_treatment)
        )
        figure += f", adjusted for the users' own past; as counted, {counted}"
    if measured.share and effect.relative:
        figure = f"{_points(measured, measured.absolute.value)}; {figure}"
    return f"{spoken(measured.metric)} {path} ({figure})"


_COMPASS = frozenset({"north", "south", "east", "west", "centre", "center", "middle"})
_PLACES = frozenset({"region", "country", "city", "market", "province", "state", "area"})


def segment_words(values: Iterable[tuple[str, str]]) -> str:
    """Who is in a segment, in words.

    >>> segment_words([("region", "north"), ("age_band", "60 and over")])
    'users aged 60 and over in the north'
    >>> segment_words([("use before", "heavy (over 46 actions)"), ("device_class", "old")])
    'heavy users (over 46 actions before) whose device class is old'
    """
    who, after, conditions = "users", ["", "", ""], []
    for name, value in values:
        key = name.lower()
        if name == "use before":
            kind, _, note = value.partition(" (")
            note = note.rstrip(")")
            who = f"{kind} users ({note} before)" if note else f"users with {value} of use before"
        elif name == "first seen":
            after[2] = f" first seen {value}"
        elif key in {"age", "age_band", "age_group"} and value[:1].isdigit():
            after[0] = f" aged {value}"
        elif key in _PLACES:
            after[1] = f" in {'the ' if value.lower() in _COMPASS else ''}{value}"
        else:
            conditions.append(f"{name.replace('_', ' ')} is {value}")
    return who + "".join(after) + (f" whose {' and whose '.join(conditions)}" if conditions else "")


def decider(plan: Plan, inputs: Inputs) -> str:
    """Which interval decides, and why, in words."""
    if anytime_decides(plan, inputs):
        return "the anytime interval decides, since this is not the one look on the last day"
    return "the fixed interval decides, at the plan's last day"


def meaning(metric: Metric) -> str:
    """What a metric measures, in words."""
    if metric.what:
        return metric.what
    window = "" if metric.window is None else f" in the {metric.window.days} days after exposure"
    match metric:
        case CountMetric():
            return f"{' or '.join(metric.count)} events a user{window}"
        case SumMetric():
            return f"the sum of {metric.sum} over {' or '.join(metric.of)} a user{window}"
        case MeanMetric():
            return f"the mean of {metric.mean} over {' or '.join(metric.of)} events{window}"
        case AnyMetric():
            return f"the share of users with any {' or '.join(metric.any)}{window}"
        case ReturnsMetric():
            first, last = (span.days for span in metric.between)
            return (
                f"the share of users with {' or '.join(metric.returns)} between day {first} and "
                f"day {last} after exposure"
            )
        case RatioMetric():
            one, two = (" or ".join(names) for names in metric.ratio)
            return f"{one} events for each {two} event{window}"
        case QuantileMetric():
            return (
                f"the value of {metric.of} that {metric.quantile:.0%} of events stay under{window}"
            )
        case FunnelMetric():
            steps = " → ".join(" or ".join(step) for step in metric.funnel)
            return f"the share of those who began {steps} and got through in time{window}"
        case _:
            return ""


def finding_of(plan: Plan, inputs: Inputs, reading: str, judged: Judged, margin: Margin) -> Finding:
    """A result or guardrail as a finding, with its margin and what the state means."""
    m = judged.measured
    tail = _against_margin(judged, margin)
    grade = grade_of(plan)
    several = len(inputs.arms) > 2
    means = meaning(plan.metric(m.metric))
    said = moved(m)
    return Finding(
        id=f"{reading}.{m.metric}" + (f".{m.arm}" if several else ""),
        claim=f"{capital(said)}{in_arm(inputs, m.arm)}: {tail}",
        stance=stance_of_state(judged.state),
        grade=grade,
        metric=m.metric,
        state=judged.state,
        harm=judged.state is State.WORSE,
        estimate=number_of(m, p_adjusted=judged.p_adjusted),
        n=m.n,
        method=f"{m.best.method}; {decider(plan, inputs)}; Holm's correction over the family"
        + (f"; measures {means}" if means else ""),
        assumes=ASSUMES[grade],
        breaks=BREAKS[grade],
        decides=_decides(judged),
        evidence=_arms_table(plan.metric(m.metric), inputs, m),
        query_digest=m.query,
    )


def _decides(judged: Judged) -> str:
    """What would settle an unclear metric: more users, or the users whose window is not over."""
    m = judged.measured
    name = spoken(m.metric)
    if judged.state is not State.UNCLEAR:
        return ""
    if m.waiting > 0.05 * m.n:
        return f"{name}: {m.waiting:,} users' windows have not ended; look again once they have"
    if judged.needed is None or judged.needed == float("inf"):
        return f"{name}: no number of users shows a loss under this margin; give it a wider one"
    if judged.needed <= 1:
        return f"{name}: this many users would usually be enough; the data lie near the margin"
    return (
        f"{name}: about {plain(judged.needed, 1 if judged.needed < 10 else 0)} times as many users "
        f"({plain(judged.needed * m.n, 0)}), if nothing has changed in truth"
    )


def _arms_table(metric: Metric, inputs: Inputs, m: Measured) -> tuple[Evidence, ...]:
    if not m.totals:
        return ()
    names = (inputs.arms[0], m.arm) if len(inputs.arms) > 1 else ("before", "after")
    levels = (m.raw_control, m.raw_treatment)
    said = [level_text(level, share=m.share) for level in levels]
    title = f"{spoken(m.metric)} by arm, as counted"
    if isinstance(metric, RatioMetric | MeanMetric):
        above, below = _parts(metric)
        rows: tuple[tuple[str | float | int | None, ...], ...] = tuple(
            (name, n, round(y, 4), round(d, 4), level)
            for name, (n, y, d), level in zip(names, m.totals, said, strict=True)
        )
        return (Table(title=title, columns=("arm", "users", above, below, "level"), rows=rows),)
    rows = tuple(
        (name, n, round(y, 4), level)
        for name, (n, y, _), level in zip(names, m.totals, said, strict=True)
    )
    total = "users who did" if m.share else "sum"
    return (Table(title=title, columns=("arm", "users", total, "level"), rows=rows),)


def _parts(metric: RatioMetric | MeanMetric) -> tuple[str, str]:
    """What stands above and below a ratio's line."""
    if isinstance(metric, RatioMetric):
        return " or ".join(metric.ratio[0]), " or ".join(metric.ratio[1])
    return f"sum of {metric.mean}", f"{' or '.join(metric.of)} events"


def _against_margin(judged: Judged, margin: Margin) -> str:
    m, state = judged.measured, judged.state
    allowed = f"the {margin} that the plan tolerates"
    if state is State.BETTER:
        return "better."
    if state is State.WITHIN:
        return f"any loss is shown to be smaller than {allowed}."
    if state is State.WORSE:
        return f"worse, and the loss is not shown to stay within {allowed}."
    if judged.bound == float("inf"):
        return "it cannot be told yet."
    worst = _loss(m, judged.bound, margin)
    return f"not clear; a loss of {worst} is still possible, more than {allowed}."


def _loss(m: Measured, bound: float, margin: Margin) -> str:
    if margin.kind == "relative":
        return f"{plain(bound * 100, 1)}%"
    return f"{plain(bound * 100, 2)} points" if m.share else plain(bound, 3)


def forest(title: str, judged: list[Judged]) -> Intervals:
    """Results or guardrails side by side."""
    rows = tuple(
        Interval(
            label=j.measured.metric,
            value=j.measured.best.value,
            low=j.measured.bounds[0],
            high=j.measured.bounds[1],
            stance=stance_of_state(j.state),
            note=j.state.value,
        )
        for j in judged
        if j.measured.best.relative
    )
    return Intervals(title=title, x_label="change against control", rows=rows, percent=True)
