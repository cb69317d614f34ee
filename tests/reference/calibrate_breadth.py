"""Harm among up to three attributes, by the way the data take: slices, cells, reading; and sums
that mislead. Nothing wrong, and something planted.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from octad.data.attributes import Attribute
from octad.data.cells import UnitValues, cells_of
from octad.data.population import BUCKETS
from octad.data.segments import Sought, deepen, make_slices
from octad.model.inputs import Inputs
from octad.model.plan import Launch, Plan, Project
from octad.readings.breadth_paradox import paradox_of, paradoxes
from octad.readings.breadth_segments import search
from octad.stats.moments import Moments
from tests.reference.chance import Measured, at_least, at_most

__all__ = ["World", "sums_that_mislead", "triples", "world_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

USERS, ATTRIBUTES = 6_000, 5
METRICS = ("payments", "transfers")
HARM = 0.65


class World:
    """A launch's users, brought to inputs as the data layer does."""

    def __init__(self, rng: np.random.Generator, run: int, *, harm: float = 0.0) -> None:
        """Draw users of five yes-or-no attributes; one in eight of them may be harmed."""
        n = USERS
        arm = rng.integers(0, 2, n)
        codes = [rng.integers(0, 2, n) for _ in range(ATTRIBUTES)]
        known = [Attribute(f"a{i}", ("no", "yes"), c) for i, c in enumerate(codes)]
        self.harmed = frozenset({("a0", "yes"), ("a2", "yes"), ("a4", "no")})
        inside = (codes[0] == 1) & (codes[2] == 1) & (codes[4] == 0)
        bucket = rng.integers(0, BUCKETS, n)
        before = rng.exponential(1.0, n)
        shared = rng.exponential(0.5, n)
        one = np.ones(n)
        values = []
        for k, name in enumerate(METRICS):
            y = 1 + 0.5 * before + shared + rng.exponential(1.0, n)
            y = y - harm * (k == 0) * arm * inside
            # The second metric's window has not ended for a part of the users.
            ended = np.ones(n, dtype=bool) if k == 0 else rng.random(n) < 0.8
            values.append(UnitValues(name, y, one, before, one, ended, paired=True))
        self.plan = plan_of(run)
        sought = [Sought(v.columns, v.ended, "up") for v in values]
        slices = deepen(
            make_slices(known, arm, fewest=100),
            known,
            sought,
            arm,
            bucket,
            seed=self.plan.launch.halving,
        )
        cells = {
            v.metric: cells_of(v, arm, bucket, 2, slices, halving=self.plan.launch.halving)
            for v in values
        }
        self.inputs = Inputs(arms=("control", "treatment"), final=True, metrics=cells)


def plan_of(run: int) -> Plan:
    """A plan whose name, and so whose halves, are this run's."""
    metrics = {name: {"count": name} for name in METRICS}
    project = Project.model_validate({"product": "x", "sources": {}, "metrics": metrics})
    launch = Launch.model_validate(
        {
            "launch": f"launch{run}",
            "arms": {"control": "off", "treatment": "on"},
            "results": dict.fromkeys(METRICS, "1%"),
            "ends": date(2026, 3, 29),
        }
    )
    return Plan(project=project, launch=launch)


def world_of(rng: np.random.Generator, run: int, harm: float = 0.0) -> World:
    """A world; see `World`."""
    return World(rng, run, harm=harm)


def triples(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """Two metrics and 130 slices of up to three attributes, of which those that matter are kept."""
    runs = min(max(repetitions // 80, 12), 2000)
    false = np.zeros(runs, dtype=bool)
    for run in range(runs):
        world = world_of(rng, run)
        false[run] = bool(search(world.plan, world.inputs).hits)
    seen, named = (np.zeros(runs // 3, dtype=bool) for _ in range(2))
    for run in range(runs // 3):
        world = world_of(rng, run, HARM)
        found = search(world.plan, world.inputs)
        first = [h for h in found.named if h.metric == "payments"]
        seen[run] = any(set(h.slice.values) <= world.harmed for h in found.hits)
        named[run] = bool(first) and set(first[0].slice.values) == world.harmed
    name = "breadth, 2 metrics, up to 3 attributes"
    return [
        at_most(f"{name}: any false harm", false, 0.05),
        at_least(f"{name}: a harmed eighth confirmed", seen, 0.8),
        at_least(f"{name}: named by exactly its own attributes", named, 0.5),
    ]


def _parts(
    rng: np.random.Generator, mix: FloatArray, level: FloatArray, effect: float
) -> tuple[Moments, Moments]:
    """Four parts mixed by arm as told, (2, 4), of users with these levels and one effect."""
    parts: list[Moments] = []
    every: tuple[list[FloatArray], list[FloatArray]] = ([], [])
    for v in range(4):
        pair = []
        for a in (0, 1):
            n = round(4000 * float(mix[a, v]))
            y = rng.exponential(1.0, n) + level[v] + a * effect
            rows = np.stack([y, np.ones(n), np.zeros(n), np.ones(n)], axis=1)
            pair.append(Moments.from_rows(rows))
            every[a].append(rows)
        parts.append(_stack(pair))
    return _stack(parts), _stack([Moments.from_rows(np.concatenate(rows)) for rows in every])


def _stack(parts: list[Moments]) -> Moments:
    return Moments(
        np.stack([p.n for p in parts]),
        np.stack([p.mean for p in parts]),
        np.stack([p.comoment for p in parts]),
    )


EVEN = np.full((2, 4), 0.25)
UNEVEN = np.array([[0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.3, 0.4]])
LEVELS = np.array([1.0, 2.0, 3.0, 4.0])


def sums_that_mislead(rng: np.random.Generator, repetitions: int) -> list[Measured]:
    """An effect of one sign in all and of the other in every part, planted and not."""
    runs = min(max(repetitions // 20, 20), 1000)
    bar = 1.96
    fair = [paradox_of(*_parts(rng, EVEN, LEVELS, 0.1)).shown(bar) for _ in range(runs)]
    none = [paradox_of(*_parts(rng, EVEN, LEVELS, 0.0)).shown(bar) for _ in range(runs)]
    planted = [paradox_of(*_parts(rng, UNEVEN, LEVELS, -0.2)).shown(bar) for _ in range(runs)]
    found = [bool(paradoxes(w.plan, w.inputs)) for w in (world_of(rng, k) for k in range(6))]
    return [
        at_most("sums that mislead: an effect alike in all parts", np.array(fair), 0.05),
        at_most("sums that mislead: no effect", np.array(none), 0.05),
        at_most("sums that mislead: a whole launch without harm", np.array(found), 0.05),
        at_least("sums that mislead: planted, seen", np.array(planted), 0.9),
    ]
