"""What the launch does to people through those they are tied to, where a source says who that is.

Chance decides how many of a user's friends have the launch, so what goes with that number is the
launch's doing: an estimate by design, where `octad.readings.doubt_reach` has only hints. A
comparison of the arms cannot see it, for it befalls both.
"""

from __future__ import annotations

import math

from octad.model.finding import Finding, Grade, Number, Stance
from octad.model.inputs import Inputs, Reach
from octad.model.numbers import count, p_value, share
from octad.model.plan import Plan
from octad.readings.base import VETO, percent_text
from octad.readings.claims import spoken
from octad.readings.measure import of_look
from octad.stats.multiplicity import holm
from octad.stats.spillover import Spillover, Together

__all__ = ["friends", "friends_lack", "through_friends"]

_MADE_LATER = 0.001
"""Below this p the ties are not older than the launch, or the split is not by chance."""

_METHOD = (
    "least squares on the share of a user's ties in the experiment that have the launch, within "
    "classes of one arm and about as many ties, beside the metric's own past; the interval is that "
    "of re-drawn arms (exposure mapping, Aronow and Samii 2017), by Student's t on {df} degrees of "
    "freedom; Holm over the metrics"
)


def friends(plan: Plan, inputs: Inputs) -> list[Finding]:
    """One finding for each metric that goes with friends' arms, and one line for the others.

    Shown at the level of a lone veto (`VETO`), of which a look before the end spends its part: half
    for each metric (Holm) and half for all of them together. For the worse, it speaks against the
    launch; for the better, the arms' difference is said to be not all of it.

    Returns:
        Nothing where no ties were read.
    """
    reach = inputs.reach
    if reach is None or reach.by_chance is None:
        return []
    spoiled = _made_later(reach)
    if spoiled:
        return [spoiled]
    found = {n: s for n, s in reach.metrics.items() if isinstance(s, Spillover)}
    if not found:
        return []
    error = VETO * of_look(plan, inputs)
    q = dict(zip(found, (float(v) for v in holm([s.p for s in found.values()])), strict=True))
    shown = [_shown(plan, n, s, q[n], reach) for n, s in found.items() if q[n] < error / 2]
    calm = {n: s for n, s in found.items() if q[n] >= error / 2}
    whole = reach.together
    if not shown and whole is not None and whole.p < error / 2:
        return [_together(found, whole, reach)]
    shown.sort(key=lambda f: f.stance is not Stance.AGAINST)
    return shown + ([_calm(calm, q, reach, error, alone=not shown)] if calm else [])


def through_friends(findings: list[Finding]) -> list[Finding]:
    """Those of some findings that say it reaches friends, or that the ties cannot be used."""
    return [f for f in findings if f.id.startswith("doubt.friends") and f.stance is not None]


def friends_lack(inputs: Inputs) -> tuple[str, ...]:
    """Why ties that are there tell nothing, in a line."""
    reach = inputs.reach
    if reach is None:
        return ()
    young = (
        f" Left out, since they are from the launch's first day on: {count(reach.late)}."
        if reach.late
        else ""
    )
    if reach.unread:
        return (f"The links: {reach.unread}.{young}",)
    why = [s for s in reach.metrics.values() if isinstance(s, str)]
    if len(why) == len(reach.metrics) > 0:
        return (f"The links tell nothing yet: {why[0]}.{young}",)
    return ()


def _made_later(reach: Reach) -> Finding | None:
    """Ties that know of the arms, or of a past that the arms cannot have made, tell nothing."""
    assert reach.by_chance is not None  # noqa: S101 - asked by the caller
    past = min((s.p for s in reach.before.values()), default=1.0) * max(len(reach.before), 1)
    ties, past = (min(1.0, 2 * p) for p in (reach.by_chance.p, past))
    if min(ties, past) >= _MADE_LATER:
        return None
    why = (
        "who is linked to whom goes with who has the launch"
        if ties < _MADE_LATER
        else "what people did before the launch goes with who was to get it around them"
    )
    return Finding(
        id="doubt.friends",
        claim=f"The links cannot be used: {why}, which chance would do once in a thousand times "
        "at most. Most likely some links were made after the launch.",
        stance=Stance.MIXED,
        grade=Grade.T,
        method="number of ties, ties within an arm, and the weeks before the launch by the share "
        "of ties that have it, each against re-drawn arms; Bonferroni",
        assumes="Chance decided the arms.",
        breaks="A split that is broken.",
        decides="links as they were the day before the launch, or with the time since when",
        query_digest=reach.query,
    )


