"""Kinds in which the launch changes how people live with the product."""

from __future__ import annotations

from octad.worlds.kind import Kind

__all__ = ["KINDS"]

KINDS: tuple[Kind, ...] = ()
