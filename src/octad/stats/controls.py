"""Other products' change as a control for ours: pooled, and with each of them left out in turn.

A control must not be moved by what it is a control for. When a launch drives people to a rival, the
rival moves the other way, and taking its change off counts the launch twice. Nothing in the numbers
can prove that; but leaving out one control at a time shows whether the answer hangs on one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Compared", "Pooled", "compare_with", "pool"]

FloatArray = NDArray[np.float64]

_Z = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Pooled:
    """The mean change of controls, and what is to be added to our variance for taking it off."""

    mean: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Our change less that of K controls.

    Attributes:
        value, se: The difference and its error.
        own, own_se: Our change alone.
        without, without_se: (K,) the same with each control left out; our change alone if K is 1.
        theirs, theirs_se: (K,) each control's own change.
    """

    value: float
    se: float
    own: float
    own_se: float
    without: FloatArray
    without_se: FloatArray
    theirs: FloatArray
    theirs_se: FloatArray

    @property
    def holds(self) -> bool:
        """Whether our own change, and the difference without any one control, leave zero too.

        All at 95% and to the same side as the difference.
        """
        sign = np.sign(self.value)
        low = sign * self.without - _Z * self.without_se
        return bool(sign * self.own > _Z * self.own_se and (low > 0).all())

    @property
    def opposed(self) -> tuple[int, ...]:
        """Controls that are shown, at 95% each, to move the other way than we are shown to."""
        if not abs(self.own) > _Z * self.own_se:
            return ()
        other = -np.sign(self.own) * self.theirs
        return tuple(int(k) for k in np.flatnonzero(other > _Z * self.theirs_se))

    @property
    def heaviest(self) -> int | None:
        """The control without which the answer differs most, if by more than its error there.

        The error with it will not do: one control unlike the others widens that by itself. It
        also counts when leaving it out decides whether the interval leaves zero.
        """
        if not len(self.without):
            return None
        k = int(np.argmax(np.abs(self.without - self.value)))
        turns = (abs(self.value) > _Z * self.se) != (
            abs(float(self.without[k])) > _Z * float(self.without_se[k])
        )
        far = abs(float(self.without[k]) - self.value) > float(self.without_se[k])
        return k if far or turns else None


def pool(change: ArrayLike, variance: ArrayLike) -> Pooled:
    """The controls' mean change, each weighed by how well it is known.

    How far they differ beyond chance (DerSimonian & Laird 1986) is how far any product strays, ours
    too, and is added to the error.

    Args:
        change: (K,) each control's change.
        variance: (K,) its variance.

    Returns:
        Zero and zero when there is no control.
    """
    delta, noise = (np.asarray(x, dtype=np.float64) for x in (change, variance))
    if not len(delta):
        return Pooled(0.0, 0.0)
    noise = np.maximum(noise, 1e-9)
    strays = 0.0
    w = 1 / noise
    if len(delta) >= 2:
        q = float((w * (delta - (w @ delta) / w.sum()) ** 2).sum())
        strays = max(0.0, (q - (len(delta) - 1)) / (w.sum() - (w**2).sum() / w.sum()))
    w = 1 / (noise + strays)
    return Pooled(float((w @ delta) / w.sum()), float(strays + 1 / w.sum()))


def compare_with(
    own: float, own_variance: float, change: ArrayLike, variance: ArrayLike
) -> Compared:
    """Take the controls' change off ours, with all of them and without each.

    Args:
        own: Our change.
        own_variance: Its variance.
        change: (K,) the controls' changes.
        variance: (K,) their variances.
    """
    delta, noise = (np.asarray(x, dtype=np.float64) for x in (change, variance))
    noise = np.maximum(noise, 1e-9)
    whole = pool(delta, noise)
    rest = [pool(np.delete(delta, k), np.delete(noise, k)) for k in range(len(delta))]
    return Compared(
        own - whole.mean,
        float(np.sqrt(own_variance + whole.error)),
        own,
        float(np.sqrt(own_variance)),
        np.array([own - one.mean for one in rest], dtype=np.float64),
        np.sqrt(np.array([own_variance + one.error for one in rest], dtype=np.float64)),
        delta,
        np.sqrt(noise),
    )
