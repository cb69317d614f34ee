"""What people ask for: topics with names, the same at every run.

A document is about a topic when it holds one of the topic's words; that is all, so a reader can
check it, and a document may be about several. Words come from three places, and a word belongs to
the first that claims it: topics that a person pinned, the charter's jobs, and demands that almost
every product meets (`octad.text.topic_words`). What is particular to these texts is found: words
that keep one another's company (normalised pointwise mutual information; Bouma 2009), joined by
average linkage, named by the phrase that people write most about them, and kept only when they are
found again in halves of the texts (mean Jaccard similarity of the best match; Hennig 2007). No step
starts at random.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from octad.text.company import company
from octad.text.naming import phrase_for
from octad.text.store import OwnWords
from octad.text.tokens import TermMatrix
from octad.text.topic_words import JUDGEMENTS, KNOWN

__all__ = ["Edits", "Topic", "find_topics", "topic_rows"]

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ENDINGS = ("", "s", "es", "ed", "ing", "ment")
_HAN = re.compile(r"[\u3400-\u9fff]")
_FEWEST, _SHARE, _COMMON = 15, 0.004, 0.25
_MOST_WORDS, _TOGETHER, _NPMI = 400, 5, 0.3
_LONGEST_NAME, _COVERED = 3, 0.6
_RESAMPLES, _STABLE, _MOST_TEXTS = 10, 0.7, 200_000


@dataclass(frozen=True, slots=True)
class Topic:
    """One demand.

    Attributes:
        name: As it is shown.
        terms: Columns' terms that make a document be about it, the commonest first.
        kind: ``pinned``, ``job``, ``known`` or ``found``.
        stability: Of a found topic, how much of it comes back in half of the texts, 0 to 1; 1 for
            the others, whose words do not depend on the texts.
    """

    name: str
    terms: tuple[str, ...]
    kind: str
    stability: float = 1.0


@dataclass(frozen=True, slots=True)
class Edits:
    """What a person wants otherwise.

    Attributes:
        pin: Name to words: topics of one's own, before all others.
        rename: Name as found to name wanted.
        merge: Name wanted to the names of the topics that are one.
    """

    pin: Mapping[str, Sequence[str]]
    rename: Mapping[str, str]
    merge: Mapping[str, Sequence[str]]


_NO_EDITS = Edits({}, {}, {})


def _claims(seeds: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Each seed word, in lower case, to the first topic that claims it."""
    owner: dict[str, str] = {}
    for name, words in seeds.items():
        for word in words:
            owner.setdefault(word.strip().lower(), name)
    return owner


def _owner(term: str, owner: Mapping[str, str], han: Sequence[tuple[str, str]]) -> str | None:
    """The topic that a column's term belongs to, if any seed is in it.

    English endings are taken off; a Chinese seed may lie within a longer word or phrase.
    """
    if term in owner:
        return owner[term]
    if _HAN.search(term):
        return next((name for seed, name in han if seed in term), None)
    for word in term.split():
        for ending in _ENDINGS:
            stem = word.removesuffix(ending) if ending else word
            for base in (stem, f"{stem}e") if len(ending) > 1 else (stem,):
                if base in owner and (base == word or len(stem) >= (3 if ending == "s" else 4)):
                    return owner[base]
    return None


def _seeded(
    terms: Sequence[str], seeds: Mapping[str, Iterable[str]]
) -> tuple[dict[str, list[int]], BoolArray]:
    """Columns of each seeded topic; (V,) which columns are taken."""
    owner = _claims(seeds)
    # One letter is a word of its own (卡, slow) and part of a hundred others.
    han = [(seed, name) for seed, name in owner.items() if _HAN.search(seed) and len(seed) > 1]
    any_han = re.compile("|".join(re.escape(seed) for seed, _ in han) or r"(?!)")
    columns: dict[str, list[int]] = {name: [] for name in seeds}
    taken = np.zeros(len(terms), dtype=bool)
    for i, term in enumerate(terms):
        name = _owner(term, owner, han if any_han.search(term) else ())
        if name is not None:
            columns[name].append(i)
            taken[i] = True
    return columns, taken


def _wording(presence: Any) -> NDArray[np.uint64]:
    """(N,) a number for each row: equal for equal rows; others collide once in 2⁶⁴ pairs."""
    drawn = np.random.default_rng(0).integers(1, 2**63, presence.shape[1], dtype=np.uint64)
    before = np.zeros(len(presence.indices) + 1, dtype=np.uint64)
    np.cumsum(drawn[presence.indices], out=before[1:])
    return np.asarray(before[presence.indptr[1:]] - before[presence.indptr[:-1]])


def _distinct(presence: Any) -> IntArray:
    """Rows of the first document of each wording: what is pasted is one text, not company kept."""
    return np.sort(np.unique(_wording(presence), return_index=True)[1])


