"""How our stars changed beside rivals', and whether earlier dates show as much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from octad.model.finding import Bars, Finding, Grade, Number, Stance
from octad.model.numbers import plain
from octad.readings.base import VETO
from octad.readings.voices import FEWEST, Talk
from octad.stats.controls import Compared, compare_with

__all__ = ["stars"]

BoolArray = NDArray[np.bool_]

_PLACEBOS, _EXTREME = 8, 0.2
_MOVED = 0.1
_Z = 1.959963984540054
_SURE = float(special.ndtri(1 - VETO / 2))


@dataclass(frozen=True, slots=True)
class _Change:
    """Our change less rivals', our own levels, and which rivals stand beside us."""

    compared: Compared
    before: float
    after: float
    rivals: tuple[str, ...]

    @property
    def value(self) -> float:
        """Our change less rivals'."""
        return self.compared.value

    @property
    def se(self) -> float:
        """Its error."""
        return self.compared.se


def _own(talk: Talk, rows: tuple[BoolArray, BoolArray]) -> tuple[float, float, float, float] | None:
    """Mean before and after, the change and its variance; None when a side is thin."""
    rating = talk.reviews.rating
    one, two = (rating[side & np.isfinite(rating)] for side in rows)
    if min(len(one), len(two)) < FEWEST:
        return None
    variance = one.var(ddof=1) / len(one) + two.var(ddof=1) / len(two)
    return float(one.mean()), float(two.mean()), float(two.mean() - one.mean()), float(variance)


def _change(talk: Talk, before: BoolArray, after: BoolArray, sound: BoolArray) -> _Change | None:
    """Take the rivals' change off ours.

    Each rival is compared with its own past, so that a rival who is merely reviewed less does not
    shift the others' mean. Their changes are averaged by how well each is known; how far they
    differ beyond chance (DerSimonian & Laird 1986) is how far ours might have strayed too, and
    widens the error.
    """
    mine = _own(talk, (talk.ours & before & sound, talk.ours & after & sound))
    if mine is None:
        return None
    old, new, change, variance = mine
    names = sorted({str(p) for p in talk.reviews.product[~talk.ours & before]})
    theirs: dict[str, tuple[float, float]] = {}
    for name in names:
        rows = (talk.reviews.product == name) & sound & ~talk.ours
        found = _own(talk, (rows & before, rows & after))
        if found is not None:
            theirs[name] = found[2:]
    delta, noise = (tuple(pair[i] for pair in theirs.values()) for i in (0, 1))
    return _Change(compare_with(change, variance, delta, noise), old, new, tuple(theirs))


