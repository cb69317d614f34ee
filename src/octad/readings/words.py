"""What rose and what fell in the talk about us, with the words that carry it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Evidence, Finding, Grade, Number, Quotes, Stance, Table
from octad.model.numbers import plain, share
from octad.readings.heard import Heard
from octad.readings.voices import FEWEST, quote_of
from octad.text.contrast import Shift, contrast
from octad.text.quotes import pick_quotes

__all__ = ["is_outcry", "words"]

BoolArray = NDArray[np.bool_]

_UNHAPPY, _HAPPY = 2.5, 4.0
_NAMED, _QUOTED = 3, 3
_OUTCRY, _MORE = 0.25, 0.15


def words(heard: Heard) -> list[Finding]:
    """Contrast our reviews after with before, rivals' change taken off.

    A term is a complaint when the reviews that carry it give 2.5 stars or fewer on average, and
    praise when they give 4 or more. What rose is against when the terms that rose are complaints
    and none is praise; for when it is the other way round; else mixed. What fell takes no side:
    when one term fills the talk, the share of all others falls.

    Returns:
        What rose, then what fell; either is left out when nothing passed.
    """
    talk, rows, matrix = heard.talk, heard.rows, heard.matrix
    ours, before, after = talk.ours[rows], talk.before[rows], talk.after[rows]
    products = talk.reviews.product[rows]
    controls = []
    for name in sorted({str(p) for p in products[~ours]}):
        pair = (~ours & before & (products == name), ~ours & after & (products == name))
        if min(pair[0].sum(), pair[1].sum()) >= FEWEST:
            controls.append(pair)
    found = contrast(
        matrix,
        ours & before,
        ours & after,
        voice=heard.voice,
        controls=controls,
    )
    method = (
        "log-odds with a Dirichlet prior (Monroe and others 2008), a voice counted once"
        f"{', rivals taken off' if found.controlled else ''}; false discovery rate 5% over "
        f"{found.tested:,} terms; {talk.windows}"
    )
    result = []
    for name, shifts, side in (("rose", found.rose, after), ("fell", found.fell, before)):
        if shifts:
            part = _Side(heard, ours & side, name)
            finding = part.finding(shifts, found.before + found.after, method)
            result.append(
                finding.model_copy(
                    update={"assumes": "People choose their words as before.", "breaks": _BREAKS}
                )
            )
    return result


def is_outcry(rose: Finding) -> bool:
    """Whether a complaint that rose is made by a quarter of all, and fifteen points more."""
    table = rose.evidence[0]
    if not isinstance(table, Table) or rose.stance is not Stance.AGAINST:
        return False
    for row in table.rows:
        old, new = (float(str(cell).rstrip("%")) for cell in row[1:3])
        stars = row[5]
        unhappy = isinstance(stars, float | int) and stars <= _UNHAPPY
        if unhappy and new >= 100 * _OUTCRY and new - old >= 100 * _MORE:
            return True
    return False


_BREAKS = "A prompt that asks for certain words; a new crowd of writers; a store's filter."


class _Side:
    """One list of terms with the reviews that hold them."""

    def __init__(self, heard: Heard, side: BoolArray, name: str) -> None:
        self.talk, self.matrix, self.rows = heard.talk, heard.matrix, heard.rows
        self.texts, self.stars, self.side, self.name = heard.texts, heard.stars, side, name

    def _liking(self, term: str) -> float:
        stars = self.stars[self.matrix.column(term) & self.side]
        stars = stars[np.isfinite(stars)]
        return float(stars.mean()) if len(stars) else float("nan")

    def _stance(self, liking: list[float]) -> Stance | None:
        if self.name == "fell":
            return None
        unhappy, happy = (
            any(x <= _UNHAPPY for x in liking),
            any(x >= _HAPPY for x in liking),
        )
        if unhappy and not happy:
            return Stance.AGAINST
        return Stance.FOR if happy and not unhappy else Stance.MIXED

    def finding(self, shifts: tuple[Shift, ...], n: int, method: str) -> Finding:
        liking = [self._liking(shift.term) for shift in shifts]
        top = shifts[:_NAMED]
        verb = "rose" if self.name == "rose" else "fell"
        listed = ", ".join(
            f"“{s.term}” ({share(s.share_before)} → {share(s.share_after)} of reviews)" for s in top
        )
        best = shifts[0]
        rows = tuple(
            (
                s.term,
                share(s.share_before),
                share(s.share_after),
                f"×{plain(s.ratio, 2)}",
                "" if s.control is None else f"×{plain(s.control, 2)}",
                None if np.isnan(x) else round(x, 1),
            )
            for s, x in zip(shifts, liking, strict=True)
        )
        evidence: list[Evidence] = [
            Table(
                title=f"What {verb}, the largest change first",
                columns=("words", "before", "after", "odds", "odds at rivals", "stars with it"),
                rows=rows,
            )
        ]
        evidence += [self._quotes(s) for s in shifts[:_QUOTED]]
        return Finding(
            id=f"rival.{self.name}",
            claim=f"What {verb}: {listed}.",
            stance=self._stance(liking),
            grade=Grade.T,
            estimate=Number(
                value=best.ratio,
                low=best.low,
                high=best.high,
                level=0.95,
                unit="times",
                z=best.z,
                p_adjusted=best.q,
                control=best.share_before,
                treatment=best.share_after,
            ),
            n=n,
            method=method,
            evidence=tuple(evidence),
        )

    def _quotes(self, shift: Shift) -> Quotes:
        pick = pick_quotes(
            self.matrix, self.texts, self.matrix.column(shift.term) & self.side, ratings=self.stars
        )
        return Quotes(
            title=f"“{shift.term}”",
            quotes=tuple(quote_of(self.talk, int(self.rows[i]), shift.term) for i in pick.typical),
            dissent=None
            if pick.dissent is None
            else quote_of(self.talk, int(self.rows[pick.dissent]), shift.term),
        )
