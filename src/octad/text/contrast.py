"""What rose and what fell: terms whose share of the talk changed between two sets of documents.

Log-odds with an informative Dirichlet prior (Monroe, Colaresi & Quinn 2008), on people rather
than words: an author counts once, and a long text that is posted again and again counts
once. With controls (rivals' reviews over the same two spans) the change there is taken off, so
that what befell everyone (an outage of the phone's system, a holiday) is nobody's launch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, special

from octad.stats.logodds import log_odds
from octad.stats.multiplicity import benjamini_hochberg
from octad.text.copies import near_copies
from octad.text.store import Texts
from octad.text.tokens import TermMatrix

__all__ = ["Contrast", "Shift", "contrast", "voices"]

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


_Z = 1.959963984540054
_SAME = 0.8
_HEADLINE, _FEW = 25, 5
_CALM, _SHOCK, _MOVED = 0.01, 1.0, 0.05
"""Variances of the controls' changes in log-odds, calm and moved, and the share that moves."""


@dataclass(frozen=True, slots=True)
class Shift:
    """One term's change.

    Attributes:
        term: As it is shown.
        z: The change of its log-odds over its error, or of its share when fewer than five voices
            held it on a side; controls taken off when there are any.
        q: Chance that a list which goes down to this term is wrong here (Benjamini–Hochberg).
        ratio: Odds after over odds before, with `low` and `high` its 95% interval; controls taken
            off when there are any.
        before, after: Voices with the term.
        share_before, share_after: The same as shares of the voices.
        control: The odds ratio among the controls; None without controls.
    """

    term: str
    z: float
    q: float
    ratio: float
    low: float
    high: float
    before: int
    after: int
    share_before: float
    share_after: float
    control: float | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """What rose and what fell, the largest change in share first.

    Attributes:
        rose, fell: Terms with ``q`` under the limit that changed against their own past too (95%),
            near copies of one another left out.
        before, after: Voices on each side.
        controlled: Whether controls were taken off.
        tested: How many terms were looked at.
    """

    rose: tuple[Shift, ...]
    fell: tuple[Shift, ...]
    before: int
    after: int
    controlled: bool
    tested: int


def voices(texts: Texts, authors: NDArray[np.object_]) -> IntArray:
    """Number the voices behind documents.

    Documents of one known author are one voice; so are near copies of one long text by unknown
    authors, which is how a text that is posted again and again counts once.

    Args:
        texts: (N,) documents.
        authors: (N,) author keys, empty where unknown.

    Returns:
        (N,) voice numbers from 0.

    >>> voices(["a", "b", "c"], np.array(["x", "x", ""], dtype=object)).tolist()
    [0, 0, 1]
    """
    copy = near_copies(texts)
    people: dict[str, int] = {}
    known = [people.setdefault(str(key), len(people)) if key else -1 for key in authors]
    author, n = np.array(known, dtype=np.int64), len(texts)
    # Authors first, then copies, then rows: numbers that no two of them share.
    unknown = np.where(copy >= 0, len(people) + copy, len(people) + n + np.arange(n))
    found = np.unique(np.where(author >= 0, author, unknown), return_inverse=True)[1]
    return np.asarray(found, dtype=np.int64).reshape(n)


def _held(matrix: TermMatrix, rows: BoolArray, voice: IntArray) -> tuple[IntArray, int]:
    """(V,) voices that hold each term among the rows, and the number of voices."""
    index = np.flatnonzero(rows)
    people, code = np.unique(voice[index], return_inverse=True)
    gather = sparse.csr_matrix(
        (np.ones(len(index), dtype=np.int32), (code, np.arange(len(index)))),
        shape=(len(people), len(index)),
    )
    held = gather @ matrix.presence[index].astype(np.int32)
    held.data = np.minimum(held.data, 1)
    return np.asarray(held.sum(axis=0, dtype=np.int64)).ravel(), len(people)


def _strength(n_new: int, n_old: int) -> float:
    """The prior's weight in documents: a tenth of the smaller side, between 10 and 100.

    With a weaker one, a term that nobody used before has next to no z, however many use it now.
    """
    return float(np.clip(0.1 * min(n_new, n_old), 10, 100))


