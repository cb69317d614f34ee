"""Take out of a quote what could name a person: numbers, addresses, accounts, links.

Every pattern is bounded, so that the time is linear in a text's length. Short numbers stay, since
a version, a price or a year is what many complaints are about.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from octad.text.store import own_words

__all__ = ["redact"]

_DATE = re.compile(r"(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d")
_ACCOUNT = (
    r"(?:微信|支付宝|wechat|weixin|whatsapp|telegram|vx|wx|qq|line|ig|instagram|tiktok"
    r"|user ?name|user ?id|uid|order(?: no| number| id)?|订单|工单|账号|帐号|昵称|id pesanan)"
)
_NAMED = (
    r"(?:my name is|nama saya|atas nama|我叫|我的名字(?:是|叫)|我姓|联系人)"
    r"[:：\s]{0,3}(?:[A-Z][\w'-]{0,30}(?: [A-Z][\w'-]{0,30}){0,3}|[a-z][\w'-]{0,30}"
    r"|[\u4e00-\u9fff]{1,4})"
)


def _number(match: re.Match[str]) -> str:
    text = match[0]
    if _DATE.fullmatch(text):
        return text
    digits = sum(letter.isdecimal() for letter in text)
    return "[card]" if 15 <= digits <= 19 and digits != 18 else "[number]"


def _code(match: re.Match[str]) -> str:
    return "[id]" if sum(letter.isdecimal() for letter in match[0]) >= 4 else match[0]


_RULES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[\w.+\-]{1,64}\s?@\s?[\w\-]{1,63}(?:\s?\.\s?[A-Za-z]{2,24}){1,4}"), "[e-mail]"),
    (re.compile(r"(?:https?|ftp)[:：]//\S{1,500}|\bwww\.\S{1,500}", re.IGNORECASE), "[link]"),
    (
        re.compile(
            r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,4}\.(?:com|net|org|cn|id|io|me|co|app|info|xyz|top|vip)"
            r"(?:/\S{0,300})?(?![\w.])",
            re.IGNORECASE | re.ASCII,
        ),
        "[link]",
    ),
    (re.compile(r"(?<![\w@])@[\w.\-]{2,40}"), "[name]"),
    (re.compile(_NAMED), "[name]"),
    # A Chinese identity number: seventeen digits and a check digit that may be an X.
    (re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"), "[id]"),
    (
        re.compile(
            rf"(?<![A-Za-z]){_ACCOUNT}(?:号码|号|群|id)?(?:\s?(?:is|adalah|是|为))?\s{{0,3}}[:：#]\s{{0,3}}"
            r"[A-Za-z0-9_\-]{3,40}",
            re.IGNORECASE,
        ),
        "[id]",
    ),
    (
        re.compile(
            r"(?:微信|wechat|加[vV]|[vV]信|qq群?)号?\s{0,3}[A-Za-z][\w\-]{5,30}", re.IGNORECASE
        ),
        "[id]",
    ),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), "[card]"),
    (
        re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,5}[\-#]?\d[A-Za-z0-9\-]{5,40}(?![A-Za-z0-9])"),
        _code,
    ),
    (re.compile(r"(?<![\d.])\+?\(?\d(?:[ \-./()*xX]{0,2}\d){6,24}"), _number),
    (re.compile(r"(?<!\d)\d{5,}"), "[number]"),
    (re.compile(r"[零〇一二三四五六七八九幺两]{7,30}"), "[number]"),
)


def redact(text: object, limit: int | None = None) -> str:
    """Give a reviewer's own words without what could name a person.

    Args:
        text: A text as it was imported; developer replies and store marks go too.
        limit: Characters kept of the result, cut at the end with an ellipsis.

    Returns:
        The text on one line, still hostile to HTML and terminals' width: a face must escape it.

    >>> redact("Call me +62 812-3456-7890 or mei@example.com, v2.3.1 froze")
    'Call me [number] or [e-mail], v2.3.1 froze'
    """
    words = own_words(text)
    for pattern, mark in _RULES:
        words = pattern.sub(mark, words)
    words = " ".join(words.split())
    if limit is not None and len(words) > limit:
        words = words[: max(limit - 1, 0)].rstrip() + "…"
    return words
