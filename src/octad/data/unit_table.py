"""Projects without events: one row a user, already summed up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from octad.data.attributes import from_arrow
from octad.data.cell_sums import Grouping
from octad.data.cells import UnitValues, cells_by, tail_of, variants_of, winsorized
from octad.data.columns import number
from octad.data.engines.base import abilities_of
from octad.data.gathering import FEWEST_IN_ARM, Gathering
from octad.data.population import BUCKETS, NO_ARM, Frame, bucket_hex, buckets_from_hex
from octad.data.segments import Sought, deepen, make_slices
from octad.errors import DataError, UnknownNameError, nearest
from octad.model.inputs import Exposure
from octad.model.metric import ColumnMetric
from octad.model.plan import Plan
from octad.stats.segments import halves

__all__ = ["gather_units"]

_OURS = frozenset({"user", "arm", "time", "staff"})


def gather_units(job: Gathering, units: ibis.Table, frame: Frame | None) -> None:
    """Fill a gathering from a table of users.

    A user without a figure is left out of that metric; how many those are is said in `left_out`.

    Raises:
        DataError: When an arm of the plan has nobody in it.
        UnknownNameError: When a metric's column is not there.
    """
    plan, needs, tape = job.plan, job.needs, job.tape
    t = _one_row_a_user(units, frame)
    columns = _columns(job, units)
    attributes, refused = _attributes(job, units)
    expr = t.mutate(hex=bucket_hex(t.user))
    chosen = {f"m{i}": _figure(expr[c]) for i, c in enumerate(columns)}
    picked = {f"a{i}": expr[a] for i, a in enumerate(attributes)}
    with tape.stage("reading one row a user", job.tables.intake["units"].kept):
        rows, key = tape.read(
            "one row a user", expr.select("hex", "arm", "staff", "several", **chosen, **picked)
        )
    names, arm, keep, exposure = _arms(plan, rows, key)
    rows, arm = rows.filter(pa.array(keep)), arm[keep]
    bucket = buckets_from_hex(rows["hex"])
    known = from_arrow(rows, {f"a{i}": a for i, a in enumerate(attributes)})
    slices = make_slices(known, arm, fewest=FEWEST_IN_ARM)
    # Without dates in the table the test is over, and this is the one look at it.
    job.parts |= {"arms": names, "exposure": exposure, "refused_segments": refused}
    job.parts.setdefault("final", plan.launch.ends is None)
    tails = job.parts.setdefault("tails", {})
    figures = _figures(job, rows, columns, key)
    sought = [
        Sought(f.planned.columns, f.planned.ended, plan.metric(name).better)
        for name, f in figures.items()
        if name in needs.sliced and name in (*plan.launch.results, *plan.launch.guardrails)
    ]
    slices = deepen(slices, known, sought, arm, bucket, seed=plan.launch.halving)
    everyone = Grouping.of(arm, bucket, len(names))
    finding = halves(BUCKETS, plan.launch.halving)
    sliced = Grouping.of(arm, bucket, len(names), slices, finding)
    for name, f in figures.items():
        cells = cells_by(f.planned, sliced if name in needs.sliced else everyone, winsor=f.cut)
        if cells.waiting:
            missing = f"no figure in '{f.column}', so not counted in {name}"
            job.left.append(("units", missing, cells.waiting))
        job.metrics[name] = replace(cells, waiting=0)
        if name in needs.tails:
            tails[name] = tail_of(f.whole, arm, len(names))
        if name in needs.variants and not np.isin(f.whole.y, (0.0, 1.0)).all():
            job.variants[name] = variants_of(f.whole, f.quantile, everyone)


@dataclass(frozen=True, slots=True)
class _Figure:
    """A column's numbers, whole and as the plan cuts them."""

    column: str
    whole: UnitValues
    planned: UnitValues
    quantile: float | None
    cut: float | None


def _figures(job: Gathering, rows: pa.Table, columns: list[str], key: str) -> dict[str, _Figure]:
    """Every metric that has numbers; the others are said to be absent."""
    found: dict[str, _Figure] = {}
    one, nought = np.ones(len(rows)), np.zeros(len(rows))
    for name in sorted(job.needs.metrics):
        metric = job.plan.metric(name)
        if not isinstance(metric, ColumnMetric):
            continue
        y = rows[f"m{columns.index(metric.column)}"].to_numpy().astype(np.float64)
        finite = np.isfinite(y)
        y = np.where(finite, y, 0.0)
        if not finite.any():
            job.absent[name] = f"the column '{metric.column}' holds no number"
            continue
        whole = UnitValues(name, y, one, nought, one, finite, paired=False, query=key)
        planned, cut = whole, None
        if metric.winsorize is not None:
            planned, cut = winsorized(whole, metric.winsorize)
        found[name] = _Figure(metric.column, whole, planned, metric.winsorize, cut)
    return found


