"""Which documents mention any of some given words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from octad.text.store import own_words

__all__ = ["mentions", "terms_pattern"]

_HAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")


def _longest(term: str) -> tuple[int, str]:
    return -len(term), term


def terms_pattern(terms: Iterable[str], *, inflect: bool = True) -> re.Pattern[str] | None:
    """Make one pattern of several words or phrases.

    Words in letters match whole words in any case, an English ending allowed (``pay`` finds
    ``paying`` and not ``paypal``); words in Chinese, Japanese or Thai match anywhere.

    Args:
        terms: As a charter writes them; empty ones are passed over.
        inflect: Whether endings are allowed; names want none.

    Returns:
        The pattern, or None when there are no terms.

    >>> bool(terms_pattern(["pay"]).search("paying twice")), terms_pattern(["pay"]).search("paypal")
    (True, None)
    """
    ending = r"(?:s|es|ed|d|ing|ment|ments|'s)?" if inflect else r"(?:'s)?"
    parts = []
    for term in sorted({term.strip().lower() for term in terms if term.strip()}, key=_longest):
        words = r"\s+".join(re.escape(word) for word in term.split())
        if _HAN.search(term):
            parts.append(words)
        else:
            left = r"(?<![^\W_])" if term[0].isalnum() else ""
            right = rf"{ending}(?![^\W_])" if term[-1].isalnum() else ""
            parts.append(f"{left}{words}{right}")
    return re.compile("|".join(parts), re.IGNORECASE) if parts else None


def mentions(
    texts: Sequence[object] | NDArray[np.object_], terms: Iterable[str]
) -> NDArray[np.bool_]:
    """Mark the texts that mention any of the terms; shape (N,).

    >>> mentions(["Payment failed", "付款失败", "nice"], ["payment", "付款"]).tolist()
    [True, True, False]
    """
    pattern = terms_pattern(terms)
    if pattern is None:
        return np.zeros(len(texts), dtype=bool)
    return np.array([pattern.search(own_words(text)) is not None for text in texts], dtype=bool)
