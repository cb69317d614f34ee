"""What people ask for, of us and of rivals; who serves it better, and what nobody serves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Finding, Grade, Number, Quotes, Table
from octad.model.numbers import plain, share
from octad.model.plan import Plan
from octad.model.topics import Topics
from octad.readings.heard import Heard
from octad.readings.voices import FEWEST, quote_of
from octad.stats.multiplicity import benjamini_hochberg
from octad.stats.rates import Trend, share_trend
from octad.stats.refusal import NotEstimable
from octad.stats.serving import Serving, Unserved, serving, unserved
from octad.text.quotes import pick_quotes
from octad.text.topics import Edits, Topic, find_topics, topic_rows

__all__ = ["demands"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SHOWN, _NAMED, _SERVED = 15, 3, 2.5
_SURE = 0.05
_LEAST_VOICES = 10


@dataclass(frozen=True, slots=True, eq=False)
class _Demands:
    """K topics by P products, ours first. A voice counts once in a product, whatever it posts.

    Attributes:
        about: (M, K) which review is about which topic.
        voices: (P,) voices of each product; `held` (K, P) those who speak of a topic.
        rated, stars, spread: (K, P) rated voices on a topic, their mean stars, their variance.
        trends: (K,) how our share of voices goes by week; None where that cannot be said.
        rising: (K,) false discovery rate of the trends; 1 where there is none.
    """

    topics: tuple[Topic, ...]
    products: tuple[str, ...]
    about: BoolArray
    voices: IntArray
    held: IntArray
    rated: IntArray
    stars: FloatArray
    spread: FloatArray
    trends: tuple[Trend | None, ...]
    rising: FloatArray

    def share(self, k: int, product: int = 0) -> float:
        """A topic's share of a product's voices."""
        return float(self.held[k, product] / max(self.voices[product], 1))

    def rivals_share(self, k: int) -> float | None:
        """Mean over the rivals of a topic's share, each rival alike; None without rivals."""
        count = len(self.products) - 1
        return sum(self.share(k, p) for p in range(1, count + 1)) / count if count else None


def _by_voice(values: FloatArray, voice: IntArray) -> tuple[int, int, float, float]:
    """Voices, rated voices, and mean and variance of the voices' mean stars."""
    number = len(np.unique(voice))
    rated = np.isfinite(values)
    if not rated.any():
        return number, 0, float("nan"), float("nan")
    _, code = np.unique(voice[rated], return_inverse=True)
    each = np.bincount(code, weights=values[rated]) / np.bincount(code)
    return number, len(each), float(each.mean()), float(each.var())


def _trend(weeks: IntArray, about: BoolArray, voice: IntArray) -> Trend | None:
    """How the share of voices who speak of a topic goes from week to week."""
    _, first = np.unique(voice, return_index=True)
    spoke = np.isin(voice[first], voice[about])
    size = np.bincount(weeks[first])
    try:
        return share_trend(np.bincount(weeks[first], weights=spoke), size)
    except NotEstimable:
        return None


