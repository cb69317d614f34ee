"""One gathering under way: what it was asked, what it reads from, what it has found so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from octad.data.connect import Engine
from octad.data.sources import Tables
from octad.data.tape import Tape
from octad.errors import Where
from octad.model.inputs import Inputs, MetricCells
from octad.model.metric import ReviewMetric
from octad.model.needs import Needs
from octad.model.plan import Plan

__all__ = ["FEWEST_IN_ARM", "Gathering", "Locate"]

Locate = Callable[[str], Where]
"""From a dotted key of the plan to its file and line."""

FEWEST_IN_ARM = 100
"""Users that a segment needs in each arm."""


@dataclass(slots=True)
class Gathering:
    """What is known so far; `inputs` makes the frozen object of it.

    Attributes:
        absent: Metric to why it could not be measured.
        metrics: Cells by metric; `variants` the same under other choices.
        parts: Every other field of `Inputs`, by name.
        left: Rows that were left out on the way: source, reason, how many.
    """

    plan: Plan
    needs: Needs
    tape: Tape
    tables: Tables
    engine: Engine
    where: Locate | None = None
    absent: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, MetricCells] = field(default_factory=dict)
    variants: dict[str, dict[str, MetricCells]] = field(default_factory=dict)
    parts: dict[str, Any] = field(default_factory=dict)
    left: list[tuple[str, str, int]] = field(default_factory=list)

    def place(self, key: str) -> Where | None:
        """Where a dotted key of the plan is written."""
        return self.where(key) if self.where is not None else None

    def lack(self, why: str) -> None:
        """No metric of the plan can be measured, and this is why."""
        names = (*self.plan.launch.metrics, *(e.metric for e in self.plan.launch.expects))
        for name in dict.fromkeys(names):
            if not isinstance(self.plan.metric(name), ReviewMetric):
                self.absent[name] = why

    def inputs(self) -> Inputs:
        """All of it, frozen."""
        left = [
            (name, reject.reason, reject.rows)
            for name, intake in self.tables.intake.items()
            for reject in intake.rejects
        ]
        left += [
            (name, "copies of a row that was kept", intake.duplicates)
            for name, intake in self.tables.intake.items()
            if intake.duplicates
        ]
        left += self.left
        return Inputs(
            metrics=self.metrics,
            absent=self.absent,
            variants=self.variants,
            left_out=tuple(left),
            queries=self.tape.queries,
            cost=(self.tape.scanned, tuple(self.tape.stages)),
            files_read=self.tape.files,
            **self.parts,
        )
