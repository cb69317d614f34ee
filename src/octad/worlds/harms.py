"""What of a launch is truly harm, truly good, and which of it so many users can show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from octad.worlds.base import Bools, Floats
from octad.worlds.gauges import GAUGES, power
from octad.worlds.launches import Aims

__all__ = ["Futures", "gained", "harms", "measured", "shown_within"]

SURE = 3.0
"""An effect counts as real beyond this many standard errors of the two arms' own noise."""
MATTERS = 0.002
"""A relative gain over the year that is worth the name."""
FADES = 1 / 3
"""A gain has faded when less than this share of it is left over the year."""
DISPLACED = 0.02
"""A core job that loses more than this share of its use is displaced."""


@dataclass(frozen=True, slots=True)
class Futures:
    """Figures of the same people under both arms.

    Attributes:
        off: Figure to (N,) sums without the launch.
        on: The same with it.
        groups: Name to (N,) who belongs to it; `everyone` is one of them.
        treated: The share of users that a comparison gives it to.
    """

    off: Mapping[str, Floats]
    on: Mapping[str, Floats]
    groups: Mapping[str, Bools]
    treated: float = 0.5

    def effect(self, metric: str, group: str = "everyone") -> float:
        """The relative effect on a metric in a group."""
        return GAUGES[metric].effect(self.off, self.on, self.groups[group])

    def error(self, metric: str, group: str = "everyone") -> float:
        """The relative standard error of a comparison of its users by chance."""
        return GAUGES[metric].error(self.off, self.on, self.groups[group], self.treated)

    def noise(self, metric: str, group: str = "everyone") -> float:
        """The standard error of the effect itself."""
        return GAUGES[metric].noise(self.off, self.on, self.groups[group])


def measured(window: Futures, year: Futures) -> dict[str, dict[str, dict[str, float]]]:
    """`window`, `se` and `year`: group to metric to figure."""
    return {
        "year": _table(year, "effect"),
        "window": _table(window, "effect"),
        "se": _table(window, "error"),
    }


def _table(futures: Futures, what: str) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for group in futures.groups:
        values = {m: float(getattr(futures, what)(m, group)) for m in GAUGES}
        found[group] = {m: round(v, 5) for m, v in values.items() if np.isfinite(v)}
    return found


def harms(
    aims: Aims, core: Mapping[str, str], window: Futures, year: Futures
) -> list[dict[str, Any]]:
    """What is truly harmed, worst seen first.

    Args:
        aims: What the plan promises.
        core: Core job to the metric that counts its use, where something took its place.
        window: The plan's own time, all users.
        year: The year.

    Returns:
        Each with `what`, `metric`, `who`, its effect over the `year` and in the plan's `window`,
        the relative standard error `se` and the `power` of a test of it, and `by`: whether
        `numbers` of the plan show it, or only a `reading`.
    """
    found = [*_against_margins(aims, window, year)]
    found += _faded(aims, window, year)
    found += _made_by_few(aims, window, year)
    found += _heavy(aims, window, year)
    found += [
        _harm("core job displaced", m, "everyone", window, year, by="reading")
        for job, m in core.items()
        if m not in aims.results and m != aims.kpi and _real(m, "everyone", year, DISPLACED)
    ]
    return sorted(found, key=lambda h: -float(h["power"]))


def _real(metric: str, group: str, year: Futures, margin: float) -> bool:
    """Whether a metric is truly worse than its margin over the year."""
    gain = GAUGES[metric].gain(year.effect(metric, group))
    return gain < -margin and gain < -SURE * year.noise(metric, group)


def _harm(
    what: str,
    metric: str,
    group: str,
    window: Futures,
    year: Futures,
    *,
    by: str = "numbers",
    tests: int = 1,
) -> dict[str, Any]:
    effect, error = window.effect(metric, group), window.error(metric, group)
    wrong = GAUGES[metric].gain(effect) < 0
    level = float(-ndtri(0.025 / tests))  # who looks at many segments must pay for each
    return {
        "what": what,
        "metric": metric,
        "who": group,
        "year": round(year.effect(metric, group), 5),
        "window": round(effect, 5),
        "se": round(error, 5),
        "power": round(power(effect, error, level), 4) if wrong else 0.0,
        "by": by,
    }


def _against_margins(aims: Aims, window: Futures, year: Futures) -> Iterator[dict[str, Any]]:
    """Results and guardrails that are worse than their margins, for all or for a segment."""
    segments = [group for group in year.groups if "=" in group]
    for what, margins in (("result", aims.results), ("guardrail", aims.guardrails)):
        for metric, margin in margins.items():
            if _real(metric, "everyone", year, margin):
                yield _harm(f"{what} worse", metric, "everyone", window, year)
            elif what == "result":
                tests = len(segments) * len(margins)
                for group in segments:
                    if _real(metric, group, year, margin):
                        yield _harm("segment harmed", metric, group, window, year, tests=tests)


