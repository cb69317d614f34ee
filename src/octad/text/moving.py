"""Who speaks of leaving a product or of coming to it, and where from or where to.

Patterns in English, Chinese and Indonesian, written from real reviews. They want an act (I have
uninstalled it, I am moving to X), not the word alone: ``uninstalled and reinstalled`` is a repair,
``delete the messages`` is a feature, ``will never switch`` is the opposite.
"""

# ruff: noqa: E501 - a pattern that is broken in the middle of an alternative is hard to read

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.text.letters import Stems
from octad.text.mentions import terms_pattern
from octad.text.moving_zh import PLAIN_LEAVE, PLAIN_NOT_LEFT, VOWS, sought, vows_to_leave
from octad.text.store import Texts, every_own_words

__all__ = ["Moves", "find_moves"]

_FLAGS = re.IGNORECASE
_HAN = re.compile(r"[\u3400-\u9fff]")
_READ, _FEWEST = 2_000, 4  # letters read, and the fewest that say anything
_APP = r"(?:it|(?:the|this|that|your) (?:\w+ )?app(?:lication)?|this(?! app)|app|this one)"
_FILES = r"(?: (?:message|chat|conversation|photo|video|file|account|feature|option|open|alone)s?)"
_ELSEWHERE = (
    r"(?:an?other|a different|a better|some other|other|alternative|competit\w+)"
    r"(?:s|(?: \w+)? (?:app|application|ai|apps|bank|banks|wallet|platform|service|program)s?)\b"
)


def _any(*parts: str) -> re.Pattern[str]:
    # For texts in lower case: to fold case at every step would take twice as long.
    return re.compile("|".join(parts))


