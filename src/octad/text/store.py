"""What stores and importers mix into a reviewer's own words, and how to take it out again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from octad.text.language import MAX_CHARS, clean, clean_all

__all__ = ["OwnWords", "Texts", "every_own_words", "marked_deleted", "own_words"]

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
    return _without_the_stores(clean(text, limit))


def _without_the_stores(words: str) -> str:
    if "删除" in words or "deleted" in words:
        words = _DELETED.sub("", words)
    # Every reply holds a colon and few reviews do; to look for it is a tenth of the pattern's cost.
    reply = _REPLY.search(words) if ":" in words else None
    return (words if reply is None else words[: reply.start()]).rstrip(" -—_\n").strip()


@dataclass(frozen=True, slots=True, eq=False)
class OwnWords:
    """Texts as `own_words` leaves them: to be made once and handed to all that read them.

    Attributes:
        texts: (N,) strings.
    """

    texts: NDArray[np.object_]

    def __len__(self) -> int:
        """The number of texts."""
        return len(self.texts)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> OwnWords:
        """Those of the rows, a mask or row numbers."""
        return OwnWords(self.texts[rows])


Texts: TypeAlias = Sequence[object] | NDArray[np.object_] | OwnWords
"""Reviews as they were imported, or already read."""


def every_own_words(texts: Texts) -> OwnWords:
    """`own_words` of many texts at once; what is already read is given back as it is.

    >>> every_own_words(["fine", None]).texts.tolist()
    ['fine', '']
    """
    if isinstance(texts, OwnWords):
        return texts
    result = np.empty(len(texts), dtype=object)
    result[:] = [_without_the_stores(words) for words in clean_all(texts)]
    return OwnWords(result)


def marked_deleted(text: object) -> bool:
    """Whether an importer wrote into the text that the store deleted the review.

    >>> marked_deleted("（该条评论已经被删除）很好")
    True
    """
    return isinstance(text, str) and _DELETED.search(text[:200]) is not None
