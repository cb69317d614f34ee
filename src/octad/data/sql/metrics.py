"""Metric cells from users' numbers: everyone, slices, cuts."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from octad.data.sql.cells import Cut, cells, chosen, moments_of
from octad.data.sql.layout import Key
from octad.data.sql.people import IntArray
from octad.data.sql.slices import Sliced, ended_in, numbers_of
from octad.data.sql.units import Units
from octad.data.tape import Tape
from octad.stats.moments import Moments

__all__ = ["everyone_cells", "sliced_cells"]


def everyone_cells(
    tape: Tape, units: Units, cuts: Mapping[Key, Cut], name: str
) -> tuple[dict[Key, Moments], str]:
    """Moments of metrics by arm and bucket: (A, B).

    Args:
        tape: Runs the queries.
        units: The users' numbers.
        cuts: The metrics, each with where it is cut.
        name: What the table of cuts is called in the engine.
    """
    table = chosen(tape, units, cuts, name)
    rows, query = cells(tape, units, table, list(cuts))
    found = {}
    for key, own in rows.items():
        unit = units.units[units.number(key)]
        at = (own["code"].to_numpy(), own["bucket"].to_numpy())
        found[key] = moments_of(unit, own, at, units.ended[unit.reach])
    return found, query


def sliced_cells(
    tape: Tape,
    units: Units,
    sliced: Sliced,
    cuts: Mapping[Key, Cut],
    everyone: Mapping[Key, Moments],
) -> dict[Key, Moments]:
    """Moments of metrics by slice, arm and bucket: (S, A, B).

    Args:
        tape: Runs the queries.
        units: The users' numbers, with the codes of attributes beside them.
        sliced: The slices.
        cuts: The metrics, each with where it is cut.
        everyone: The first slice of each, from `everyone_cells`.
    """
    if not cuts or not sliced.chosen.numbers:
        return {key: _lone(everyone[key]) for key in cuts}
    table = chosen(tape, units, cuts, "slice_cuts")
    got: dict[Key, list[pa.Table]] = {key: [] for key in cuts}
    for i, (group, number) in enumerate(sliced.chosen.numbers):
        within = sliced.within(table, group, number)
        rows, _ = cells(tape, units, within, list(cuts), ("key", "code", "bucket"))
        for key, own in rows.items():
            combo = pa.array(np.full(own.num_rows, i, dtype=np.int32))
            got[key].append(own.append_column("combo", combo))
    reaches = {units.units[units.number(key)].reach for key in cuts}
    ended = ended_in(tape, units.seen.people, sliced, {r: units.ended[r] for r in reaches})
    found: dict[Key, Moments] = {}
    for key, parts in got.items():
        unit = units.units[units.number(key)]
        rows = pa.concat_tables(parts)
        at = (numbers_of(sliced, rows), rows["code"].to_numpy(), rows["bucket"].to_numpy())
        inside: IntArray = ended[unit.reach].copy()
        inside[0] = 0
        found[key] = _first(moments_of(unit, rows, at, inside), everyone[key])
    return found


def _lone(one: Moments) -> Moments:
    return Moments(one.n[None], one.mean[None], one.comoment[None])


def _first(slices: Moments, everyone: Moments) -> Moments:
    slices.n[0], slices.mean[0], slices.comoment[0] = everyone.n, everyone.mean, everyone.comoment
    return slices
