"""Which script a text is written in, and which languages a corpus speaks.

Script is decided per document, because a product's reviews mix them; the language of documents
in Latin letters is decided from their commonest words, per document where they have any.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from octad.text.letters import LAST, Letters, chunks, table

__all__ = ["MAX_CHARS", "SCRIPTS", "clean", "clean_all", "script_of", "scripts"]

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


_FINE, _SIMPLE, _HARD = range(3)
_SAME = ((0x3400, 0xA000), (0xAC00, 0xD7A4), (0x20000, 0x2F800), (0x30000, LAST))
_JAMO = ((0x1100, 0x1200), (0xA960, 0xA980), (0xD7B0, 0xD800))


@cache
def _forms() -> tuple[NDArray[np.uint8], NDArray[np.uint32]]:
    """How each letter is cleaned: how hard that is, and what a simple one becomes (0: nothing).

    Letters that become several, and those that may join the one before, are hard: they go through
    `clean`, which sees the whole text.
    """
    become = np.arange(LAST, dtype=np.uint32)
    hard = np.zeros(LAST, dtype=bool)
    same = np.zeros(LAST, dtype=bool)
    for first, end in _SAME:
        same[first:end] = True
    for first, end in _JAMO:
        hard[first:end] = True
    for code in np.flatnonzero(~same & ~hard).tolist():
        form = unicodedata.normalize("NFKC", chr(code))
        if len(form) != 1 or unicodedata.category(form)[0] == "M" or hard[ord(form)]:
            hard[code] = True
        else:
            become[code] = ord(form)
    for found in _UNSEEN.finditer("".join(map(chr, range(LAST)))):
        become[found.start() : found.end()] = 0
        hard[found.start() : found.end()] = False
    hard[ord("…")] = False  # a Chinese text in six holds one; replaced before the others
    become[ord("…")] = ord(".")
    simple = (become != np.arange(LAST)) | (become == 0)
    way = np.where(hard, _HARD, np.where(simple, _SIMPLE, _FINE))
    return way.astype(np.uint8), become


def clean_all(texts: Sequence[object] | NDArray[np.object_], limit: int = MAX_CHARS) -> list[str]:
    r"""`clean` of many texts at once.

    >>> clean_all(["ｇｏｏｄ\u202e app…", None])
    ['good app...', '']
    """
    way, become = _forms()
    result: list[str] = []
    for part in chunks(len(texts)):
        short = [text[:limit] if isinstance(text, str) else "" for text in texts[part]]
        page = Letters.of(short)
        how = way[page.codes]
        simple = page.count(how) > 0
        hard = page.count(how == _HARD) > 0 if simple.any() else simple
        rows = np.flatnonzero(simple & ~hard)
        if len(rows):
            mapped = Letters.of([short[i].replace("…", "...") for i in rows])
            codes = become[mapped.codes]
            seen = Letters(codes, mapped.starts).keep(codes != 0).texts()
            for i, text in zip(rows.tolist(), seen, strict=True):
                short[i] = text[:limit]
        for i in np.flatnonzero(hard).tolist():
            short[i] = clean(short[i], limit)
        result += short
    return result


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


@cache
def _script_classes() -> NDArray[np.uint8]:
    """(0x110000,) each letter's place in `_CLASSES`; one more for other letters, two for none."""
    classes = np.where(table(str.isalpha), len(_CLASSES), len(_CLASSES) + 1).astype(np.uint8)
    every = "".join(map(chr, range(LAST)))
    for k, pattern in enumerate(_CLASSES.values()):
        for found in pattern.finditer(every):
            classes[found.start()] = k
    return classes


def scripts(texts: Sequence[str] | Iterable[str]) -> NDArray[np.str_]:
    """Name each text's script, as `script_of` does; shape (N,)."""
    listed = texts if isinstance(texts, list) else list(texts)
    classes = _script_classes()
    names = [*_CLASSES, "other", "none"]
    weight = np.array([_WEIGHT.get(name, 0.25) for name in _CLASSES])
    result = np.empty(len(listed), dtype="<U8")
    for part in chunks(len(listed)):
        page = Letters.of([text[:_SAMPLE] for text in listed[part]])
        document = np.repeat(np.arange(len(page)), page.lengths())
        place = document * len(names) + classes[page.codes]
        found = np.bincount(place, minlength=len(page) * len(names))
        count = found.reshape(len(page), len(names))
        weights = count[:, : len(_CLASSES)] * weight
        best = weights.argmax(axis=1)
        best[(weights.max(axis=1) == 0) & (count[:, -2] > 0)] = len(names) - 2
        best[(weights.max(axis=1) == 0) & (count[:, -2] == 0)] = len(names) - 1
        latin, han, kana = (weights[:, names.index(name)] for name in ("latin", "han", "kana"))
        best[(kana > 0.1 * han) & (kana > np.maximum(2.0, latin))] = names.index("kana")
        result[part] = np.array(names)[best]
    return result
