"""Projects without events: one row a user, already summed up."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from octad.data.cells import UnitValues, cells_of, tail_of, winsorized
from octad.data.columns import number
from octad.data.population import Frame, bucket_hex, buckets_from_hex
from octad.data.segments import Attribute, from_arrow, make_slices
from octad.data.tape import Tape
from octad.errors import DataError, UnknownNameError, Where, nearest
from octad.model.inputs import Exposure, MetricCells
from octad.model.metric import ColumnMetric
from octad.model.needs import Needs
from octad.model.plan import Plan

__all__ = ["gather_units"]

_OURS = frozenset({"user", "arm", "time", "staff"})


def gather_units(
    out: dict[str, Any],
    plan: Plan,
    needs: Needs,
    tape: Tape,
    units: ibis.Table,
    frame: Frame | None,
    where: Any = None,
) -> None:
    """Fill `out` with the fields of `Inputs` that a table of users can give.

    Raises:
        DataError: When an arm of the plan has nobody in it.
        UnknownNameError: When a metric's column is not there.
    """
    t = _one_row_a_user(units, frame)
    columns = _columns(plan, needs, units, where)
    attributes, refused = _attributes(plan, units)
    expr = t.mutate(hex=bucket_hex(t.user))
    chosen = {f"m{i}": number(expr[c]) for i, c in enumerate(columns)}
    with tape.stage("reading one row a user"):
        rows, key = tape.read(
            "one row a user",
            expr.select(
                "hex", "arm", "staff", "several", **chosen, **{a: expr[a] for a in attributes}
            ),
        )
    tape.scanned += len(rows)
    names, arm, keep, exposure = _arms(plan, rows, key)
    rows = rows.filter(pa.array(keep))
    arm = arm[keep]
    bucket = buckets_from_hex(rows["hex"])
    found: list[Attribute] = from_arrow(rows, tuple(attributes))
    slices = make_slices(found, arm, fewest=100)
    metrics: dict[str, MetricCells] = {}
    tails, variants = {}, {}
    one, nought = np.ones(len(arm)), np.zeros(len(arm))
    for name in sorted(needs.metrics):
        metric = plan.metric(name)
        if not isinstance(metric, ColumnMetric):
            continue
        y = rows[f"m{columns.index(metric.column)}"].to_numpy().astype(np.float64)
        known = np.isfinite(y)
        values = UnitValues(
            name, np.where(known, y, 0.0), one, nought, one, known, paired=False, query=key
        )
        chosen_values, cut = values, None
        if metric.winsorize is not None:
            chosen_values, cut = winsorized(values, metric.winsorize)
        wanted = slices if name in needs.sliced else None
        metrics[name] = cells_of(chosen_values, arm, bucket, len(names), wanted, winsor=cut)
        if name in needs.tails:
            tails[name] = tail_of(values, arm, len(names))
        if name in needs.variants and not np.isin(values.y, (0.0, 1.0)).all():
            choices = {}
            for share in (0.999, 0.99):
                some, edge = winsorized(values, share)
                choices[f"largest {100 * (1 - share):g}% cut"] = cells_of(
                    some, arm, bucket, len(names), winsor=edge
                )
            variants[name] = choices
    out |= {
        "arms": names,
        "exposure": exposure,
        "metrics": metrics,
        "tails": tails,
        "variants": variants,
        "refused_segments": refused,
    }


def _one_row_a_user(units: ibis.Table, frame: Frame | None) -> ibis.Table:
    """Users with one row, and how many arms they were seen in."""
    t = units
    if "time" in t.columns and frame is not None and t.time.type().is_timestamp():
        t = t.filter(t.time.isnull() | (t.time <= ibis.timestamp(frame.as_of)))
    if "staff" not in t.columns:
        t = t.mutate(staff=ibis.literal(False))
    return t.mutate(several=t.arm.nunique().over(group_by="user")).distinct(on="user", keep="first")


def _columns(plan: Plan, needs: Needs, units: ibis.Table, where: Any) -> list[str]:
    found: list[str] = []
    for name in sorted(needs.metrics):
        metric = plan.metric(name)
        if not isinstance(metric, ColumnMetric):
            continue
        if metric.column not in units.columns:
            place: Where | None = where(f"metrics.{name}.column") if where else None
            raise UnknownNameError(
                f"the units have no column '{metric.column}'.",
                where=place,
                mend=nearest(metric.column, [c for c in units.columns if c not in _OURS]),
            )
        if metric.column not in found:
            found.append(metric.column)
    return found


def _attributes(plan: Plan, units: ibis.Table) -> tuple[list[str], dict[str, str]]:
    """Only columns declared as known before assignment may be segments."""
    source = plan.project.sources.units
    declared = tuple(source.attributes) if source else ()
    measured = {m.column: n for n, m in plan.project.metrics.items() if isinstance(m, ColumnMetric)}
    asked = plan.launch.segments if plan.launch.segments is not None else declared
    refused: dict[str, str] = {}
    for name in asked:
        if name not in units.columns:
            raise UnknownNameError(
                f"the units have no column '{name}' to make segments of.",
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
