"""``python -m tests.text.labelled``: precision and recall on the hand-labelled reviews."""

# ruff: noqa: T201 - printing the table is what it is for
from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from octad.text.bursts import Praise, find_praise
from octad.text.moving import find_moves
from octad.text.tokens import term_matrix
from octad.text.topics import find_topics, topic_rows
from tests.text.labels import CODES, PRAISE, TOPICS, digest
from tests.text.moving_labels import HELD_OUT, TUNED_ON

__all__ = ["Score", "moving", "praise", "topics"]

BoolArray = NDArray[np.bool_]

FILES: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "en": ("messaging_2024/reviews.csv", ("review",), "app_name"),
    "zh": ("smarthome_cn/reviews.csv", ("title", "text"), "app"),
    "id": ("bni_wondr/wondr_reviews.csv", ("content",), None),
}
PRODUCTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "ChatGPT": ("chat gpt", "gpt"),
        "Google Gemini": ("gemini",),
        "Telegram": (),
        "Discord - Talk, Play, Hang Out": ("discord",),
        "WhatsApp": (),
        "Claude": (),
        "Copilot": (),
        "Google Assistant": ("assistant",),
    },
    "zh": dict.fromkeys(("米家", "小米商城", "美居", "海尔智家", "华为智能家居", "格力"), ()),
    "id": {
        "wondr": ("wonder",),
        "BNI Mobile": ("bni mobile banking", "mobile banking", "mbanking"),
    },
}
APPS = {"海尔智家": "zh", "美居": "zh", "wondr": "id"}


@dataclass(frozen=True, slots=True)
class Score:
    """Right marks, marks, what should have been marked, and how many reviews were looked at."""

    hits: int
    marked: int
    meant: int
    n: int

    @property
    def precision(self) -> float:
        """Of what is marked, the share that should be."""
        return self.hits / self.marked if self.marked else float("nan")

    @property
    def recall(self) -> float:
        """Of what should be marked, the share that is."""
        return self.hits / self.meant if self.meant else float("nan")

    def __add__(self, other: Score) -> Score:
        return Score(
            self.hits + other.hits,
            self.marked + other.marked,
            self.meant + other.meant,
            self.n + other.n,
        )

    def __str__(self) -> str:
        return (
            f"precision {self.precision:.2f} ({self.hits} of {self.marked}), "
            f"recall {self.recall:.2f} ({self.hits} of {self.meant}), {self.n} reviews"
        )


def _score(found: BoolArray, truth: BoolArray) -> Score:
    return Score(int((found & truth).sum()), int(found.sum()), int(truth.sum()), len(truth))


def read(folder: Path, language: str) -> tuple[list[dict[str, str]], list[str], list[str]]:
    """The rows of a language's file, their texts, and the product that each reviews."""
    file, columns, product = FILES[language]
    with (folder / file).open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    texts = ["\n".join(row[column] for column in columns) for row in rows]
    return rows, texts, [row[product] if product else "wondr" for row in rows]


def moving(folder: Path, labels: dict[str, str]) -> dict[str, Score]:
    """Who leaves, by language, on labels such as `HELD_OUT`."""
    scores = {}
    for language, words in labels.items():
        _, texts, product = read(folder, language)
        wanted = [(int(word.strip("+")), word.startswith("+")) for word in words.split()]
        found = find_moves(
            [texts[i] for i, _ in wanted], [product[i] for i, _ in wanted], PRODUCTS[language]
        ).leaving
        scores[language] = _score(found, np.array([yes for _, yes in wanted], dtype=bool))
    return scores


def _labelled(language: str) -> list[list[str]]:
    return [word.split(":") for word in TOPICS[language].split()]


