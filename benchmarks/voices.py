"""Reviews in, terms, copies, what rose, topics, moves and bursts out, beside scikit-learn.

The reviews are made, so that anybody can run this: words of everyday reviews among five thousand
others, as often as words are (Zipf), some twelve words a review, in English or in Chinese.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.text.bursts import find_praise
from octad.text.contrast import contrast, voices
from octad.text.moving import find_moves
from octad.text.store import every_own_words
from octad.text.tokens import cut_chinese, term_matrix
from octad.text.topic_words import KNOWN
from octad.text.topics import find_topics, topic_rows
from octad.text.words import ENGLISH_STOP

__all__ = ["made", "ours", "terms", "theirs"]

_OTHERS = 5_000
_LEAVING = {
    "en": ("uninstalled it", "moving to OtherPay", "deleted the app", "looking for another app"),
    "zh": ("果断卸载", "再也不会买了", "换成别付了", "卸载重装还是闪退"),
}
_HAN = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自"
    "二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变"
    "条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指"
    "几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安"
    "场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连"
)


def _vocabulary(language: str, rng: np.random.Generator) -> list[str]:
    if language == "zh":
        said = [word for words in KNOWN.values() for word in words if not word.isascii()]
        letters = rng.integers(0, len(_HAN), (_OTHERS, 2))
        others = [_HAN[a] + _HAN[b] for a, b in letters]
        common = ["的", "了", "很", "不", "我", "就", "也", "都", "好用", "不错", "软件", "这个"]
    else:
        said = [word for words in KNOWN.values() for word in words if word.isascii()]
        parts = ["ba", "cor", "den", "fi", "gul", "ha", "jor", "kem", "li", "mon", "ne", "pra"]
        others = ["".join(parts[i] for i in row) for row in rng.integers(0, 12, (_OTHERS, 4))]
        common = sorted(ENGLISH_STOP)[:80]
    return [*common, *said, *others]


def made(language: str, n: int, seed: int = 7) -> NDArray[np.object_]:
    """Reviews of nobody's; shape (n,).

    Args:
        language: ``en`` or ``zh``.
        n: How many.
        seed: Of the random numbers.
    """
    rng = np.random.default_rng(seed)
    words = np.array(_vocabulary(language, rng), dtype=object)
    chance = 1 / (np.arange(len(words)) + 3.0)
    lengths = np.clip(rng.lognormal(np.log(12), 0.9, n).astype(int), 1, 200)
    drawn = words[rng.choice(len(words), int(lengths.sum()), p=chance / chance.sum())]
    glue, texts = "" if language == "zh" else " ", np.empty(n, dtype=object)
    ends = np.cumsum(lengths)
    for i, end in enumerate(ends):
        texts[i] = glue.join(drawn[end - lengths[i] : end])
    for i in rng.choice(n, n // 50, replace=False):
        texts[i] = f"{texts[i]}{glue}{_LEAVING[language][i % 4]}"
    return texts


def _warm() -> None:
    """What is read once a process is no part of a rate a million."""
    cut_chinese("打开")


def ours(language: str, n: int) -> dict[str, Any]:
    """Seconds of processor for all that readings make of reviews, without optional models."""
    texts = made(language, n)
    rng = np.random.default_rng(1)
    product = np.where(rng.random(n) < 0.5, "Wallet", "OtherPay")
    when = np.datetime64("2026-01-01", "s") + rng.integers(0, 180 * 86_400, n)
    rating = rng.choice([1.0, 3.0, 5.0], n)
    _warm()
    stages, start = {}, time.process_time()
    words = every_own_words(texts)
    matrix = term_matrix(words)
    stages["terms"] = time.process_time()
    voice = voices(words, np.full(n, "", dtype=object))
    stages["copies"] = time.process_time()
    own, after = product == "Wallet", when >= np.datetime64("2026-04-01", "s")
    others = (~own & ~after, ~own & after)
    contrast(matrix, own & ~after, own & after, voice=voice, controls=[others])
    stages["what rose"] = time.process_time()
    topics = find_topics(matrix, words=words)[0]
    topic_rows(matrix, topics)
    stages["topics"] = time.process_time()
    find_moves(words, product, {"Wallet": (), "OtherPay": ("别付",)})
    stages["moves"] = time.process_time()
    for name in ("Wallet", "OtherPay"):
        rows = product == name
        find_praise(
            when[rows], rating[rows], words.take(rows), np.zeros(int(rows.sum()), dtype=bool)
        )
    stages["praise"] = time.process_time()
    return {"seconds": stages["praise"] - start, "ends": {k: v - start for k, v in stages.items()}}


def terms(language: str, n: int) -> dict[str, Any]:
    """Seconds of processor from texts to the table of terms, ours."""
    texts = made(language, n)
    _warm()
    start = time.process_time()
    matrix = term_matrix(texts)
    return {"seconds": time.process_time() - start, "terms": len(matrix.terms)}


def theirs(language: str, n: int) -> dict[str, Any]:
    """The same by scikit-learn: words and pairs in three texts at least, small words left out.

    Chinese is cut by rjieba for both.
    """
    from sklearn.feature_extraction.text import CountVectorizer  # noqa: PLC0415 - before the clock

    texts = made(language, n)
    _warm()
    cut: dict[str, Any] = {"tokenizer": cut_chinese, "token_pattern": None}
    vectorizer = CountVectorizer(
        binary=True,
        ngram_range=(1, 2),
        min_df=3,
        stop_words=None if language == "zh" else "english",
        **(cut if language == "zh" else {}),
    )
    start = time.process_time()
    table = vectorizer.fit_transform(texts)
    return {"seconds": time.process_time() - start, "terms": int(table.shape[1])}
