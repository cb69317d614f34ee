"""The refusal to give a number that would mislead."""

from __future__ import annotations

__all__ = ["NotEstimable"]


class NotEstimable(ValueError):  # noqa: N818  (it is an answer, not a fault)
    """The data at hand cannot carry the estimate asked for.

    Attributes:
        reason: Why, as one plain sentence that a face may show.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