def _figure(column: Any) -> Any:
    """A column as numbers; yes and no as 1 and 0."""
    if column.type().is_boolean():
        return column.cast("int8").cast("float64")
    return number(column)


def _one_row_a_user(units: ibis.Table, frame: Frame | None) -> ibis.Table:
    """Users with one row, and how many arms they were seen in."""
    t = units
    if "time" in t.columns and frame is not None and t.time.type().is_timestamp():
        t = t.filter(t.time.isnull() | (t.time <= ibis.timestamp(frame.as_of)))
    if "staff" not in t.columns:
        t = t.mutate(staff=ibis.literal(False))
    t = t.mutate(arm=t.arm.fill_null(NO_ARM))
    if not abilities_of(t).fold:
        # Intake has left one row a user, in one arm; not every engine counts kinds in a window.
        return t.mutate(several=ibis.literal(1, "int64"))
    return t.mutate(several=t.arm.nunique().over(group_by="user")).distinct(on="user", keep="first")


def _columns(job: Gathering, units: ibis.Table) -> list[str]:
    found: list[str] = []
    for name in sorted(job.needs.metrics):
        metric = job.plan.metric(name)
        if not isinstance(metric, ColumnMetric):
            continue
        if metric.column not in units.columns:
            raise UnknownNameError(
                f"the units have no column '{metric.column}'.",
                where=job.place(f"metrics.{name}.column"),
                mend=nearest(metric.column, [c for c in units.columns if c not in _OURS]),
            )
        if metric.column not in found:
            found.append(metric.column)
    return found


def _attributes(job: Gathering, units: ibis.Table) -> tuple[list[str], dict[str, str]]:
    """Only columns declared as known before assignment may be segments."""
    plan = job.plan
    source = plan.project.sources.units
    declared = tuple(source.attributes) if source else ()
    measured = {m.column: n for n, m in plan.project.metrics.items() if isinstance(m, ColumnMetric)}
    asked = plan.launch.segments if plan.launch.segments is not None else declared
    refused: dict[str, str] = {}
    for name in asked:
        if name not in units.columns:
            raise UnknownNameError(
                f"the units have no column '{name}' to make segments of.",
                where=job.place("segments"),
                mend=nearest(name, [c for c in units.columns if c not in _OURS]),
            )
        if name in measured:
            refused[name] = (
                f"it is what the metric {measured[name]} measures after assignment, so the launch "
                "itself decides who is in which group"
            )
        elif name not in declared:
            refused[name] = (
                "nothing says it was known before assignment; if it was, name it under "
                "sources: units: attributes"
            )
    return [name for name in asked if name not in refused], refused


def _arms(plan: Plan, rows: pa.Table, key: str) -> tuple[tuple[str, ...], Any, Any, Exposure]:
    launch = plan.launch
    arms = dict(launch.arms or {})
    names = ("control", *plan.treatments)
    values = [arms[name] for name in names]
    label = np.array(rows["arm"].to_pylist(), dtype=object)
    several = rows["several"].to_numpy() > 1
    staff = rows["staff"].fill_null(False).to_numpy(zero_copy_only=False)
    arm = np.full(len(label), -1, dtype=np.int64)
    for i, value in enumerate(values):
        arm[label == value] = i
    known, counts = np.unique(label.astype(str), return_counts=True)
    for name, value in zip(names, values, strict=True):
        if not (label == value).any():
            found = ", ".join(f"'{k}' ({c:,})" for k, c in zip(known, counts, strict=True))
            raise DataError(
                f"nobody is in the arm {name} ('{value}'); the units hold {found or 'nobody'}.",
                mend=nearest(value, [str(k) for k in known]),
            )
    keep = (arm >= 0) & ~several & ~staff
    for i, name in enumerate(names):
        if not (keep & (arm == i)).any():
            raise DataError(f"nobody is left in the arm {name} once staff are set aside.")
    exposure = Exposure(
        counts=np.bincount(arm[keep], minlength=len(names)).astype(np.int64),
        days=np.array([], dtype="datetime64[D]"),
        by_day=np.zeros((0, len(names)), dtype=np.int64),
        both=int(several.sum()),
        staff=int(staff.sum()),
        strange_arms={
            str(k): int(c) for k, c in zip(known, counts, strict=True) if k not in values
        },
        query=key,
    )
    return names, arm, keep, exposure
