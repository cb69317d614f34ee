from __future__ import annotations

from octad.text.naming import phrase_for
from octad.text.store import every_own_words
from octad.text.tokens import term_matrix
from octad.text.topics import Edits, find_topics
from tests.text.test_topics import texts_of

OUT = ["Beli token listrik gagal", "mau beli token listrik tapi lama", "listrik, token, pulsa"] * 5


def test_the_phrase_that_most_people_write_is_the_name() -> None:
    assert phrase_for(OUT, ["gagal", "beli", "listrik"]) == "beli token listrik"
    said = ["I talk to my friends", "talking to my friend", "talk to my friends, free"] * 4
    assert phrase_for(said, ["friend", "talk"]) == "talk to my friends"
    assert (
        phrase_for(["一点远程控制就失败", "远程控制很慢", "想远程控制空调"] * 5, ["控制", "远程"])
        == "远程控制"
    )


def test_a_name_names_something() -> None:
    # No sign of a sentence's end, small word, denial, bare judgement or product within its ends.
    said = ["good. game of Chess", "not game", "the game is bad", "games in", "Wallet game"] * 9
    assert phrase_for(said, ["game"], avoid=["wallet", "chess"]) == ""
    assert phrase_for([], ["game"]) == ""


def test_found_demands_have_names_and_still_go_by_their_words() -> None:
    texts = texts_of(600, 2)
    matrix, words = term_matrix(texts), every_own_words(texts)
    plain = next(topic for topic in find_topics(matrix)[0] if "kettle" in topic.terms)
    named = next(topic for topic in find_topics(matrix, words=words)[0] if "kettle" in topic.terms)
    assert named.terms == plain.terms
    assert (plain.name, named.name) == ("boils, kettle, dry", "kettle boils")
    for old in (named.name, plain.name, plain.terms[0]):
        edits = Edits({}, {old: "tea"}, {})
        topics, unknown = find_topics(matrix, words=words, edits=edits)
        assert not unknown
        assert "tea" in {topic.name for topic in topics}


def test_a_part_of_a_job_says_which_job() -> None:
    texts = [f"{text}, making tea" if "kettle" in text else text for text in texts_of(600, 2)]
    matrix, words = term_matrix(texts), every_own_words(texts)
    topics, _ = find_topics(matrix, words=words, jobs={"brew": ["tea"]})
    assert "brew: kettle boils" in {topic.name for topic in topics}
