from __future__ import annotations

import numpy as np
import pytest

from octad.text.tokens import term_matrix
from octad.text.topics import Edits, Topic, find_topics, topic_rows

FILLER = ["fine so far", "very good", "my friend told me", "so it goes", "would not miss it"]
PLANTED = ["the kettle boils over", "kettle boils too long", "boils dry, poor kettle"]


def texts_of(n: int, seed: int) -> list[str]:
    """Filler, crashes in two languages, and a demand of this product only."""
    rng = np.random.default_rng(seed)
    crash = ["it crashes at start", "keeps crashing", "一打开就闪退", "又闪退了"]
    pool = FILLER * 3 + crash + PLANTED
    asides = [a + b + "l" for a in "bdfgkmprt" for b in ("a", "e", "i", "o", "u", "oo", "ee")]
    tails = rng.choice(asides, (n, 2))
    # No two people write alike; texts that are pasted count once.
    return [
        f"{pool[i]}. {a}. {b}"
        for i, (a, b) in zip(rng.integers(0, len(pool), n), tails, strict=True)
    ]


def named(texts: list[str], edits: Edits | None = None) -> dict[str, Topic]:
    matrix = term_matrix(texts)
    topics, unknown = find_topics(matrix, edits=edits or Edits({}, {}, {}))
    assert not unknown
    return {topic.name: topic for topic in topics}


def test_a_known_demand_has_a_persons_name_in_two_languages() -> None:
    texts = texts_of(600, 1)
    matrix = term_matrix(texts)
    topics, _ = find_topics(matrix)
    k = next(k for k, topic in enumerate(topics) if topic.name == "crashing and freezing")
    about = np.asarray(topic_rows(matrix, topics).todense())[:, k]
    planted = np.array(["crash" in text or "闪退" in text for text in texts])
    assert about.tolist() == planted.tolist()


def test_what_is_particular_to_the_texts_is_found_and_named_by_its_words() -> None:
    found = {n: t for n, t in named(texts_of(600, 2)).items() if t.kind == "found"}
    assert {"kettle", "boils"} <= {word for topic in found.values() for word in topic.terms}
    assert min(topic.stability for topic in found.values()) >= 0.7


def test_it_is_the_same_at_every_run_and_in_any_order() -> None:
    texts = texts_of(600, 3)
    once, again = named(texts), named(list(texts))
    assert once == again
    shuffled = [texts[i] for i in np.random.default_rng(0).permutation(len(texts))]
    other = named(shuffled)
    assert {n: t.terms for n, t in once.items()} == {n: t.terms for n, t in other.items()}


def test_the_planted_demand_comes_back_in_new_texts_of_the_same_people() -> None:
    back = 0
    for seed in range(20):
        found = [t for t in named(texts_of(500, 100 + seed)).values() if t.kind == "found"]
        back += any({"kettle", "boils"} <= set(topic.terms) for topic in found)
    assert back == 20


def test_a_text_that_is_pasted_is_no_company_of_words() -> None:
    pasted = ["the lobster sings opera at midnight"] * 100
    found = [t for t in named(texts_of(600, 6) + pasted).values() if t.kind == "found"]
    assert not any("lobster" in topic.terms for topic in found)


def test_texts_whose_words_are_thrown_together_make_no_topic() -> None:
    rng = np.random.default_rng(7)
    words = [a + b + "x" for a in "bcdfghklm" for b in "aeiou"]
    texts = [" ".join(rng.choice(words, 5, replace=False)) for _ in range(800)]
    assert [t for t in named(texts).values() if t.kind == "found"] == []


def test_a_person_may_pin_rename_and_merge() -> None:
    texts = texts_of(600, 4) + ["cannot log in", "password again"] * 20
    edits = Edits(
        pin={"tea": ["kettle"]},
        rename={"crashing and freezing": "crashes"},
        merge={"getting in": ["signing in", "connection"]},
    )
    found = named(texts, edits)
    assert "kettle" in found["tea"].terms
    assert found["tea"].kind == "pinned"
    assert "闪退" in found["crashes"].terms
    assert "password" in found["getting in"].terms
    assert "signing in" not in found


def test_an_edit_of_a_topic_that_there_is_not_is_said() -> None:
    matrix = term_matrix(texts_of(200, 5))
    _, unknown = find_topics(matrix, edits=Edits({}, {"pumpkins": "gourds"}, {}))
    assert unknown == ("pumpkins",)
    # A demand that is known, but of which nobody speaks today, is no slip of the pen.
    _, unknown = find_topics(matrix, edits=Edits({}, {"language": "tongues"}, {}))
    assert unknown == ()


@pytest.mark.parametrize("text", ["a band plays", "we abandon it", "banner"])
def test_a_word_that_only_begins_alike_is_another_word(text: str) -> None:
    assert "bans and accounts lost" not in named([text] * 20)


def test_nothing_comes_of_nothing() -> None:
    assert find_topics(term_matrix([])) == ((), ())
    assert find_topics(term_matrix(["", "👍"])) == ((), ())
