"""The words of the reviews around a launch, read once for all that need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.readings.voices import Talk
from octad.text.contrast import voices
from octad.text.tokens import TermMatrix, term_matrix

__all__ = ["Heard", "hear"]

BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """The sound reviews of both windows, M of them, and their terms.

    Attributes:
        rows: (M,) their places among all reviews.
        matrix: Terms, one document a review.
        voice: (M,) who speaks, from `octad.text.contrast.voices`.
    """

    talk: Talk
    rows: IntArray
    matrix: TermMatrix
    voice: IntArray

    @property
    def texts(self) -> NDArray[np.object_]:
        """(M,) what was written."""
        return self.talk.reviews.text[self.rows]

    @property
    def stars(self) -> NDArray[np.float64]:
        """(M,) stars, NaN where there are none."""
        return self.talk.reviews.rating[self.rows]


def hear(talk: Talk) -> Heard:
    """Read the sound reviews of both windows into terms."""
    rows = np.flatnonzero((talk.before | talk.after) & talk.sound)
    words = talk.words.take(rows)
    return Heard(talk, rows, term_matrix(words), voices(words, talk.reviews.author[rows]))
