"""What people do with the product: its jobs, and errors by intensity of use."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from octad.data.attributes import Attribute
from octad.data.population import BUCKETS, Population
from octad.data.primitives import ACTIVE, Part, Primitive
from octad.data.units import Units
from octad.model.inputs import Errors, JobUse
from octad.model.plan import Job

__all__ = ["error_parts", "errors_of", "job_parts", "job_use", "thirds"]

FloatArray = NDArray[np.float64]
OTHER = "(other)"


def job_parts(jobs: Mapping[str, Job], *, back: int, days: int) -> dict[str, tuple[Part, Part]]:
    """What must be added up for each job: before and after exposure."""
    found = {
        name: (Part(Primitive(job.events), -back, 0), Part(Primitive(job.events), 0, days))
        for name, job in jobs.items()
        if job.events
    }
    claimed = tuple(sorted({event for job in jobs.values() for event in job.events}))
    if found:
        found[OTHER] = (Part(Primitive(claimed), -back, 0), Part(Primitive(claimed), 0, days))
    return found


def job_use(
    population: Population,
    units: Units,
    parts: Mapping[str, tuple[Part, Part]],
    days: int,
    back: int,
) -> JobUse | None:
    """Count each job's events and users by arm and bucket, before and after exposure."""
    if not parts:
        return None
    arms = len(population.arms)
    cell = population.arm * BUCKETS + population.bucket
    names = tuple(parts)
    shape = (2, arms, BUCKETS, len(names))
    events, users = np.zeros(shape), np.zeros(shape)
    had = np.zeros((arms, len(names)), dtype=np.int64)
    kept = np.zeros_like(had)
    everything = (Part(ACTIVE, -back, 0), Part(ACTIVE, 0, days))
    for j, name in enumerate(names):
        sums = [units.columns[part] for part in parts[name]]
        if name == OTHER:
            sums = [units.columns[part] - s for part, s in zip(everything, sums, strict=True)]
        for period, values in enumerate(sums):
            size = arms * BUCKETS
            events[period, ..., j] = np.bincount(cell, values, size).reshape(arms, BUCKETS)
            users[period, ..., j] = np.bincount(cell, values > 0, size).reshape(arms, BUCKETS)
        before, after = sums[0] > 0, sums[1] > 0
        had[:, j] = np.bincount(population.arm, before, arms)
        kept[:, j] = np.bincount(population.arm, before & after, arms)
    return JobUse(names, events, users, had, kept, query=units.query)


def error_parts(names: tuple[str, ...], *, days: int) -> dict[str, Part]:
    """What must be added up for each error event."""
    return {name: Part(Primitive((name,)), 0, days) for name in names}


def errors_of(
    population: Population,
    units: Units,
    parts: Mapping[str, Part],
    band: Attribute | None,
    days: int,
) -> Errors | None:
    """Count errors, and the users who met one, by arm and intensity of use before exposure."""
    if not parts:
        return None
    arms = len(population.arms)
    bands = ("everyone",) if band is None else band.values
    codes = np.zeros(population.n, dtype=np.int64) if band is None else band.codes
    cell = population.arm * len(bands) + codes
    size = arms * len(bands)

    def grid(weights: NDArray[np.float64] | NDArray[np.bool_] | None) -> FloatArray:
        return np.bincount(cell, weights, size).reshape(arms, len(bands)).astype(np.float64)

    by_kind = {name: units.columns[part] for name, part in parts.items()}
    total = np.sum(list(by_kind.values()), axis=0)
    return Errors(
        bands=bands,
        users=grid(None).astype(np.int64),
        met=grid(total > 0).astype(np.int64),
        actions=grid(units.columns[Part(ACTIVE, 0, days)]),
        errors=grid(total),
        kinds={name: grid(values > 0).astype(np.int64) for name, values in by_kind.items()},
        times={name: grid(values) for name, values in by_kind.items()},
        query=units.query,
    )


def thirds(days: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """The first and the last third of so many days; None under six, when neither says much."""
    if days < 6:
        return None
    third = days // 3
    return (0, third), (days - third, days)
