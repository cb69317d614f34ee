"""What a kind of world is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from octad.worlds.launches import Launched

__all__ = ["Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of world.

    Attributes:
        name: As `octad.worlds.simulate` takes it.
        title: A few words.
        about: What happens in it, in a sentence that a product manager understands.
        strengths: Those of `launches.STRENGTHS` that it can have, weakest first.
        designs: The designs of its launches.
        at: The launch at a strength.
    """

    name: str
    title: str
    about: str
    strengths: tuple[str, ...]
    designs: tuple[str, ...]
    at: Callable[[str], Launched]
