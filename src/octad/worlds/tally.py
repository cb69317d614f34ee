"""Metrics summed as a world is lived, to read its truth without writing its events."""

from __future__ import annotations

import numpy as np

from octad.worlds.base import Floats, Ints
from octad.worlds.life import DAY, PAY, Sessions

__all__ = ["Tally"]

_FOUR_WEEKS = 28 * DAY


class Tally:
    """Per-person figures since exposure, as the wallet's metrics define them.

    Args:
        since: (N,) moments of exposure, filled as the world is lived.
        days: How many days since exposure `by_day` tells apart.

    Attributes:
        figures: Metric to (N,): `opens` in 14 days; `payments`, `transfers`, `crashes`,
            `all_opens`, `good`, `given_up`, `shamed`, `blanks` in 28 days; `retained` counts the
            sessions of day 21 to 28.
        by_day: `opens` and `payments` to (D,) totals by day since exposure.
    """

    def __init__(self, since: Ints, days: int) -> None:
        self.since = since
        self.days = days
        self.figures: dict[str, Floats] = {}
        self.by_day = {name: np.zeros(days) for name in ("opens", "payments")}

    def add(self, s: Sessions) -> None:
        """Count a day's sessions."""
        since = self.since[s.user]
        age = s.at - since
        known = (since >= 0) & (age >= 0)
        month = known & (age < _FOUR_WEEKS)
        opens = 1.0 + s.relaunched
        pays = (s.done & (s.kind == PAY)) * (1.0 + s.retried)
        good = (s.done & (s.kind == PAY)) * (1.0 - s.failed + s.retried)
        for name, value in (
            ("opens", opens * (known & (age < 14 * DAY))),
            ("all_opens", opens * month),
            ("payments", pays * month),
            ("good", good * month),
            ("transfers", ((s.done & (s.kind == 1)) | s.gift) * month),
            ("crashes", s.crashed * month),
            ("given_up", s.gave_up * month),
            ("shamed", s.shamed * month),
            ("blanks", s.blank * month),
            ("retained", known & (age >= 21 * DAY) & (age < _FOUR_WEEKS)),
        ):
            n = len(self.since)
            total = np.bincount(s.user, weights=value.astype(np.float64), minlength=n)
            self.figures[name] = self.figures.get(name, np.zeros(n)) + total
        day = np.clip(age[known] // DAY, 0, self.days - 1)
        for name, value in (("opens", opens), ("payments", pays)):
            self.by_day[name] += np.bincount(day, weights=value[known], minlength=self.days)

    def value(self, name: str) -> Floats:
        """A figure per person; `retained` as 0 or 1."""
        figure = self.figures[name]
        return np.minimum(figure, 1.0) if name == "retained" else figure
