"""Demands measured: who speaks of each, with how many stars, and whether more do by week."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.model.plan import Plan
from octad.readings.heard import Heard
from octad.readings.voices import FEWEST
from octad.stats.multiplicity import benjamini_hochberg
from octad.stats.rates import Trend, share_trend
from octad.stats.refusal import NotEstimable
from octad.text.topics import Topic, topic_rows

__all__ = ["Demands", "Stars", "by_voice", "cells", "measure", "products_of"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Stars:
    """(K, P) rated voices, their mean stars, and the variance of one voice's stars."""

    rated: FloatArray
    mean: FloatArray
    variance: FloatArray

    @property
    def three(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """All three, as the tests take them."""
        return self.rated, self.mean, self.variance


@dataclass(frozen=True, slots=True, eq=False)
class Demands:
    """K topics by P products, ours first. A voice counts once in a product, whatever it posts.

    Attributes:
        about: (M, K) which review is about which topic.
        voices: (P,) voices of each product; `held` (K, P) those who speak of a topic.
        on: (K, P) rated voices on a topic, their mean stars, their variance.
        off: (K, P) the same of the product's reviews that are not about it: its own level.
        trends: (K,) how our share of voices goes by week; None where that cannot be said.
        rising: (K,) false discovery rate of the trends; 1 where there is none.
    """

    topics: tuple[Topic, ...]
    products: tuple[str, ...]
    about: BoolArray
    voices: IntArray
    held: IntArray
    on: Stars
    off: Stars
    trends: tuple[Trend | None, ...]
    rising: FloatArray

    def share(self, k: int, product: int = 0) -> float:
        """A topic's share of a product's voices."""
        return float(self.held[k, product] / max(self.voices[product], 1))

    def rivals_share(self, k: int) -> float | None:
        """Mean over the rivals of a topic's share, each rival alike; None without rivals."""
        count = len(self.products) - 1
        return sum(self.share(k, p) for p in range(1, count + 1)) / count if count else None


def by_voice(values: FloatArray, voice: IntArray) -> tuple[int, int, float, float]:
    """Voices, rated voices, and mean and variance of the voices' mean stars."""
    number = len(np.unique(voice))
    rated = np.isfinite(values)
    if not rated.any():
        return number, 0, float("nan"), float("nan")
    _, code = np.unique(voice[rated], return_inverse=True)
    each = np.bincount(code, weights=values[rated]) / np.bincount(code)
    return number, len(each), float(each.mean()), float(each.var())


def cells(heard: Heard, about: BoolArray, sides: list[BoolArray]) -> tuple[IntArray, Stars]:
    """(K, P) voices, and rated voices with their stars, of each topic on each side."""
    each = [
        [by_voice(heard.stars[rows & of], heard.voice[rows & of]) for rows in sides]
        for of in about.T
    ]
    table = np.array(each, dtype=np.float64).reshape(about.shape[1], len(sides), 4)
    return table[..., 0].astype(np.int64), Stars(table[..., 1], table[..., 2], table[..., 3])


def _trend(weeks: IntArray, about: BoolArray, voice: IntArray) -> Trend | None:
    """How the share of voices who speak of a topic goes from week to week."""
    _, first = np.unique(voice, return_index=True)
    spoke = np.isin(voice[first], voice[about])
    size = np.bincount(weeks[first])
    try:
        return share_trend(np.bincount(weeks[first], weights=spoke), size)
    except NotEstimable:
        return None


def measure(heard: Heard, topics: tuple[Topic, ...], products: tuple[str, ...]) -> Demands:
    """Measure every topic on every product's sound reviews of both windows, ours first."""
    about = np.asarray(topic_rows(heard.matrix, topics).todense())
    mine = [heard.talk.reviews.product[heard.rows] == name for name in products]
    held, on = cells(heard, about, mine)
    ours = mine[0]
    day = heard.talk.reviews.time[heard.rows].astype("datetime64[D]")
    weeks = ((day - day.min()).astype(np.int64) // 7)[ours]
    trends = tuple(_trend(weeks, about[ours, k], heard.voice[ours]) for k in range(len(topics)))
    p = np.array([1.0 if trend is None else trend.p for trend in trends])
    return Demands(
        topics,
        products,
        about,
        np.array([len(np.unique(heard.voice[rows])) for rows in mine]),
        held,
        on,
        cells(heard, ~about, mine)[1],
        trends,
        benjamini_hochberg(p),
    )


def products_of(heard: Heard, plan: Plan) -> tuple[str, ...]:
    """Our product, then each rival with enough voices."""
    talk = heard.talk
    names, count = np.unique(talk.reviews.product[heard.rows].astype(str), return_counts=True)
    ours = str(talk.reviews.product[talk.ours][0]) if talk.ours.any() else plan.project.product
    rest = [str(n) for n, c in zip(names, count, strict=True) if n != ours and c >= FEWEST]
    return (ours, *rest)
