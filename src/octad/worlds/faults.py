"""What can be wrong with how a launch is measured, while life goes on as it does.

Each field is one mechanism; the default of each does nothing. Whoever adds a mechanism adds a
field here, so that a launch says in one place everything that is wrong with its measurement.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["Faults"]

_SHOWS = 3.291 + 0.842
"""Standard errors at which a two-sided test at p < .001 has power 80%."""
_VARIES = 2.8
"""Twice the spread, by its mean, of a user's events over some three weeks."""
_MONTH, _STAYS = 28, 7
_WAKE = (7, 23)
_OWNED = (0.5, 0.3, 0.2)
"""About the shares of new, mid and old devices."""
_MATTERS, _BROKEN, _HOURS = 0.01, 25, 6.0
_FOLLOWED, _VISITS, _DAILY = 8_000, 8, 0.4
"""Users whose events a review looks at one by one; what one does in three weeks, and a day."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of measurement, and of the time of a launch. The default has none.

    Days are counted since the launch's start; a span's last day is excluded.

    Attributes:
        unrecorded: Share of the treated whose exposure is never written.
        unlogged: Share of the treated's events that are lost.
        unlogged_days: The span in which they are lost.
        unlogged_events: The names of events that are lost; empty means all.
        unlogged_hours: The hours of the day, UTC, in which they are lost; the last is excluded.
        unlogged_devices: Codes into `people.DEVICES` of those who lose them; empty means all.
        praise: Bought five-star reviews a day.
        praise_days: The span in which they are bought.
        praise_copied: The share of these that are an earlier one with hardly a word changed.
        praise_deleted: The share of these that the store takes down later.
        rival_day: The day on which a rival launches and everyone's needs shift; None for never.
        rival_size: By how much everyone's needs shift from that day: -0.1 is a tenth fewer.
        season: Everyone's needs as a factor by day since the launch's start; the last one stays.
        friends: How much each treated friend changes a person's needs: 0.02 is 2% more for each.
        everyone: Nobody was held back: all who come are treated from the launch's start.
        waves: The days on which the regions get it, one a region in the order of
            `people.REGIONS`; empty means that chance decides.
    """

    unrecorded: float = 0.0
    unlogged: float = 0.0
    unlogged_days: tuple[int, int] = (0, 0)
    unlogged_events: tuple[str, ...] = ()
    unlogged_hours: tuple[int, int] = (0, 24)
    unlogged_devices: tuple[int, ...] = ()
    praise: float = 0.0
    praise_days: tuple[int, int] = (0, 0)
    praise_copied: float = 0.6
    praise_deleted: float = 0.4
    rival_day: int | None = None
    rival_size: float = 0.0
    season: tuple[float, ...] = ()
    friends: float = 0.0
    everyone: bool = False
    waves: tuple[int, ...] = ()

    @property
    def trust(self) -> str:
        """Whether a comparison of the recorded arms can be believed: `holds` or `fails`."""
        lost = self.unlogged > 0 and self.unlogged_days[1] > self.unlogged_days[0]
        return "fails" if self.unrecorded > 0 or lost or self.friends else "holds"

    @property
    def bias(self) -> float:
        """The share of a treated person's events that is lost in the four weeks from day 0 on."""
        first, last = self.unlogged_days
        days = max(0, min(last, _MONTH) - max(first, 0))
        devices = sum(_OWNED[d] for d in self.unlogged_devices) if self.unlogged_devices else 1.0
        return self.unlogged * devices * self._waking * days / _MONTH

    @property
    def _waking(self) -> float:
        """The share of a day's events that fall into the hours of the loss."""
        first, last = self.unlogged_hours
        return max(0, min(last, _WAKE[1]) - max(first, _WAKE[0])) / (_WAKE[1] - _WAKE[0])

    def shows(self, users: int) -> bool:
        """Whether a failing comparison gives itself away with this many compared users.

        Exposures that are lost show in the arms' sizes (a sample ratio off by four standard
        errors, which a test at p < .001 then sees with power 80%). Events that are lost from a
        day on show in the events a user, whose mean over some weeks has a relative error of
        `_VARIES` over the root of the users in both arms. Events that are lost one by one, at
        whatever time, leave visits in which a payment ends that never began: 25 users with such a
        visit are clear, where without the loss there is none. And hours in which most of an arm is
        not seen stand out against the same hours of other days. All but the first must also matter:
        take a hundredth of what is counted, since a smaller loss is within any plan's margin.
        """
        root = math.sqrt(max(users, 1))
        off = self.unrecorded / (4 - 2 * self.unrecorded)  # of the share of one half
        first, last = self.unlogged_days
        lost = self.unlogged if first > 0 and last - first >= _STAYS else 0.0
        if max(off / 0.5, lost / _VARIES) * root > _SHOWS:
            return True
        if self.bias < _MATTERS:
            return False
        followed = min(users, _FOLLOWED) / 2
        broken = followed * self.bias * _VISITS * (1 - self.unlogged)
        seen = followed * _DAILY * self._waking / 2  # in each arm; and their difference's variance
        return broken > _BROKEN or self.unlogged * math.sqrt(seen) > _HOURS

    @property
    def randomised(self) -> bool:
        """Whether chance decided who got it."""
        return not self.everyone and not self.waves
