"""Topics beside the usual notebook's: scikit-learn's NMF on TF-IDF, as many topics as were planted.

A review speaks of one or two of twenty planted themes, in two or three of a theme's eight words,
among other words as often as words are. LDA is left out for its time: 22 seconds for 20,000 such
reviews, where NMF takes less than one.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.voices import made
from octad.text.tokens import term_matrix
from octad.text.topics import find_topics, topic_rows

__all__ = ["agreement", "our_topics", "ours", "recurring", "their_topics", "theirs"]

_THEMES, _WORDS, _TOP = 20, 8, 10
_SHARED = 0.5
BoolArray = NDArray[np.bool_]


def _themed(n: int, seed: int = 3) -> tuple[list[str], BoolArray]:
    """Texts, and (n, 20) which theme each speaks of."""
    rng = np.random.default_rng(seed)
    sounds = ["tak", "ver", "lun", "mis", "pol", "ged", "rab", "sho", "fen", "cal", "dur", "zin"]
    words = np.array([a + b + "o" for a in sounds for b in sounds])[: _THEMES * _WORDS - 16]
    words = np.concatenate([words, np.array([a + b + "u" for a in sounds[:4] for b in sounds[:4]])])
    words = rng.permutation(words).reshape(_THEMES, _WORDS)
    about = np.zeros((n, _THEMES), dtype=bool)
    texts = []
    for i, text in enumerate(made("en", n, seed)):
        said = []
        for theme in rng.choice(_THEMES, int(rng.integers(0, 3)), replace=False):
            about[i, theme] = True
            said += rng.choice(words[theme], int(rng.integers(2, 4)), replace=False).tolist()
        texts.append(" ".join(rng.permutation([*str(text).split(), *said]).tolist()))
    return texts, about


def our_topics(texts: list[str]) -> tuple[BoolArray, list[set[str]]]:
    """Which text is about which topic that was found, and each topic's first words."""
    matrix = term_matrix(texts)
    topics = [topic for topic in find_topics(matrix)[0] if topic.kind == "found"]
    rows = np.asarray(topic_rows(matrix, topics).todense())
    return rows, [set(topic.terms[:_TOP]) for topic in topics]


def their_topics(texts: list[str], cut: Any = None) -> tuple[BoolArray, list[set[str]]]:
    """The same by scikit-learn; Chinese is cut by `cut`."""
    from sklearn.decomposition import NMF  # noqa: PLC0415 - imported before the clock
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415

    how: dict[str, Any] = {"tokenizer": cut, "token_pattern": None} if cut else {}
    tfidf = TfidfVectorizer(min_df=3, max_df=0.95, stop_words=None if cut else "english", **how)
    table = tfidf.fit_transform(texts)
    model = NMF(n_components=_THEMES, random_state=1, max_iter=200, tol=1e-3)
    with import_module("threadpoolctl").threadpool_limits(
        1
    ):  # threads that wait would count as its processor time
        weight = model.fit_transform(table)
    names = tfidf.get_feature_names_out()
    tops = [set(names[np.argsort(-row)[:_TOP]].tolist()) for row in model.components_]
    # Two topics at most, as the usual notebook has no rule for how many a text is about.
    best = np.argsort(-weight, axis=1)[:, :2]
    about = np.zeros(weight.shape, dtype=bool)
    np.put_along_axis(about, best, np.take_along_axis(weight, best, axis=1) > 0, axis=1)
    return about, tops


def agreement(found: BoolArray, truth: BoolArray) -> float:
    """F1 over all pairs, each theme given the topic that fits it best."""
    hits = truth.astype(np.float64).T @ found.astype(np.float64)
    marks = found.sum(axis=0)
    best = (2 * hits / np.maximum(truth.sum(axis=0)[:, None] + marks[None, :], 1)).argmax(axis=1)
    hit = hits[np.arange(len(best)), best].sum()
    return float(2 * hit / max(truth.sum() + marks[best].sum(), 1))


def recurring(one: list[set[str]], two: list[set[str]]) -> float:
    """Share of topics with half of their first words in one topic of the other half of texts."""
    back = [max((len(a & b) / min(len(a), _TOP) for b in two), default=0.0) >= _SHARED for a in one]
    return float(np.mean(back)) if back else 0.0


def _measured(find: Any, n: int) -> dict[str, Any]:
    texts, truth = _themed(n)
    find(texts[:500])  # what is imported or read once is no part of a rate
    start = time.process_time()
    rows, tops = find(texts)
    seconds = time.process_time() - start
    other = find(texts[::2])[1], find(texts[1::2])[1]
    return {
        "seconds": seconds,
        "agreement": agreement(rows, truth),
        "recurring": recurring(*other),
        "topics": len(tops),
    }


def ours(n: int) -> dict[str, Any]:
    """Seconds of processor from texts to topics; agreement with the planted; share recurring."""
    return _measured(our_topics, n)


def theirs(n: int) -> dict[str, Any]:
    """The same of scikit-learn."""
    return _measured(their_topics, n)
