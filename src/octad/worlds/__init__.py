"""Simulated products whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from octad.errors import UnknownNameError, UsageError, nearest
from octad.worlds import wallet
from octad.worlds.base import Categorical, Table, World
from octad.worlds.launches import LAUNCHES

__all__ = ["Categorical", "Table", "World", "names", "simulate"]

_WORLDS = {name: partial(wallet.simulate, launched) for name, launched in LAUNCHES.items()}


def names() -> tuple[str, ...]:
    """The worlds there are.

    `wallet` launches a feed that harms; `quickpay` a way to pay that helps; `icon` nothing that
    matters.
    """
    return tuple(_WORLDS)


def simulate(
    name: str = "wallet",
    *,
    seed: int = 7,
    users: int = 100_000,
    progress: Callable[[str, float], None] | None = None,
) -> World:
    """Simulate a product, its launch, its reviews and its rival.

    Args:
        name: One of `names`.
        seed: Which of its endless variants; the same seed gives the same world.
        users: How many people live in it; at least 100.
        progress: Called with what is being done and the share done, from 0 to 1.

    Raises:
        octad.errors.UnknownNameError: There is no such world.
        octad.errors.UsageError: Too few users.
    """
    if name not in _WORLDS:
        raise UnknownNameError(f"There is no world '{name}'.", mend=nearest(name, _WORLDS))
    if users < 100:
        raise UsageError(
            f"A world of {users} users is too small to live in.", mend="Ask for 100 or more."
        )
    return _WORLDS[name](seed=seed, users=users, progress=progress or (lambda _what, _share: None))
