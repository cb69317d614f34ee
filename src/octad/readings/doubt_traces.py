"""Do lost events show in what they leave behind? Broken pairs in visits, and silent hours.

A loss that began with the launch looks like an effect in every count. But people who pay had opened
the product before: where the payment is there and the opening is not, it was not people who
changed. And no product changes what people do for five hours of one afternoon.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from octad.model.finding import Curve, CurveLine, Finding, Grade
from octad.model.inputs import Inputs, Logged
from octad.model.numbers import day, plain, share
from octad.model.plan import Plan
from octad.readings.doubt_split import BY_TRUST, Trust

__all__ = ["Silence", "orphans", "silences", "silent_hours"]

FloatArray = NDArray[np.float64]

_ERROR = 0.001
"""Of a whole test, over all events and hours: as strict as the sample ratio's."""
_LEAST = 0.002
"""Of the visits: a smaller loss of pairs is nobody's concern."""
_ALIKE = 3.0
"""Chance loses all events alike; the shares lost of two events differ by less than this."""
_TOLERATED = 0.005
"""What may be lost where the plan names no margin."""
_OF_MARGIN = 0.25
_FALL = 0.3
_SPANS = (1, 2, 4, 8, 12)
_NEAR = (-3, -2, -1, 1, 2, 3)
_EXPECTED = 30.0
_NAMED = 3


def _margins(plan: Plan) -> list[float]:
    results = plan.launch.results.values()
    return [m.value for m in results if m.kind == "relative" and m.value > 0]


def _tolerated(plan: Plan) -> float:
    """A loss that could hide or feign a quarter of the smallest margin is too large."""
    margins = _margins(plan)
    return _OF_MARGIN * min(margins) if margins else _TOLERATED