def _faded(aims: Aims, window: Futures, year: Futures) -> Iterator[dict[str, Any]]:
    """A KPI that was up in the plan's time and is not over the year: seen as it falls."""
    gauge, who = GAUGES[aims.kpi], window.groups["everyone"]
    now, later = (gauge.gain(f.effect(aims.kpi)) for f in (window, year))
    if now < MATTERS or now < SURE * window.noise(aims.kpi, "everyone") or later > FADES * now:
        return
    falls, error = _fall(aims.kpi, window, who)
    yield {
        **_harm("gain fades", aims.kpi, "everyone", window, year, by="reading"),
        "se": round(error, 5),
        "power": round(power(falls, error), 4) if falls > 0 else 0.0,
    }


def _fall(kpi: str, window: Futures, who: Bools) -> tuple[float, float]:
    """By how much the effect falls from the first week to the fourth, and its standard error."""
    if f"first {kpi}" not in window.off:
        return 0.0, float("inf")
    weeks = [(f[f"first {kpi}"], f[f"fourth {kpi}"]) for f in (window.off, window.on)]
    falls, spread = [], []
    (off_first, off_fourth), _ = weeks
    scale = [float(np.mean(part[who])) or 1.0 for part in (off_first, off_fourth)]
    for first, fourth in weeks:
        part = first[who] / scale[0] - fourth[who] / scale[1]
        falls.append(float(part.mean()))
        spread.append(float(part.var()))
    n = max(int(who.sum()), 1)
    error = spread[0] / (n * (1 - window.treated)) + spread[1] / (n * window.treated)
    return falls[1] - falls[0], float(np.sqrt(error))


def _made_by_few(aims: Aims, window: Futures, year: Futures) -> Iterator[dict[str, Any]]:
    """A KPI whose gain vanishes once the accounts that farm it are left out."""
    if "all but farms" not in year.groups:
        return
    gauge = GAUGES[aims.kpi]
    every, honest = (gauge.gain(year.effect(aims.kpi, g)) for g in ("everyone", "all but farms"))
    if every > MATTERS and honest < FADES * every:
        yield _harm("gain made by few", aims.kpi, "everyone", window, year, by="reading") | {
            "power": round(power(window.effect(aims.kpi), window.error(aims.kpi)), 4)
        }


def _heavy(aims: Aims, window: Futures, year: Futures) -> Iterator[dict[str, Any]]:
    """Those who use it most, harmed beyond a result's margin that holds for all.

    What they meet may show it before they leave, so it counts as seen by the better of two tests:
    of the result among them, and of the share of them who met an error that is new.
    """
    who = "heavy users"
    for metric, margin in aims.results.items():
        if not _real(metric, "everyone", year, margin) and _real(metric, who, year, margin):
            harm = _harm("heavy users harmed", metric, who, window, year, by="reading")
            yield harm | {"power": max(harm["power"], round(_met_more(window, who), 4))}


def _met_more(window: Futures, group: str) -> float:
    """The power to see that more people of a group met a blank page."""
    inside = window.groups[group]
    shares = [float((f["blanks"][inside] > 0).mean()) for f in (window.off, window.on)]
    n, more = int(inside.sum()), shares[1] - shares[0]
    spread = [s * (1 - s) / n for s in shares]
    error = (spread[0] / (1 - window.treated) + spread[1] / window.treated) ** 0.5
    return power(more, error) if more > 0 else 0.0


def gained(aims: Aims, year: Futures) -> str:
    """What is truly better over the year: a `result`, only the `kpi`, or `none`."""

    def better(metric: str) -> bool:
        gain = GAUGES[metric].gain(year.effect(metric))
        return gain > MATTERS and gain > SURE * year.noise(metric)

    if any(map(better, aims.results)):
        return "result"
    return "kpi" if better(aims.kpi) else "none"


def shown_within(aims: Aims, window: Futures) -> float:
    """The chance that every margin is shown to hold, and the gain or the KPI to be up.

    Results are held to a 97.5% one-sided bound, guardrails to one of 95%, as the verdict does; a
    result that is better needs no bound.
    """
    chance, gains = 1.0, []
    for metric, margin in {**aims.results, **aims.guardrails}.items():
        gain = GAUGES[metric].gain(window.effect(metric))
        error = window.error(metric)
        level = 1.959964 if metric in aims.results else 1.644854
        within = power(gain + margin, error, level) if gain + margin > 0 else 0.0
        better = power(gain, error) if gain > 0 else 0.0
        gains += [better] if metric in aims.results else []
        chance *= max(within, better)
    kpi = GAUGES[aims.kpi].gain(window.effect(aims.kpi))
    gains.append(power(kpi, window.error(aims.kpi)) if kpi > 0 else 0.0)
    return round(chance * max(gains), 4)
