"""What is it like to be a user?"""

from __future__ import annotations

import numpy as np

from octad.model.finding import (
    Answer,
    Bars,
    Evidence,
    Finding,
    Grade,
    Number,
    Stance,
    Table,
)
from octad.model.inputs import Errors, Inputs, Walks
from octad.model.needs import Needs
from octad.model.numbers import count, plain, share
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of
from octad.readings.claims import segment_words
from octad.readings.measure import effect_number
from octad.stats.effects import Effect, compare, of_shares
from octad.stats.rates import actions_to_meet
from octad.stats.refusal import NotEstimable
from octad.stats.unseen import walked_share

QUESTION = "What is it like to be a user?"
_QUARTER = 0.25
_PLAIN = 0.05
_FEW = 100
_STORIES = 4
EVERYONE = "everyone"
_MISSED = "The team itself never met it."


def needs(plan: Plan) -> Needs:
    """Errors by intensity of use, journeys of users and of the team, and some timelines."""
    return Needs(errors=bool(plan.project.charter.errors), walks=True, stories=_STORIES)


def read(plan: Plan, inputs: Inputs) -> Answer:
    """Ask what users met, and whether the team could have known.

    Against: an error that the launch brought is met by a quarter of the users in some band of use.
    Mixed: the launch raised the share who meet an error by five points or more in some band, or
    the team has never done a tenth of what users do. For: neither. Silent: no errors are named and
    no staff are known.
    """
    findings: list[Finding] = []
    missing: list[str] = []
    stances: list[Stance] = []
    words: list[str] = []
    if inputs.errors is not None and len(inputs.arms) > 1:
        found, stance = _errors(plan, inputs, inputs.errors)
        findings += found
        stances.append(stance)
        words += [_glance(f) for f in found[:1]]
    elif not plan.project.charter.errors:
        missing.append("An 'errors:' list in the charter: the events that mean something failed.")
    if inputs.walks is not None and inputs.walks.team:
        walked = _walked(inputs.walks)
        if walked is not None:
            findings.append(walked)
            stances.append(walked.stance or Stance.MIXED)
            words.append(walked.claim.split(", weighed")[0])
    else:
        missing.append("A 'staff:' column in the users source, to see what the team itself does.")
    if inputs.stories:
        findings.append(_stories(inputs))
    if not stances:
        return Answer(
            stance=Stance.SILENT,
            question=QUESTION,
            summary="nothing says what users met" if missing else "",
            findings=tuple(findings),
            missing=tuple(missing),
        )
    stance = (
        Stance.AGAINST
        if Stance.AGAINST in stances
        else Stance.FOR
        if set(stances) == {Stance.FOR}
        else Stance.MIXED
    )
    return Answer(
        stance=stance,
        question=QUESTION,
        summary=" · ".join(words),
        findings=tuple(findings),
        missing=tuple(missing),
    )


def _errors(plan: Plan, inputs: Inputs, errors: Errors) -> tuple[list[Finding], Stance]:
    """For each kind of error, the band in which the launch raised it most."""
    found: list[tuple[float, Finding]] = []
    worst = Stance.FOR
    tests = max(1, len(errors.kinds) * len(errors.bands) * (len(inputs.arms) - 1))
    level = 1 - (1 - plan.launch.rules.level) / tests
    for kind, met in errors.kinds.items():
        for arm in range(1, len(inputs.arms)):
            one = _worst_band(plan, inputs, errors, kind, met, arm, level)
            if one is None:
                continue
            rise, finding = one
            found.append((rise, finding))
            if finding.stance is Stance.AGAINST:
                worst = Stance.AGAINST
            elif worst is Stance.FOR and finding.stance is Stance.MIXED:
                worst = Stance.MIXED
    found.sort(key=lambda pair: -pair[0])
    if found:
        return [f for _, f in found], worst
    users = int(errors.users.sum())
    nothing = Finding(
        id="user.errors",
        claim=f"No error named in the charter is met by more users than before the launch, in any "
        f"of {len(errors.bands)} bands of use.",
        stance=Stance.FOR,
        grade=grade_of(plan),
        n=users,
        method="shares of users who met each error, by arm and band of use before exposure; "
        "intervals widened for the number of comparisons (Bonferroni)",
        assumes="The errors that users meet are the ones the charter names.",
        breaks="Errors that nobody logs.",
        evidence=(_bars(inputs, errors, "any error", errors.met),),
        query_digest=errors.query,
    )
    return [nothing], Stance.FOR


def _worst_band(
    plan: Plan,
    inputs: Inputs,
    errors: Errors,
    kind: str,
    met: np.ndarray,
    arm: int,
    level: float,
) -> tuple[float, Finding] | None:
    """The band of use in which the launch raised an error most; None where it raised it in none."""
    best: tuple[Effect, int] | None = None
    for band in range(len(errors.bands)):
        n = errors.users[[0, arm], band]
        hits = met[[0, arm], band]
        if n.min() < _FEW or hits.sum() == 0:
            continue
        one, two = (of_shares(float(h), float(m)) for h, m in zip(hits, n, strict=True))
        try:
            effect = compare(one, two, relative=False, level=level)
        except NotEstimable:
            continue
        if effect.low > 0 and (best is None or effect.value > best[0].value):
            best = effect, band
    if best is None:
        return None
    return best[0].value, _error_finding(plan, inputs, errors, kind, arm, *best)