def _candidates(
    matrix: TermMatrix, held: IntArray, n: int, taken: BoolArray, names: Iterable[str]
) -> IntArray:
    """Columns that could make up topics: common enough, not everywhere, and no bare judgement."""
    products = {word for name in names for word in name.lower().split()}
    floor = max(_FEWEST, _SHARE * n)
    fit = (held >= floor) & (held <= _COMMON * n) & ~taken
    good = [
        int(i)
        for i in np.flatnonzero(fit)
        if not any(
            word in JUDGEMENTS or word in products or len(word) < (1 if _HAN.search(word) else 3)
            for word in matrix.terms[i].split()
        )
        and matrix.terms[i] not in JUDGEMENTS
        and not any(_HAN.search(word) and word in matrix.terms[i] for word in products)
        and " " not in matrix.terms[i]
    ]
    order = sorted(good, key=lambda i: (-int(held[i]), matrix.terms[i]))
    return np.array(sorted(order[:_MOST_WORDS]), dtype=np.int64)


def _communities(both: FloatArray, n: int) -> list[IntArray]:
    """Groups of two words or more that keep one another's company.

    Args:
        both: (W, W) documents that hold both of two words, from `octad.text.company`.
        n: How many documents there are.

    Returns:
        Word numbers of each group.
    """
    if len(both) < 2:
        return []
    held = both.diagonal().copy()
    known = (both >= _TOGETHER) & (held[:, None] > 0) & (held[None, :] > 0)
    joint = np.where(known, both, 1.0) / n
    with np.errstate(divide="ignore", invalid="ignore"):
        npmi = np.log(joint * n * n / (held[:, None] * held[None, :])) / -np.log(joint)
    near = np.where(known, np.clip(npmi, 0.0, 1.0), 0.0)
    far = 1 - (near + near.T) / 2
    np.fill_diagonal(far, 0.0)
    label = fcluster(linkage(squareform(far, checks=False), "average"), 1 - _NPMI, "distance")
    groups = [np.flatnonzero(label == k) for k in range(1, int(label.max()) + 1)]
    return [group for group in groups if len(group) >= 2]


def _about(part: Any, groups: list[IntArray]) -> Any:
    """(N, K) sparse, 1 where the document holds a word of the group."""
    column = np.concatenate([np.full(len(group), k) for k, group in enumerate(groups)])
    gather = sparse.csr_matrix(
        (np.ones(len(column), dtype=np.int32), (np.concatenate(groups), column)),
        shape=(part.shape[1], len(groups)),
    )
    table = part @ gather
    table.data = np.minimum(table.data, 1)
    return table


