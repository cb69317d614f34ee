"""Famous for what: which of the charter's jobs people write about, before and after."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Bars, Finding, Grade, Stance
from octad.model.numbers import share
from octad.model.plan import Plan
from octad.readings.measure import effect_number
from octad.readings.voices import Talk
from octad.stats.effects import Effect, compare, of_shares
from octad.stats.refusal import NotEstimable
from octad.text.mentions import mentions

__all__ = ["talk_of_jobs"]

BoolArray = NDArray[np.bool_]


def talk_of_jobs(plan: Plan, talk: Talk) -> list[Finding]:
    """Compare what share of our reviews names each job, after against before.

    Against when the core jobs' share is shown to fall while another job's is shown to rise: the
    product is becoming known for something else. Otherwise it is told without a side, because
    talk of a core job may be praise or complaint.

    Returns:
        One finding, or none when no job has terms or nobody names one.
    """
    jobs = {name: job for name, job in plan.project.charter.jobs.items() if job.terms}
    sides = [np.flatnonzero(talk.ours & talk.sound & when) for when in (talk.before, talk.after)]
    core = [name for name, job in jobs.items() if job.core]
    if not core:
        return []
    held = {
        name: [mentions(talk.reviews.text[rows], job.terms) for rows in sides]
        for name, job in jobs.items()
    }
    shares = {name: tuple(float(mask.mean()) for mask in masks) for name, masks in held.items()}
    whole = [np.any([held[name][side] for name in core], axis=0) for side in (0, 1)]
    if not (whole[0].any() or whole[1].any()):
        return []
    effect = _effect(whole)
    if effect is None:
        return []
    risen = []
    for name, masks in held.items():
        other = _effect(masks) if name not in core else None
        if other is not None and other.low > 0:
            risen.append((other.value, name))
    risen.sort(reverse=True)
    stance = Stance.AGAINST if effect.high < 0 and risen else None
    old, new = share(effect.control), share(effect.treatment)
    verb = "fell" if effect.value < 0 else "rose"
    went = f"stayed at {new}" if old == new else f"{verb} from {old} to {new}"
    claim = f"Talk of the core jobs ({', '.join(core)}) {went} of our reviews"
    if risen:
        name = risen[0][1]
        claim += f"; talk of {name} rose from {share(shares[name][0])} to {share(shares[name][1])}"
    return [
        Finding(
            id="product.talk",
            claim=claim + ".",
            stance=stance,
            grade=Grade.T,
            estimate=effect_number(effect, "share"),
            n=sum(len(rows) for rows in sides),
            method=f"share of our reviews that hold a job's terms; {talk.windows}",
            assumes="The charter's terms are the words people use for the jobs.",
            breaks="A word with two meanings; a job that is only written about when it fails.",
            evidence=(
                Bars(
                    title="What people write about",
                    y_label="share of our reviews",
                    labels=tuple(jobs),
                    groups={
                        "before": tuple(shares[name][0] for name in jobs),
                        "after": tuple(shares[name][1] for name in jobs),
                    },
                    percent=True,
                ),
            ),
        )
    ]


def _effect(masks: list[BoolArray]) -> Effect | None:
    one, two = (of_shares(int(mask.sum()), len(mask)) for mask in masks)
    try:
        return compare(one, two, relative=False)
    except (NotEstimable, ValueError):
        return None
