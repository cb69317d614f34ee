from __future__ import annotations

import re
import unicodedata

import numpy as np

from octad.worlds import World, words_en, words_zh
from octad.worlds.base import Categorical
from octad.worlds.voices import TOPICS

START = np.datetime64("2026-03-01")


def _reviews(world: World) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray]:
    table = world.tables["reviews"]
    app = table["app"]
    assert isinstance(app, Categorical)
    texts = [str(text) for text in np.asarray(table["content"])]
    return texts, app.is_("Wallet"), np.asarray(table["at"]), np.asarray(table["score"])


def test_every_topic_has_sentences_in_both_languages() -> None:
    for words in (words_en, words_zh):
        sentences = {**words.SENTENCES, **words.RIVAL}
        assert set(sentences) == set(TOPICS)
        for skeletons in sentences.values():
            # somebody new, whose age nobody knows, must find something to say
            assert any("{years}" not in x and "{age}" not in x for x in skeletons)
    both = {
        x
        for w in (words_en, words_zh)
        for d in (w.SENTENCES, w.RIVAL)
        for v in d.values()
        for x in v
    }
    assert len(both) >= 250


def test_no_slot_is_left_open(wallet: World) -> None:
    texts, *_ = _reviews(wallet)
    assert all(text.strip() for text in texts)
    assert not [text for text in texts if re.search(r"[{}]", text)]


def test_reviews_are_rich_in_letters_and_free_of_hostility(wallet: World) -> None:
    texts, *_ = _reviews(wallet)
    joined = "".join(texts)
    assert any("\u4e00" <= c <= "\u9fff" for c in joined)
    assert any(unicodedata.category(c) == "So" for c in joined)
    assert not [c for c in joined if unicodedata.category(c) in {"Cc", "Cf", "Cs"}]
    assert "<" not in joined
    assert not [text for text in texts if text[0] in "=+@-"]


def test_reviews_do_not_look_canned(wallet: World) -> None:
    texts, *_ = _reviews(wallet)
    assert len(set(texts)) > 0.85 * len(texts)


def test_talk_turns_from_paying_to_the_feed_and_to_the_rival(wallet: World) -> None:
    texts, ours, at, stars = _reviews(wallet)
    after = at >= START
    feed = np.array(["feed" in t.lower() or "圈子" in t for t in texts])
    away = np.array(["otherpay" in t.lower() for t in texts])
    assert not feed[ours & ~after].any()
    assert feed[ours & after].mean() > 0.25
    assert away[ours & after].mean() > 2 * away[ours & ~after].mean()
    assert stars[ours & after].mean() < stars[ours & ~after].mean() - 1
    assert stars[~ours & after].mean() > stars[~ours & ~after].mean()
    assert set(stars.tolist()) <= {1, 2, 3, 4, 5}


def test_some_like_the_feed(wallet: World) -> None:
    texts, ours, at, stars = _reviews(wallet)
    fans = ours & (at >= START) & (stars >= 4)
    assert any("feed" in t.lower() for t, fan in zip(texts, fans, strict=True) if fan)
