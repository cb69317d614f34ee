"""Whether the floor's aggregates are the review's: a ratio for different answers would be a lie."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.floor import BUCKETS, DRAWN, ERRORS, GROUPS, JOBS, Floor, days_of, is_pair
from octad.model.inputs import Inputs, Slice
from octad.model.plan import Plan
from octad.stats.moments import Moments
from octad.stats.parts import Parts
from octad.stats.segments import halves

__all__ = ["combo_of", "combos_of", "differences", "keep", "totals"]

FloatArray = NDArray[np.float64]
TOLERANCE = 1e-9
"""Relative: sums of a million doubles in another order, and squares that are summed as they are
here and about their mean there."""
_SUMS = {False: ("y", "x"), True: ("y", "x", "d", "w")}
_SQUARES = {
    False: ("yy", "xx", "yx"),
    True: ("yy", "xx", "yx", "dd", "ww", "yd", "yw", "dx", "dw", "xw"),
}
"""By whether a metric has a denominator of its own."""
_COLUMN = {"y": 0, "d": 1, "x": 2, "w": 3}
_BANDS = ("none", "light", "regular", "heavy")
_CELLS = 1024


def combo_of(slice_: Slice) -> tuple[int, ...]:
    """The groups that a slice combines, as numbers into `floor.GROUPS`."""
    names = [name.replace("first seen", "first_seen") for name, _ in slice_.values]
    return tuple(sorted(GROUPS.index(n.replace("use before", "used")) for n in names))


def _codes(slice_: Slice) -> tuple[int, ...]:
    found = []
    for name, value in slice_.values:
        if name == "use before":
            code = _BANDS.index(value.split(" ", maxsplit=1)[0])
        elif name == "first seen":
            code = int(value.startswith("a week or more"))
        else:
            code = int(value[1:])
        found.append((combo_of(Slice(((name, value),)))[0], code))
    return tuple(code for _, code in sorted(found))


def combos_of(inputs: Inputs) -> list[tuple[int, ...]]:
    """The combinations of at most two groups of which slices are kept; everyone first."""
    slices = {s for cells in inputs.metrics.values() for s in cells.slices}
    return sorted({combo_of(s) for s in slices if len(s.values) <= 2}, key=lambda c: (len(c), c))


def _raw(moments: Moments, terms: tuple[str, ...]) -> FloatArray:
    """Sums and sums of products, from means and centred products; (terms, ...)."""
    n, mean, about = moments.n, moments.mean, moments.comoment
    out = []
    for term in terms:
        i = [_COLUMN[c] for c in term]
        if len(i) == 1:
            out.append(n * mean[..., i[0]])
        else:
            out.append(about[..., i[0], i[1]] + n * mean[..., i[0]] * mean[..., i[1]])
    return np.stack(out)


def totals(kept: Any, place: int, *, pair: bool) -> dict[str, FloatArray]:
    """A slice's users, sums and sums of products by arm, of what `keep` put on disk."""
    found = {"n": kept["n"][place].sum(axis=-1)}
    found |= dict(zip(_SUMS[pair], kept["sums"][:, place].sum(axis=-1), strict=True))
    return found | dict(zip(_SQUARES[pair], kept["squares"][:, place].sum(axis=-1), strict=True))


