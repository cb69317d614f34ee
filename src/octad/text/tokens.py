"""From texts to a sparse table of which document holds which term.

Words are found in one pass per chunk of documents, each distinct word is normalised once, and
everything after that (stop words, negation, phrases, counts) happens on integer arrays.

English is lower-cased, its contractions opened (``doesn't`` is ``not``), and an inflected word
folded into its base when the base itself occurs in the corpus (``crashes``, ``crashing`` →
``crash``): a complaint spread over four forms would otherwise be missed. Chinese is cut with
rjieba. A negated word is only ever a phrase (``not work``, ``无法连接``), never the bare word.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from octad.text.language import scripts
from octad.text.store import Texts, every_own_words
from octad.text.words import (
    NEGATORS,
    NOT_INFLECTED,
    PARTICLES,
    SINGLE_HAN,
    STOP,
)

__all__ = ["TermMatrix", "cut_chinese", "term_matrix"]

_CHUNK = 4_096
_BREAK, _STOP, _NEGATOR, _WORD, _PARTICLE, _EMOJI, _SPACE = range(7)
_END = "\x00"  # `clean` takes it out of every text, so it can only mean the end of one
_EMOJI_CLASS = "\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u2b55\u2190-\u21ff"
_TOKEN = re.compile(
    rf"[^\W_]+(?:'[^\W_]+)*|[{_EMOJI_CLASS}]|\n|{_END}|[^\w\s{_EMOJI_CLASS}{_END}]+"
)
_ONE_EMOJI = re.compile(rf"[{_EMOJI_CLASS}]")
_SKIN = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LONG = re.compile(r"(.)\1{2,}")
_VERY = frozenset("太很超真好挺更最")
_SMALL = STOP["en"].union(STOP["id"], NEGATORS, PARTICLES)
_LONG_TEXT, _FEW_SMALL, _STRANGE = 5, 0.2, 20
_UNREAD = {"kana": "Japanese", "thai": "Thai"}

IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class TermMatrix:
    """Which of N documents holds which of V terms.

    Attributes:
        terms: (V,) as they are shown; single words first, then phrases of two.
        presence: (N, V) sparse, 1 where the document holds the term however often.
        script: (N,) script of each document, one of `octad.text.language.SCRIPTS`.
        notes: What a reader should know of how these texts were read, in plain words.
    """

    terms: tuple[str, ...]
    presence: Any
    script: NDArray[np.str_]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """The number of documents."""
        return int(self.presence.shape[0])

    def counts(self, rows: NDArray[np.bool_] | IntArray | None = None) -> IntArray:
        """(V,) documents among `rows` (a mask or row numbers; all when absent) with each term."""
        part = self.presence if rows is None else self.presence[rows]
        return np.asarray(part.sum(axis=0, dtype=np.int64)).ravel()

    def column(self, term: str) -> NDArray[np.bool_]:
        """(N,) whether each document holds the term.

        Raises:
            KeyError: When the term is none of `terms`.
        """
        if term not in self.terms:
            raise KeyError(term)
        mask = np.zeros(len(self), dtype=bool)
        mask[self.presence[:, [self.terms.index(term)]].nonzero()[0]] = True
        return mask


@cache
def _cutter() -> Any:
    import rjieba  # noqa: PLC0415 - its dictionary costs half a second, which other texts need not pay

    return rjieba.Jieba()


def cut_chinese(text: str) -> list[str]:
    """Cut a Chinese text into words, punctuation included.

    >>> cut_chinese("一打开就闪退")
    ['一', '打开', '就', '闪退']
    """
    return list(_cutter().cut(text))


def _streams(
    texts: Sequence[str], script: NDArray[np.str_]
) -> Iterator[tuple[IntArray, list[str]]]:
    """Yield (document numbers, tokens with `_END` after each document) chunk by chunk."""
    han = np.flatnonzero(script == "han")
    spaced = np.flatnonzero(~np.isin(script, ["han", *_UNREAD]))
    for start in range(0, len(spaced), _CHUNK):
        rows = spaced[start : start + _CHUNK]
        joined = _END.join([texts[i] for i in rows]) + _END
        yield rows, _TOKEN.findall(joined.lower().replace("’", "'").replace("`", "'"))
    for start in range(0, len(han), _CHUNK):
        rows = han[start : start + _CHUNK]
        # The cutter never joins letters across a sign, so many texts may be one to it.
        joined = _END.join([texts[i] for i in rows]) + _END
        yield rows, _cutter().cut(joined.lower())


def _fold(word: str, counts: dict[str, int]) -> str:
    """Give an English inflected word its base, when the base is itself in the corpus."""
    if word in NOT_INFLECTED or len(word) < 4 or not word.isascii():
        return word
    bases: list[str] = []
    if word.endswith("ies"):
        bases = [word[:-3] + "y"]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")):
        bases = [word[:-1], word[:-2]] if word.endswith("es") else [word[:-1]]
    for ending in ("ing", "ed"):
        stem = word[: -len(ending)]
        if word.endswith(ending) and len(stem) >= 3:
            undoubled = [stem[:-1]] if len(stem) > 4 and stem[-1] == stem[-2] else []
            bases = [base for base in (stem, stem + "e", *undoubled) if len(base) >= 4]
    # A base a tenth as common as its form is a word of this corpus and no slip of the pen.
    floor = max(1.0, 0.1 * counts.get(word, 0))
    known = [base for base in bases if len(base) >= 3 and counts.get(base, 0) >= floor]
    return max(known, key=lambda base: counts[base], default=word)


def _kind_of(raw: str) -> tuple[str, int]:
    """Give a raw token its usual form and say what part it plays."""
    if not any(letter.isalnum() for letter in raw):
        return _mark(raw)
    word = _LONG.sub(r"\1\1", raw)
    word = word[:-2] if word.endswith("'s") else word
    if word in NEGATORS or word.endswith("n't"):
        return NEGATORS.get(word, "not"), _NEGATOR
    if word in PARTICLES:
        return word, _PARTICLE
    if _HAN.search(word):
        if len(word) == 2 and word[0] in _VERY and word[1] in SINGLE_HAN:
            word = word[1]  # the cutter takes 太卡 (far too slow) for one word
        small = word in STOP["zh"] or (len(word) == 1 and word not in SINGLE_HAN)
    else:
        # A word with four digits is a number of somebody's, and no topic.
        digits = sum(letter.isdecimal() for letter in word)
        small = not 2 <= len(word) <= 40 or digits >= 4 or digits == len(word) or word in STOP["en"]
    return word, _STOP if small else _WORD


def _mark(raw: str) -> tuple[str, int]:
    """Say what part a token without letters plays: an emoji, a space, or the end of a phrase."""
    emoji = _ONE_EMOJI.search(raw)
    if emoji is not None:
        return emoji[0], _SPACE if emoji[0] in _SKIN else _EMOJI
    return raw, _SPACE if raw.isspace() and raw != "\n" else _BREAK


def _vocabulary(
    raw: list[str], counts: IntArray
) -> tuple[list[str], IntArray, NDArray[np.int8], frozenset[str]]:
    """Normalise each distinct raw token once.

    Returns:
        The words, the word number of each raw token, the part each raw token plays, languages.
    """
    pairs = [_kind_of(token) for token in raw]
    latin = [(word, int(n)) for (word, _), n in zip(pairs, counts, strict=True) if word.isascii()]
    english = sum(n for word, n in latin if word in STOP["en"] and word not in STOP["id"])
    indonesian = sum(n for word, n in latin if word in STOP["id"] and word not in STOP["en"])
    languages = set()
    if english and english >= 0.2 * indonesian:
        languages.add("en")
    if indonesian >= 20 and indonesian >= 0.2 * english:
        languages.add("id")
        pairs = [
            (word, _STOP if kind == _WORD and word in STOP["id"] else kind) for word, kind in pairs
        ]
    totals: dict[str, int] = defaultdict(int)
    for (word, kind), n in zip(pairs, counts, strict=True):
        if kind == _WORD:
            totals[word] += int(n)
    if "en" in languages:
        pairs = [(_fold(word, totals) if kind == _WORD else word, kind) for word, kind in pairs]
    numbers: dict[str, int] = {}
    codes = np.array([numbers.setdefault(word, len(numbers)) for word, _ in pairs], dtype=np.int32)
    kinds = np.array([kind for _, kind in pairs], dtype=np.int8)
    return list(numbers), codes, kinds, frozenset(languages)


def _pairs(
    code: IntArray, kind: NDArray[np.int8], doc: IntArray
) -> tuple[NDArray[np.bool_], IntArray, IntArray, IntArray]:
    """Find phrases.

    Returns:
        Which tokens stand alone (words that nothing negates); then document, first and second
        word of each phrase.
    """
    words = (kind == _WORD) | (kind == _EMOJI)
    one, two = kind[:-1], kind[1:]
    together = ((one == _WORD) & ((two == _WORD) | (two == _PARTICLE))) | (
        (one == _NEGATOR) & (two == _WORD)
    )
    over = (kind[:-2] == _NEGATOR) & (kind[1:-1] == _STOP) & (kind[2:] == _WORD)
    negated = np.zeros(len(kind), dtype=bool)
    negated[1:] |= (one == _NEGATOR) & (two == _WORD)
    negated[2:] |= over
    first = np.concatenate([np.flatnonzero(together), np.flatnonzero(over)])
    second = np.concatenate([np.flatnonzero(together) + 1, np.flatnonzero(over) + 2])
    return words & ~negated, doc[first], code[first], code[second]


def _show(one: str, two: str) -> str:
    return one + two if _HAN.search(one) and _HAN.search(two) else f"{one} {two}"


def _strange(
    code: IntArray,
    kind: NDArray[np.int8],
    doc: IntArray,
    words: list[str],
    script: NDArray[np.str_],
) -> int:
    """How many longer texts in Latin letters are in a language whose small words are not listed.

    In English and Indonesian every third word is a small one. Where there is hardly one among the
    words of a text it is in another language; fewer than one text in ten are slips and slang.
    """
    latin = script == "latin"
    if not latin.any():
        return 0
    small = np.array([word in _SMALL for word in words], dtype=bool)
    spoken = (kind != _BREAK) & (kind != _EMOJI) & latin[doc]
    length = np.bincount(doc[spoken], minlength=len(script))
    known = np.bincount(doc[spoken], small[code[spoken]], minlength=len(script))
    long = length >= _LONG_TEXT
    strange = int((long & (known < _FEW_SMALL * length)).sum())
    return strange if strange >= max(_STRANGE, 0.1 * long.sum()) else 0


def _note_texts(
    script: NDArray[np.str_], languages: Iterable[str], strange: int
) -> tuple[str, ...]:
    notes = []
    for name, language in _UNREAD.items():
        n = int((script == name).sum())
        if n:
            notes.append(
                f"{n:,} texts in {language} were not read for words: "
                "it does not part them by spaces."
            )
    n = int(np.isin(script, ["hangul", "arabic", "cyrillic", "other"]).sum())
    latin = int((script == "latin").sum())
    n += strange if set(languages) else latin * (latin >= _STRANGE)
    if n:
        these = "1 text is" if n == 1 else f"{n:,} texts are"
        notes.append(
            f"{these} in a language without a list of small words here: "
            "words were parted at spaces, and common small words may show up as terms. Demands "
            "and leaving are known there only by the words that it shares with English, Chinese "
            "and Indonesian, and by your own in `topics.yml` and the charter's jobs."
        )
    return tuple(notes)


def term_matrix(texts: Texts, *, min_docs: int = 3, phrases: bool = True) -> TermMatrix:
    """Read texts into terms.

    Args:
        texts: (N,) documents as people wrote them; each is read up to
            `octad.text.language.MAX_CHARS` characters. Anything but text counts as empty.
        min_docs: A term in fewer documents is left out.
        phrases: Whether to keep phrases of two words beside the words.

    Returns:
        The documents' terms.

    >>> m = term_matrix(["Login crashes", "crashing again", "It doesn't crash"], min_docs=1)
    >>> sorted(m.terms)
    ['crash', 'login', 'login crash', 'not crash']
    """
    cleaned = every_own_words(texts).texts.tolist()
    script = scripts(cleaned) if cleaned else np.empty(0, dtype="<U8")
    ids: defaultdict[str, int] = defaultdict()
    ids.default_factory = ids.__len__
    end = ids[_END]
    streams, documents = [], []
    for rows, tokens in _streams(cleaned, script):
        # Half the width is half the traffic: there are tens of millions of tokens.
        stream = np.fromiter(map(ids.__getitem__, tokens), dtype=np.int32, count=len(tokens))
        ends = stream == end
        documents.append(rows.astype(np.int32)[np.cumsum(ends) - ends])
        streams.append(stream)
    raw = np.concatenate(streams) if streams else np.empty(0, dtype=np.int32)
    doc = np.concatenate(documents) if documents else np.empty(0, dtype=np.int32)
    del streams, documents  # of a million Chinese texts they are half a gigabyte
    words, codes, kinds, languages = _vocabulary(list(ids), np.bincount(raw, minlength=len(ids)))
    kind, code = kinds[raw], codes[raw]
    del raw
    seen = kind != _SPACE
    if not seen.all():
        kind, code, doc = kind[seen], code[seen], doc[seen]
    strange = _strange(code, kind, doc, words, script)
    alone, pair_doc, pair_one, pair_two = _pairs(code, kind, doc)

    n, size = len(cleaned), len(words)
    singles = _sparse(doc[alone], code[alone], n, size)
    held = np.asarray(singles.sum(axis=0, dtype=np.int64)).ravel()
    keep = np.flatnonzero(held >= min_docs)
    terms = [words[i] for i in keep]
    presence = singles[:, keep]
    if phrases and len(pair_doc):
        both, column = np.unique(pair_one.astype(np.int64) * size + pair_two, return_inverse=True)
        often = np.bincount(column, minlength=len(both)) >= min_docs
        new = np.cumsum(often) - 1
        kept = often[column]
        table = _sparse(pair_doc[kept], new[column[kept]], n, int(often.sum()))
        both = both[often]
        wide = np.flatnonzero(np.asarray(table.sum(axis=0, dtype=np.int64)).ravel() >= min_docs)
        shown = [_show(words[both[i] // size], words[both[i] % size]) for i in wide]
        terms, presence = _join(terms, presence, shown, table[:, wide])
    return TermMatrix(
        tuple(terms), presence.tocsr(), script, _note_texts(script, languages, strange)
    )


def _join(terms: list[str], table: Any, shown: list[str], phrases: Any) -> tuple[list[str], Any]:
    """Put phrases beside words; two that are shown alike (``打开`` cut in two) become one."""
    numbers = {term: i for i, term in enumerate(terms)}
    target = np.array([numbers.setdefault(term, len(numbers)) for term in shown], dtype=np.int64)
    coo = phrases.tocoo()
    first = table.tocoo()
    rows = np.concatenate([first.row, coo.row])
    columns = np.concatenate([first.col, target[coo.col].astype(np.int32)])
    return list(numbers), _sparse(rows, columns, table.shape[0], len(numbers))


def _sparse(rows: IntArray, columns: IntArray, n: int, size: int) -> Any:
    """A table of ones; a pair that occurs twice stays one."""
    # Counts may run over in one byte; where a pair stands is all that is kept of them.
    table = sparse.csr_matrix(
        (np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(n, max(size, 0))
    )
    table.sum_duplicates()
    table.data = np.ones(len(table.data), dtype=np.int8)
    return table
