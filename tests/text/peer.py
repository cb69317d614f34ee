"""``python -m tests.text.peer``: topics beside scikit-learn's NMF, on the hand-labelled reviews.

Each hand label is given the NMF topic that fits it best on these very reviews, which nobody could
know beforehand; our demands are held against their own names.
"""

# ruff: noqa: T201 - printing the table is what it is for
from __future__ import annotations

from pathlib import Path

import numpy as np
from benchmarks.topics import agreement, our_topics, recurring, their_topics

from octad.text.store import own_words
from octad.text.tokens import cut_chinese
from tests.text.labelled import read, topics
from tests.text.labels import CODES, TOPICS, digest


def main() -> None:
    """Print, by language, F1 against the labels and the share of topics that come back."""
    folder = Path(__file__).resolve().parents[3] / "shared" / "data"
    mine = topics(folder)
    for language in TOPICS:
        texts = [own_words(text) for text in read(folder, language)[1]]
        place = {digest(text): i for i, text in enumerate(read(folder, language)[1])}
        labelled = [word.split(":") for word in TOPICS[language].split()]
        truth = np.array([[code in codes for code in CODES] for _, codes in labelled])
        cut = cut_chinese if language == "zh" else None
        rows, _ = their_topics(texts, cut)
        theirs = agreement(rows[[place[key] for key, _ in labelled]], truth)
        score = mine[language]
        f1 = 2 * score.hits / (score.marked + score.meant)
        back = recurring(our_topics(texts[::2])[1], our_topics(texts[1::2])[1])
        their_back = recurring(their_topics(texts[::2], cut)[1], their_topics(texts[1::2], cut)[1])
        print(
            f"{language}: F1 ours {f1:.2f}, NMF {theirs:.2f}; "
            f"found topics that come back, ours {back:.2f}, NMF {their_back:.2f}"
        )


if __name__ == "__main__":
    main()
