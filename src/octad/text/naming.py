"""Names of demands that were found: the short phrase that people write most often about them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from octad.text.tokens import cut_chinese
from octad.text.topic_words import JUDGEMENTS
from octad.text.words import NEGATORS, PARTICLES, STOP

__all__ = ["phrase_for"]

_MOST_TEXTS, _READ, _LONGEST, _SMALL_WORDS = 400, 300, 3, 2
_FEWEST, _SHARE = 5, 0.02
_PART_OF, _TWICE = 0.5, 2
_HAN = re.compile(r"[\u3400-\u9fff]")
_TOKEN = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]+|\n")
_ENDINGS = ("", "s", "es", "d", "ed", "ing", "nya")
_SMALL = frozenset[str]().union(*STOP.values(), NEGATORS, PARTICLES)


def _stem(word: str, terms: Collection[str]) -> str:
    """The topic's term that a word is a form of, or the word."""
    for ending in _ENDINGS:
        base = word.removesuffix(ending) if ending else word
        if base in terms and (not ending or word.endswith(ending)):
            return base
    return word


def _spoken(text: str) -> Iterator[list[str]]:
    """The words of each stretch of a text that no sign interrupts."""
    small = text[:_READ].lower().replace("’", "'")
    tokens = cut_chinese(small) if _HAN.search(small) else _TOKEN.findall(small)
    stretch: list[str] = []
    for token in tokens:
        if token[0].isalnum():
            stretch.append(token)
        elif not token.isspace() or "\n" in token:
            yield stretch
            stretch = []
    yield stretch


def _ends(word: str, avoid: Collection[str]) -> bool:
    """Whether a phrase may begin or end with a word: it must name something."""
    return (
        len(word) > 1
        and not word.isdecimal()
        and word not in _SMALL
        and word not in JUDGEMENTS
        and word not in avoid
    )


def _phrases(
    stretch: list[str], terms: frozenset[str], avoid: Collection[str]
) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """Yield each phrase's telling words, how it was written, and the topic's terms in it."""
    stems = [_stem(word, terms) for word in stretch]
    if terms.isdisjoint(stems):
        return
    fit = [
        _ends(word, avoid) and _ends(stem, avoid) for word, stem in zip(stretch, stems, strict=True)
    ]
    for first in (i for i, good in enumerate(fit) if good):
        for last in range(first, min(first + _LONGEST + _SMALL_WORDS, len(stretch))):
            if not fit[last]:
                if last - first > _LONGEST or stretch[last] in NEGATORS:
                    break
                continue
            telling = tuple(stems[i] for i in range(first, last + 1) if fit[i])
            held = len(terms.intersection(telling))
            if last + 1 - first - len(telling) > _SMALL_WORDS or len(telling) > _LONGEST:
                break
            if held and len(set(telling)) == len(telling):
                words = stretch[first : last + 1]
                glue = "" if all(_HAN.search(word) for word in words) else " "
                yield telling, glue.join(words), held


def phrase_for(
    texts: Sequence[str] | NDArray[np.object_],
    terms: Collection[str],
    *,
    avoid: Collection[str] = (),
) -> str:
    """Find the phrase that people write most often about a topic.

    A phrase runs from one telling word to another and holds at least one of the topic's terms;
    small words may lie within (``talk to my friends``). Phrases with the same telling words are
    one, shown as most wrote it. Those with two of the terms count twice, and a longer phrase goes
    before a part of it that is seldom written without the rest.

    Args:
        texts: Cleaned texts about the topic; of many an even sample is read.
        terms: The topic's.
        avoid: Words that no name begins or ends with, such as the products' own.

    Returns:
        The phrase; empty when no phrase is common enough to be a name.

    >>> phrase_for(["I can't play the game"] * 3 + ["play games, fine"] * 4, ["play", "game"])
    'play games'
    """
    rows = np.unique(np.linspace(0, len(texts) - 1, min(_MOST_TEXTS, len(texts))).astype(np.int64))
    written: defaultdict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
    held: dict[tuple[str, ...], int] = {}
    for row in rows.tolist():
        mine = {
            telling: (words, count)
            for stretch in _spoken(texts[row])
            for telling, words, count in _phrases(stretch, frozenset(terms), avoid)
        }
        for telling, (words, count) in mine.items():
            written[telling][words] += 1
            held[telling] = count
    often = {telling: sum(forms.values()) for telling, forms in written.items()}
    floor = max(_FEWEST, _SHARE * len(rows))
    fit = [
        telling
        for telling, n in often.items()
        if n >= floor and (len(telling) > 1 or (len(telling[0]) > 2 and _HAN.search(telling[0])))
    ]
    if not fit:
        return ""

    def worth(telling: tuple[str, ...]) -> tuple[float, int, tuple[str, ...]]:
        return often[telling] * (1 if held[telling] == 1 else _TWICE), len(telling), telling

    best = max(fit, key=worth)
    for longer in sorted(fit, key=worth, reverse=True):
        part = any(longer[i : i + len(best)] == best for i in range(len(longer) - len(best) + 1))
        if len(longer) > len(best) and part and often[longer] >= _PART_OF * often[best]:
            best = longer
    return max(written[best].items(), key=lambda item: (item[1], item[0]))[0]
