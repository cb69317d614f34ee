"""Metrics summed as a world is lived, to read its truth without writing its events."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from octad.worlds.base import Bools, Floats, Ints
from octad.worlds.life import DAY, PAY, TRANSFER, Sessions

__all__ = ["SPREAD", "Tally", "Year"]

Amount = Callable[[Sessions, Ints], Floats]

SPREAD = 0.75
"""The standard deviation of the log of a person's payments."""

_FOUR_WEEKS = 28 * DAY


class Tally:
    """Per-person figures since exposure, as the wallet's metrics define them.

    Args:
        since: (N,) moments of exposure, filled as the world is lived.
        days: How many days since exposure `by_day` tells apart.
        amount: Gives each session's amount of money; without it, `spend` is left out.

    Attributes:
        figures: Metric to (N,): `opens` in 14 days; `payments`, `transfers`, `crashes`,
            `all_opens`, `good`, `spend`, `given_up`, `shamed`, `blanks` in 28 days; `retained`
            counts the sessions of day 21 to 28. `first opens` and `fourth opens` are those of the
            first and the fourth week; likewise `payments` and `transfers`.
        by_day: `opens` and `payments` to (D,) totals by day since exposure.
    """

    def __init__(self, since: Ints, days: int, amount: Amount | None = None) -> None:
        self.since = since
        self.days = days
        self.amount = amount
        self.figures: dict[str, Floats] = {}
        self.by_day = {name: np.zeros(days) for name in ("opens", "payments")}

    def add(self, s: Sessions) -> None:
        """Count a day's sessions."""
        since = self.since[s.user]
        age = s.at - since
        known = (since >= 0) & (age >= 0)
        month = known & (age < _FOUR_WEEKS)
        first, fourth = known & (age < 7 * DAY), month & (age >= 21 * DAY)
        n = len(self.since)
        opens: Floats = np.add(1.0, s.relaunched, dtype=np.float64)
        pays: Floats = (s.done & (s.kind == PAY)) * np.add(1.0, s.retried, dtype=np.float64)
        good = (s.done & (s.kind == PAY)) * (1.0 - s.failed + s.retried)
        sent = (s.done & (s.kind == TRANSFER)) | s.gift
        for name, value in (
            ("opens", opens * (known & (age < 14 * DAY))),
            ("all_opens", opens * month),
            ("payments", pays * month),
            ("good", good * month),
            ("transfers", sent * month),
            ("crashes", s.crashed * month),
            ("given_up", s.gave_up * month),
            ("shamed", s.shamed * month),
            ("blanks", s.blank * month),
            ("retained", fourth),
            *((f"first {name}", value * first) for name, value in _weekly(opens, pays, sent)),
            *((f"fourth {name}", value * fourth) for name, value in _weekly(opens, pays, sent)),
        ):
            total = np.bincount(s.user, weights=value.astype(np.float64), minlength=n)
            self.figures[name] = self.figures.get(name, np.zeros(n)) + total
        if self.amount is not None:
            self._spend(s, good * month)
        day = np.clip(age[known] // DAY, 0, self.days - 1)
        for name, value in (("opens", opens), ("payments", pays)):
            self.by_day[name] += np.bincount(day, weights=value[known], minlength=self.days)

    def _spend(self, s: Sessions, good: Floats) -> None:
        assert self.amount is not None  # noqa: S101 - asked by the caller
        rows = np.flatnonzero(good)
        weights = good[rows] * self.amount(s, rows)
        total = np.bincount(s.user[rows], weights=weights, minlength=len(self.since))
        self.figures["spend"] = self.figures.get("spend", np.zeros(len(self.since))) + total

    def sums(self) -> dict[str, Floats]:
        """All figures as a comparison of the arms has them: `spend` without its rarest sums."""
        found = {name: self.value(name) for name in self.figures}
        if "spend" in found:
            found["spend"] = np.minimum(found["spend"], np.quantile(found["spend"], 0.999))
        return found

    def value(self, name: str) -> Floats:
        """A figure per person; `retained` as 0 or 1."""
        figure = self.figures[name]
        return np.minimum(figure, 1.0) if name == "retained" else figure


def _weekly(opens: Floats, pays: Floats, sent: Bools) -> tuple[tuple[str, Floats], ...]:
    return (("opens", opens), ("payments", pays), ("transfers", sent.astype(np.float64)))


class Year:
    """Per-person figures over the year since exposure, for what a launch is in the end.

    Args:
        since: (N,) moments of exposure, filled as the world is lived.
        typical: (N,) log of each person's typical payment.

    Attributes:
        figures: Metric to (N,): `opens`, `payments`, `good`, `transfers`, `crashes`, `all_opens`.
        by_day: `opens` and `payments` to (365,) totals by day since exposure.
    """

    DAYS = 365

    def __init__(self, since: Ints, typical: Floats) -> None:
        n = len(since)
        self.since = since
        self.figures = {name: np.zeros(n) for name in ("opens", "payments", "good", "transfers")}
        self.figures["crashes"] = np.zeros(n)
        self.by_day = {name: np.zeros(self.DAYS) for name in ("opens", "payments")}
        self._mean = np.exp(typical + SPREAD**2 / 2)
        self._weeks = np.zeros((n, self.DAYS // 7 + 1), dtype=np.bool_)

    def add(self, s: Sessions) -> None:
        """Count a day's sessions."""
        since = self.since[s.user]
        age = (s.at - since) // DAY
        rows = np.flatnonzero((since >= 0) & (age >= 0) & (age < self.DAYS))
        user, age, kind = s.user[rows], age[rows], s.kind[rows]
        done, retried = s.done[rows], s.retried[rows]
        paid = done & (kind == PAY)
        opens, pays = 1.0 + s.relaunched[rows], paid * (1.0 + retried)
        n = len(self.since)
        for name, value in (
            ("opens", opens),
            ("payments", pays),
            ("good", paid * (1.0 - s.failed[rows] + retried)),
            ("transfers", (done & (kind == TRANSFER)) | s.gift[rows]),
            ("crashes", s.crashed[rows]),
        ):
            self.figures[name] += np.bincount(user, weights=value, minlength=n)
        self._weeks[user, age // 7] = True
        for name, value in (("opens", opens), ("payments", pays)):
            self.by_day[name] += np.bincount(age, weights=value, minlength=self.DAYS)

    def sums(self) -> dict[str, Floats]:
        """All figures; `retained` counts the weeks after the third with an opening in them."""
        return {
            **self.figures,
            "all_opens": self.figures["opens"],
            "spend": self.figures["good"] * self._mean,
            "retained": self._weeks[:, 3:-1].sum(axis=1).astype(np.float64),
        }
