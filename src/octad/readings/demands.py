"""What people ask for, of us and of rivals; who serves it better, and what nobody serves."""

from __future__ import annotations

import numpy as np

from octad.model.finding import Finding, Grade, Number, Quotes, Table
from octad.model.numbers import plain, share
from octad.model.plan import Plan
from octad.model.topics import Topics
from octad.readings.demands_measured import Demands, by_voice, cells, measure, products_of
from octad.readings.heard import Heard
from octad.readings.voices import quote_of
from octad.stats.serving import Serving, Unserved, serving, unserved
from octad.text.quotes import pick_quotes
from octad.text.topics import Edits, Topic, find_topics

__all__ = ["demands"]

_SHOWN, _NAMED, _SERVED = 15, 3, 2.5
_SURE = 0.05
_LEAST_VOICES = 10


def demands(plan: Plan, heard: Heard, edits: Topics) -> tuple[list[Finding], tuple[str, ...]]:
    """Tell what people ask for, who serves it better, and what nobody serves.

    Stars stand for service: of the reviews that are about a demand, how many stars they give. No
    stance comes of it, since none of it is the launch's doing.

    Returns:
        The findings, and what is missing or could not be done, in words.
    """
    jobs = {name: job.terms for name, job in plan.project.charter.jobs.items() if job.terms}
    products = products_of(heard, plan)
    topics, unknown = find_topics(
        heard.matrix,
        jobs=jobs,
        products=(*products, *plan.project.rivals),
        edits=Edits(edits.pin, edits.rename, edits.merge),
        words=heard.talk.words.take(heard.rows),
    )
    missing = tuple(
        f"topics.yml speaks of “{name}”, which is none of the demands found: take it out, or write "
        "it as the table of demands does."
        for name in unknown
    )
    whole = measure(heard, topics, products)
    keep = [
        k for k in range(len(topics))
        if whole.held[k, 0] >= _LEAST_VOICES or whole.topics[k].kind == "pinned"
    ]  # fmt: skip
    if not keep:
        return [], missing
    plainly = serving(*whole.on.three, fewest=_LEAST_VOICES)
    served = serving(*whole.on.three, beside=whole.off.three, fewest=_LEAST_VOICES)
    nobody = unserved(*whole.on.three, ceiling=_SERVED, fewest=_LEAST_VOICES)
    order = sorted(keep, key=lambda k: (-int(whole.held[k, 0]), whole.topics[k].name))
    found = [_asked(heard, whole, (served, plainly), order)]
    lacking = _lacking(heard, whole, nobody)
    return [*found, *([lacking] if lacking else [])], missing


def _name(topic: Topic) -> str:
    """A name in a sentence; a found one is a list of words, so it stands in quotes."""
    return f"“{topic.name}”" if topic.kind == "found" else topic.name


def _asked(
    heard: Heard, whole: Demands, served: tuple[Serving, Serving], order: list[int]
) -> Finding:
    top = ", ".join(
        f"{_name(whole.topics[k])} ({share(whole.share(k))} of our reviewers"
        + (f", {plain(whole.on.mean[k, 0], 1)} stars)" if whole.on.rated[k, 0] else ")")
        for k in order[:_NAMED]
    )
    claim = f"People write to us most about: {top}."
    best = None
    if len(whole.products) > 1:
        sides, best = _sides(whole, *served)
        claim += f" {sides}"
    since = _since(heard, whole, order)
    claim += f" {since}" if since else ""
    return Finding(
        id="rival.demands",
        claim=claim,
        grade=Grade.T,
        estimate=best,
        n=int(whole.voices.sum()),
        method="a review is about a demand when it holds one of its words; one writer counts once; "
        "stars on a demand less each rival's, and the same above each product's other "
        f"reviews (Welch's test, Holm over {served[0].compared} pairs; both must hold); ours after "
        "against before, above our other reviews; trend by week "
        f"(Cochran–Armitage, false discovery rate 5%); {heard.talk.windows}",
        assumes="Stars of a review that names a demand say how well the demand is served.",
        breaks="A review names one thing and is angry at another. The stars of a product whose "
        "reviewers are all happy, or all unhappy, leave little room above or below them.",
        evidence=(
            _table(whole, order),
            *_against_rivals(whole, served[0], order),
            _all_stars(heard, whole),
        ),
    )


def _since(heard: Heard, whole: Demands, order: list[int]) -> str:
    """On which demands our stars changed with the launch, beside our other reviews; in words."""
    ours = heard.talk.reviews.product[heard.rows] == whole.products[0]
    sides = [ours & heard.talk.after[heard.rows], ours & heard.talk.before[heard.rows]]
    about = whole.about[:, order]
    changed = serving(
        *cells(heard, about, sides)[1].three,
        beside=cells(heard, ~about, sides)[1].three,
        fewest=_LEAST_VOICES,
    )
    parts = []
    for sign, words in ((1, "better"), (-1, "worse")):
        rows = np.flatnonzero(
            (changed.p_adjusted[:, 0] <= _SURE) & (sign * changed.value[:, 0] > 0)
        )
        named = ", ".join(
            f"{_name(whole.topics[order[i]])} ({plain(changed.value[i, 0], 1, signed=True)})"
            for i in sorted(rows, key=lambda i: -abs(changed.value[i, 0]))[:_NAMED]
        )
        if named:
            parts.append(f"{words} on {named}")
    if not parts:
        return ""
    return f"Since the launch our stars are {' and '.join(parts)}, beside our other reviews."


