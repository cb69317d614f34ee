"""What stores and importers mix into a reviewer's own words, and how to take it out again."""

from __future__ import annotations

import re

from octad.text.language import MAX_CHARS, clean

__all__ = ["marked_deleted", "own_words"]

_DELETED = re.compile(
    r"[（(\[]\s*(?:该条评论已经?被删除|评论已删除|this review (?:has been|was) deleted)\s*[）)\]]",
    re.IGNORECASE,
)
# The rule of dashes or the line's start is what tells a reply from a reviewer who speaks of one.
_HEAD = r"\s{0,20}(?:开发者回复|developer (?:response|reply))\s?[:：]"
_REPLY = re.compile(rf"(?:-{{5,}}|—{{3,}}|_{{5,}}|\n){_HEAD}", re.IGNORECASE)


def own_words(text: object, limit: int = MAX_CHARS) -> str:
    r"""Keep what the reviewer wrote: no deletion notice, no developer's reply below it.

    Args:
        text: A review as it was imported; anything but text becomes the empty text.
        limit: Characters kept.

    >>> own_words("（该条评论已经被删除）连不上\n ------- \n 开发者回复：您好，感谢")
    '连不上'
    """
    words = clean(text, limit)
    if "删除" in words or "deleted" in words:
        words = _DELETED.sub("", words)
    reply = _REPLY.search(words)
    return (words if reply is None else words[: reply.start()]).rstrip(" -—_\n").strip()


def marked_deleted(text: object) -> bool:
    """Whether an importer wrote into the text that the store deleted the review.

    >>> marked_deleted("（该条评论已经被删除）很好")
    True
    """
    return isinstance(text, str) and _DELETED.search(text[:200]) is not None
