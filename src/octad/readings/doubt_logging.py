"""Is anything logged otherwise in one arm than in the other?

A launch changes what people do, but not from one day to the next in the middle of it. So each
series (users seen, events a user, each metric a user) is looked at as treatment over control, by
calendar day, for two things: a day that stands alone, and a step that stays. What began together
with the launch looks like an effect and cannot be told from one here; `doubt_traces` looks for
what lost events leave behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Curve, CurveLine, Finding, Grade, Stance
from octad.model.inputs import Inputs, MetricCells, Volume
from octad.model.numbers import count, day, plain
from octad.model.plan import Plan
from octad.readings.base import signed_percent
from octad.readings.claims import capital, spoken
from octad.readings.doubt_split import BY_TRUST, Trust

__all__ = ["Break", "breaks_of", "gaps", "vanished"]

FloatArray = NDArray[np.float64]

_FEWEST_DAYS = 7
_ODD, _ODD_ERRORS = 0.2, 6.0
_STEP, _STEP_ERRORS = 0.1, 8.0
_BESIDE = 3
"""Days on each side of a step."""
_LASTS = 0.5
"""Share of a step that must still be there over all the days after it."""
_SEEN = 100.0
_LOST = 0.1
_NOISE = 0.01
"""No series is steadier than this from day to day, however little its own days differ."""


@dataclass(frozen=True, slots=True)
class Break:
    """Where a series broke.

    Attributes:
        at: Index of its first day.
        size: How far it went, as a fraction of what it was.
        stays: Whether it stayed there; else that day alone is odd.
    """

    at: int
    size: float
    stays: bool


def breaks_of(first: FloatArray, second: FloatArray) -> list[Break]:
    """Days, or one step, on which one series parts from another.

    Both are judged by how far their ratio usually moves: a day by the median and the median
    deviation of all days, a step by the three days on either side of it.

    Args:
        first: (N,) one arm's series, not below 0.
        second: (N,) the other's.

    Returns:
        The step that stays, when there is one, then odd days; nothing under seven days.
    """
    fine = (first > 0) & np.isfinite(second)
    days = np.flatnonzero(fine)
    # The first and last day are seldom whole.
    days = days[(days > 0) & (days < len(first) - 1)]
    if len(days) < _FEWEST_DAYS:
        return []
    ratio = second[days] / first[days]
    usual = float(np.median(ratio))
    if usual <= 0:
        return []
    logs = np.log(np.maximum(ratio / usual, 1e-3))
    found = []
    step = _step(logs)
    rest = logs
    if step is not None:
        at, size = step
        found.append(Break(int(days[at]), float(np.expm1(size)), stays=True))
        rest = logs - np.where(np.arange(len(logs)) >= at, np.median(logs[at:]), 0.0)
        rest -= np.where(np.arange(len(logs)) < at, np.median(logs[:at]), 0.0)
    away = np.expm1(rest)
    spread = max(_NOISE, 1.4826 * float(np.median(np.abs(away))))
    odd = np.flatnonzero(np.abs(away) > max(_ODD, _ODD_ERRORS * spread))
    return found + [Break(int(days[i]), float(away[i]), stays=False) for i in odd]


def _step(logs: FloatArray) -> tuple[int, float] | None:
    """The largest jump that stays, by the medians of the days beside it."""
    places = np.arange(_BESIDE, len(logs) - _BESIDE + 1)
    if len(places) < 2 * _BESIDE:
        return None
    jumps = np.array(
        [np.median(logs[k : k + _BESIDE]) - np.median(logs[k - _BESIDE : k]) for k in places]
    )
    # Neighbouring jumps hold the same step, so that the noise is read off all but the largest.
    calm = np.sort(np.abs(jumps))[: max(_BESIDE, len(jumps) - 2 * _BESIDE)]
    noise = max(_NOISE / 2, 1.4826 * float(np.median(calm)))
    best = int(np.argmax(np.abs(jumps)))
    at, size = int(places[best]), float(jumps[best])
    stays = float(np.median(logs[at:]) - np.median(logs[:at]))
    if abs(size) < max(_STEP, _STEP_ERRORS * noise) or stays * size < _LASTS * size**2:
        return None
    # Of the days about it, the step is where one day differs most from the next.
    near = range(max(1, at - 1), min(len(logs), at + 2))
    return max(near, key=lambda k: abs(logs[k] - logs[k - 1])), stays


def gaps(inputs: Inputs) -> list[Finding]:
    """Days, or a step, on which one arm's logging parts from the other's; days without any."""
    volume = inputs.volume
    if volume is None or len(volume.days) < _FEWEST_DAYS or volume.users.shape[1] < 2:
        return []
    series = _series(inputs, volume)
    seen: list[tuple[str, int, Break]] = []
    for name, values in series.items():
        for arm in range(1, values.shape[1]):
            seen += [(name, arm, b) for b in breaks_of(values[:, 0], values[:, arm])]
    silent = _missing_days(volume)
    trust: Trust = "holds" if not seen and not silent else "warns"
    if any(b.stays for _, _, b in seen):
        trust = "fails"
    claims = [f"no event at all was logged on {_listed(silent)}"] if silent else []
    claims += _sentences(inputs, volume, series, seen)
    claim = (
        f"No day of {len(volume.days)}, and no lasting step, shows logging lost in one arm alone, "
        f"over {len(series)} series."
        if not claims
        else f"Logging may be broken: {'; '.join(claims[:4])}."
    )
    name, arm = (seen[0][0], seen[0][1]) if seen else ("events a user", 1)
    shown = series[name]
    lines = tuple(
        CurveLine(name=inputs.arms[a], y=tuple(float(v) for v in shown[:, a])) for a in (0, arm)
    )
    return [
        Finding(
            id="doubt.gaps",
            claim=claim,
            stance=BY_TRUST[trust],
            grade=Grade.T,
            trust=trust,
            n=int(inputs.exposure.counts.sum()) if inputs.exposure is not None else None,
            method="users seen, events a user, and each metric a user, treatment over control by "
            "day; a day is odd when it lies a fifth, and six robust deviations, from the median "
            "day; a step, when three days on either side differ by a tenth and eight deviations "
            "and it stays; a step fails trust, a day warns",
            assumes="A launch changes what users do, but not from one day to the next.",
            breaks="A campaign that reached one arm on one day; a release within the launch. A "
            "loss that began with the launch itself looks like an effect.",
            evidence=(
                Curve(
                    title=f"{capital(name)}, by day and arm",
                    x_label="day",
                    y_label=name,
                    x=tuple(str(d) for d in volume.days.astype("datetime64[D]")),
                    lines=lines,
                ),
            ),
        )
    ]


def _series(inputs: Inputs, volume: Volume) -> Mapping[str, FloatArray]:
    """What is followed by day: (N, A) each, per user so that the arms' sizes do not matter."""
    users = np.maximum(volume.users, 1.0)
    found = {"events a user": volume.events / users}
    exposure = inputs.exposure
    if exposure is not None and len(exposure.days):
        so_far = np.stack(
            [exposure.by_day[exposure.days <= d].sum(axis=0) for d in volume.days.astype("M8[D]")]
        )
        found["share of users seen"] = volume.users / np.maximum(so_far, 1.0)
    for name, total in volume.metrics.items():
        if float(total.sum(axis=0).min()) >= _SEEN:
            found[f"{spoken(name)} a user"] = total / users
    return found


