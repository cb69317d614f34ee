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


@dataclass(frozen=True, slots=True)
class Faults:
    """Faults of measurement, and of the time of a launch. The default has none.

    Days are counted since the launch's start; a span's last day is excluded.

    Attributes:
        unrecorded: Share of the treated whose exposure is never written.
        unlogged: Share of the treated's events that are lost.
        unlogged_days: The span in which they are lost.
        unlogged_events: The names of events that are lost; empty means all.
        praise: Bought five-star reviews a day.
        praise_days: The span in which they are bought.
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
    praise: float = 0.0
    praise_days: tuple[int, int] = (0, 0)
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

    def shows(self, users: int) -> bool:
        """Whether a failing comparison gives itself away with this many compared users.

        Exposures that are lost show in the arms' sizes (a sample ratio off by four standard
        errors, which a test at p < .001 then sees with power 80%). Events that are lost from a
        day on show in the events a user, whose mean over some weeks has a relative error of
        `_VARIES` over the root of the users in both arms.
        """
        root = math.sqrt(max(users, 1))
        off = self.unrecorded / (4 - 2 * self.unrecorded)  # of the share of one half
        lost = self.unlogged if self.unlogged_days[0] > 0 else 0.0
        return max(off / 0.5, lost / _VARIES) * root > _SHOWS

    @property
    def randomised(self) -> bool:
        """Whether chance decided who got it."""
        return not self.everyone and not self.waves