def contrast(
    matrix: TermMatrix,
    before: BoolArray,
    after: BoolArray,
    *,
    voice: IntArray | None = None,
    controls: Sequence[tuple[BoolArray, BoolArray]] = (),
    min_voices: int = 5,
    limit: float = 0.05,
    top: int = 12,
) -> Contrast:
    """Find the terms that rose and fell between two sets of documents.

    Args:
        matrix: Terms of all the documents.
        before: (N,) mask of the first set.
        after: (N,) mask of the second.
        voice: (N,) who speaks, from `voices`; every document its own voice when absent.
        controls: For each control, the masks of its documents over the same two spans.
        min_voices: Terms held by fewer voices in both sets together are not looked at; nor are
            those of fewer than one in a hundred, up to 25.
        limit: Largest false discovery rate of what is listed.
        top: Longest list.

    Returns:
        The lists; empty when a side is empty. A control with an empty side is left out.
    """
    speakers = np.arange(len(matrix), dtype=np.int64) if voice is None else voice
    if not before.any() or not after.any() or not matrix.terms:
        return Contrast((), (), int(before.sum()), int(after.sum()), False, 0)
    old, n_old = _held(matrix, before, speakers)
    new, n_new = _held(matrix, after, speakers)
    # A term of a handful of voices among thousands is no headline, and costs the others power.
    floor = max(min_voices, min(_HEADLINE, round(0.01 * (n_old + n_new))))
    looked = np.flatnonzero(old + new >= floor)
    if not len(looked):
        return Contrast((), (), n_old, n_new, False, 0)
    own = log_odds(new[looked], old[looked], (n_new, n_old), strength=_strength(n_new, n_old))
    delta, variance = own.delta, own.se**2
    gap, spread = _gap(old[looked], new[looked], n_old, n_new)
    fresh = np.minimum(old, new)[looked] < _FEW
    control: FloatArray | None = None
    found = _controls(matrix, controls, speakers, looked)
    if found is not None:
        delta, variance = delta - found.delta, variance + found.variance
        gap, spread = gap - found.gap, spread + found.spread
        fresh |= found.fresh
        control = np.exp(found.delta)
    se = np.sqrt(variance)
    # Odds from next to nothing have no ratio; there the difference of the shares decides.
    z = np.where(fresh, gap / np.sqrt(spread), delta / se)
    q = benjamini_hochberg(2 * special.ndtr(-np.abs(z)))
    half = _Z * se

    def shift(i: int) -> Shift:
        term = int(looked[i])
        return Shift(
            matrix.terms[term], float(z[i]), float(q[i]), float(np.exp(delta[i])),
            float(np.exp(delta[i] - half[i])), float(np.exp(delta[i] + half[i])),
            int(old[term]), int(new[term]), old[term] / n_old, new[term] / n_new,
            None if control is None else float(control[i]),
        )  # fmt: skip

    def chosen(sign: int, rows: BoolArray) -> tuple[Shift, ...]:
        # Against the own past too: a term that only sank less than at the controls did not rise.
        good = np.flatnonzero((q <= limit) & (sign * z > 0) & (sign * own.z > _Z))
        gain = np.abs(new[looked[good]] / n_new - old[looked[good]] / n_old)
        order = good[np.argsort(-gain, kind="stable")]
        return tuple(shift(int(i)) for i in _distinct(matrix, looked, order, rows, top))

    return Contrast(
        chosen(1, after), chosen(-1, before), n_old, n_new, control is not None, len(looked)
    )


def _gap(old: IntArray, new: IntArray, n_old: int, n_new: int) -> tuple[FloatArray, FloatArray]:
    """Difference of shares and its variance, one voice in each box added (Agresti & Caffo 2000)."""
    one, two = (new + 1) / (n_new + 2), (old + 1) / (n_old + 2)
    variance = one * (1 - one) / (n_new + 2) + two * (1 - two) / (n_old + 2)
    return np.asarray(one - two), np.asarray(variance)


@dataclass(frozen=True, slots=True, eq=False)
class _Controls:
    """Change among the controls, by term: log-odds and shares with variances, and whether new."""

    delta: FloatArray
    variance: FloatArray
    gap: FloatArray
    spread: FloatArray
    fresh: BoolArray


def _controls(
    matrix: TermMatrix,
    controls: Sequence[tuple[BoolArray, BoolArray]],
    voice: IntArray,
    looked: IntArray,
) -> _Controls | None:
    """The controls' change, each against its own past, averaged by how well it is known.

    Pooling their documents would let a control that is merely reviewed less change the mix. Of a
    term that nobody there uses nothing is known, and most terms do not change: so the change in
    log-odds has a prior of two normals about zero, narrow for the calm terms and wide for the few
    that a shock moved, and its posterior mean and variance are given (spike and slab).
    """
    size = len(looked)
    odds, weight, gaps, heft = np.zeros(size), np.zeros(size), np.zeros(size), np.zeros(size)
    used, least = np.zeros(size), np.full(size, np.iinfo(np.int64).max)
    for before, after in controls:
        if before.any() and after.any():
            old, n_old = _held(matrix, before, voice)
            new, n_new = _held(matrix, after, voice)
            old, new = old[looked], new[looked]
            there = log_odds(new, old, (n_new, n_old), strength=_strength(n_new, n_old))
            odds += there.delta / there.se**2
            weight += 1 / there.se**2
            gap, spread = _gap(old, new, n_old, n_new)
            gaps += gap / spread
            heft += 1 / spread
            used += old + new
            least = np.minimum(least, np.minimum(old, new))
    if not weight.any():
        return None
    delta, noise = odds / weight, 1 / weight
    narrow, wide = (-0.5 * (np.log(v + noise) + delta**2 / (v + noise)) for v in (_CALM, _SHOCK))
    moved = special.expit(wide - narrow + special.logit(_MOVED))
    means = [v / (v + noise) * delta for v in (_CALM, _SHOCK)]
    spreads = [v * noise / (v + noise) for v in (_CALM, _SHOCK)]
    mean = (1 - moved) * means[0] + moved * means[1]
    between = (1 - moved) * (means[0] - mean) ** 2 + moved * (means[1] - mean) ** 2
    variance = (1 - moved) * spreads[0] + moved * spreads[1] + between
    return _Controls(mean, variance, gaps / heft, 1 / heft, (least < _FEW) & (used >= _FEW))


def _distinct(
    matrix: TermMatrix, looked: IntArray, order: IntArray, rows: BoolArray, top: int
) -> list[int]:
    """Go down the list and leave out terms whose documents are mostly those of one above."""
    candidates = order[: 6 * top]
    if not len(candidates):
        return []
    part = matrix.presence[np.flatnonzero(rows)][:, looked[candidates]].astype(np.int32)
    both = np.asarray((part.T @ part).todense())
    size = np.maximum(both.diagonal(), 1)
    kept: list[int] = []
    for i in range(len(candidates)):
        if all(both[i, j] < _SAME * min(size[i], size[j]) for j in kept):
            kept.append(i)
        if len(kept) == top:
            break
    return [int(candidates[i]) for i in kept]