def _missing_days(volume: Volume) -> list[str]:
    """Days between the first and the last with no event in any arm."""
    days = volume.days.astype("datetime64[D]")
    every = np.arange(days[0], days[-1] + 1)
    quiet = np.setdiff1d(every, days[volume.events.sum(axis=1) > 0])
    return [day(d.item()) for d in quiet]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} other days" if len(names) > 4 else "")


def _sentences(
    inputs: Inputs,
    volume: Volume,
    series: Mapping[str, FloatArray],
    seen: list[tuple[str, int, Break]],
) -> list[str]:
    groups: dict[tuple[int, bool, int, int], list[tuple[str, float]]] = {}
    for name, arm, b in sorted(seen, key=lambda s: (not s[2].stays, -abs(s[2].size))):
        who = _who_moved(series[name], arm, b)
        groups.setdefault((b.at, b.stays, arm, who), []).append((name, b.size))
    said = []
    for (at, stays, arm, who), parts in groups.items():
        when = day(volume.days[at].astype("datetime64[D]").item())
        names = _joined([name for name, _ in parts])
        sizes = _joined([signed_percent(size) for _, size in parts])
        one = len(parts) == 1
        if stays:
            said.append(
                f"from {when} on, {names} {'parts' if one else 'part'} between the arms ({sizes} "
                f"in {inputs.arms[arm]} against {inputs.arms[0]}, and it stays); the step is in "
                f"{inputs.arms[who]}"
            )
        else:
            said.append(
                f"on {when}, {names} {'jumps' if one else 'jump'} in {inputs.arms[who]} alone "
                f"({sizes} in {inputs.arms[arm]} against {inputs.arms[0]})"
            )
    return said


