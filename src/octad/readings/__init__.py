"""The KPI and the eight readings: each says what it needs, then reads what it got."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from octad.model.review import READINGS
from octad.readings.base import Reading

__all__ = ["all_readings"]


def all_readings() -> dict[str, Reading]:
    """The KPI, then the eight in the order of every face."""
    return {
        name: cast("Reading", import_module(f"octad.readings.{name}"))
        for name in ("kpi", *READINGS)
    }
