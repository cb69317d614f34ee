"""Simulated products whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

from octad.errors import UnknownNameError, UsageError, nearest
from octad.worlds import wallet
from octad.worlds.base import Categorical, Table, World
from octad.worlds.kinds import KINDS, Kind

__all__ = ["Categorical", "Kind", "Table", "World", "kinds", "names", "simulate"]

_KINDS = {kind.name: kind for kind in KINDS}


def names() -> tuple[str, ...]:
    """The worlds there are.

    `wallet` launches a feed that harms; `quickpay` a way to pay that helps; `icon` nothing that
    matters.
    """
    return tuple(_KINDS)


def kinds() -> tuple[Kind, ...]:
    """The kinds of worlds there are, with what each teaches; one for each of `names`."""
    return KINDS


def simulate(
    name: str = "wallet",
    *,
    seed: int = 7,
    users: int = 100_000,
    strength: str = "plain",
    progress: Callable[[str, float], None] | None = None,
) -> World:
    """Simulate a product, its launch, its reviews and its rival.

    Args:
        name: One of `names`.
        seed: Which of its endless variants; the same seed gives the same world.
        users: How many people live in it; at least 100.
        strength: How strong the launch's effect is: one of the kind's `strengths`.
        progress: Called with what is being done and the share done, from 0 to 1.

    Raises:
        octad.errors.UnknownNameError: There is no such world, or it has no such strength.
        octad.errors.UsageError: Too few users.
    """
    if name not in _KINDS:
        raise UnknownNameError(f"There is no world '{name}'.", mend=nearest(name, _KINDS))
    kind = _KINDS[name]
    if strength not in kind.strengths:
        raise UnknownNameError(
            f"World '{name}' has no strength '{strength}'.",
            mend=f"It can be {', '.join(kind.strengths)}.",
        )
    if users < 100:
        raise UsageError(
            f"A world of {users} users is too small to live in.", mend="Ask for 100 or more."
        )
    told = progress or (lambda _what, _share: None)
    return wallet.simulate(kind.at(strength), seed=seed, users=users, progress=told)