def _measure(heard: Heard, topics: tuple[Topic, ...], products: tuple[str, ...]) -> _Demands:
    about = np.asarray(topic_rows(heard.matrix, topics).todense())
    mine = [heard.talk.reviews.product[heard.rows] == name for name in products]
    cells = [
        [
            _by_voice(heard.stars[rows & about[:, k]], heard.voice[rows & about[:, k]])
            for rows in mine
        ]
        for k in range(len(topics))
    ]
    table = np.array(cells, dtype=np.float64).reshape(len(topics), len(products), 4)
    ours = mine[0]
    day = heard.talk.reviews.time[heard.rows].astype("datetime64[D]")
    weeks = ((day - day.min()).astype(np.int64) // 7)[ours]
    trends = tuple(_trend(weeks, about[ours, k], heard.voice[ours]) for k in range(len(topics)))
    p = np.array([1.0 if trend is None else trend.p for trend in trends])
    return _Demands(
        topics,
        products,
        about,
        np.array([len(np.unique(heard.voice[rows])) for rows in mine]),
        table[..., 0].astype(np.int64),
        table[..., 1].astype(np.int64),
        table[..., 2],
        table[..., 3],
        trends,
        benjamini_hochberg(p),
    )


def _products(heard: Heard, plan: Plan) -> tuple[str, ...]:
    """Our product, then each rival with enough voices."""
    talk = heard.talk
    names, count = np.unique(talk.reviews.product[heard.rows].astype(str), return_counts=True)
    ours = str(talk.reviews.product[talk.ours][0]) if talk.ours.any() else plan.project.product
    rest = [str(n) for n, c in zip(names, count, strict=True) if n != ours and c >= FEWEST]
    return (ours, *rest)


def demands(plan: Plan, heard: Heard, edits: Topics) -> tuple[list[Finding], tuple[str, ...]]:
    """Tell what people ask for, who serves it better, and what nobody serves.

    Stars stand for service: of the reviews that are about a demand, how many stars they give. No
    stance comes of it, since none of it is the launch's doing.

    Returns:
        The findings, and what is missing or could not be done, in words.
    """
    jobs = {name: job.terms for name, job in plan.project.charter.jobs.items() if job.terms}
    products = _products(heard, plan)
    topics, unknown = find_topics(
        heard.matrix,
        jobs=jobs,
        products=(*products, *plan.project.rivals),
        edits=Edits(edits.pin, edits.rename, edits.merge),
    )
    missing = tuple(
        f"topics.yml speaks of “{name}”, which is none of the demands found: take it out, or write "
        "it as the table of demands does."
        for name in unknown
    )
    whole = _measure(heard, topics, products)
    keep = [
        k for k in range(len(topics))
        if whole.held[k, 0] >= _LEAST_VOICES or whole.topics[k].kind == "pinned"
    ]  # fmt: skip
    if not keep:
        return [], missing
    served = serving(whole.rated, whole.stars, whole.spread, fewest=_LEAST_VOICES)
    nobody = unserved(whole.rated, whole.stars, whole.spread, ceiling=_SERVED, fewest=_LEAST_VOICES)
    order = sorted(keep, key=lambda k: (-int(whole.held[k, 0]), whole.topics[k].name))
    found = [_asked(heard, whole, served, order)]
    lacking = _lacking(heard, whole, nobody)
    return [*found, *([lacking] if lacking else [])], missing


def _name(topic: Topic) -> str:
    """A name in a sentence; a found one is a list of words, so it stands in quotes."""
    return f"“{topic.name}”" if topic.kind == "found" else topic.name


def _asked(heard: Heard, whole: _Demands, served: Serving, order: list[int]) -> Finding:
    top = ", ".join(
        f"{_name(whole.topics[k])} ({share(whole.share(k))} of our reviewers"
        + (f", {plain(whole.stars[k, 0], 1)} stars)" if whole.rated[k, 0] else ")")
        for k in order[:_NAMED]
    )
    claim = f"People write to us most about: {top}."
    best = None
    if len(whole.products) > 1:
        sides, best = _sides(whole, served)
        claim += f" {sides}"
    return Finding(
        id="rival.demands",
        claim=claim,
        grade=Grade.T,
        estimate=best,
        n=int(whole.voices.sum()),
        method="a review is about a demand when it holds one of its words; one writer counts once; "
        f"stars compared by Welch's test, Holm over {served.compared} pairs; trend by week "
        f"(Cochran–Armitage, false discovery rate 5%); {heard.talk.windows}",
        assumes="Stars of a review that names a demand say how well the demand is served.",
        breaks="A review names one thing and is angry at another. One product's reviewers are "
        "harsher altogether: see the column of all its reviews.",
        evidence=(_table(whole, served, order), _all_stars(heard, whole)),
    )


def _sides(whole: _Demands, served: Serving) -> tuple[str, Number | None]:
    """Which demands we serve better and which a rival does, in words; and the surest of them."""
    pairs = [
        (int(k), int(j))
        for k, j in np.argwhere(served.p_adjusted <= _SURE)
        if whole.held[k, 0] >= _LEAST_VOICES
    ]
    if not pairs:
        if not served.compared:
            return "Too few rated reviews of a rival name any of it to compare.", None
        return "On none of it are we shown to be better or worse than a rival.", None
    pairs.sort(key=lambda kj: -abs(served.value[kj]))
    parts = []
    for better, words in ((True, "We serve better"), (False, "A rival serves better")):
        told: dict[int, tuple[int, int]] = {}
        for k, j in pairs:
            if (served.value[k, j] > 0) == better:
                told.setdefault(k, (k, j))
        if told:
            named = "; ".join(
                f"{_name(whole.topics[k])} ({plain(served.value[k, j], 1, signed=True)} stars "
                f"against {whole.products[j + 1]})"
                for k, j in list(told.values())[:_NAMED]
            )
            more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
            parts.append(f"{words}: {named}{more}.")
    at = pairs[0]
    return " ".join(parts), Number(
        value=float(served.value[at]), low=float(served.low[at]), high=float(served.high[at]),
        level=0.95, unit="stars", se=float(served.se[at]), p=float(served.p[at]),
        p_adjusted=float(served.p_adjusted[at]), control=float(whole.stars[at[0], at[1] + 1]),
        treatment=float(whole.stars[at[0], 0]),
    )  # fmt: skip


def _table(whole: _Demands, served: Serving, order: list[int]) -> Table:
    rivals = len(whole.products) > 1
    rows = []
    for k in order[:_SHOWN]:
        topic, trend = whole.topics[k], whole.trends[k]
        way = "steady"
        if trend is not None and whole.rising[k] <= _SURE:
            way = "rising" if trend.slope > 0 else "falling"
        row: list[str | float | int | None] = [
            topic.name,
            ", ".join(topic.terms[:5]),
            share(whole.share(k)),
            _stars(whole.stars[k, 0]),
            way,
        ]
        if rivals:
            theirs = whole.rivals_share(k)
            row += [None if theirs is None else share(theirs), _beside(whole, served, k)]
        row.append("" if topic.kind != "found" else f"{topic.stability:.0%}")
        rows.append(tuple(row))
    columns = ["demand", "words", "our reviewers", "stars", "by week"]
    columns += ["rivals' reviewers", "rivals' stars, and ours less theirs"] if rivals else []
    return Table(
        title="What people ask for",
        columns=(*columns, "found again"),
        rows=tuple(rows),
    )


def _stars(value: float) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None


def _beside(whole: _Demands, served: Serving, k: int) -> str:
    parts = []
    for j, name in enumerate(whole.products[1:]):
        if np.isfinite(served.value[k, j]):
            sure = "" if served.p_adjusted[k, j] <= _SURE else ", may be chance"
            parts.append(
                f"{name} {plain(whole.stars[k, j + 1], 1)} "
                f"({plain(served.value[k, j], 1, signed=True)}{sure})"
            )
    return "; ".join(parts)


def _all_stars(heard: Heard, whole: _Demands) -> Table:
    """Each product's stars over all its reviews: what a demand's stars are to be read beside."""
    rows = []
    for p, name in enumerate(whole.products):
        mine = heard.talk.reviews.product[heard.rows] == name
        _, rated, mean, _ = _by_voice(heard.stars[mine], heard.voice[mine])
        rows.append((name, int(whole.voices[p]), rated, _stars(mean)))
    return Table(
        title="All reviews of each product",
        columns=("product", "reviewers", "with stars", "stars"),
        rows=tuple(rows),
    )


def _lacking(heard: Heard, whole: _Demands, nobody: Unserved) -> Finding | None:
    """Demands on which every product is shown to lie below two and a half stars."""
    sure = [int(k) for k in np.flatnonzero(nobody.p_adjusted <= _SURE)]
    if not sure:
        return None
    sure.sort(key=lambda k: -int(whole.held[k].sum()))
    named = ", ".join(
        f"{_name(whole.topics[k])} ({plain(nobody.best[k], 1)} stars at best)"
        for k in sure[:_NAMED]
    )
    more = f", and {len(sure) - _NAMED} more" if len(sure) > _NAMED else ""
    quotes = []
    for k in sure[:2]:
        pick = pick_quotes(heard.matrix, heard.texts, whole.about[:, k], ratings=heard.stars)
        term = whole.topics[k].terms[0]
        quotes.append(
            Quotes(
                title=f"“{whole.topics[k].name}”",
                quotes=tuple(quote_of(heard.talk, int(heard.rows[i]), term) for i in pick.typical),
                dissent=None
                if pick.dissent is None
                else quote_of(heard.talk, int(heard.rows[pick.dissent]), term),
            )
        )
    return Finding(
        id="rival.unserved",
        claim=f"Nobody serves people well on: {named}{more}.",
        grade=Grade.T,
        n=int(whole.held[sure].sum()),
        method=f"every product with {_LEAST_VOICES} rated writers on a demand lies below "
        f"{_SERVED} stars (intersection–union test, Holm over the demands); {heard.talk.windows}",
        assumes="Who is served well writes too.",
        breaks="A word that is only written when it fails, such as a crash, has low stars by its "
        "nature: that is a fault everywhere, not a wish.",
        evidence=tuple(quotes),
    )