def _stability(part: Any, groups: list[IntArray]) -> FloatArray:
    """Mean Jaccard similarity of each group's documents with its best match in halves of the texts.

    Of many texts an even sample is halved: what comes back in a part comes back in the whole.
    """
    if not groups:
        return np.zeros(0)
    if part.shape[0] > _MOST_TEXTS:
        part = part[np.linspace(0, part.shape[0] - 1, _MOST_TEXTS).astype(np.int64)]
    n = part.shape[0]
    # Most texts hold none of the words, or one: what is alike is drawn as one row with a weight.
    _, first, which = np.unique(_wording(part), return_index=True, return_inverse=True)
    alike, weight = part[first], np.bincount(which)
    own = _about(alike, groups)
    found = np.zeros((_RESAMPLES, len(groups)))
    # Halves, not draws with repeats: those hold two thirds of the texts, and flatter. The seed is
    # the round's number, so it is the same at every run.
    halves = [np.random.default_rng(r).permutation(n)[: n // 2] for r in range(_RESAMPLES)]
    drawn = np.array([np.bincount(which[half], minlength=len(first)) for half in halves], float)
    for r, both in enumerate(company(alike, drawn)):
        again = _communities(both, n // 2)
        if again:
            other = _about(alike, again)
            common = np.asarray((own.T @ _times(other, weight)).todense())
            sizes = [np.asarray(weight @ table).ravel() for table in (own, other)]
            union = sizes[0][:, None] + sizes[1][None, :] - common
            found[r] = (common / np.maximum(union, 1)).max(axis=1)
    return np.asarray(found.mean(axis=0))


def _times(table: Any, weight: IntArray) -> Any:
    """A sparse table with each row multiplied by its weight."""
    result = table.copy()
    result.data = table.data * np.repeat(weight.astype(np.int32), np.diff(table.indptr))
    return result


def _found(matrix: TermMatrix, taken: BoolArray, names: Iterable[str]) -> list[Topic]:
    """Topics that only these texts have."""
    texts = matrix.presence[_distinct(matrix.presence)]
    counts = np.asarray(texts.sum(axis=0, dtype=np.int64)).ravel()
    columns = _candidates(matrix, counts, max(texts.shape[0], 1), taken, names)
    part = texts[:, columns].tocsr().astype(np.int32)
    n = part.shape[0]
    groups = _communities((part.T @ part).toarray().astype(np.float64), n)
    stable = _stability(part, groups)
    held = counts[columns]
    topics = []
    for group, often in zip(groups, stable, strict=True):
        if often < _STABLE:
            continue
        words = sorted(group, key=lambda i: (-int(held[i]), matrix.terms[columns[i]]))
        terms = tuple(matrix.terms[columns[i]] for i in words)
        topics.append(Topic(", ".join(terms[:_LONGEST_NAME]), terms, "found", float(often)))
    return topics


def find_topics(
    matrix: TermMatrix,
    *,
    jobs: Mapping[str, Iterable[str]] | None = None,
    products: Iterable[str] = (),
    edits: Edits = _NO_EDITS,
    words: OwnWords | None = None,
) -> tuple[tuple[Topic, ...], tuple[str, ...]]:
    """Find what texts ask for, under names a person would give.

    Args:
        matrix: Terms of the texts of all products together.
        jobs: The charter's jobs and their words; they become topics of their own.
        products: Names of the products, which are no demands.
        edits: What a person wants otherwise; merging comes before renaming.
        words: The texts themselves, for the names of what is found; without them such a demand is
            called by its commonest words.

    Returns:
        The topics that any text is about, the most talked about first; and, in plain words, which
        edits speak of a topic that there is not.
    """
    seeds: dict[str, Iterable[str]] = {**edits.pin}
    kinds = dict.fromkeys(seeds, "pinned")
    for more, kind in ((jobs or {}, "job"), (KNOWN, "known")):
        for name, said in more.items():
            seeds.setdefault(name, said)
            kinds.setdefault(name, kind)
    columns, taken = _seeded(matrix.terms, seeds)
    held = matrix.counts()
    topics = []
    for name, part in columns.items():
        if part:
            ordered = sorted(part, key=lambda i: (-int(held[i]), matrix.terms[i]))
            topics.append(Topic(name, tuple(matrix.terms[i] for i in ordered), kinds[name]))
    found = _found(matrix, taken, products)
    topics += found if words is None else _named(matrix, found, topics, words, products)
    topics, unknown = _edited(topics, edits, seeds)
    rows = topic_rows(matrix, topics)
    sizes = np.asarray(rows.sum(axis=0)).ravel()
    order = sorted(range(len(topics)), key=lambda i: (-int(sizes[i]), topics[i].name))
    return tuple(topics[i] for i in order), unknown


def _named(
    matrix: TermMatrix,
    found: list[Topic],
    others: list[Topic],
    words: OwnWords,
    products: Iterable[str],
) -> list[Topic]:
    """Call found topics by the phrase that people write most about them.

    A topic most of whose texts are about one of the charter's jobs, or about what a person pinned,
    is a part of that and says so.
    """
    own = [topic for topic in others if topic.kind in {"pinned", "job"}]
    rows, wholes = topic_rows(matrix, found).tocsc(), topic_rows(matrix, own).tocsc()
    avoid = {word for name in products for word in name.lower().split()}
    taken, named = {topic.name for topic in others}, []
    for k, topic in enumerate(found):
        about = np.sort(rows.indices[rows.indptr[k] : rows.indptr[k + 1]])
        name = phrase_for(words.texts[about], topic.terms, avoid=avoid) or topic.name
        shares = np.asarray(wholes[about].mean(axis=0)).ravel()
        if len(shares) and shares.max() >= _COVERED:
            name = f"{own[int(shares.argmax())].name}: {name}"
        named.append(topic if name in taken else replace(topic, name=name))
        taken.add(named[-1].name)
    return named


def _edited(
    topics: list[Topic], edits: Edits, seeds: Mapping[str, Iterable[str]]
) -> tuple[list[Topic], tuple[str, ...]]:
    """Merge, then rename. A found topic may be called by its name, its words or the first of them.

    Names are what people write, and may change with what they write; the words say the same demand.
    """
    known = {topic.name: topic for topic in topics}
    first = {}
    for topic in topics:
        if topic.kind == "found":
            first[topic.terms[0]] = first[", ".join(topic.terms[:_LONGEST_NAME])] = topic.name
    unknown: list[str] = []

    def named(name: str) -> str | None:
        key = name if name in known else first.get(name)
        # A known demand that nobody speaks of today is no slip of the pen.
        if key is None and name not in seeds:
            unknown.append(name)
        return key

    for wanted, parts in edits.merge.items():
        there = [known.pop(key) for key in map(named, parts) if key is not None and key in known]
        if there:
            there += [known.pop(wanted)] if wanted in known else []
            terms = tuple(dict.fromkeys(term for topic in there for term in topic.terms))
            known[wanted] = Topic(wanted, terms, "pinned", min(t.stability for t in there))
    for old, new in edits.rename.items():
        key = named(old)
        if key is not None and key in known:
            known[key] = replace(known[key], name=new)
    return list(known.values()), tuple(dict.fromkeys(unknown))


def topic_rows(matrix: TermMatrix, topics: Sequence[Topic]) -> Any:
    """(N, K) sparse booleans: which document is about which topic."""
    number = {term: i for i, term in enumerate(matrix.terms)}
    pairs = [(number[term], k) for k, topic in enumerate(topics) for term in topic.terms]
    row = [pair[0] for pair in pairs]
    column = [pair[1] for pair in pairs]
    gather = sparse.csr_matrix(
        (np.ones(len(pairs), dtype=np.int32), (row, column)),
        shape=(len(matrix.terms), len(topics)),
    )
    return (matrix.presence.astype(np.int32) @ gather) > 0
