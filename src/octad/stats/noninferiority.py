"""Is a loss shown to be smaller than what would still be tolerable?

"Not significantly worse" is not safe: a test too small to see anything is never significantly
worse. A metric is safe when its interval lies wholly on the near side of the margin, and a metric
whose test lacked the power to show that is unknown, not safe.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from scipy import special

from octad.stats.effects import Effect

__all__ = ["AgainstMargin", "Equivalence", "against_margin", "equivalence"]


@dataclass(frozen=True, slots=True)
class AgainstMargin:
    """An effect beside the loss that would still be tolerable.

    Attributes:
        safe: The loss is shown to be smaller than the margin.
        worse: It is shown to be a loss at all (it may still be a tolerable one).
        beyond: The loss is shown to be larger than the margin.
        safe_anytime, worse_anytime, beyond_anytime: The same from the interval that holds at
            every look (at its own level); False when it is unbounded.
        p_safe: One-sided p against "the loss is as large as the margin, or larger".
        p_worse: One-sided p against "there is no loss".
        power: Chance that this test shows it safe, if the truth is no change at all.
        needed: How many times the present number of users would show that with the power wanted;
            None when no number would (a margin of zero).
        smallest_visible: The smallest loss this test would show to be one, with the power wanted.
        loss, margin: In the effect's scale, a loss above zero.
    """

    safe: bool
    worse: bool
    beyond: bool
    safe_anytime: bool
    worse_anytime: bool
    beyond_anytime: bool
    p_safe: float
    p_worse: float
    power: float
    needed: float | None
    smallest_visible: float
    loss: float
    margin: float

    @property
    def known(self) -> bool:
        """Whether the data answer the question, either way."""
        return self.safe or self.worse or self.beyond


def against_margin(
    effect: Effect,
    margin: float,
    better: Literal["up", "down"] = "up",
    one_sided_error: float = 0.025,
    *,
    wanted_power: float = 0.8,
) -> AgainstMargin:
    """Judge an effect against a margin fixed beforehand.

    Args:
        effect: The effect; relative or absolute like the margin.
        margin: Size of the tolerable loss in the effect's own scale; its sign is not looked at.
        better: Which direction is good.
        one_sided_error: Chance to call a loss of exactly the margin safe.
        wanted_power: The power that `needed` and `smallest_visible` refer to.

    Raises:
        ValueError: When the margin is not finite, or an error rate is not between 0 and 1.

    >>> from octad.stats.effects import compare, of_shares
    >>> day7 = compare(of_shares(8502, 44700), of_shares(8279, 45489), relative=False)
    >>> seen = against_margin(day7, 0.01)
    >>> seen.safe, seen.worse, seen.beyond, round(seen.p_safe, 3)
    (False, True, False, 0.244)
    """
    if not math.isfinite(margin) or not 0 < one_sided_error < 1 or not 0 < wanted_power < 1:
        msg = "a margin is a finite number, and error and power lie between 0 and 1"
        raise ValueError(msg)
    size = abs(margin)
    sign = 1.0 if better == "up" else -1.0
    loss, se = -sign * effect.value + 0.0, effect.se
    reach = float(special.stdtrit(effect.df, 1 - one_sided_error))
    extra = float(special.ndtri(wanted_power))
    p_safe = _upper(size - loss, se, effect.df)
    p_worse = _upper(loss, se, effect.df)
    bounds = (effect.anytime_low, effect.anytime_high)
    # In terms of loss, the interval is turned around when up is better.
    least = most = None
    if bounds[0] is not None and bounds[1] is not None:
        ends = sorted((-sign * bounds[0], -sign * bounds[1]))
        least, most = ends[0], ends[1]
    spread = size / se if se > 0 else (math.inf if size > 0 else 0.0)
    return AgainstMargin(
        safe=p_safe < one_sided_error,
        worse=p_worse < one_sided_error,
        beyond=_upper(loss - size, se, effect.df) < one_sided_error,
        safe_anytime=most is not None and most < size,
        worse_anytime=least is not None and least > 0,
        beyond_anytime=least is not None and least > size,
        p_safe=p_safe,
        p_worse=p_worse,
        power=float(special.ndtr(spread - reach)) if size > 0 else one_sided_error,
        needed=((reach + extra) / spread) ** 2 if size > 0 else None,
        smallest_visible=(reach + extra) * se,
        loss=loss,
        margin=size,
    )


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Whether an effect is shown to lie within a margin on both sides.

    Attributes:
        shown: The effect is shown to be smaller than the margin, up and down.
        p: The larger of the two one-sided p-values.
        power: Chance to show it, if the truth is no change at all.
    """

    shown: bool
    p: float
    power: float


def equivalence(effect: Effect, margin: float, one_sided_error: float = 0.05) -> Equivalence:
    """Two one-sided tests (Schuirmann 1987): is the effect as good as none?

    Args:
        effect: The effect; relative or absolute like the margin.
        margin: Size of a difference that would not matter; its sign is not looked at.
        one_sided_error: Chance to call an effect of exactly the margin none.

    Raises:
        ValueError: When the margin is not finite, or the error is not between 0 and 1.

    >>> from octad.stats.effects import compare_levels
    >>> same = compare_levels([10, 10.1], [0.1, 0.1], [5000, 5000], relative=False)
    >>> equivalence(same, 0.5).shown, equivalence(same, 0.2).shown
    (True, False)
    """
    if not math.isfinite(margin) or not 0 < one_sided_error < 1:
        msg = "a margin is a finite number, and an error lies between 0 and 1"
        raise ValueError(msg)
    size, se = abs(margin), effect.se
    sides = [_upper(size + sign * effect.value, se, effect.df) for sign in (-1, 1)]
    reach = float(special.stdtrit(effect.df, 1 - one_sided_error))
    spread = size / se if se > 0 else (math.inf if size > 0 else 0.0)
    power = max(0.0, 2 * float(special.ndtr(spread - reach)) - 1)
    return Equivalence(max(sides) < one_sided_error, max(sides), power)


def _upper(distance: float, se: float, df: float) -> float:
    """Chance of a distance as large, or larger, if the truth were none."""
    if se == 0:
        return 0.0 if distance > 0 else 1.0
    return float(special.stdtr(df, -distance / se))
