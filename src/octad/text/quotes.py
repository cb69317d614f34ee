"""Choose the words to show: quotes that are typical of a term, and one that disagrees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.text.redact import redact
from octad.text.store import own_words
from octad.text.tokens import TermMatrix

__all__ = ["LONGEST", "Pick", "pick_quotes", "quote_text"]

LONGEST = 240
"""Characters of the longest quote shown."""

_SHORT, _LONG = 6, 400


@dataclass(frozen=True, slots=True)
class Pick:
    """Row numbers of the documents to show.

    Attributes:
        typical: The most typical first.
        dissent: One that says otherwise, if there is one.
    """

    typical: tuple[int, ...]
    dissent: int | None = None


def pick_quotes(
    matrix: TermMatrix,
    texts: Sequence[str] | NDArray[np.object_],
    candidates: NDArray[np.bool_],
    *,
    ratings: NDArray[np.float64] | None = None,
    dissenters: NDArray[np.bool_] | None = None,
    k: int = 2,
) -> Pick:
    """Choose typical documents, and one that disagrees.

    Typical is near the centre: the cosine between a document's terms, weighted by rarity, and the
    mean of all candidates. A quote that is too short to say anything, or too long to read, comes
    last; two quotes never share most of their terms.

    Args:
        matrix: Terms of all documents.
        texts: (N,) the documents.
        candidates: (N,) mask of the documents that carry what is to be shown.
        ratings: (N,) stars; a dissenter lies on the other side of 3 from the candidates' mean.
        dissenters: (N,) mask to look for the dissenter in; the candidates when absent.
        k: How many typical ones.

    Returns:
        Rows; empty when there are no candidates.
    """
    rows = np.flatnonzero(candidates)
    if not len(rows):
        return Pick(())
    if (
        len(rows) > 5_000
    ):  # Enough to find the centre; an even sample, so that the choice is stable.
        rows = rows[np.linspace(0, len(rows) - 1, 5_000).astype(np.int64)]
    other = _others(candidates if dissenters is None else dissenters, rows, ratings)
    agree = rows[~other[rows]] if (~other[rows]).any() else rows
    score = _closeness(matrix, agree) * _readable(texts, agree)
    chosen: list[int] = []
    seen: set[str] = set()
    for row in agree[np.argsort(-score, kind="stable")][:200]:
        words = set(matrix.presence[int(row)].indices.tolist())
        # Two short texts share their one word and may still be two voices; equal ones are not.
        limit = 0.6 if len(words) >= 4 else 1.01
        same = "".join(own_words(texts[int(row)]).split()).lower()
        if same not in seen and all(_overlap(words, matrix, old) < limit for old in chosen):
            chosen.append(int(row))
            seen.add(same)
        if len(chosen) == k:
            break
    other[chosen] = False
    against = np.flatnonzero(other)[:5_000]
    dissent = None
    if len(against):
        best = _closeness(matrix, against) * _readable(texts, against)
        dissent = int(against[np.argmax(best)])
    return Pick(tuple(chosen), dissent)


def _others(
    pool: NDArray[np.bool_], rows: NDArray[np.int64], ratings: NDArray[np.float64] | None
) -> NDArray[np.bool_]:
    """Those of the pool whose stars lie on the other side of 3 from the candidates' mean."""
    if ratings is None or not np.isfinite(ratings[rows]).any():
        return np.zeros(len(pool), dtype=bool)
    happy = float(np.nanmean(ratings[rows])) >= 3
    return np.asarray(pool & (ratings <= 2 if happy else ratings >= 4))


def _closeness(matrix: TermMatrix, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """(len(rows),) cosine of each document with the rows' mean, terms weighted by rarity."""
    part = matrix.presence[rows].astype(np.float64)
    if part.shape[1] == 0:
        return np.full(len(rows), 1e-6)
    weight = np.log((len(matrix) + 1) / (matrix.counts() + 1)) + 0.1
    part = part.multiply(weight[None, :]).tocsr()
    length = np.sqrt(np.asarray(part.multiply(part).sum(axis=1)).ravel())
    centre = np.asarray(part.mean(axis=0)).ravel()
    norm = float(np.linalg.norm(centre))
    near = np.asarray(part @ centre).ravel() / np.where(length > 0, length * (norm or 1.0), 1.0)
    return np.asarray(near + 1e-6)


def _readable(
    texts: Sequence[str] | NDArray[np.object_], rows: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Weights that put texts of a sentence or two before scraps and screeds."""
    width = np.array([_width(own_words(texts[int(i)], _LONG + 1)) for i in rows])
    return np.asarray(
        np.where(
            width < _SHORT, 0.05, np.clip(width / 40, 0.3, 1.0) * np.where(width > LONGEST, 0.6, 1)
        )
    )


def _width(text: str) -> int:
    """Length as it reads: a Chinese letter says about as much as two and a half Latin ones."""
    return int(len(text) + 1.5 * sum("\u3400" <= letter <= "\u9fff" for letter in text))


def _overlap(words: set[int], matrix: TermMatrix, other: int) -> float:
    theirs = set(matrix.presence[other].indices.tolist())
    return len(words & theirs) / max(min(len(words), len(theirs)), 1)


def quote_text(text: object, around: str = "", limit: int = LONGEST) -> str:
    """Give a quote as it is shown: redacted, on one line, cut around a term when it is long.

    >>> quote_text("x " * 200 + "the crash came back" + " y" * 200, "crash", 40)
    '…x x x the crash came back y y y y y y…'
    """
    words = own_words(text)
    title, _, rest = words.partition("\n" if "\n" in words else ". ")
    # Many write the title again as the text, or let the store make one of its first words.
    again = bool(title) and rest.strip().startswith(title.strip().rstrip("….。"))
    words = redact(rest if again else text)
    if len(words) <= limit:
        return words
    at = words.lower().find(around.lower()) if around else -1
    if at < 0 and " " in around:
        at = words.lower().find(around.lower().split()[-1])
    start = 0 if at < limit // 2 else min(max(at - limit // 4, 0), len(words) - limit)
    part = words[start : start + limit - (2 if start else 1)].strip()
    return ("…" if start else "") + part + ("…" if start + limit < len(words) else "")
