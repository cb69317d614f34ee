"""The kinds of worlds there are, each with what it teaches and how strong it can be."""

from __future__ import annotations

from functools import partial

from octad.worlds import kinds_faults, kinds_life
from octad.worlds.kind import Kind
from octad.worlds.launches import LAUNCHES, Launched

__all__ = ["KINDS", "Kind"]


def _only(launched: Launched, _strength: str) -> Launched:
    return launched


_TITLES = {
    "wallet": (
        "A feed that harms",
        "A social feed lifts opens for some weeks, costs payments for good, and shames people.",
    ),
    "quickpay": (
        "A way to pay that helps",
        "Paying from the lock screen replaces cash, and people go on using it.",
    ),
    "icon": ("A new icon", "Nothing changes but the icon: whatever is seen is chance."),
}
_FIRST = tuple(
    Kind(name, *_TITLES[name], ("plain",), ("experiment",), partial(_only, launched))
    for name, launched in LAUNCHES.items()
)
KINDS: tuple[Kind, ...] = (*_FIRST, *kinds_life.KINDS, *kinds_faults.KINDS)
"""Every kind, in the order in which they are listed."""
