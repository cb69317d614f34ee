"""What users met: errors and signs of trouble, by how much they use the product."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Bars, Finding, Grade, Stance
from octad.model.inputs import Errors, Inputs
from octad.model.numbers import count, plain, share
from octad.model.plan import Plan
from octad.readings.base import ASSUMES, BREAKS, grade_of
from octad.readings.claims import segment_words
from octad.readings.measure import effect_number
from octad.stats.effects import Effect, compare, of_shares
from octad.stats.rates import actions_to_meet, chance_met, rate_trend
from octad.stats.refusal import NotEstimable

__all__ = ["MISSED", "heavy", "launched"]

IntArray = NDArray[np.int64]

_QUARTER = 0.25
_PLAIN = 0.05
_FEW = 100
EVERYONE = "everyone"
MISSED = "The team itself never met it."
_MOST_HEAVY = 3
_SURE = 0.95


def launched(
    plan: Plan, inputs: Inputs, errors: Errors, *, signs: bool = False
) -> tuple[list[Finding], Stance]:
    """What the launch brought: for each kind, the band of use in which it raised it most.

    Args:
        plan: The plan.
        inputs: For the arms and the team.
        errors: By band of use before exposure.
        signs: Whether the kinds are signs of trouble read off what a sample did, instead of
            events; they are never against a launch by themselves.

    Returns:
        Findings, most raised first, and the stance they come to.
    """
    found: list[tuple[float, Finding]] = []
    tests = max(1, len(errors.kinds) * len(errors.bands) * (len(inputs.arms) - 1))
    level = 1 - (1 - plan.launch.rules.level) / tests
    for kind in errors.kinds:
        for arm in range(1, len(inputs.arms)):
            worst = _worst_band(errors, kind, arm, level)
            if worst is not None:
                effect, band = worst
                finding = _raised(plan, inputs, errors, kind, arm, effect, band, signs=signs)
                found.append((effect.value, finding))
    found.sort(key=lambda pair: -pair[0])
    stances = {f.stance for _, f in found}
    stance = next((s for s in (Stance.AGAINST, Stance.MIXED) if s in stances), Stance.FOR)
    if not found and not signs:
        return [_nothing(plan, inputs, errors)], Stance.FOR
    return [f for _, f in found], stance


def _worst_band(errors: Errors, kind: str, arm: int, level: float) -> tuple[Effect, int] | None:
    """The band of use in which the launch raised a kind most; None where it raised it in none."""
    best: tuple[Effect, int] | None = None
    for band in range(len(errors.bands)):
        n = errors.users[[0, arm], band]
        hits = errors.kinds[kind][[0, arm], band]
        if n.min() < _FEW or hits.sum() == 0:
            continue
        one, two = (of_shares(float(h), float(m)) for h, m in zip(hits, n, strict=True))
        try:
            effect = compare(one, two, relative=False, level=level)
        except NotEstimable:
            continue
        if effect.low > 0 and (best is None or effect.value > best[0].value):
            best = effect, band
    return best


def _raised(
    plan: Plan,
    inputs: Inputs,
    errors: Errors,
    kind: str,
    arm: int,
    effect: Effect,
    band: int,
    *,
    signs: bool,
) -> Finding:
    name = errors.bands[band]
    serious = effect.treatment >= _QUARTER and effect.control < effect.treatment / 2
    stance = Stance.MIXED if effect.value >= _PLAIN else Stance.FOR
    if serious:
        stance = Stance.MIXED if signs else Stance.AGAINST
    who = "users" if name == EVERYONE else segment_words([("use before", name)])
    did = f"showed “{kind}”" if signs else f"met '{kind}'"
    family = "sign" if signs else "error"
    told = "" if signs else _how_to_meet(inputs, errors, kind, arm)
    source = "a sample's events in order; " if signs else ""
    return Finding(
        id=f"user.{family}.{kind.replace(' ', '_')}"
        + (f".{inputs.arms[arm]}" if len(inputs.arms) > 2 else ""),
        claim=f"{_fraction(effect.treatment)} of {who} {did}, against "
        f"{share(effect.control)} without the launch.{told}",
        stance=stance,
        grade=grade_of(plan),
        segment=None if name == EVERYONE else {"use before": name},
        estimate=effect_number(effect, "share"),
        n=int(errors.users[[0, arm], band].sum()),
        method=f"{source}difference of the shares of users who met it, in the band of use before "
        "exposure where it is largest; intervals widened for the number of comparisons "
        "(Bonferroni)",
        assumes=ASSUMES[grade_of(plan)],
        breaks=BREAKS[grade_of(plan)],
        evidence=(_bars(inputs, errors, kind, errors.kinds[kind]),),
        query_digest=errors.query,
    )


def heavy(inputs: Inputs, errors: Errors, besides: set[str]) -> list[Finding]:
    """What only heavy users meet, in every arm: small for each action, sure in the long run.

    A kind is told when a quarter of the heaviest band met it and less than a quarter of that
    share of the lightest did, so that whoever uses the product lightly, as many teams do, would
    hardly know of it. It takes no stance: it was there without the launch.

    Args:
        inputs: For the arms and the team.
        errors: By band of use before exposure.
        besides: Kinds that are told already.
    """
    found: list[tuple[float, Finding]] = []
    if len(errors.bands) < 2:
        return []
    users = errors.users.sum(axis=0)
    bands = np.flatnonzero(users >= _FEW)
    if len(bands) < 2:
        return []
    light, top = int(bands[0]), int(bands[-1])
    for kind in errors.kinds:
        met = errors.kinds[kind].sum(axis=0) / np.maximum(users, 1)
        if kind in besides or met[top] < _QUARTER or met[light] > met[top] / 4:
            continue
        found.append((float(met[top]), _heavy(inputs, errors, kind, met, light, top)))
    found.sort(key=lambda pair: -pair[0])
    return [f for _, f in found[:_MOST_HEAVY]]


def _heavy(
    inputs: Inputs, errors: Errors, kind: str, met: NDArray[np.float64], light: int, top: int
) -> Finding:
    times, actions = errors.times[kind].sum(axis=0), errors.actions.sum(axis=0)
    chance = float(times.sum() / max(1.0, actions.sum()))
    heavies = segment_words([("use before", errors.bands[top])])
    said = f"{_fraction(float(met[top]))} of {heavies} met '{kind}', and {share(met[light])} of "
    said += f"{segment_words([('use before', errors.bands[light])])}, with the launch or without."
    said += _needed(inputs, chance, missed=_team_missed(inputs, kind))
    try:
        trend = rate_trend(times, actions)
    except NotEstimable:
        shape = ""
    else:
        rises = trend.low > 1
        shape = (
            " Its chance for each action rises with use, so it is more than meeting more."
            if rises
            else " Its chance for each action is much the same for all; heavy users act more."
            if trend.high > 1
            else " Heavy users have learnt to avoid it: its chance for each action falls with use."
        )
    return Finding(
        id=f"user.heavy.{kind}",
        claim=said + shape,
        grade=Grade.T,
        segment={"use before": errors.bands[top]},
        n=int(errors.users.sum()),
        method="shares of users who met it by band of use before exposure, all arms; the chance "
        "for each action from events over actions, its trend over the bands by a log-linear "
        "Poisson model with the actions as offset",
        assumes="Bands are of use before the launch, which the error cannot have changed.",
        breaks="An error that drives users away before they become heavy users.",
        evidence=(_bars(inputs, errors, kind, errors.kinds[kind]),),
        query_digest=errors.query,
    )


def _nothing(plan: Plan, inputs: Inputs, errors: Errors) -> Finding:
    return Finding(
        id="user.errors",
        claim=f"No error named in the charter is met by more users than without the launch, in any "
        f"of {len(errors.bands)} bands of use.",
        stance=Stance.FOR,
        grade=grade_of(plan),
        n=int(errors.users.sum()),
        method="shares of users who met each error, by arm and band of use before exposure; "
        "intervals widened for the number of comparisons (Bonferroni)",
        assumes="The errors that users meet are the ones the charter names.",
        breaks="Errors that nobody logs.",
        evidence=(_bars(inputs, errors, "any error", errors.met),),
        query_digest=errors.query,
    )


def _how_to_meet(inputs: Inputs, errors: Errors, kind: str, arm: int) -> str:
    """Whether the team met it, and how long a tester would have to try."""
    actions = float(errors.actions[arm].sum())
    chance = float(errors.times[kind][arm].sum()) / actions if actions else 0.0
    missed = _team_missed(inputs, kind)
    return (f" {MISSED}" if missed else "") + _needed(inputs, chance, missed=missed)


def _needed(inputs: Inputs, chance: float, *, missed: bool) -> str:
    """How many actions a tester needs, and how likely the team's own would have met it."""
    if not 0 < chance < 1:
        return ""
    said = f" A tester needs about {count(int(actions_to_meet(chance)))} actions to meet it with"
    said += " 95% certainty"
    team = inputs.ways.team_events if inputs.ways is not None else 0
    if not team:
        return f"{said}."
    likely = float(chance_met(chance, team))
    if missed and likely > _SURE:
        return f"{said}; the team did {count(team)} and did not, so it does not do what they do."
    return f"{said}; the team's {count(team)} had a chance of {plain(100 * likely, 0)}%."


def _team_missed(inputs: Inputs, kind: str) -> bool:
    """Whether staff were seen, users went into this error, and no member of the team did."""
    ways = inputs.ways
    if ways is None or not ways.team:
        return False
    into = [i for i, steps in enumerate(ways.steps) if kind in steps]
    return bool(into) and not ways.staff[into].any()


def _fraction(value: float) -> str:
    """A share the way one says it."""
    for size, word in ((0.5, "Half"), (1 / 3, "A third"), (0.25, "A quarter")):
        if abs(value - size) < 0.015:
            return f"{word} ({share(value)})"
    return share(value)


def _bars(inputs: Inputs, errors: Errors, kind: str, met: IntArray) -> Bars:
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
