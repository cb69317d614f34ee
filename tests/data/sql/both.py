"""The same launch gathered by both ways, and what it takes for them to be the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from octad.data.clock import DAY, to_micros
from octad.data.connect import connect
from octad.data.gather import gather
from octad.data.population import choose_everyone, choose_exposed, frame_of
from octad.data.primitives import OPEN, PRE_DAYS, calendar_of, kinds_of, recipe
from octad.data.samples import Sample
from octad.data.sources import open_sources
from octad.data.sql.work import EngineWork, work_in_engine
from octad.data.tape import Tape
from octad.data.work import MetricWork, Request, Work
from octad.model.inputs import Inputs, MetricCells
from octad.model.metric import FunnelMetric, QuantileMetric
from octad.model.needs import Needs
from octad.model.plan import Everyone, Plan
from octad.stats.moments import Moments

# Sums of the same doubles in another order: the last digits of sixteen.
CLOSE = 1e-9


def everything(plan: Plan) -> Needs:
    """Every form of every metric, and all else."""
    every = frozenset(plan.project.metrics)
    return Needs(
        totals=every,
        sliced=every,
        daily=every,
        tails=every,
        variants=every,
        calendar=every,
        kinds=every,
        retention=True,
        jobs=True,
        errors=True,
        walks=True,
        volume=True,
    )


def request_of(plan: Plan, needs: Needs, mirror: int | None, even: int | None) -> Request:
    """What a gathering asks of an engine."""
    names = sorted(needs.metrics)
    metrics = {name: plan.metric(name) for name in names}
    made = {name: recipe(m, days=OPEN, mirror=mirror) for name, m in metrics.items()}
    kinds = {
        name: {
            event: own
            for event, kind in kinds_of(metrics[name]).items()
            if (own := recipe(kind, days=OPEN, mirror=mirror)) is not None
        }
        for name in sorted(needs.kinds & needs.metrics)
    }
    charter = plan.project.charter
    return Request(
        recipes={name: own for name, own in made.items() if own is not None},
        kinds={name: own for name, own in kinds.items() if own},
        funnels={n: m for n, m in metrics.items() if isinstance(m, FunnelMetric)},
        quantiles={n: m for n, m in metrics.items() if isinstance(m, QuantileMetric)},
        daily=needs.daily,
        calendar={
            n: counted
            for n in sorted(needs.calendar)
            if (counted := calendar_of(plan.metric(n))) is not None
        },
        sliced=needs.sliced,
        tails=needs.tails,
        variants=needs.variants,
        jobs={n: j.events for n, j in charter.jobs.items() if j.events} if needs.jobs else {},
        errors=charter.errors if needs.errors else (),
        segments=_segments(plan),
        sample=bool(needs.walks or needs.stories or needs.jobs),
        retention=needs.retention,
        volume=needs.volume,
        mirror=mirror,
        before=PRE_DAYS if even is None else even,
        after=OPEN if even is None else even,
    )


def _segments(plan: Plan) -> tuple[str, ...] | None:
    source = plan.project.sources.users
    if plan.launch.segments is not None or source is None:
        return plan.launch.segments
    return tuple(source.attributes) if source.attributes else None


def in_engine(engine: Any, plan: Plan, needs: Needs) -> EngineWork:
    """The work of one launch, by queries alone."""
    return cast("EngineWork", made_by(work_in_engine, engine, plan, needs))


def made_by(add_up: Callable[..., Work], engine: Any, plan: Plan, needs: Needs) -> Work:
    """The work of one launch, whichever way it is added up."""
    tape = Tape(engine.backend, None, engine.root)
    tables = open_sources(engine, plan.project)
    newest = tables.intake["events"].last
    assert newest is not None
    frame = frame_of(plan, newest, None)
    everyone = isinstance(plan.launch.design, Everyone)
    chosen = (
        choose_everyone(tape, frame, tables.events, tables.users)
        if everyone
        else choose_exposed(tape, plan, frame, tables.exposures, tables.users)
    )
    mirror = even = None
    if everyone:
        first = tables.intake["events"].first
        assert frame.starts is not None
        assert first is not None
        mirror = frame.until - frame.starts
        even = max(1, min(frame.starts - to_micros(first), mirror) // DAY)
    return add_up(tape, plan, tables, chosen, request_of(plan, needs, mirror, even))


def both(root: Path, plan: Plan, needs: Needs | None = None) -> tuple[Inputs, EngineWork, Any]:
    """The gathering there is, and the one in the engine, which is left open."""
    wanted = needs or everything(plan)
    with connect(plan.project, root) as engine:
        inputs = gather(engine, plan, wanted)
    engine = connect(plan.project, root)
    return inputs, in_engine(engine, plan, wanted), engine


def assert_moments(found: Moments, expected: Moments) -> None:
    """The same counts, and the same moments beside the size of the numbers."""
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found.n, expected.n)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=CLOSE, atol=1e-12)
    # A second moment of values that are alike is rounding of their squares.
    scale = np.abs(expected.comoment).max(initial=0.0) + (expected.mean**2).max(initial=0.0)
    np.testing.assert_allclose(
        found.comoment, expected.comoment, rtol=CLOSE, atol=1e-13 * max(scale, 1.0)
    )


def assert_cells(found: MetricCells, expected: MetricCells) -> None:
    """Cells that say the same."""
    assert [str(s) for s in found.slices] == [str(s) for s in expected.slices]
    assert (found.waiting, found.paired) == (expected.waiting, expected.paired)
    assert found.searched == expected.searched
    assert (found.winsor is None) == (expected.winsor is None)
    if expected.winsor is not None:
        np.testing.assert_allclose(found.winsor or 0.0, expected.winsor, rtol=CLOSE)
    if expected.quantiles is not None:
        assert found.quantiles is not None
        same(found.quantiles, expected.quantiles)
    assert_moments(found.moments, expected.moments)
    assert (found.parts is None) == (expected.parts is None)
    if found.parts is not None and expected.parts is not None:
        assert_moments(found.parts.halves, expected.parts.halves)
        np.testing.assert_array_equal(found.parts.n, expected.parts.n)
        np.testing.assert_array_equal(found.parts.finding, expected.parts.finding)
        for one, two in zip(found.parts.sums, expected.parts.sums, strict=True):
            np.testing.assert_allclose(one, two, rtol=CLOSE, atol=CLOSE * np.abs(two).max())


def _close(value: float) -> Any:
    return pytest.approx(value, rel=CLOSE, abs=1e-12)


def same(found: Any, expected: Any, *, but: frozenset[str] = frozenset({"query"})) -> None:
    """Whether two products say the same, field by field."""
    match expected:
        case float():
            assert found == _close(expected)
        case None | str() | int():
            assert found == expected
        case tuple():
            for one, two in zip(found, expected, strict=True):
                same(one, two)
        case dict():
            assert set(found) == set(expected)
            for key, value in expected.items():
                same(found[key], value)
        case np.ndarray():
            _same_array(found, expected)
        case Moments():
            assert_moments(found, expected)
        case MetricCells():
            assert_cells(found, expected)
        case _:
            for f in fields(expected):
                if f.name not in but:
                    same(getattr(found, f.name), getattr(expected, f.name))


def _same_array(found: Any, expected: Any) -> None:
    if expected.dtype.kind == "f":
        np.testing.assert_allclose(found, expected, rtol=CLOSE, atol=1e-12)
    else:
        np.testing.assert_array_equal(found, expected)


def assert_same(inputs: Inputs, work: EngineWork) -> None:
    """Every product of the engine equals what the gathering brought over."""
    assert inputs.exposure is not None
    same(work.exposure, inputs.exposure)
    assert dict(work.refused) == dict(inputs.refused_segments)
    for name, cells in inputs.metrics.items():
        made = work.metric(name)
        assert isinstance(made, MetricWork), name
        assert_cells(made.cells, cells)
        same(made.tail, inputs.tails.get(name))
        same(dict(made.variants), dict(inputs.variants.get(name, {})))
        same(dict(made.kinds), dict(inputs.kinds.get(name, {})))
    same(dict(work.daily()), dict(inputs.daily))
    same(work.retention(), inputs.retention)
    same(work.volume(), inputs.volume)
    same(work.jobs(), inputs.jobs, but=frozenset({"query", "steps", "reach", "visits"}))
    same(work.errors(), inputs.errors)


def assert_sample(found: Sample, expected: Sample) -> None:
    """The same people do the same, in the same order; only their numbers may differ."""
    assert (found.users, found.staff, found.names) == (
        expected.users,
        expected.staff,
        expected.names,
    )
    np.testing.assert_array_equal(found.time, expected.time)
    np.testing.assert_array_equal(found.event, expected.event)
    np.testing.assert_array_equal(found.visit, expected.visit)
    for mine, theirs in zip(found.person.tolist(), expected.person.tolist(), strict=True):
        assert (mine < 0) == (theirs < 0)
        assert found.ids[mine] == expected.ids[theirs]
        if mine >= 0:
            assert found.arm[mine] == expected.arm[theirs]
            assert found.exposed[mine] == expected.exposed[theirs]
