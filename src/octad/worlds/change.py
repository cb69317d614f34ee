"""What a launch does to a world: it changes mechanisms, never figures."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FEED", "Change", "Rollout"]


@dataclass(frozen=True, slots=True)
class Change:
    """A change of mechanisms for those who have it. The default changes nothing.

    Attributes:
        lure: Extra opens a day for somebody of mean sociability, on the first days.
        lure_days: Days until that pull has faded to 1/e: the novelty.
        lure_stays: The share of the pull that does not fade.
        steps: Seconds of scrolling and tapping that are added before paying.
        hidden: Further seconds of searching, because the pay button has moved; they fall with
            practice, and are more for those who had long been used to its place.
        practice: Sessions until the searching has fallen to 1/e.
        slow: Seconds of waiting added on a new, mid and old device, before the network's factor.
        blank: How often it stays blank for somebody of mean intensity; grows with intensity.
        shame: How often a payment is seen, and spoken of, by somebody's family.
        feed: Whether there is a feed to look at.
        handy: The share of payments otherwise made in cash, because the phone takes too long,
            that are now made with the product.
        nag: Notes a day that call people back; each makes a little sore, opened or not.
        strange: The share of needs that go elsewhere at first, since old habits lead nowhere.
        strange_days: Days until the new ways are learned to 1/e.
        tangle: How often it stays blank for somebody who pays one mean's worth more than what
            makes a history long; grows with the square of what is beyond that.
        farms: The share of accounts that farm a reward by script.
        farmed: Transfers a day that each of these makes to itself.
        instead: The share of transfers that people now only note down in the product's new list of
            who owes whom; the money is not sent.
    """

    lure: float = 0.0
    lure_days: float = 8.0
    lure_stays: float = 0.0
    steps: float = 0.0
    hidden: float = 0.0
    practice: float = 8.0
    slow: tuple[float, float, float] = (0.0, 0.0, 0.0)
    blank: float = 0.0
    shame: float = 0.0
    feed: bool = False
    handy: float = 0.0
    nag: float = 0.0
    strange: float = 0.0
    strange_days: float = 5.0
    tangle: float = 0.0
    farms: float = 0.0
    farmed: float = 0.0
    instead: float = 0.0


@dataclass(frozen=True, slots=True)
class Rollout:
    """Who gets it when, in days since the launch's start.

    Attributes:
        reach: Share of users that may be enrolled on day 0, 1, …; the last one stays.
        closes: The first day on which nobody is enrolled any more.
        treated: The planned share of the treatment arm.
    """

    reach: tuple[float, ...] = (1.0,)
    closes: int = 10_000
    treated: float = 0.5


FEED = Change(
    lure=0.066,
    lure_days=7.0,
    lure_stays=0.02,
    steps=0.5,
    hidden=1.6,
    practice=9.0,
    slow=(0.25, 0.6, 3.5),
    blank=0.004,
    shame=0.0125,
    feed=True,
)
"""The social feed on the wallet's home page."""
