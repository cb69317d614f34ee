"""Kinds whose fault lies in the measurement, or in the time of the launch."""

from __future__ import annotations

from octad.worlds.kind import Kind

__all__ = ["KINDS"]

KINDS: tuple[Kind, ...] = ()
