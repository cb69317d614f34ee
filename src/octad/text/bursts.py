"""Praise that was bought or pushed: days that bring far more five-star texts than usual.

A burst alone proves nothing: a prompt inside the app, a campaign and real joy all make one. So a
burst counts only when its texts also look otherwise than this product's reviews usually do (far
more of them five stars, short, copied, or later deleted by the store), every reason is given in
words, and whoever uses the result shows figures with and without.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from octad.text.copies import near_copies
from octad.text.letters import Letters, between, chunks
from octad.text.store import Texts, every_own_words

__all__ = ["Burst", "Praise", "find_praise"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

_WINDOW = 91
_LEAST_A_DAY, _LEAST = 8, 20
_TIMES = 3.0
_CHANCE = 1e-6
_GAP = 2
_SHORT = 40
_COPIES = 3
_HAN = between(("\u3400", "\u9fff"))
_SURE = 3.29  # a z this large happens by chance once in a thousand, two-sided


@dataclass(frozen=True, slots=True)
class Burst:
    """A run of days with far more five-star reviews than usual.

    Attributes:
        first, last: Its days, both included.
        n: Five-star reviews in it.
        expected: Five-star reviews that so many usual days bring.
        reasons: Why it looks bought or pushed, in plain words with figures.
    """

    first: date
    last: date
    n: int
    expected: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Praise:
    """What to set aside.

    Attributes:
        bursts: In time.
        aside: (N,) five-star reviews in a burst, or pasted at least three times.
        pasted: (N,) the latter.
    """

    bursts: tuple[Burst, ...]
    aside: BoolArray
    pasted: BoolArray


def _usual(counts: FloatArray) -> FloatArray:
    """What a day usually brings: a mean over 91 days that bursts among them hardly lift."""
    window = min(_WINDOW, len(counts))
    middle = ndimage.median_filter(counts, size=window, mode="nearest")
    calm = np.minimum(counts, 3 * middle + 3)
    return np.maximum(ndimage.uniform_filter1d(calm, size=window, mode="nearest"), 0.1)


def _runs(counts: FloatArray, usual: FloatArray) -> list[tuple[int, int]]:
    """Runs of burst days as (first, last) day numbers; days beside them that are high join in."""
    high = (counts >= np.maximum(_LEAST_A_DAY, _TIMES * usual)) & (
        # Half as many again as usual is a busy day, so that is what chance is reckoned from.
        special.pdtrc(np.maximum(counts - 1, 0), 1.5 * usual) < _CHANCE
    )
    raised = (counts >= np.maximum(4, 2 * usual)) | high
    runs: list[tuple[int, int]] = []
    for day in np.flatnonzero(high):
        first = last = int(day)
        while first > 0 and raised[first - 1]:
            first -= 1
        while last + 1 < len(counts) and raised[last + 1]:
            last += 1
        if runs and first <= runs[-1][1] + _GAP + 1:
            runs[-1] = (runs[-1][0], max(last, runs[-1][1]))
        else:
            runs.append((first, last))
    return [run for run in runs if counts[run[0] : run[1] + 1].sum() >= _LEAST]


def _differs(here: BoolArray, there: BoolArray, least: float) -> tuple[float, float] | None:
    """Shares here and there, when the first is larger by `least` and chance would not do it."""
    if not len(here) or not len(there):
        return None
    one, two = float(here.mean()), float(there.mean())
    both = (here.sum() + there.sum()) / (len(here) + len(there))
    se = math.sqrt(max(both * (1 - both), 1e-12) * (1 / len(here) + 1 / len(there)))
    return (one, two) if one - two >= least and (one - two) / se > _SURE else None


def _short(texts: NDArray[np.object_]) -> BoolArray:
    """(N,) short as it reads: a Chinese letter says about as much as two and a half Latin ones."""
    result = np.zeros(len(texts), dtype=bool)
    for part in chunks(len(texts)):
        page = Letters.of([text[: _SHORT + 1] for text in texts[part]])
        result[part] = page.lengths() + 1.5 * page.count(_HAN[page.codes]) <= _SHORT
    return result


def find_praise(
    time: NDArray[np.datetime64],
    rating: FloatArray,
    text: Texts,
    deleted: BoolArray,
) -> Praise:
    """Find bursts of praise among one product's reviews.

    Args:
        time: (N,) when each was written.
        rating: (N,) stars, NaN where there are none.
        text: (N,) what was written.
        deleted: (N,) whether the store deleted it later.

    Returns:
        The bursts and the reviews to set aside. Five-star reviews of a burst's days are set aside
        whole: the few that would have come anyway cannot be told apart.
    """
    n = len(time)
    five = rating >= 4.5
    words = every_own_words(text)
    pasted = _pasted(near_copies(words), five, np.isfinite(rating))
    nothing = Praise((), pasted, pasted)
    known = ~np.isnat(time)
    if int((five & known).sum()) < _LEAST:
        return nothing
    day = time.astype("datetime64[D]").astype(np.int64)
    start = int(day[known].min())
    counts = np.bincount(day[five & known] - start).astype(np.float64)
    usual = _usual(counts)
    runs = _runs(counts, usual)
    if not runs:
        return nothing
    offset = np.where(known, day - start, -1)
    inside = np.zeros(n, dtype=bool)
    for first, last in runs:
        inside |= (offset >= first) & (offset <= last)
    short = _short(words.texts)
    aside, bursts = pasted.copy(), []
    for first, last in runs:
        here = (offset >= first) & (offset <= last)
        near = ~inside & known & (np.abs(offset - (first + last) / 2) <= 180)
        there = near if (near & five).sum() >= 30 else ~inside & known
        reasons = _reasons(
            here, there, five=five, short=short, pasted=pasted, deleted=deleted,
            rated=np.isfinite(rating),
        )  # fmt: skip
        if reasons:
            aside |= here & five
            bursts.append(
                Burst(
                    _date(start + first), _date(start + last), int((here & five).sum()),
                    float(usual[first : last + 1].sum()), reasons,
                )
            )  # fmt: skip
    return Praise(tuple(bursts), aside, pasted)


def _pasted(group: NDArray[np.int64], five: BoolArray, rated: BoolArray) -> BoolArray:
    """Five-star reviews of texts that are pasted, as praise is and other reviews are not.

    A text counts when it was posted three times or more and nine in ten of these gave five stars.
    Where unhappy reviews are copied as often, copying is how this store's texts come to be, and
    says nothing of praise.
    """
    size = np.bincount(group[group >= 0], minlength=1)
    happy = np.bincount(group[(group >= 0) & five], minlength=len(size))
    copied = (group >= 0) & (size[np.maximum(group, 0)] >= _COPIES)
    if _differs(copied[five & rated], copied[~five & rated], 0.0) is None:
        return np.zeros(len(group), dtype=bool)
    return copied & five & (happy[np.maximum(group, 0)] >= 0.9 * size[np.maximum(group, 0)])


def _date(day: int) -> date:
    return date.fromordinal(day + date(1970, 1, 1).toordinal())


def _reasons(
    here: BoolArray,
    there: BoolArray,
    *,
    five: BoolArray,
    short: BoolArray,
    pasted: BoolArray,
    deleted: BoolArray,
    rated: BoolArray,
) -> tuple[str, ...]:
    reasons = []
    for what, part, least, among in (
        ("gave five stars", five, 0.15, rated),
        ("of those are short", short, 0.10, five),
        ("of those are near copies of one another", pasted, 0.03, five),
        ("of those were deleted later", deleted, 0.10, five),
    ):
        shares = _differs(part[here & among], part[there & among], least)
        if shares is not None:
            reasons.append(f"{shares[0]:.0%} {what} (usually {shares[1]:.0%})")
    return tuple(reasons)
