"""Which script a text is written in, and which languages a corpus speaks.

Script is decided per document, because a product's reviews mix them; the language of documents
in Latin letters is decided from their commonest words, per document where they have any.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["MAX_CHARS", "SCRIPTS", "clean", "script_of", "scripts"]

MAX_CHARS = 5_000
"""Longer texts are read up to here, so that one megabyte review costs what a long one does."""

SCRIPTS = ("none", "latin", "han", "kana", "hangul", "thai", "arabic", "cyrillic", "other")
"""Scripts told apart; ``kana`` is Japanese, ``none`` a text without letters."""

_SAMPLE = 1_000
_CLASSES = {
    "latin": re.compile(r"[A-Za-z\u00c0-\u024f\u1e00-\u1eff]"),
    "han": re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"),
    "kana": re.compile(r"[\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff]"),
    "hangul": re.compile(r"[\u1100-\u11ff\uac00-\ud7af]"),
    "thai": re.compile(r"[\u0e00-\u0e7f]"),
    "arabic": re.compile(r"[\u0600-\u06ff\u0750-\u077f]"),
    "cyrillic": re.compile(r"[\u0400-\u052f]"),
}
# A Chinese word is about two letters long and an English one about five, so a letter counts by
# the share of a word that it is; a little more for Chinese, whose cutter also copes with English.
_WEIGHT = {"latin": 0.2, "han": 0.65, "kana": 1.0, "hangul": 0.4, "cyrillic": 0.2, "arabic": 0.25}
# What is invisible or steers the terminal or the direction of text never reaches a term or a quote:
# controls, soft hyphens, zero-width and directional marks, variation selectors, lone surrogates,
# tags.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]+"
)
_ASCII_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")


def clean(text: object, limit: int = MAX_CHARS) -> str:
    r"""Cut to a length, take out what is invisible, and give full-width letters their usual form.

    Args:
        text: Anything; None and floats (a missing cell) become the empty text.
        limit: Characters kept.

    >>> clean("ｇｏｏｄ\u202e app\x00")
    'good app'
    """
    if not isinstance(text, str):
        return ""
    short = text[:limit]
    if short.isascii():
        return _ASCII_UNSEEN.sub("", short) if _ASCII_UNSEEN.search(short) else short
    # NFKC can lengthen a text eighteenfold (U+FDFA), hence the second cut.
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", short))[:limit]


def script_of(text: str) -> str:
    """Name the script that most of a text's words are in, from its first thousand letters.

    A text with any Japanese kana beside Chinese letters is Japanese.

    >>> script_of("一打开就闪退 app"), script_of("works fine"), script_of("👍👍")
    ('han', 'latin', 'none')
    """
    part = text[:_SAMPLE]
    if part.isascii():
        return "latin" if _CLASSES["latin"].search(part) else "none"
    weights = {
        name: len(pattern.findall(part)) * _WEIGHT.get(name, 0.25)
        for name, pattern in _CLASSES.items()
    }
    if weights["kana"] > 0.1 * weights["han"] and weights["kana"] > max(2.0, weights["latin"]):
        return "kana"
    best = max(weights, key=lambda name: weights[name])
    if weights[best] > 0:
        return best
    return "other" if any(letter.isalpha() for letter in part) else "none"


def scripts(texts: Sequence[str] | Iterable[str]) -> NDArray[np.str_]:
    """Name each text's script; shape (N,)."""
    return np.array([script_of(text) for text in texts], dtype="<U8")
