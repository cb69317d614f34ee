"""Reviews find their words: a grammar of sentences and slots, with the slips of real typing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from octad.worlds import words_en, words_zh
from octad.worlds.base import Random
from octad.worlds.people import People
from octad.worlds.voices import BITES, TOPICS, Said

__all__ = ["authors", "write"]

_SLOT = re.compile(r"\{(\w+)\}")
_START = re.compile(r"(^|[.!?…]\s+)([a-z])")
_GLAD, _CROSS = "👍😊❤🙏💯", "😡😤🙄👎😭😞"
_NAMES = (
    "anna", "ben", "mei", "li", "sam", "rosa", "tom", "nina", "jun", "kai", "eva", "omar", "ida",
    "leo", "wang", "chen", "zoe", "max", "lin", "hana", "paul", "mia", "yan", "ali", "小雨", "阿明",
    "老王", "静静", "海洋", "小陈",
)  # fmt: skip


class _Draws:
    """A row of uniforms, used one after the other."""

    def __init__(self, row: NDArray[np.float64]) -> None:
        self._left: Iterator[float] = iter(row.tolist())

    def one(self) -> float:
        return next(self._left, 0.5)

    def of(self, choices: tuple[str, ...] | str) -> str:
        return choices[int(self.one() * len(choices))]

    def hit(self, chance: float) -> bool:
        return self.one() < chance


class _Writer:
    """One person writing one review."""

    def __init__(self, draws: _Draws, *, chinese: bool, age: int, days: int) -> None:
        self.draws = draws
        self.chinese = chinese
        words = words_zh if chinese else words_en
        self.words = words
        self.sentences = {**words.SENTENCES, **words.RIVAL}
        self.years = days // 365
        band = age
        self.age = 45 + 15 * (band - 2) + int(14 * draws.one()) if band >= 2 else None
        self.kin = "kin_young" if band == 0 else "kin_old" if band == 3 else "kin_middle"
        self._meant: dict[str, str] = {}  # the same relative and place throughout a review

    def _fits(self, sentence: str) -> bool:
        return ("{years}" not in sentence or self.years >= 2) and (
            "{age}" not in sentence or self.age is not None
        )

    def sentence(self, topic: str, unlike: str = "") -> tuple[str, str]:
        """A sentence, and the skeleton it was made from."""
        fits = tuple(x for x in self.sentences[topic] if self._fits(x))
        skeleton = self.draws.of(tuple(x for x in fits if x != unlike) or fits)
        return _SLOT.sub(self._fill, skeleton), skeleton

    def _fill(self, slot: re.Match[str]) -> str:
        name = slot[1]
        if name == "years":
            return str(self.years)
        if name == "age":
            return str(self.age)
        if name in self._meant:
            return self._meant[name]
        word = self.draws.of(self.words.SLOTS[self.kin if name == "kin" else name])
        if name in {"kin", "private", "to"}:
            self._meant[name] = word
        return word

    def text(self, topic: str, also: str, stars: int, *, pleased: bool) -> str:
        """The whole review; its tone is `pleased` and its stars, where they agree."""
        tone = "good" if stars >= 4 and pleased else "bad" if stars <= 2 and not pleased else "even"
        core, skeleton = self.sentence(topic)
        parts = [core]
        parting = topic in {"leaving", "leaving_sore"}
        if self.draws.hit(0.75 if parting else 0.3):
            more, _ = self.sentence(also, unlike=skeleton)
            parts = [more, core] if parting else [core, more]
        if self.draws.hit(0.3):
            parts.insert(0, self.draws.of(self.words.OPENERS[tone]))
        if self.draws.hit(0.25):
            parts.append(self.draws.of(self.words.CLOSERS[tone]))
        text = "".join(parts) if self.chinese else _capitals(" ".join(parts))
        return self._slips(text, tone)

    def given(self) -> str:
        """What somebody who is paid for praise is given to paste: all that is to be praised."""
        parts = [self.draws.of(self.words.OPENERS["good"])]
        parts += [self.sentence(topic)[0] for topic in ("quick", "trust", "transfer")]
        parts.append(self.draws.of(self.words.CLOSERS["good"]))
        return "".join(parts) if self.chinese else _capitals(" ".join(parts))

    def _slips(self, text: str, tone: str) -> str:
        """Typing as people type: no capitals, lost stops, swapped letters, too many marks."""
        if not self.chinese:
            if self.draws.hit(0.14):
                text = text.lower()
            if self.draws.hit(0.10):
                text = _swap(text, self.draws.one())
            if self.draws.hit(0.03) and tone == "bad":
                text = text.upper()
        if self.draws.hit(0.18):
            text = text.rstrip(".。")
        if self.draws.hit(0.07):
            text = text.rstrip(".。!！") + ("！！" if self.chinese else "!!!")
        if self.draws.hit(0.16) and tone != "even":
            mark = self.draws.of(_GLAD if tone == "good" else _CROSS)
            text += (" " if not self.chinese else "") + mark * (1 + self.draws.hit(0.25))
        return text


def _capitals(text: str) -> str:
    return _START.sub(lambda found: found[1] + found[2].upper(), text)


def _swap(text: str, u: float) -> str:
    """Swap two letters inside one of the longer words."""
    words = text.split(" ")
    long = [i for i, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
    if not long:
        return text
    which = long[int(u * len(long))]
    word = words[which]
    cut = 1 + int(u * 997) % (len(word) - 3)
    words[which] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
    return " ".join(words)


def _touched(text: str, draws: _Draws, *, chinese: bool) -> str:
    """Somebody else's text with a mark, a word or a slip of one's own."""
    words = words_zh if chinese else words_en
    if draws.hit(0.3):
        return text
    if draws.hit(0.4):
        return text.rstrip(".。!！") + ("！" if chinese else "!") * (1 + draws.hit(0.5))
    if draws.hit(0.4):
        return text + ("" if chinese else " ") + draws.of(_GLAD)
    if draws.hit(0.5) and not chinese:
        return _swap(text, draws.one())
    return text + ("" if chinese else " ") + draws.of(words.CLOSERS["good"])


def write(random: Random, people: People, said: Said) -> NDArray[np.object_]:
    """The text of each review.

    Args:
        random: The world's randomness.
        people: Who lives there.
        said: (R,) reviews without words.

    Returns:
        (R,) texts.
    """
    n = len(said.at)
    draws = np.stack([random.uniform("words", said.at, 0, turn) for turn in range(28)], axis=1)
    texts = np.empty(n, dtype=object)
    given = [
        random.uniform("given words", np.arange(32), which)
        for which in range(int(said.pasted.max(initial=-1)) + 1)
    ]
    for i in range(n):
        row = _Draws(draws[i])
        user, which = int(said.user[i]), int(said.pasted[i])
        if which >= 0:
            source, chinese = _Draws(given[which]), which % 3 == 2
            writer = _Writer(source, chinese=chinese, age=1, days=100)
            texts[i] = _touched(writer.given(), row, chinese=chinese)
            continue
        if user >= 0:
            chinese, age = bool(people.chinese[user]), int(people.age[user])
            days = int(people.days[user])
        else:  # people who only know the rival
            chinese, age, days = row.hit(0.2), int(row.one() * 4), int(row.one() * 1400)
        writer = _Writer(row, chinese=chinese, age=age, days=days)
        topic, also = int(said.topic[i]), int(said.also[i])
        texts[i] = writer.text(
            TOPICS[topic], TOPICS[also], int(said.stars[i]), pleased=bool(BITES[topic] < 0.8)
        )
    return texts


def authors(random: Random, said: Said) -> NDArray[np.object_]:
    """The name each review is signed with; the same person signs with the same name."""
    unit = np.where(said.user >= 0, said.user, 10**9 + said.at)
    which = (random.uniform("author", unit) * len(_NAMES)).astype(np.int64)
    number = (random.uniform("author number", unit) * 9000).astype(np.int64)
    names = [f"{_NAMES[a]}{b}" for a, b in zip(which, number, strict=True)]
    return np.array(names, dtype=object)
