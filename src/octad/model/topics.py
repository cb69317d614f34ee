"""`topics.yml`: what a person wants otherwise about the demands found in reviews."""

from __future__ import annotations

from collections import Counter

from pydantic import field_validator, model_validator

from octad.model.base import Stored
from octad.model.plan import Names

__all__ = ["Topics"]


class Topics(Stored):
    """Names that a person gave, which stay from review to review.

    Attributes:
        pin: A demand's name to the words that mean it; these come before all others.
        rename: A demand's name as Octad gives it to the name wanted.
        merge: The name wanted to the demands that are one.
    """

    pin: dict[str, Names] = {}
    rename: dict[str, str] = {}
    merge: dict[str, Names] = {}

    @field_validator("pin", "merge", mode="after")
    @classmethod
    def _not_empty(cls, lists: dict[str, Names]) -> dict[str, Names]:
        for name, words in lists.items():
            if not name.strip() or not words or not all(word.strip() for word in words):
                msg = f"'{name}' needs a name and at least one word, such as [bill, bills]"
                raise ValueError(msg)
        return lists

    @model_validator(mode="after")
    def _once(self) -> Topics:
        parts = Counter(part for names in self.merge.values() for part in names)
        for name, times in parts.items():
            if times > 1:
                msg = f"'{name}' is merged into two demands; it can be part of one only"
                raise ValueError(msg)
        wanted = Counter(self.rename.values())
        for name, times in wanted.items():
            if times > 1:
                msg = f"two demands are renamed to '{name}'; use merge to make them one"
                raise ValueError(msg)
        return self