def orphans(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Whether one arm's visits lack events that always come before others.

    Two events or more that are lacking in the same arm, about as often, fail trust when that is
    more than the plan's smallest margin tolerates. One alone warns where a metric counts it, or in
    the control, where nothing was changed; else it is only told, for the launch may pass that step.
    """
    seen = inputs.logged
    if seen is None or not seen.earlier or len(inputs.arms) < 2:
        return []
    rates = seen.lacks / np.maximum(seen.holds, 1.0)
    found: dict[int, list[int]] = {}
    tests = len(seen.earlier) * (len(inputs.arms) - 1)
    for event in range(len(seen.earlier)):
        for arm in range(1, len(inputs.arms)):
            excess = float(rates[event, arm] - rates[event, 0])
            if abs(excess) >= _LEAST and _chance(seen, event, arm) < _ERROR / tests:
                events = found.setdefault(arm if excess > 0 else 0, [])
                # What control lacks shows beside each of several arms, and is one event still.
                events += [event] if event not in events else []
    trust: Trust = "holds"
    claims = []
    for arm, events in found.items():
        shares = rates[events, arm]
        alike = len(events) > 1 and _alike(shares)
        lost = float(seen.lacks[events, arm].sum() / seen.holds[events, arm].sum())
        if alike and lost >= _tolerated(plan):
            trust = "fails"
        elif trust == "holds" and not (
            arm and len(events) == 1 and not _counted(plan, seen, events)
        ):
            trust = "warns"
        claims.append(_said(inputs, seen, arm, events, alike=alike))
    claim = (
        f"No arm's visits lack what always comes first ({_first(seen)})."
        if not claims
        else " ".join(claims)
    )
    return [
        Finding(
            id="doubt.pairs",
            claim=claim,
            stance=BY_TRUST[trust],
            grade=Grade.T,
            trust=trust,
            n=int(seen.users.sum()),
            method="visits of sampled users, from half an hour after exposure; an event that came "
            "before another in 998 of 1,000 visits of one arm must not be lacking in the other; "
            "users with such a visit, exact test (Fisher) between the arms, 0.1% over all events; "
            "two events lacking about alike fail trust, from "
            + (
                "a quarter of the smallest margin"
                if _margins(plan)
                else f"{share(_TOLERATED)} of these visits"
            )
            + " on; one alone warns where a metric counts it, or in the control",
            assumes="The launch does not open several new ways, each past one step, at once.",
            breaks="Whole visits that are lost leave no trace here, nor does one kind of event "
            "that nothing follows; a new way in passes a step on purpose.",
            query_digest=seen.query,
        )
    ]


def _chance(seen: Logged, event: int, arm: int) -> float:
    """Two-sided chance that the users with a broken visit fell on the arms so by chance."""
    here, there = seen.users_lack[event, arm], seen.users_lack[event, 0]
    n, m = seen.users[arm], seen.users[0]
    law = stats.hypergeom(int(n + m), int(here + there), int(n))
    return min(1.0, 2 * float(min(law.sf(here - 1), law.cdf(here))))


def _counted(plan: Plan, seen: Logged, events: list[int]) -> bool:
    """Whether a metric of the plan speaks of any of these events."""

    def texts(value: object) -> set[str]:
        if isinstance(value, str):
            return {value}
        if isinstance(value, Mapping):
            return set().union(*map(texts, value.values()))
        return set().union(*map(texts, value)) if isinstance(value, (list, tuple)) else set()

    spoken = {t for name in plan.launch.metrics for t in texts(plan.metric(name).model_dump())}
    return any(seen.earlier[event] in spoken for event in events)


def _alike(shares: FloatArray) -> bool:
    ranked = np.sort(shares)
    return any(large <= _ALIKE * small for small, large in pairwise(ranked.tolist()))


def _first(seen: Logged) -> str:
    return _listed([f"'{name}'" for name in seen.earlier[:_NAMED]])


def _said(inputs: Inputs, seen: Logged, arm: int, events: list[int], *, alike: bool) -> str:
    other = 0 if arm else 1
    names = _listed([f"'{seen.earlier[e]}'" for e in events[:_NAMED]])
    here, there = (
        float(seen.lacks[events, a].sum() / max(seen.holds[events, a].sum(), 1.0))
        for a in (arm, other)
    )
    said = (
        f"In {inputs.arms[arm]}, {names} {'is' if len(events) == 1 else 'are'} lacking in "
        f"{plain(100 * here, 1)}% of the visits where what always follows is there "
        f"({inputs.arms[other]}: {plain(100 * there, 2)}%)"
    )
    said += _where(seen, arm)
    if alike:
        return f"{said}: events are lost on their way there, and fewer were counted than happened."
    return f"{said}: either its logging is lost, or a new way passes that step."


def _where(seen: Logged, arm: int) -> str:
    """The value of an attribute that nearly all of it lies in, where there is one."""
    best, words = 3.0, ""
    for name, (values, sums) in seen.places.items():
        lacks, holds = sums[:, arm]
        for v, value in enumerate(values):
            rest = max(holds.sum() - holds[v], 1.0)
            inside, outside = lacks[v] / max(holds[v], 1.0), (lacks.sum() - lacks[v]) / rest
            ratio = inside / max(outside, 1.0 / rest)
            if lacks[v] >= 0.8 * lacks.sum() and holds[v] < 0.7 * holds.sum() and ratio > best:
                best = ratio
                words = f", nearly all of it where {name} is {value} ({plain(100 * inside, 1)}%)"
    return words


@dataclass(frozen=True, slots=True)
class Silence:
    """Hours in which one arm's users were not seen.

    Attributes:
        first, last: Indices of the hours, both included.
        arm: The arm that fell.
        fall: Share of the users expected who were not seen.
        missing: How many these are, hour by hour.
    """

    first: int
    last: int
    arm: int
    fall: float
    missing: float


def silences(active: FloatArray, exposed: FloatArray, *, pairs: int = 1) -> list[Silence]:
    """Spans of up to twelve hours in which one of two arms falls by three tenths or more.

    What is expected is the middle one of the same hours of three days before and after. Error
    0.1% over all spans; it is widened by how much spans of that length differ anyway. The arm must
    itself have moved further, and down: a campaign that lifts the other is no loss of its own.

    Args:
        active: (H, 2) users seen in each hour.
        exposed: (H, 2) users who could be.
        pairs: How many pairs of arms share the error.

    Returns:
        The clearest ones that do not overlap, at most ten, in the order of time.
    """
    hours = len(active)
    if hours < 4 * 24:
        return []
    sure = float(stats.norm.isf(_ERROR / (2 * pairs * hours * len(_SPANS))))
    found: list[tuple[float, Silence]] = []
    for span in _SPANS:
        seen, could = _rolled(active, span), _rolled(exposed, span)
        want = _usual(seen / np.maximum(could, 1.0), could > 0) * could
        with np.errstate(divide="ignore", invalid="ignore"):
            share = want[:, 1] / want.sum(axis=1)
            n = seen.sum(axis=1)
            z = (seen[:, 1] - n * share) / np.sqrt(n * share * (1 - share))
            own = seen / want
        fine = (want.min(axis=1) >= _EXPECTED) & np.isfinite(z)
        own[~fine] = 1.0
        if not fine.any():
            continue
        z /= max(1.0, 1.4826 * float(np.median(np.abs(z[fine]))))
        for arm, sign in ((1, -1.0), (0, 1.0)):
            fall = 1 - own[:, arm] / np.maximum(own[:, 1 - arm], 1e-9)
            logs = np.abs(np.log(np.maximum(own, 1e-9)))
            mine = fine & (sign * z > sure) & (fall >= _FALL) & (own[:, arm] < 1)
            mine &= logs[:, arm] >= logs[:, 1 - arm]
            for h in np.flatnonzero(mine).tolist():
                missing = float(want[h, arm] * own[h, 1 - arm] - seen[h, arm])
                one = Silence(h, h + span - 1, arm, float(fall[h]), missing)
                found.append((float(abs(z[h])), one))
    kept: list[Silence] = []
    for _, one in sorted(found, key=lambda f: -f[0]):
        if len(kept) < 10 and all(one.first > k.last or one.last < k.first for k in kept):
            kept.append(one)
    return sorted(kept, key=lambda k: k.first)


def _rolled(counts: FloatArray, span: int) -> FloatArray:
    """Sums of so many hours from each hour on."""
    total = np.concatenate([np.zeros((1, counts.shape[1])), counts.cumsum(axis=0)])
    return np.asarray(total[span:] - total[:-span])


def _usual(rate: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """The middle one of the same hours on the days beside it, as far as there are any.

    The middle, for an outage of two days must not make the days beside it look full.
    """
    beside = np.full((len(_NEAR), *rate.shape), np.nan)
    rate = np.where(known, rate, np.nan)
    for i, days in enumerate(_NEAR):
        k = 24 * days
        if abs(k) >= len(rate):
            continue
        if k > 0:
            beside[i, :-k] = rate[k:]
        else:
            beside[i, -k:] = rate[:k]
    beside[:, np.isnan(beside).all(axis=0)] = 0.0
    return np.asarray(np.nanmedian(beside, axis=0))


def silent_hours(plan: Plan, inputs: Inputs) -> list[Finding]:
    """Hours in which one arm's events were lost; too many of them fail trust, others warn."""
    seen = inputs.logged
    if seen is None or len(inputs.arms) < 2:
        return []
    found = _silent(seen, len(inputs.arms))
    lost = max((_lost(seen, found, a) for a in range(len(inputs.arms))), default=0.0)
    trust: Trust = "holds" if not found else "fails" if lost >= _tolerated(plan) else "warns"
    claim = "In no hours did one arm alone fall silent."
    if found:
        matters = "enough" if trust == "fails" else "too little"
        claim = (
            f"On {'; on '.join(_hours(inputs, seen, s) for s in found[:_NAMED])}: a collector may "
            f"have been down. That is at least {plain(100 * lost, 1)}% of what was to be seen, "
            f"by that {matters} to matter{' to a margin of the plan' if _margins(plan) else ''}."
        )
    return [
        Finding(
            id="doubt.hours",
            claim=claim,
            stance=BY_TRUST[trust],
            grade=Grade.T,
            trust=trust,
            n=int(seen.users.sum()),
            method="sampled users seen in each span of 1 to 12 hours, arm by arm, against the same "
            "hours of the three days on either side; 0.1% over all spans, error widened by how "
            "spans differ; a fall of three tenths that the arm itself made; fails trust when "
            + (
                "a quarter of the smallest margin, or more, was lost"
                if _margins(plan)
                else f"{share(_TOLERATED)} or more was lost"
            ),
            assumes="A launch does not stop people for some hours of one day.",
            breaks="A release or an outage within the launch that people did feel.",
            evidence=_picture(inputs, seen, found),
            query_digest=seen.query,
        )
    ]


def _silent(seen: Logged, arms: int) -> list[Silence]:
    """Every arm's silences beside control, and control's own, each once."""
    found: list[Silence] = []
    for arm in range(1, arms):
        pair = [0, arm]
        active, exposed = seen.active[:, pair], seen.exposed[:, pair]
        found += [replace(s, arm=pair[s.arm]) for s in silences(active, exposed, pairs=arms - 1)]
    kept: list[Silence] = []
    # Control's hours show beside each of several arms; the longest sight of them is kept.
    for one in sorted(found, key=lambda s: -s.missing):
        if all(one.arm != k.arm or one.first > k.last or one.last < k.first for k in kept):
            kept.append(one)
    return sorted(kept, key=lambda s: s.first)


def _lost(seen: Logged, found: list[Silence], arm: int) -> float:
    """The share of an arm's users by the hour that its silences took."""
    gone = sum(s.missing for s in found if s.arm == arm)
    return gone / max(float(seen.active[:, arm].sum()) + gone, 1.0)


def _hours(inputs: Inputs, seen: Logged, s: Silence) -> str:
    one, last = seen.hours[s.first], seen.hours[s.last] + np.timedelta64(1, "h")
    when = day(one.astype("datetime64[D]").item())
    return (
        f"{when}, {_clock(one)} to {_clock(last)} UTC, {plain(100 * s.fall, 0)}% of the users "
        f"of {inputs.arms[s.arm]} who were to be expected were not seen"
    )


def _clock(hour: np.datetime64) -> str:
    return f"{int((hour - hour.astype('datetime64[D]')) / np.timedelta64(1, 'h')):02d}:00"


def _picture(inputs: Inputs, seen: Logged, found: list[Silence]) -> tuple[Curve, ...]:
    if not found:
        return ()
    s = found[0]
    part = slice(max(0, s.first - 24), s.last + 25)
    other = 0 if s.arm else 1
    return (
        Curve(
            title="Users seen by the hour, in the sample",
            x_label="hour, UTC",
            y_label="users seen",
            x=tuple(str(h).replace("T", " ") + ":00" for h in seen.hours[part]),
            lines=tuple(
                CurveLine(name=inputs.arms[a], y=tuple(float(v) for v in seen.active[part, a]))
                for a in sorted((other, s.arm))
            ),
        ),
    )


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
