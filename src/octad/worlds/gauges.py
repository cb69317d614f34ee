"""Metrics of a world's truth: what a launch changed, and how well a comparison could see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from octad.worlds.base import Bools, Floats

__all__ = ["GAUGES", "Gauge", "power"]

Figures = Mapping[str, Floats]
"""Figure to (N,) sums, one a person."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """A metric: a mean per person, or a ratio of two sums.

    Attributes:
        top: The figure that is summed.
        bottom: The figure that divides it; None for a mean per person.
        down: Whether less is better.
    """

    top: str
    bottom: str | None = None
    down: bool = False

    def effect(self, off: Figures, on: Figures, who: Bools) -> float:
        """The relative effect among some people: 0.05 is five per cent more."""
        before, after = self._level(off, who), self._level(on, who)
        return after / before - 1 if before else 0.0

    def gain(self, effect: float) -> float:
        """The effect with the sign that is good for people."""
        return -effect if self.down else effect

    def noise(self, off: Figures, on: Figures, who: Bools) -> float:
        """The standard error of `effect` itself, whose arms are the same people."""
        grown = 1 + self.effect(off, on, who)
        change = grown * self._parts(on, who) - self._parts(off, who)
        return float(change.std() / np.sqrt(max(len(change), 1)))

    def error(self, off: Figures, on: Figures, who: Bools, treated: float) -> float:
        """The relative standard error of a comparison of these people, split at random.

        Args:
            off: Figures of everyone without the launch.
            on: Figures of everyone with it.
            who: (N,) who is compared.
            treated: The share that is given it.

        Returns:
            By the delta method, for a ratio of sums; without any adjustment by earlier behaviour.
        """
        n = int(who.sum())
        if n < 2:
            return float("inf")
        spread = [self._parts(f, who).var() for f in (off, on)]
        return float(np.sqrt(spread[0] / (n * (1 - treated)) + spread[1] / (n * treated)))

    def _level(self, figures: Figures, who: Bools) -> float:
        top = float(figures[self.top][who].sum())
        under = float(who.sum()) if self.bottom is None else float(figures[self.bottom][who].sum())
        return top / under if under else 0.0

    def _parts(self, figures: Figures, who: Bools) -> Floats:
        """(N,) each person's part in the relative level: linearised, mean 1 or 0."""
        level = self._level(figures, who)
        top = figures[self.top][who]
        if not level:
            return np.zeros(len(top))
        if self.bottom is None:
            return np.asarray(top / level)
        bottom = figures[self.bottom][who]
        return np.asarray((top - level * bottom) / (bottom.mean() * level))


GAUGES = {
    "opens": Gauge("opens"),
    "payments": Gauge("payments"),
    "transfers": Gauge("transfers"),
    "spend": Gauge("spend"),
    "retained": Gauge("retained"),
    "pay_success": Gauge("good", "payments"),
    "crash_rate": Gauge("crashes", "all_opens", down=True),
}
"""The wallet's metrics, as `octad.yml` defines them."""


def power(effect: float, error: float, level: float = 1.959964) -> float:
    """The chance that a two-sided 5% test of no effect is passed in the effect's direction."""
    return float(ndtr(abs(effect) / error - level)) if 0 < error < np.inf else 0.0
