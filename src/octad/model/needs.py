"""What a reading asks of the data, before any data are touched.

Needs merge with ``|``, so that one gathering serves every reading.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

__all__ = ["Needs"]


@dataclass(frozen=True, slots=True)
class Needs:
    """A request; every field is a set of names or a switch, and merges by union.

    Attributes:
        totals: Metrics wanted per arm, with their pre-period.
        sliced: Metrics wanted also per segment.
        attributed: Metrics wanted also per segment of the attributes that the users' source gives
            them, and not of what they did before: then events that no metric names are not read.
        daily: Metrics wanted also per day since exposure.
        tails: Metrics whose largest users are wanted.
        variants: Metrics wanted also under other defensible choices (winsorised, staff kept).
        retention: The share of users active on each day since exposure.
        jobs: Usage of the charter's jobs by arm, before and after exposure.
        errors: Errors by intensity of use before exposure.
        walks: Journeys of users and of the team, and signs of trouble.
        stories: How many timelines of real users.
        named: Users, under their keyed hashes, whose timelines are wanted again.
        hurt: Segments that the launch hurts, each as attribute and value pairs: some of the
            timelines are to come from there.
        reviews: Reviews of our product and its rivals.
        releases: Releases of our product and its rivals.
        exposure: Who was exposed when, by what was known of them, and what was wrong with it.
        volume: Events per calendar day and arm.
        calendar: Metrics wanted also per calendar day.
        kinds: Metrics wanted also by each event they count.
        visits: How deep the visits of a sample are.
        cohort: Older users, for what early behaviour says of later.
        history: Past launches and sealed forecasts.
        reach: Metrics wanted by how many of a user's ties have the launch, where a source says who
            is tied to whom.
    """

    totals: frozenset[str] = frozenset()
    sliced: frozenset[str] = frozenset()
    attributed: frozenset[str] = frozenset()
    daily: frozenset[str] = frozenset()
    tails: frozenset[str] = frozenset()
    variants: frozenset[str] = frozenset()
    retention: bool = False
    jobs: bool = False
    errors: bool = False
    walks: bool = False
    stories: int = 0
    named: frozenset[str] = frozenset()
    hurt: frozenset[tuple[tuple[str, str], ...]] = frozenset()
    reviews: bool = False
    releases: bool = False
    exposure: bool = False
    volume: bool = False
    calendar: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    visits: bool = False
    cohort: bool = False
    history: bool = False
    reach: frozenset[str] = frozenset()

    def __or__(self, other: Needs) -> Needs:
        """Everything either asks for."""

        def union(one: Any, two: Any) -> Any:
            return (
                max(one, two) if isinstance(one, int) and not isinstance(one, bool) else one | two
            )

        return Needs(
            **{f.name: union(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        )

    @property
    def metrics(self) -> frozenset[str]:
        """Every metric that is asked for in any form."""
        wanted = (self.totals, self.sliced, self.attributed, self.daily, self.tails, self.variants)
        return frozenset().union(*wanted)
