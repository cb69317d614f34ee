"""Who speaks of leaving us, who of coming, and which rival is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Finding, Grade, Number, Quotes, Stance, Table
from octad.model.numbers import plain, share
from octad.model.plan import Plan
from octad.readings.base import VETO
from octad.readings.voices import Talk, quote_of
from octad.stats.rates import RateRatio, rate_ratio
from octad.stats.refusal import NotEstimable
from octad.text.moving import Moves, find_moves

__all__ = ["moving"]

BoolArray = NDArray[np.bool_]

_ENOUGH = 5


def _names(plan: Plan, talk: Talk) -> Mapping[str, tuple[str, ...]]:
    """Every product with the other names it goes by; all of ours are one."""
    own = {str(p) for p in talk.reviews.product[talk.ours]}
    ours = plan.project.product
    names: dict[str, tuple[str, ...]] = {ours: tuple(own - {ours})}
    for name in [*plan.project.rivals, *(str(p) for p in talk.reviews.product[~talk.ours])]:
        names.setdefault(name, ())
    return names


def moving(plan: Plan, talk: Talk) -> Finding | None:
    """Compare how many of our reviews speak of leaving, after against before.

    Rivals' reviews that say "I came from you" count as leaving us, and those that say "I go back
    to you" as coming; they are told, but the test is on our own reviews, as a share of them, so
    that louder talk alone is not more leaving.

    Returns:
        None when hardly anyone speaks of it.
    """
    rows = np.flatnonzero((talk.before | talk.after) & talk.sound)
    reviews = talk.reviews
    ours, after = talk.ours[rows], talk.after[rows]
    product = np.where(ours, plan.project.product, reviews.product[rows])
    moves = find_moves(talk.words.take(rows), product, _names(plan, talk))
    left = [int((ours & moves.leaving & side).sum()) for side in (~after, after)]
    came = [int((ours & moves.coming & side).sum()) for side in (~after, after)]
    if sum(left) < _ENOUGH:
        return None
    whole = [int((ours & side).sum()) for side in (~after, after)]
    try:
        ratio = rate_ratio((left[1], left[0]), (whole[1], whole[0]))
    except NotEstimable:
        return None
    stance = Stance.MIXED
    if ratio.low > 1 and ratio.p <= VETO:
        stance = Stance.AGAINST
    elif ratio.high < 1:
        stance = Stance.FOR
    return _finding(plan, talk, rows, moves, ratio, stance, left, came)


def _finding(
    plan: Plan,
    talk: Talk,
    rows: NDArray[np.int64],
    moves: Moves,
    ratio: RateRatio,
    stance: Stance,
    left: list[int],
    came: list[int],
) -> Finding:
    ours, after = talk.ours[rows], talk.after[rows]
    own = plan.project.product
    gone: Counter[str] = Counter()
    table: Counter[tuple[str, str, int]] = Counter()
    for i in np.flatnonzero(moves.leaving | moves.coming):
        rival, side = str(moves.rival[i]), int(after[i])
        if ours[i]:
            table[
                "leaving us" if moves.leaving[i] else "coming to us", rival or "no name", side
            ] += 1
            if moves.leaving[i] and side and rival:
                gone[rival] += 1
        elif rival == own:
            # In a rival's review: "came from us" is leaving us, "going back to us" is coming.
            where = str(talk.reviews.product[rows[i]])
            table[
                "leaving us" if moves.coming[i] else "coming to us",
                f"{where}, in its own reviews",
                side,
            ] += 1
    claim = (
        f"Leaving is spoken of in {left[1]} of our reviews after ({share(ratio.first)}) and "
        f"{left[0]} before ({share(ratio.second)})"
    )
    if np.isfinite(ratio.ratio):
        claim += f": ×{plain(ratio.ratio, 1)}"
    if gone:
        claim += f". Most named: {', '.join(f'{name} ({n})' for name, n in gone.most_common(2))}"
    if sum(came):
        claim += f". Coming: {came[1]} after, {came[0]} before"
    pairs = sorted({key[:2] for key in table})
    finite = np.isfinite(ratio.ratio)
    speaks = np.flatnonzero(ours & moves.leaving & after)
    order = sorted(
        speaks, key=lambda i: (moves.rival[i] == "", len(str(talk.reviews.text[rows[i]])) > 240)
    )
    stays = np.flatnonzero(ours & moves.coming & after)
    return Finding(
        id="rival.moving",
        claim=claim + ".",
        stance=stance,
        grade=Grade.T,
        estimate=Number(
            value=ratio.ratio, low=ratio.low, high=ratio.high if np.isfinite(ratio.high) else None,
            level=ratio.level, unit="times", p=ratio.p, control=ratio.second, treatment=ratio.first,
        ) if finite else None,
        n=sum(left),
        method=f"patterns in English, Chinese and Indonesian; ratio of shares of our reviews "
        f"({ratio.method}); {talk.windows}",
        assumes="The patterns miss and mistake as much after as before. On reviews labelled by "
        "hand, five in six of what they mark is leaving, and they find two in three.",
        breaks="A fault that makes people reinstall, told in words that the patterns do not know.",
        evidence=(
            Table(
                title="Mentions of moving",
                columns=("direction", "rival", "before", "after"),
                rows=tuple((*pair, table[*pair, 0], table[*pair, 1]) for pair in pairs),
            ),
            *(
                (
                    Quotes(
                        title="Leaving, in their words",
                        quotes=tuple(quote_of(talk, int(rows[i])) for i in order[:3]),
                        dissent=quote_of(talk, int(rows[stays[0]])) if len(stays) else None,
                    ),
                )
                if order
                else ()
            ),
        ),
    )  # fmt: skip
