"""What did we expect, and how often are we right?"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from octad.model.finding import Answer, Bars, Evidence, Finding, Grade, Number, Stance
from octad.model.inputs import Inputs, PastForecast
from octad.model.metric import ReviewMetric
from octad.model.needs import Needs
from octad.model.numbers import plain
from octad.model.plan import Change, Expectation, Plan
from octad.readings.base import grade_of, percent_text
from octad.readings.claims import spoken
from octad.readings.measure import Measured, measure, number_of
from octad.stats.forecasts import brier_score

QUESTION = "What did we expect, and how often are we right?"
_SURE = 0.7
FEW = 10
"""Scored forecasts from which calibration is spoken of."""


def needs(plan: Plan) -> Needs:
    """Every metric that somebody forecast, and the project's own past."""
    names = frozenset(
        e.metric for e in plan.launch.expects if not isinstance(plan.metric(e.metric), ReviewMetric)
    )
    return Needs(totals=names, history=True)


def _came_true(change: Change, value: float) -> bool:
    return (change.low is None or value >= change.low) and (
        change.high is None or value <= change.high
    )


def _certain(change: Change, low: float, high: float) -> bool:
    """Whether the whole interval lies on one side of the forecast's edge."""
    edges = [edge for edge in (change.low, change.high) if edge is not None]
    return not any(low < edge < high for edge in edges)


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Compare each forecast with what was measured, and score them.

    Against: a forecast of which the team was at least 70% sure did not come true. For: all came
    true. Mixed: the data do not tell some from their opposite yet. Silent: nothing was forecast.
    """
    past = inputs.history.forecasts
    if not plan.launch.expects:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="nothing was forecast",
            missing=("An 'expects:' in the plan: what will change, and how sure you are.",),
        )
    arm = 1 if len(inputs.arms) > 1 else 0
    findings: list[Finding] = []
    scored: list[tuple[float, float]] = []
    words: list[str] = []
    wrong = unclear = 0
    for i, e in enumerate(plan.launch.expects):
        m = measure(plan, inputs, e.metric, arm) if inputs.arms else None
        if m is None or m.relative is None:
            unclear += 1
            continue
        true = _came_true(e.change, m.relative.value)
        certain = _certain(e.change, m.relative.low, m.relative.high)
        scored.append((e.sure, float(true)))
        wrong += int(certain and not true and e.sure >= _SURE)
        unclear += int(not certain)
        words.append(_word(e, true=true, certain=certain))
        findings.append(_finding(plan, i, e, m, true=true, certain=certain))
    if not findings:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="no forecast can be scored from these sources",
            missing=("Data for the metrics that were forecast.",),
        )
    findings += _score(scored, past)
    stance = Stance.AGAINST if wrong else Stance.MIXED if unclear else Stance.FOR
    if stance is Stance.FOR and not all(true for _, true in scored):
        stance = Stance.MIXED
    missing = () if past else ("Past launches in the ledger, to see how often the team is right.",)
    return Answer(
        stance=stance,
        question=QUESTION,
        summary=" · ".join(words),
        findings=tuple(findings),
        missing=missing,
    )


def _word(e: Expectation, *, true: bool, certain: bool) -> str:
    came = ("right" if true else "wrong") if certain else "too close to call"
    return f"{spoken(e.metric)}: sure {e.sure:.0%}, {came}"


def _finding(
    plan: Plan, i: int, e: Expectation, m: Measured, *, true: bool, certain: bool
) -> Finding:
    effect = m.relative
    assert effect is not None  # noqa: S101 - the caller left out the others
    if not certain:
        came, stance = "the data do not yet tell", Stance.MIXED
    else:
        came, stance = ("right", Stance.FOR) if true else ("wrong", Stance.AGAINST)
    return Finding(
        id=f"reflection.{i + 1}.{e.metric}",
        claim=f"Forecast: {e.metric} would change by {e.change}, {e.sure:.0%} sure. It changed by "
        f"{percent_text(effect.value, effect.low, effect.high)}: {came}.",
        stance=stance,
        grade=grade_of(plan),
        metric=e.metric,
        estimate=number_of(m),
        n=m.n,
        method="the estimate against the forecast's edge; too close to call when the interval "
        "holds the edge",
        assumes="The forecast was written before the numbers were seen.",
        breaks="A forecast changed after sealing; the deviations list it.",
        query_digest=m.query,
    )


def _score(scored: list[tuple[float, float]], past: tuple[PastForecast, ...]) -> list[Finding]:
    known = [(f.sure, f.happened) for f in past]
    everything = np.array([*known, *scored])
    score = brier_score(everything[:, 0], everything[:, 1]).value
    n = len(everything)
    evidence: tuple[Evidence, ...] = ()
    if n >= FEW:
        evidence = (_by_sureness(everything),)
    naive = 0.25
    claim = (
        f"Brier score {plain(score, 2)} over {n} forecast{'s' if n != 1 else ''} (0 is perfect; "
        f"always saying 50% scores {naive:g})."
    )
    if n < FEW:
        claim += " With so few, the score says little yet."
    return [
        Finding(
            id="reflection.score",
            claim=claim,
            grade=Grade.T,
            estimate=Number(value=score, unit="Brier score"),
            n=n,
            method="mean squared distance between how sure and what happened (Brier 1950)",
            assumes="Each forecast was sealed before its launch was measured.",
            breaks="Forecasts written after the fact.",
            evidence=evidence,
        )
    ]


def _by_sureness(scored: np.ndarray) -> Bars:
    edges = (0.0, 0.5, 0.7, 0.9, 1.01)
    labels, said, came = [], [], []
    for low, high in pairwise(edges):
        inside = (scored[:, 0] >= low) & (scored[:, 0] < high)
        if inside.any():
            labels.append(f"{low:.0%} to {min(high, 1.0):.0%} sure")
            said.append(float(scored[inside, 0].mean()))
            came.append(float(scored[inside, 1].mean()))
    return Bars(
        title="How sure, and how often right",
        y_label="share",
        labels=tuple(labels),
        groups={"said": tuple(said), "came true": tuple(came)},
        percent=True,
    )