def _figure(s: Spillover) -> str:
    return percent_text(s.relative, s.relative_low, s.relative_high)


def _shown(plan: Plan, name: str, s: Spillover, q: float, reach: Reach) -> Finding:
    worse = (s.value < 0) == (plan.metric(name).better == "up")
    return Finding(
        id=f"doubt.friends.{name}",
        claim=f"It reaches people who do not have it: with all of one's friends having the launch, "
        f"{spoken(name)} {'are' if spoken(name).endswith('s') else 'is'} {share(abs(s.relative))} "
        f"{'lower' if s.value < 0 else 'higher'} than with none ({_figure(s)}, {p_value(q)}), both "
        f"arms taken together. So the difference between the arms is not the whole effect"
        f"{_everyone(s)}.",
        stance=Stance.AGAINST if worse else Stance.MIXED,
        grade=Grade.A,
        metric=name,
        estimate=_number(s, q),
        n=sum(s.n),
        method=_METHOD.format(df=count(round(s.df))),
        assumes="The links are older than the launch, and chance alone decided the arms.",
        breaks="Links made because of the launch. People who are reached without being linked are "
        "not seen at all.",
        decides="a test that gives it to whole groups of friends at once",
        query_digest=reach.query,
    )


def _everyone(s: Spillover) -> str:
    """Everybody has it against nobody; nothing where the lines lead below none at all."""
    if not (math.isfinite(s.everyone) and math.isfinite(s.direct)):
        return ""
    whole = percent_text(s.everyone, s.everyone_low, s.everyone_high)
    return (
        f": everybody having it against nobody would be {whole}, by straight lines beyond what was "
        f"seen, where the arms alone say {percent_text(s.direct, None, None)}"
    )


def _together(found: dict[str, Spillover], whole: Together, reach: Reach) -> Finding:
    names = ", ".join(f"{spoken(n)} {_figure(s)}" for n, s in found.items())
    first = min(found, key=lambda n: found[n].p)
    return Finding(
        id="doubt.friends.together",
        claim=f"It reaches people who do not have it: taken together, what the launch is judged by "
        f"is {'worse' if whole.z < 0 else 'better'} with all of one's friends having it than with "
        f"none ({p_value(whole.p)}): {names}. None of these is shown by itself. So the difference "
        "between the arms is not the whole effect.",
        stance=Stance.AGAINST if whole.z < 0 else Stance.MIXED,
        grade=Grade.A,
        metric=first,
        estimate=_number(found[first], None),
        n=sum(found[first].n),
        method=f"the sum of the {count(whole.n)} metrics' z, by its variance over re-drawn arms "
        "(O'Brien 1984); each metric's by least squares on the share of ties that have the launch",
        assumes="The links are older than the launch, and chance alone decided the arms.",
        breaks="Links made because of the launch.",
        decides="a test that gives it to whole groups of friends at once",
        query_digest=reach.query,
    )


def _calm(
    found: dict[str, Spillover], q: dict[str, float], reach: Reach, error: float, *, alone: bool
) -> Finding:
    """What is not shown, with how much of it is still possible."""
    names = [f"{spoken(n)} {_figure(s)}" for n, s in found.items()]
    first = min(found, key=lambda n: q[n])
    return Finding(
        id="doubt.friends",
        claim=f"{'Not shown' if alone else 'Not shown in the other metrics'}, with an error under "
        f"{share(error)}, that the launch reaches people through their friends. With all of one's "
        f"friends having it instead of none: {', '.join(names)}.",
        grade=Grade.A,
        metric=first,
        estimate=_number(found[first], q[first]),
        n=sum(found[first].n),
        method=_METHOD.format(df=count(round(found[first].df))),
        assumes="The links are older than the launch, and chance alone decided the arms.",
        breaks="An effect smaller than these intervals, or on people who are not linked.",
        query_digest=reach.query,
    )


def _number(s: Spillover, q: float | None) -> Number:
    return Number(
        value=s.relative,
        low=s.relative_low,
        high=s.relative_high,
        level=0.95,
        relative=True,
        p=s.p,
        p_adjusted=q,
    )