def _error_finding(
    plan: Plan,
    inputs: Inputs,
    errors: Errors,
    kind: str,
    arm: int,
    effect: Effect,
    band: int,
) -> Finding:
    met, name = errors.kinds[kind], errors.bands[band]
    serious = effect.treatment >= _QUARTER and effect.control < effect.treatment / 2
    stance = Stance.AGAINST if serious else Stance.MIXED if effect.value >= _PLAIN else Stance.FOR
    who = "users" if name == EVERYONE else segment_words([("use before", name)])
    return Finding(
        id=f"user.error.{kind}" + (f".{inputs.arms[arm]}" if len(inputs.arms) > 2 else ""),
        claim=f"{_fraction(effect.treatment)} of {who} met '{kind}', against "
        f"{share(effect.control)} without the launch.{_how_to_meet(inputs, errors, kind, arm)}",
        stance=stance,
        grade=grade_of(plan),
        segment=None if name == EVERYONE else {"use before": name},
        estimate=effect_number(effect, "share"),
        n=int(errors.users[[0, arm], band].sum()),
        method="difference of the shares of users who met it, in the band of use before exposure "
        "where it is largest; intervals widened for the number of comparisons (Bonferroni)",
        assumes=ASSUMES[grade_of(plan)],
        breaks=BREAKS[grade_of(plan)],
        evidence=(_bars(inputs, errors, kind, met),),
        query_digest=errors.query,
    )


def _glance(finding: Finding) -> str:
    """An error's claim, as short as it goes."""
    met, _, rest = finding.claim.partition(", against")
    return met.rstrip(".") + ("; the team never did" if _MISSED in rest else "")


def _how_to_meet(inputs: Inputs, errors: Errors, kind: str, arm: int) -> str:
    """Whether the team met it, and how long a tester would have to try."""
    said = f" {_MISSED}" if _team_missed(inputs, kind) else ""
    actions = float(errors.actions[arm].sum())
    chance = float(errors.times[kind][arm].sum()) / actions if actions else 0.0
    if 0 < chance < 1:
        tries = count(int(actions_to_meet(chance)))
        said += f" A tester needs about {tries} actions to meet it with 95% certainty."
    return said


def _team_missed(inputs: Inputs, kind: str) -> bool:
    """Whether staff were seen, and none of their steps led into this error."""
    walks = inputs.walks
    if walks is None or not walks.team:
        return False
    into = [i for i, (_, step) in enumerate(walks.steps) if step == kind]
    return bool(into) and not walks.staff[into].any()


def _fraction(value: float) -> str:
    """A share the way one says it."""
    for size, word in ((0.5, "Half"), (1 / 3, "A third"), (0.25, "A quarter")):
        if abs(value - size) < 0.015:
            return f"{word} ({share(value)})"
    return share(value)


def _bars(inputs: Inputs, errors: Errors, kind: str, met: np.ndarray) -> Bars:
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = np.where(errors.users > 0, met / errors.users, np.nan)
    return Bars(
        title=f"Users who met {kind}, by use before",
        y_label="share of users",
        labels=errors.bands,
        groups={
            name: tuple(None if np.isnan(v) else float(v) for v in rate[a])
            for a, name in enumerate(inputs.arms)
        },
        percent=True,
    )


def _walked(walks: Walks) -> Finding | None:
    try:
        by_use = walked_share(walks.times, walks.staff > 0, once=walks.once, twice=walks.twice)
    except NotEstimable:
        return None
    never = [
        (f"{a} → {b}", int(u), int(t))
        for (a, b), u, t, s in zip(walks.steps, walks.users, walks.times, walks.staff, strict=True)
        if s == 0
    ]
    never.sort(key=lambda row: -row[1])
    gap = by_use.only_users + by_use.never_seen
    table: Evidence = Table(
        title="What users do and the team never did",
        columns=("step", "users who take it", "times"),
        rows=tuple(never[:12]),
    )
    claim = (
        f"The team has walked {by_use.share:.0%} of what users do, weighed by how often they do "
        f"it. Of {len(walks.steps)} kinds of step, {len(never)} were never taken by the "
        f"{walks.team} staff members seen."
    )
    if never:
        step, users, _ = never[0]
        claim += (
            f" The commonest is {step}, taken by {plain(100 * users / max(1, walks.sampled), 0)}% "
            "of users."
        )
    return Finding(
        id="user.walked",
        claim=claim,
        stance=Stance.MIXED if gap >= 0.1 else Stance.FOR,
        grade=Grade.T,
        estimate=Number(value=by_use.share, unit="share", low=by_use.low, high=by_use.high),
        n=walks.sampled,
        method=f"pairs of events in a row within a visit, in a sample of {walks.sampled:,} users, "
        "weighted by how often they are taken; unseen mass by Chao and Jost (2012)",
        assumes="Staff are marked, and their events are logged like everyone's.",
        breaks="Staff who test under other accounts; devices and languages the team does not have.",
        evidence=(table,),
        query_digest=walks.query,
    )


def _stories(inputs: Inputs) -> Finding:
    return Finding(
        id="user.stories",
        claim=f"{len(inputs.stories)} timelines of real users, chosen by the hash of their id: "
        "half of them met an error where any did.",
        grade=Grade.T,
        n=len(inputs.stories),
        method="users sampled by hash, each arm in turn; names are keyed hashes",
        assumes="A few timelines show what can happen, not how often.",
        breaks="Reading them as if they were everyone.",
        evidence=inputs.stories,
    )