def keep(inputs: Inputs, plan: Plan, folder: Path) -> None:
    """Put a review's aggregates on disk, to be compared in another process."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, cells in inputs.metrics.items():
        if cells.quantiles is None and name != "checkout":
            flat = [k for k, s in enumerate(cells.slices) if len(s.values) <= 2]
            pair = is_pair(plan.metric(name))
            parts = cells.parts
            if parts is None:
                parts = Parts.of(cells.moments, halves(BUCKETS, plan.launch.halving))
            np.savez(
                folder / f"{name}.npz",
                everyone=_raw(cells.moments[0], _SUMS[pair] + _SQUARES[pair]),
                n=parts.n[flat],
                sums=np.stack([parts.sums[_COLUMN[c]][flat] for c in _SUMS[pair]]),
                squares=_raw(parts.halves[flat], _SQUARES[pair]),
                slices=np.array([repr(cells.slices[k].values) for k in flat]),
            )
    rest: dict[str, Any] = {}
    for name, daily in inputs.daily.items():
        rest[f"day n {name}"] = daily.moments.n
        rest[f"day sum {name}"] = daily.moments.n * daily.moments.mean[..., 0]
        rest[f"day square {name}"] = (
            daily.moments.comoment[..., 0, 0] + daily.moments.n * daily.moments.mean[..., 0] ** 2
        )
    if inputs.retention is not None:
        rest["active"] = inputs.retention.active
    if inputs.volume is not None:
        rest |= {"volume events": inputs.volume.events, "volume users": inputs.volume.users}
    if inputs.jobs is not None:
        rest |= {"job events": inputs.jobs.events, "job users": inputs.jobs.users}
        rest |= {"job had": inputs.jobs.had, "job kept": inputs.jobs.kept}
    if inputs.errors is not None:
        rest |= {"met": inputs.errors.met, "actions": inputs.errors.actions}
        rest |= {f"times {k}": v for k, v in inputs.errors.times.items()}
    quantile = inputs.metrics.get("p95_wait")
    if quantile is not None and quantile.quantiles is not None:
        rest["wait"] = quantile.quantiles.value
    funnel = inputs.metrics.get("checkout")
    if funnel is not None:
        everyone = funnel.moments[0]
        rest["checkout"] = np.stack([everyone.n * everyone.mean[..., i] for i in range(4)])
    np.savez(folder / "rest.npz", **rest)


def differences(found: Floor, plan: Plan, folder: Path) -> list[str]:
    """What differs between the floor and what `keep` put on disk; nothing, if all is well."""
    wrong = []
    every = {False: found.everyone, True: found.every_pair}
    sums = {pair: _found(t) for pair, t in ((False, found.cells), (True, found.pairs))}
    squares = {pair: _found(t) for pair, t in ((False, found.squares), (True, found.pair_squares))}
    counts = {c: t for table in found.counts for c, t in _split(table)}
    for name, number in found.metrics.items():
        path = folder / f"{name}.npz"
        if not path.is_file():
            wrong.append(f"{name}: the review has no such cells")
            continue
        kept = np.load(path)
        metric = plan.metric(name)
        pair = is_pair(metric)
        label = f"n{days_of(metric) or 0}"
        whole = _dense(_found(every[pair])[(), number], (), (), _SUMS[pair] + _SQUARES[pair])
        users = _dense(counts[()], (), (), (label,))
        everyone = kept["everyone"].reshape(len(whole), -1)
        if not (_near(everyone, whole) and _near(kept["n"][:1].reshape(1, -1), users)):
            wrong.append(f"{name} in everyone")
        # The first slice is everyone, who have been compared, squares and all.
        for place, text in list(enumerate(kept["slices"].tolist()))[1:]:
            slice_ = Slice(_parsed(text))
            combo, codes = combo_of(slice_), _codes(slice_)
            theirs = [
                _dense(counts[combo], combo, codes, (label,)),
                _dense(sums[pair][combo, number], combo, codes, _SUMS[pair]),
                _dense(squares[pair][combo, number], combo, codes, _SQUARES[pair], "half"),
            ]
            ours = kept["n"][None, place], kept["sums"][:, place], kept["squares"][:, place]
            if not all(
                _near(one.reshape(len(two), -1), two) for one, two in zip(ours, theirs, strict=True)
            ):
                wrong.append(f"{name} in {slice_}")
                break
    return wrong + _rest(found, np.load(folder / "rest.npz"))


def _found(tables: Iterable[pa.Table]) -> dict[tuple[Any, int], dict[str, FloatArray]]:
    """Rows by combination of groups and metric."""
    return {(c, m): t for table in tables for c, rows in _split(table) for m, t in _each(rows)}


def _parsed(text: str) -> tuple[tuple[str, str], ...]:
    import ast  # noqa: PLC0415 - a literal that `keep` wrote

    return tuple(ast.literal_eval(text))


def _near(a: FloatArray, b: FloatArray) -> bool:
    return bool(np.allclose(a, b, rtol=TOLERANCE, atol=1e-6))


def _split(table: pa.Table) -> Iterable[tuple[tuple[int, ...], dict[str, FloatArray]]]:
    """The grouping sets of one result, each by the groups it has."""
    columns = {c: table[c].to_numpy() for c in table.column_names}
    used = [int(c[1:]) for c in table.column_names if c[0] == "a" and c[1:].isdigit()]
    for mask in np.unique(columns["left_out"]):
        bits = f"{int(mask):b}".zfill(len(used)) if used else ""
        combo = tuple(g for g, bit in zip(used, bits, strict=True) if bit == "0")
        rows = columns["left_out"] == mask
        yield combo, {c: v[rows] for c, v in columns.items()}


def _each(rows: dict[str, FloatArray]) -> Iterable[tuple[int, dict[str, FloatArray]]]:
    """The rows of every metric."""
    order = np.argsort(rows["metric"], kind="stable")
    metric = rows["metric"][order]
    for number in np.unique(metric):
        mine = order[np.searchsorted(metric, number) : np.searchsorted(metric, number, "right")]
        yield int(number), {c: v[mine] for c, v in rows.items()}


def _dense(
    rows: dict[str, FloatArray],
    combo: tuple[int, ...],
    codes: tuple[int, ...],
    terms: tuple[str, ...],
    by: str = "cell",
) -> FloatArray:
    """One slice's sums over arm and bucket, or arm and half; (terms, A * B)."""
    mine = np.ones(len(rows[by]), dtype=bool)
    for group, code in zip(combo, codes, strict=True):
        mine &= rows[f"a{group}"] == code
    out = np.zeros((len(terms), _CELLS if by == "cell" else 4))
    for i, term in enumerate(terms):
        out[i, rows[by][mine].astype(np.int64)] = rows[term][mine]
    return out