def topics(folder: Path) -> dict[str, Score]:
    """Which demand a review is about, over all pairs of a review and a known demand."""
    scores = {}
    for language in TOPICS:
        by_key = {digest(text): text for text in read(folder, language)[1]}
        labelled = _labelled(language)
        matrix = term_matrix([by_key[key] for key, _ in labelled], min_docs=1)
        known = [topic for topic in find_topics(matrix)[0] if topic.kind == "known"]
        held = np.asarray(topic_rows(matrix, known).todense(), dtype=bool)
        column = {topic.name: k for k, topic in enumerate(known)}
        whole = Score(0, 0, 0, 0)
        for code, name in CODES.items():
            truth = np.array([code in codes for _, codes in labelled], dtype=bool)
            found = held[:, column[name]] if name in column else np.zeros_like(truth)
            whole += _score(found, truth)
        scores[language] = Score(whole.hits, whole.marked, whole.meant, len(labelled))
    return scores


def leaving_at_random(folder: Path) -> Score:
    """Who leaves among reviews drawn at random, not among those with words of moving.

    The Chinese ones had been read when the patterns were mended.
    """
    whole = Score(0, 0, 0, 0)
    for language in TOPICS:
        _, texts, product = read(folder, language)
        at = {digest(text): i for i, text in enumerate(texts)}
        labelled = _labelled(language)
        rows = [at[key] for key, _ in labelled]
        found = find_moves(
            [texts[i] for i in rows], [product[i] for i in rows], PRODUCTS[language]
        ).leaving
        whole += _score(found, np.array([codes.endswith("+") for _, codes in labelled]))
    return whole


@dataclass(frozen=True, slots=True, eq=False)
class App:
    """One app's reviews and what is set aside of them."""

    praise: Praise
    five: BoolArray
    deleted: BoolArray
    texts: Sequence[str]


def app(folder: Path, name: str) -> App:
    """Find the bursts of one app of `APPS`."""
    rows, texts, product = read(folder, APPS[name])
    mine = [i for i, one in enumerate(product) if one == name]
    when, stars = ("t", "rating") if APPS[name] == "zh" else ("at", "score")
    time = np.array([datetime.fromisoformat(rows[i][when]) for i in mine], dtype="datetime64[s]")
    rating = np.array([float(rows[i][stars]) for i in mine])
    deleted = np.array([rows[i].get("deleted") == "True" for i in mine], dtype=bool)
    said = [texts[i] for i in mine]
    return App(find_praise(time, rating, said, deleted), rating >= 4.5, deleted, said)


def praise(folder: Path) -> tuple[Score, Score]:
    """Praise set aside, against the labels (is it empty?) and against what the store deleted.

    The labels were drawn half and half from both sides, so only their precision speaks of all
    reviews; the store's deletions are the better measure of what is missed.
    """
    hand = store = Score(0, 0, 0, 0)
    for name, language in APPS.items():
        one = app(folder, name)
        empty = dict(word.split(":") for word in PRAISE[language].split())
        keys = [digest(text) for text in one.texts]
        # "Good" was posted a hundred times, and a label is of one of them: such texts are left out.
        often = Counter(keys)
        rows = [i for i, key in enumerate(keys) if key in empty and often[key] == 1]
        truth = np.array([empty[keys[i]] == "empty" for i in rows], dtype=bool)
        hand += _score(one.praise.aside[rows], truth)
        if one.deleted.any():
            store += _score(one.praise.aside[one.five], one.deleted[one.five])
    return hand, store


def main() -> None:
    """Print the table."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    for title, labels in (("leaving, held out", HELD_OUT), ("leaving, tuned on", TUNED_ON)):
        scores = moving(folder, labels)
        for language, score in scores.items():
            print(f"{title}, {language}: {score}")
        print(f"{title}, all: {sum(scores.values(), Score(0, 0, 0, 0))}")
    print(f"leaving, drawn at random: {leaving_at_random(folder)}")
    for language, score in topics(folder).items():
        print(f"demands, {language}: {score}")
    hand, store = praise(folder)
    print(f"praise set aside, is it empty: {hand}")
    print(f"praise set aside, did the store delete it: {store}")


if __name__ == "__main__":
    main()