def _joined(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _who_moved(values: FloatArray, arm: int, b: Break) -> int:
    """The arm whose own series moves more on that day."""
    before = slice(max(0, b.at - _BESIDE), b.at)
    usual = np.median(values[before], axis=0) if b.at else values.mean(axis=0)
    moved = np.abs(np.log(np.maximum(values[b.at], 1e-12) / np.maximum(usual, 1e-12)))
    return arm if moved[arm] >= moved[0] else 0


def vanished(plan: Plan, inputs: Inputs) -> list[Finding]:
    """What was counted before exposure and never after it: in every arm, or in one alone."""
    series = {n: inputs.metrics[n] for n in plan.launch.metrics if n in inputs.metrics}
    for name, kinds in inputs.kinds.items():
        series |= {f"{name}: {kind}": cells for kind, cells in kinds.items()}
    found = []
    for name, cells in series.items():
        if not cells.paired or cells.quantiles is not None:
            continue
        arms = cells.moments[0].total(1)
        before, after = (arms.n * arms.mean[:, i] for i in (2, 0))
        if before.sum() >= _SEEN and after.sum() == 0 and not arms.comoment[:, 0, 0].any():
            found.append(_gone(name, float(before.sum()), float(arms.n.sum()), cells))
        elif len(arms.n) > 1 and before.min() >= _SEEN:
            found += _gone_in_one(inputs, name, before, after, cells)
    return found


def _gone(name: str, before: float, users: float, cells: MetricCells) -> Finding:
    return Finding(
        id=f"doubt.vanished.{name}",
        claim=f"{capital(spoken(name))} was {count(round(before))} in all before exposure, and "
        "0 after it in every arm: its logging was probably lost.",
        stance=Stance.AGAINST,
        grade=Grade.T,
        trust="fails",
        metric=cells.metric,
        n=int(users),
        method="the metric's sum over all users before exposure, and after it",
        assumes="People do not all stop at once.",
        breaks="A product that took the thing away from everybody on purpose.",
        query_digest=cells.query,
    )


def _gone_in_one(
    inputs: Inputs, name: str, before: FloatArray, after: FloatArray, cells: MetricCells
) -> list[Finding]:
    """An arm that kept under a tenth of what the other arms kept."""
    kept = after / before
    found = []
    for a, arm in enumerate(inputs.arms):
        others = float(np.delete(kept, a).min())
        if kept[a] >= _LOST * others or others * before[a] < _SEEN:
            continue
        trust: Trust = "warns" if a else "fails"
        why = (
            "either the launch took it away or its logging was lost"
            if a
            else "nothing was changed there, so its logging was lost"
        )
        found.append(
            Finding(
                id=f"doubt.vanished.{name}.{arm}",
                claim=f"{capital(spoken(name))} all but ends in {arm} after exposure "
                f"({count(round(float(after[a])))} of the {count(round(float(before[a])))} before; "
                f"the others kept {plain(100 * others, 0)}%): {why}.",
                stance=BY_TRUST[trust],
                grade=Grade.T,
                trust=trust,
                metric=cells.metric,
                n=int(cells.moments[0].n.sum()),
                method="the sum after exposure over the sum before it, arm by arm; an arm that "
                "kept under a tenth of what every other arm kept",
                assumes="Nine of ten people do not stop something at once.",
                breaks="A launch that takes something away on purpose.",
                query_digest=cells.query,
            )
        )
    return found