def _rest(found: Floor, kept: Any) -> list[str]:
    wrong = []

    def check(what: str, theirs: Any) -> None:
        if what not in kept or not _near(kept[what], np.asarray(theirs, dtype=np.float64)):
            wrong.append(what)

    daily, volume, jobs, errors = found.daily, found.volume, found.jobs, found.errors
    if daily is None or volume is None or jobs is None or errors is None:
        return ["the floor is not whole"]
    arm, day = daily["cell"].to_numpy() // 512, daily["day"].to_numpy()
    for name in (*DRAWN, "spend"):
        if f"day n {name}" in kept:
            shape = kept[f"day n {name}"].shape
            for label, column in (("sum", name), ("square", f"{name}_2")):
                check(f"day {label} {name}", _grid(shape, (arm, day), daily[column]))
    check("active", _grid(kept["active"].shape, (arm, day), daily["active"]))
    _, date = np.unique(volume["date"].to_numpy(), return_inverse=True)
    at = (date, volume["arm"].to_numpy())
    check("volume events", _grid(kept["volume events"].shape, at, volume["events"]))
    check("volume users", _grid(kept["volume users"].shape, at, volume["users"]))
    wrong += _jobs(jobs, kept)
    at = (errors["arm"].to_numpy(), errors["a9"].to_numpy())
    for what, column in (
        ("met", "met"),
        ("actions", "actions"),
        *((f"times {e}", e) for e in ERRORS),
    ):
        check(what, _grid(kept[what].shape, at, errors[column]))
    if "checkout" in kept:
        grid = np.zeros((4, _CELLS))
        for p, table in enumerate(found.funnel):
            where = table["cell"].to_numpy().astype(np.int64)
            grid[2 * p, where] = table["through"].to_numpy()
            grid[2 * p + 1, where] = table["entered"].to_numpy()
        check("checkout", grid.reshape(kept["checkout"].shape))
    return wrong


def _grid(shape: tuple[int, ...], at: tuple[Any, Any], column: Any) -> FloatArray:
    out = np.zeros(shape)
    inside = at[1] < shape[1]
    np.add.at(out, (at[0][inside], at[1][inside]), column.to_numpy()[inside].astype(np.float64))
    return out


def _jobs(jobs: pa.Table, kept: Any) -> list[str]:
    wrong = []
    cell = jobs["cell"].to_numpy().astype(np.int64)
    for label, ending in (("events", ""), ("users", "_users")):
        grid = np.zeros((2, _CELLS, len(JOBS)))
        for j, job in enumerate(JOBS):
            for p, period in enumerate(("before", "after")):
                grid[p, cell, j] = jobs[f"{job}_{period}{ending}"].to_numpy()
        ours = kept[f"job {label}"][..., : len(JOBS)]
        if not _near(ours, grid.reshape(ours.shape)):
            wrong.append(f"job {label}")
    had = [
        [jobs[f"{j}_before_users"].to_numpy()[cell // 512 == a].sum() for j in JOBS] for a in (0, 1)
    ]
    if not _near(kept["job had"][:, : len(JOBS)], np.array(had, dtype=np.float64)):
        wrong.append("job had")
    return wrong