# Leaving, with no need to know where to. Each pattern stands behind plain pieces, one of which is
# in all that it matches; to look for those first is many times as fast.
_OTHERS = "other different better alternativ competit"
_LEAVE = sought(
    ("nstal", r"\bun-?inn?stal+(?:ed|ing)?\b"),
    (
        "delet remov",
        (
            rf"\b(?:i|i've|i'm|am|just|have|and|so|now|thus|then|^|[.!,]) ?(?:now |just |been |already )?"
            rf"(?:delet(?:ed|ing)|remov(?:ed|ing)) {_APP}\b(?!{_FILES})"
        ),
    ),
    (
        "delet remov quit ditch abandon",
        (
            rf"\b(?:will|gonna|going to|about to|'ll|thinking of|have to|had to|want to|wanna)"
            rf" (?:just |be )?(?:delet(?:e|ing)|remov(?:e|ing)|quit|ditch|abandon) {_APP}\b(?!{_FILES})"
        ),
    ),
    (
        "delet clos cancel",
        r"\b(?:delet(?:ed|ing)|clos(?:ed|ing)|cancel(?:l?ed|l?ing)) my (?:account|subscription)",
        r"\bcancell?ing my (?!order|pass|reset|event|card|trans|pay|book|ride|trip|flight|appoint|reserv)\w+",
    ),
    (
        _OTHERS,
        (
            rf"\b(?:switch(?:ed|ing)?|mov(?:e|ed|ing)|going|went|chang(?:e|ed|ing)) (?:back |over )?(?:to|for)"
            rf" {_ELSEWHERE}"
        ),
        rf"\b(?:find|finding|looking for|look for|seek(?:ing)?|get|try|use|using) {_ELSEWHERE}",
    ),
    (
        "again anymore any~more no~more",
        rf"\b(?:never|won't|wont|not|n't|no longer)(?: \w+)? us(?:e|ing) {_APP}(?: \w+)? (?:again|any ?more|no more)\b",
    ),
    (
        "stop~using stopped~using stopping~using",
        (
            r"\b(?:i|i'll|i'm|i've|will|have|gonna|going to|had to|have to|decided to|want to|just|already)"
            rf" (?:\w+ )?stop(?:ped|ping)? using {_APP}\b"
        ),
    ),
    (
        "given~up giving~up gave~up unsubscrib better~off",
        rf"\b(?:giv(?:en|ing)|gave) up (?:on |using ){{1,2}}{_APP}\b",
        r"\b(?:i'm|i am|i|have|just|now) (?:\w+ )?unsubscrib(?:ed|ing)\b",
        r"\bbetter off (?:using|with|on) (?:anything|something|literally|any|an?other)\b",
    ),
    (
        "bye done leaving stopped",
        r"\b(?:bye|goodbye|good bye) (?:forever|for good)\b",
        r"\bi(?:'m| am) (?:done with|leaving) this\b|\b(?:have|has|'ve|i) stopped using (?:it|this)\b",
        r"\bleaving \w+(?: ecosystem)? (?:forever|for good)",
    ),
    *PLAIN_LEAVE,
    (
        "hapus copot nstal",
        (
            r"\b(?:saya|aku|gw|gue|langsung|mau|akan|mending|terpaksa) (?:hapus|copot)"
            r"(?: aja| saja)? (?:aplikasi|apk|app|this app)"
        ),
        r"\b(?:hapus|copot|uninstal+) (?:aja|saja|aj)\b|\b(?:maaf|akhirnya|terpaksa|biar) (?:ku |saya )?(?:di? ?)?(?:hapus|copot)\b",
    ),
    (
        "pindah ganti beralih migrasi",
        (
            r"\b(?:pindah|ganti|beralih|migrasi) (?:ke )?(?:bank|aplikasi|apk|app|mbanking|rekening)"
            r" ?(?:lain|sebelah)"
        ),
        r"\bpindah (?:bank|buku)\b",
        r"\b(?:fix|mau|akan|bakal|siap|langsung|saya|aku|gw|gue) (?:saya |aku |gw |gue )?ganti (?:bank|rekening)\b",
    ),
    (
        "mending",
        r"\bmending(?:an)? (?:pakai|pake|pke|pakek|meng?gunakan|pindah|balik|ganti|bank|aplikasi|apk) [^.,!?\n]{0,25}(?:lain|sebelah|lama|dulu|awal)\b",
        r"\bmending (?:aplikasi|apk|apps?|yg|yang) (?:yg |yang )?(?:lama|dulu|awal|lain)\b",
        r"\bmending(?:an)? (?:saya |aku |gw |gue )?(?:ganti|pindah) (?:bank|rekening)\b",
        r"\bmending(?:an)? \w+ (?:yg|yang) (?:lama|dulu|awal)\b",
        r"\bmending(?:an)? (?:(?:ga|gak|g|gk|nggak|tidak|tdk) )?(?:ga|gak|g|gk)?usah (?:pakai|pake|pke) (?:aplikasi|apk|app|ini|this app)\b",
    ),
    (
        "lebih",
        r"\blebih (?:baik|enak|bagus|mending|milih|memilih) (?:pakai|pake|pke|pindah|ganti|balik|kembali)(?: ke)? (?:bank|aplikasi|apk|app|yg|yang) (?:yg |yang )?(?:lain|sebelah|lama|dulu|awal)",
    ),
    ("tutup", r"\btutup rekening\b"),
    ("otw", r"\botw (?:delete?|hapus|uninstal+)"),
)
# What takes a leaving back: a repair, a refusal, a question, a thing that is not the product.
_NOT_LEFT = _any(
    r"re-?ins?tall|install(?:ed|ing)?(?: it)? (?:back|again|once more)|and install",
    r"(?:download|load|add|put)(?:ed|ing)?(?: it| the app)?(?: back)? again|re-?download",
    r"(?:un)?instal+ (?:dan |lalu |trus |terus )?instal|(?<!un)(?:instal+|download) (?:ulang|lagi|kembali)",
    r"(?:never|not|n't|cant|no need to|without|before|instead of|rather than|unless|if (?:i|you)|even)"
    r" (?:\w+ ){0,2}(?:un-?inn?stall|delet|remov|switch|leav|quit)",
    r"(?:how (?:to|do i|can i)|option to|way to|ability to|tried|try|trying|accident(?:al)?ly|forced? \w+"
    r"|after|when|whenever|allow \w+|let \w+|times?|by) (?:to )?(?:un-?inn?stal|delet|remov)",
    r"un-?inn?stal\w* (?:accident|by mistake|many times|several times|multiple times|updates?\b)",
    r"(?:unwilling|disable|remove) (?:to |or )un-?inn?stal|(?:keeps?|kept|they|you|someone|itself) (?:and |& )?(?:delet|clos)(?:ed|ing)",
    r"(?:not|n't)(?: allow\w*| let\w*)?(?: me)? (?:to )?clos|un-?inn?stal\w* (?:was the only|or disable)",
    r"delete it (?:many|several|multiple) times|locked out of|re-?log(?:in|ging|hing)?\b",
    r"(?:tidak|jangan|gak|ga|sebelum) (?:\w+ ){0,1}(?:uninstal|hapus|pindah|ganti)|udah di ?uninstal",
    *PLAIN_NOT_LEFT,
    r"re-?activat|recover my|(?:un)?instal+ (?:dan|lalu|trus|terus) (?:di )?instal",
    r"un-?inn?stal(?:ed|ing)?[^.!?\n]{0,40}"
    r"(?:\bre|again|download|still (?:not|the same|exist)|same (?:issue|problem))",
)