def _sides(whole: Demands, served: Serving, plainly: Serving) -> tuple[str, Number | None]:
    """Which demands we serve better and which a rival does, in words; and the surest of them.

    A difference counts when it holds in plain stars and beside each product's own other reviews.
    Where only the plain stars differ, one product's reviewers are harsher on everything.
    """
    pairs = [
        (int(k), int(j))
        for k, j in np.argwhere(
            (served.p_adjusted <= _SURE)
            & (plainly.p_adjusted <= _SURE)
            & (served.value * plainly.value > 0)
        )
        if whole.held[k, 0] >= _LEAST_VOICES
    ]
    if not pairs:
        if not served.compared:
            return "Too few rated reviews of a rival name any of it to compare.", None
        words = "On none of it are we shown to be better or worse than a rival."
        return words + _only_plain(whole, plainly, []), None
    pairs.sort(key=lambda kj: -abs(served.value[kj]))
    parts = []
    for better, words in ((True, "We serve better"), (False, "A rival serves better")):
        told: dict[int, tuple[int, int]] = {}
        for k, j in pairs:
            if (served.value[k, j] > 0) == better:
                told.setdefault(k, (k, j))
        if told:
            named = "; ".join(
                f"{_name(whole.topics[k])} ({plain(plainly.value[k, j], 1, signed=True)} stars "
                f"against {whole.products[j + 1]}, {plain(served.value[k, j], 1, signed=True)} "
                "beyond what sets the two apart on all else)"
                for k, j in list(told.values())[:_NAMED]
            )
            more = f" and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
            parts.append(f"{words}: {named}{more}.")
    at = pairs[0]
    return " ".join(parts) + _only_plain(whole, plainly, pairs), Number(
        value=float(served.value[at]), low=float(served.low[at]), high=float(served.high[at]),
        level=0.95, unit="stars", se=float(served.se[at]), p=float(served.p[at]),
        p_adjusted=float(served.p_adjusted[at]),
    )  # fmt: skip


def _only_plain(whole: Demands, plainly: Serving, pairs: list[tuple[int, int]]) -> str:
    """How many demands differ in plain stars alone; the sentence follows another."""
    known = {k for k, _ in pairs}
    alone = {
        int(k)
        for k, _ in np.argwhere(plainly.p_adjusted <= _SURE)
        if whole.held[k, 0] >= _LEAST_VOICES and int(k) not in known
    }
    if not alone:
        return ""
    number = "one demand" if len(alone) == 1 else f"{len(alone)} demands"
    return (
        f" On {number} more the plain stars differ, but no more than the products' stars do "
        "altogether."
    )


def _shown(whole: Demands, order: list[int]) -> list[int]:
    """Those that people write of most; and what a person named, who asked to see it."""
    return [*order[:_SHOWN], *(k for k in order[_SHOWN:] if whole.topics[k].kind == "pinned")]


def _table(whole: Demands, order: list[int]) -> Table:
    rivals = len(whole.products) > 1
    rows = []
    for k in _shown(whole, order):
        topic, trend = whole.topics[k], whole.trends[k]
        way = "steady"
        if trend is not None and whole.rising[k] <= _SURE:
            way = "rising" if trend.slope > 0 else "falling"
        row: list[str | float | int | None] = [
            topic.name,
            ", ".join(topic.terms[:5]),
            share(whole.share(k)),
            _stars(whole.on.mean[k, 0]),
            way,
        ]
        if rivals:
            theirs = whole.rivals_share(k)
            row.append(None if theirs is None else share(theirs))
        row.append("" if topic.kind != "found" else f"{topic.stability:.0%}")
        rows.append(tuple(row))
    columns = ["demand", "words", "our reviewers", "stars", "by week"]
    columns += ["rivals' reviewers"] if rivals else []
    return Table(
        title="What people ask for",
        columns=(*columns, "found again"),
        rows=tuple(rows),
    )


def _stars(value: float) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None


def _against_rivals(whole: Demands, served: Serving, order: list[int]) -> list[Table]:
    """Stars on each demand by product: ours, and each rival that has enough of them."""
    rivals = [
        j for j in range(len(whole.products) - 1)
        if any(np.isfinite(served.value[k, j]) for k in _shown(whole, order))
    ]  # fmt: skip
    if not rivals:
        return []
    rows = [
        (
            whole.topics[k].name,
            _stars(whole.on.mean[k, 0]),
            *(_beside(whole, served, k, j) for j in rivals),
        )
        for k in _shown(whole, order)
    ]
    return [
        Table(
            title="Stars on each demand; in brackets how much better we serve it, all else allowed "
            "for (? may be chance)",
            columns=("demand", "ours", *(whole.products[j + 1] for j in rivals)),
            rows=tuple(rows),
        )
    ]


def _beside(whole: Demands, served: Serving, k: int, j: int) -> str:
    """A rival's stars on a demand, and ours less theirs beyond what sets the two apart."""
    if not np.isfinite(served.value[k, j]):
        return "–"
    sure = "" if served.p_adjusted[k, j] <= _SURE else "?"
    stars = plain(whole.on.mean[k, j + 1], 1)
    return f"{stars} ({plain(served.value[k, j], 1, signed=True)}{sure})"


def _all_stars(heard: Heard, whole: Demands) -> Table:
    """Each product's stars over all its reviews: what a demand's stars are to be read beside."""
    rows = []
    for p, name in enumerate(whole.products):
        mine = heard.talk.reviews.product[heard.rows] == name
        _, rated, mean, _ = by_voice(heard.stars[mine], heard.voice[mine])
        rows.append((name, int(whole.voices[p]), rated, _stars(mean)))
    return Table(
        title="All reviews of each product",
        columns=("product", "reviewers", "with stars", "stars"),
        rows=tuple(rows),
    )


def _lacking(heard: Heard, whole: Demands, nobody: Unserved) -> Finding | None:
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
