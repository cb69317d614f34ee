"""What people wrote around a launch: whose reviews, when, and what of it is sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Quote
from octad.model.inputs import Inputs, Reviews
from octad.model.plan import Everyone, Plan, Staged
from octad.text.bursts import Praise, find_praise
from octad.text.quotes import quote_text
from octad.text.store import OwnWords, every_own_words

__all__ = ["FEWEST", "Talk", "launch_day", "listen", "quote_of"]

BoolArray = NDArray[np.bool_]

FEWEST = 20
"""Fewer of our own reviews on a side of the launch than this say nothing."""

_SHORTEST, _LONGEST = 28, 90


@dataclass(frozen=True, slots=True, eq=False)
class Talk:
    """The reviews around a launch; masks have one entry a review.

    Attributes:
        start: The launch's day.
        days_before, days_after: Whole days of each window.
        before, after: Reviews of any product in the windows.
        words: What each reviewer wrote, read once for all that need it.
        sound: Not deleted by the store, and not set aside as bought, pushed or pasted.
        pasted: Five-star texts pasted three times or more.
        praise: By product, what was set aside and why.
        first: The first day of any own review.
    """

    reviews: Reviews
    words: OwnWords
    start: np.datetime64
    days_before: int
    days_after: int
    before: BoolArray
    after: BoolArray
    sound: BoolArray
    pasted: BoolArray
    praise: Mapping[str, Praise]
    first: np.datetime64

    @property
    def ours(self) -> BoolArray:
        """Reviews of our product."""
        return self.reviews.ours

    @property
    def windows(self) -> str:
        """The windows in words."""
        return f"{self.days_after} days from {self.start} against the {self.days_before} before"

    def mean_stars(self, rows: BoolArray) -> float:
        """Mean stars of the rated among `rows`; NaN when none is."""
        stars = self.reviews.rating[rows]
        stars = stars[np.isfinite(stars)]
        return float(stars.mean()) if len(stars) else float("nan")


def launch_day(plan: Plan) -> np.datetime64 | None:
    """The first day anyone had it, if the plan says."""
    design = plan.launch.design
    day = plan.launch.starts
    if isinstance(design, Everyone):
        day = design.everyone
    elif isinstance(design, Staged) and design.dates:
        day = min(design.dates.values())
    return None if day is None else np.datetime64(day, "D")


def listen(plan: Plan, inputs: Inputs) -> Talk | str:
    """Choose the reviews around the launch and set aside what is not sound.

    Products that are neither ours nor among the project's rivals are left out; when the project
    names no rivals, every other product is one.

    The window after runs to 90 days or to the end of what is known; the one before is as long,
    but at least 28 days, and no longer than the reviews reach.

    Returns:
        The talk, or what is missing, in words that a reading may show.
    """
    start, reviews = launch_day(plan), inputs.reviews
    if start is None:
        return "The launch's day: write `starts:` in its file."
    dates = f"from at least {_SHORTEST} days before {start} and after it"
    if reviews is None or not len(reviews.time):
        return f"A `reviews` source with reviews of our product {dates}."
    known = ~np.isnat(reviews.time)
    if inputs.as_of is not None:
        known &= reviews.time <= np.datetime64(inputs.as_of.replace(tzinfo=None))
    if plan.project.rivals:
        known &= reviews.ours | np.isin(reviews.product.astype(str), plan.project.rivals)
    day = reviews.time.astype("datetime64[D]")
    if not (known & reviews.ours).any():
        return (
            f"Reviews of our own product {dates}; the source holds only "
            f"{', '.join(sorted({str(p) for p in reviews.product})[:5])}."
        )
    first = day[known & reviews.ours].min()
    after_days = int((day[known].max() - start).astype(int)) + 1
    days_after = min(_LONGEST, after_days)
    days_before = min(max(_SHORTEST, days_after), int((start - first).astype(int)))
    if days_after < 1 or days_before < 1:
        return (
            f"Reviews of our product {dates}; those at hand run from {first} to {day[known].max()}."
        )
    before = known & (day < start) & (day >= start - days_before)
    after = known & (day >= start) & (day < start + days_after)
    sound = known & ~reviews.deleted
    praise: dict[str, Praise] = {}
    words = every_own_words(reviews.text)
    pasted = np.zeros(len(known), dtype=bool)
    for name in {str(p) for p in reviews.product}:
        rows = np.flatnonzero((reviews.product == name) & known)
        if len(rows):
            praise[name] = find_praise(
                reviews.time[rows], reviews.rating[rows], words.take(rows), reviews.deleted[rows]
            )
            sound[rows[praise[name].aside]] = False
            pasted[rows] = praise[name].pasted
    for side, name in ((before, "before"), (after, "after")):
        n = int((side & reviews.ours & sound).sum())
        if n < FEWEST:
            return (
                f"At least {FEWEST} sound reviews of our product {name} {start}; there are {n} in "
                f"{days_before if name == 'before' else days_after} days."
            )
    return Talk(
        reviews, words, start, days_before, days_after, before, after, sound, pasted, praise, first
    )


def quote_of(talk: Talk, row: int, term: str = "") -> Quote:
    """A review as evidence: redacted, cut around `term`."""
    reviews = talk.reviews
    stars = float(reviews.rating[row])
    return Quote(
        text=quote_text(reviews.text[row], term),
        product=str(reviews.product[row]),
        at=reviews.time[row].astype("datetime64[s]").item(),
        rating=stars if np.isfinite(stars) else None,
    )