_PIECES = sorted(
    {piece for pieces, _ in (*_LEAVE, *VOWS) for piece in pieces}, key=lambda p: -len(p)
)
_STEMS = Stems(_PIECES)
_PIECE = re.compile("|".join(_PIECES))
# Where the longest of the pieces begins, those that it begins with do, too.
_WITHIN = {one: frozenset(two for two in _PIECES if one.startswith(two)) for one in _PIECES}

_TO_BEFORE = (
    r"(?:\b(?:switch(?:ed|ing)?|mov(?:e|ed|ing)|chang(?:e|ed|ing)|migrat(?:e|ed|ing)|return(?:ed|ing)?"
    r"|convert(?:ed|ing)?|shift(?:ed|ing)?|go(?:ing|ne)?|went) (?:back |over |up |on )?to"
    r"(?: the| use| using)?"
    r"|\b(?:better off|start(?:ed|ing)?|now|just|rather|instead) (?:us(?:e|ing)|with)"
    r"|\b(?:download(?:ed|ing)?|install(?:ed|ing)|getting|got)(?: the)?"
    r"|\b(?:pindah|beralih|ganti|balik|kembali|hijrah)(?: lagi| aja| saja)?(?: ke| pakai| pake)?"
    r"(?: mobile)?"
    r"|\bmending(?:an)?(?: pakai| pake| pke| meng?gunakan| ke| balik ke)?(?: 1)?(?: yg| yang)?"
    r"(?: aplikasi| apk| apps?)?"
    r"|(?:换|转|投奔|投|改)(?:回|到|成|用|去|向|投|战|了)+|(?:去|还是|不如)(?:用|下载|买|选)(?:回|了)?)"
)
_TO_SURE = re.compile(
    r"(?:switch|mov|chang|migrat|return|convert|shift|go|went|pindah|beralih|ganti|balik|kembali"
    r"|hijrah|mending|换|转|改|投|去|不如)",
    _FLAGS,
)
_FROM_BEFORE = (
    r"(?:\b(?:switch(?:ed|ing)?|mov(?:ed|ing)|chang(?:ed|ing)|migrat(?:ed|ing)|came|coming|shift(?:ed|ing)?"
    r"|convert(?:ed|ing)?|transferr?ed)(?: over| here| it| this| everything)? from"
    r"|\bi(?:'ve| have)? (?:just |finally |already )?(?:left|ditched|quit|dropped|replaced|uninstalled)"
    r"|\b(?:pindah|beralih|hijrah|pindahan)(?: ke sini)? dari|\btinggalkan)"
)
_UNWILLING = re.compile(
    r"(?:\b(?:never|not|no reason to|have to|without|if|only|people to|how to|forc\w+(?: \w+)? to"
    r"|tidak|gak|jangan)|n't|don't want to|不会|不想|不用|别|不要)(?:\s\w+){0,3}\s?(?:to )?$",
    _FLAGS,
)
# "Mending" before a rival's name with a verb behind it wants the rival mended, not used.
_DEVICE_AFTER = re.compile(
    r"\s?(?:nya|-nya)? (?:aja |saja )?(?:yg |yang )?di ?\w+(?:in|kan)\b|"
    r"[\s\"'”》]{0,2}(?:手机|路由|电视|空调|冰箱|洗衣机|音箱|设备|产品|电脑|家电|全家"
    r"|phone|router|browser|keyboard|search)",
    _FLAGS,
)


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Who speaks of moving, seen from the product that each document reviews.

    Attributes:
        leaving: (N,) the writer has left, is leaving, or says that they will.
        coming: (N,) the writer has come from elsewhere.
        rival: (N,) the other product's name as given, empty where none is named.
    """

    leaving: NDArray[np.bool_]
    coming: NDArray[np.bool_]
    rival: NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class _Named:
    """Patterns around the names of other products."""

    to: re.Pattern[str]
    come: re.Pattern[str]
    better: re.Pattern[str]
    names: tuple[tuple[re.Pattern[str], str], ...]
    stems: Stems

    def which(self, text: str) -> str:
        return next((name for pattern, name in self.names if pattern.search(text)), "")


def _named(others: Mapping[str, Iterable[str]]) -> _Named | None:
    names, stems = [], set()
    for name, aliases in others.items():
        # People write a name of two words as one, too.
        joined = [alias.replace(" ", "") for alias in (name, *aliases) if alias.isascii()]
        pattern = terms_pattern((name, *aliases, *joined), inflect=False)
        if pattern is not None:
            names.append((pattern, name))
            # A name of two words may have any space between them, so its first word is sought.
            stems |= {alias.split()[0].lower() for alias in (name, *aliases) if alias.strip()}
    if not names:
        return None
    one = "(?:" + "|".join(pattern.pattern for pattern, _ in names) + ")"
    return _Named(
        re.compile(rf"{_TO_BEFORE}[\s\"'“《]{{0,3}}{one}", _FLAGS),
        re.compile(
            rf"{_FROM_BEFORE}[\s\"'“《]{{0,3}}(?:the )?{one}"
            rf"|从[\s\"'“《]{{0,2}}{one}[^。！!\n]{{0,6}}(?:转|换|过来|投|来)"
            rf"|(?:抛弃|放弃|卸载|弃了)了?[\s\"'“《]{{0,2}}{one}",
            _FLAGS,
        ),
        re.compile(
            rf"{one} (?:is|works|has|are|app is|does)[^.!?\n]{{0,15}}(?:far |much |so |way )?better"
            rf"|{one}[^。！!\n]{{0,6}}(?:更好用|比这个?好|好用多了|比你们?好)",
            _FLAGS,
        ),
        tuple(names),
        Stems(sorted(stems)),
    )


def _held(small: str) -> frozenset[str]:
    """The plain pieces that a text holds; one search for all is ten times as fast as one for each."""
    held: frozenset[str] = frozenset()
    found = _PIECE.search(small)
    while found is not None:
        held |= _WITHIN[found[0]]
        found = _PIECE.search(small, found.start() + 1)
    return held


def _itself(own: str, aliases: Iterable[str]) -> tuple[list[str], re.Pattern[str]]:
    """The product's own names, and their pattern in a text of lower case, to read as "this app".

    Chinese names are left: they are no such words of the patterns. Of two words, the first is
    looked for, since any space may stand between them.
    """
    spelled = [name.lower() for name in (own, *aliases) if name.isascii() and name.strip()]
    pattern = terms_pattern(spelled, inflect=False)
    one = r"(?!)" if pattern is None else rf"(?:the )?(?:{pattern.pattern})(?: app\b)?"
    return [name.split()[0] for name in spelled], re.compile(one)


def _leaves(small: str) -> bool:
    """Whether a text, in lower case, that holds one of the stems speaks of leaving."""
    held = _held(small)
    plain = any(
        pattern.search(small) is not None
        for pieces, pattern in _LEAVE
        if not held.isdisjoint(pieces)
    )
    if plain and _NOT_LEFT.search(small) is None:
        return True
    return _HAN.search(small) is not None and vows_to_leave(small, held)


def _willing(words: str, match: re.Match[str]) -> bool:
    """Whether what stands before a move does not take it back ("will never", "forced to")."""
    return _UNWILLING.search(words[max(match.start() - 24, 0) : match.start()]) is None


def _one(words: str, leaving: bool, named: _Named) -> tuple[bool, bool, str]:
    """(leaving, coming, rival) of one text that may name another product."""
    if not named.which(words):
        return leaving, False, ""
    come = next((m for m in named.come.finditer(words) if _willing(words, m)), None)
    to = next(
        (
            match
            for match in named.to.finditer(words)
            if _willing(words, match)
            and not _DEVICE_AFTER.match(words, match.end())
            and (leaving or _TO_SURE.match(match[0]) or named.better.search(words))
        ),
        None,
    )
    if come is not None and (to is None or come.start() <= to.start()):
        # "deleted Rival" inside "I deleted it and got Rival" is caught by the order of the two.
        return False, True, named.which(come[0])
    if to is not None:
        return True, False, named.which(to[0])
    return leaving, False, named.which(words) if leaving else ""


def find_moves(
    texts: Texts,
    product: Sequence[str] | NDArray[np.object_],
    names: Mapping[str, Iterable[str]],
) -> Moves:
    """Find who speaks of leaving or coming.

    Args:
        texts: (N,) reviews.
        product: (N,) the product that each reviews, as `names` calls it.
        names: Every product, ours and rivals, with other names it goes by.

    Returns:
        Direction and rival of each.

    >>> found = find_moves(
    ...     ["Moving to OtherPay", "uninstalled and reinstalled, same"], ["Wallet"] * 2,
    ...     {"Wallet": (), "OtherPay": ()},
    ... )
    >>> found.leaving.tolist(), found.rival.tolist()
    ([True, False], ['OtherPay', ''])
    """
    n = len(texts)
    leaving, coming = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    rival = np.full(n, "", dtype=object)
    said = [text[:_READ].replace("’", "'") for text in every_own_words(texts).texts]
    small = [text.lower() for text in said]
    owner = np.array([str(own) for own in product], dtype=object)
    itself = {own: _itself(own, names.get(own, ())) for own in {*owner.tolist()}}
    for i in np.flatnonzero(_STEMS.may_hold(small)).tolist():
        if len(small[i]) >= _FEWEST:
            spelled, pattern = itself[owner[i]]
            named_itself = any(name in small[i] for name in spelled)
            leaving[i] = _leaves(pattern.sub("this app", small[i]) if named_itself else small[i])
    for own in sorted(itself):
        named = _named({name: also for name, also in names.items() if name != own})
        rows = np.flatnonzero(owner == own)
        if named is None:
            continue
        for i in rows[named.stems.may_hold([small[i] for i in rows])].tolist():
            if len(said[i]) >= _FEWEST:
                leaving[i], coming[i], rival[i] = _one(said[i], bool(leaving[i]), named)
    return Moves(leaving, coming, rival)