def _placebos(talk: Talk) -> list[float]:
    """The same change at earlier dates whose windows do not reach the launch."""
    day = talk.reviews.time.astype("datetime64[D]")
    found: list[float] = []
    cut = talk.start - talk.days_after
    step = max(28, talk.days_after // 2)
    while cut - talk.days_before >= talk.first and len(found) < 60:
        before = (day < cut) & (day >= cut - talk.days_before)
        after = (day >= cut) & (day < cut + talk.days_after)
        change = _change(talk, before, after, talk.sound)
        if change is not None:
            found.append(change.value)
        cut -= step
    return found


def stars(talk: Talk) -> Finding | None:
    """Compare our stars after with before, rivals' change taken off.

    For when the 95% interval leaves zero, against when that of 99% does, our own stars moved that
    way by a tenth at least, the sign is the same with the praise kept, and fewer than a fifth of
    the earlier dates moved as much (eight of them at least, or they are only told). And our own
    stars must be shown to move, and the difference to stand with any one rival left out: a rival
    that mends or breaks something by itself is not our launch's doing. Else mixed.

    Returns:
        None when too few of our reviews have stars.
    """
    found = _change(talk, talk.before, talk.after, talk.sound)
    if found is None:
        return None
    low, high = found.value - _Z * found.se, found.value + _Z * found.se
    whole = _change(talk, talk.before, talk.after, ~talk.reviews.deleted)
    placebos = _placebos(talk)
    as_much = sum(p <= found.value if found.value < 0 else p >= found.value for p in placebos)
    usual = len(placebos) >= _PLACEBOS and as_much >= _EXTREME * len(placebos)
    sign = 1 if found.value > 0 else -1
    moved = sign * (found.after - found.before) >= _MOVED
    agrees = whole is None or sign * whole.value > 0
    stance = Stance.MIXED
    clear = low > 0 or found.value + _SURE * found.se < 0
    if clear and moved and agrees and not usual and found.compared.holds:
        stance = Stance.FOR if sign > 0 else Stance.AGAINST
    claim = f"Our stars went from {plain(found.before, 1)} to {plain(found.after, 1)}"
    if whole is not None and abs(whole.after - found.after) >= _MOVED:
        claim += f" (to {plain(whole.after, 1)} if suspect praise is counted)"
    if found.rivals:
        claim += f"; with rivals' change taken off, {plain(found.value, 1, signed=True)}"
        claim += _leaning(found)
    if len(placebos) >= _PLACEBOS:
        claim += f". At {as_much} of {len(placebos)} earlier dates they moved as much that way"
    rated = (talk.before | talk.after) & talk.sound & np.isfinite(talk.reviews.rating)
    return Finding(
        id="rival.stars",
        claim=claim + ".",
        stance=stance,
        grade=Grade.T,
        estimate=Number(
            value=found.value,
            low=low,
            high=high,
            level=0.95,
            unit="stars",
            se=found.se,
            z=found.value / found.se if found.se > 0 else None,
            control=found.before,
            treatment=found.after,
        ),
        n=int((rated & talk.ours).sum()),
        method=_method(talk, len(found.rivals), len(placebos)),
        assumes="Without the launch our stars would have moved as rivals' did."
        if found.rivals
        else "Nothing else moved our stars.",
        breaks="A prompt to review, a store that reset or filtered its ratings, fakes not found.",
        evidence=(_histogram(talk),),
    )


def _leaning(found: _Change) -> str:
    """Whose doing the difference is, where it is not shown to be ours; or on whom it hangs."""
    c = found.compared
    if not abs(c.value) > _Z * c.se or c.holds:
        return ""
    if not np.sign(c.value) * c.own > _Z * c.own_se:
        k = int(np.argmin(np.sign(c.value) * c.theirs))
        return (
            f", but ours alone are not shown to have moved that way; what moved is "
            f"{found.rivals[k]} ({plain(float(c.theirs[k]), 1, signed=True)})"
        )
    k = int(np.argmin(np.sign(c.value) * c.without - _Z * c.without_se))
    return (
        f", but that hangs on {found.rivals[k]} ({plain(float(c.theirs[k]), 1, signed=True)}): "
        f"without it {plain(float(c.without[k]), 1, signed=True)}"
    )


def _method(talk: Talk, rivals: int, placebos: int) -> str:
    kind = "difference of mean stars, no rivals to compare with"
    if rivals:
        kind = (
            f"difference in differences of mean stars, {rivals} "
            f"{'rival' if rivals == 1 else 'rivals'} each against its own past and each left out "
            "in turn; error widened by how far rivals' changes differ"
        )
    return f"{kind}; {talk.windows}; {placebos} placebo dates"


def _histogram(talk: Talk) -> Bars:
    groups: dict[str, tuple[float | None, ...]] = {}
    for name, rows in (
        ("us before", talk.ours & talk.before),
        ("us after", talk.ours & talk.after),
        ("rivals before", ~talk.ours & talk.before),
        ("rivals after", ~talk.ours & talk.after),
    ):
        rating = talk.reviews.rating[rows & talk.sound]
        rating = np.rint(rating[np.isfinite(rating)])
        if len(rating):
            groups[name] = tuple(float((rating == s).mean()) for s in range(1, 6))
    return Bars(
        title="Stars before and after, praise set aside",
        y_label="share of reviews",
        labels=tuple(f"{s} ★" for s in range(1, 6)),
        groups=groups,
        percent=True,
    )
