"""Slices in the engine: chosen from counts, and cells of each combination of attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from octad.data.attributes import Attribute
from octad.data.deep import Deep, searchable
from octad.data.population import BUCKETS
from octad.data.segments import Chosen, Group, choose_slices, sizes_of
from octad.data.sql.attributes import Known
from octad.data.sql.people import IntArray, People
from octad.data.tape import Tape
from octad.model.inputs import Slice

__all__ = ["Sliced", "ended_in", "everyone", "numbers_of", "slice_people"]


@dataclass(frozen=True, slots=True)
class Sliced:
    """The slices that are kept.

    Attributes:
        table: uid, code, bucket, exposed, and the code of each attribute, `columns`.
        attributes: Without codes, which stay in the engine.
        counts: Attribute to its users by value and arm, (V, A).
    """

    table: ibis.Table
    attributes: tuple[Attribute, ...]
    chosen: Chosen
    counts: Mapping[str, IntArray]

    @property
    def slices(self) -> tuple[Slice, ...]:
        """All of them, everyone first."""
        return self.chosen.slices

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the codes."""
        return tuple(f"c{i}" for i in range(len(self.attributes)))

    def column(self, name: str) -> str | None:
        """The column of an attribute, if it is one."""
        at = next((i for i, a in enumerate(self.attributes) if a.name == name), None)
        return None if at is None else f"c{at}"

    def with_deep(self, deep: Deep) -> Sliced:
        """With the slices that a search has added, in the order in which it gives them."""
        numbers = searchable([a.values for a in self.attributes], whole=self.chosen.whole)
        found: dict[tuple[int, ...], IntArray] = {}
        for at, piece in enumerate(deep.pieces, start=len(self.slices)):
            places = tuple(numbers[attribute] for attribute, _ in piece)
            sizes = tuple(len(self.attributes[i].values) for i in places)
            own = found.setdefault(places, np.full(int(np.prod(sizes)), -1, dtype=np.int64))
            own[np.ravel_multi_index([value for _, value in piece], sizes)] = at
        groups = tuple(
            (tuple(self.attributes[i] for i in places), own) for places, own in found.items()
        )
        more = replace(
            self.chosen,
            slices=(*self.slices, *deep.slices),
            numbers=(*self.chosen.numbers, *groups),
        )
        return replace(self, chosen=more)

    def places(self, group: Group) -> tuple[int, ...]:
        """The numbers of a combination's attributes."""
        return tuple(
            next(i for i, own in enumerate(self.attributes) if own is attribute)
            for attribute in group
        )

    def key(self, table: ibis.Table, group: Group) -> Any:
        """The combination of values of each row, as `octad.data.segments.cross` numbers it."""
        code: Any = ibis.literal(0, "int32")
        for place, attribute in zip(self.places(group), group, strict=True):
            code = code * len(attribute.values) + table[f"c{place}"]
        return code.cast("int32")

    def within(self, table: ibis.Table, group: Group, number: IntArray) -> ibis.Table:
        """The rows of the slices that are kept of one combination, with their `key`."""
        keyed = table.mutate(key=self.key(table, group))
        return keyed.filter(keyed.key.isin(np.flatnonzero(number >= 0).tolist()))


def everyone(people: People) -> Sliced:
    """No attributes: one slice."""
    table = people.table.select("uid", "code", "bucket", "exposed")
    return Sliced(table, (), Chosen((Slice(),), (), 0, True), {})


def slice_people(
    tape: Tape,
    people: People,
    known: Sequence[Known],
    sources: Sequence[ibis.Table],
    *,
    fewest: int,
) -> Sliced:
    """Put the codes of attributes beside each user, and choose the slices to be kept.

    Args:
        tape: Runs the queries.
        people: Who is compared.
        known: Attributes, in order.
        sources: Tables with a uid, whose columns the attributes are made of.
        fewest: A slice needs this many users in each arm.
    """
    if not known:
        return everyone(people)
    t = people.table.select("uid", "code", "bucket", "exposed")
    for source in sources:
        own = source.rename(_uid="uid")
        t = t.left_join(own, t.uid == own["_uid"]).drop("_uid")
    codes = {f"c{i}": k.code(t).cast("int32") for i, k in enumerate(known)}
    table = tape.step("known", t.select("uid", "code", "bucket", "exposed", **codes))
    attributes = tuple(k.attribute for k in known)
    bare = Sliced(table, attributes, Chosen((Slice(),), (), 0, True), {})
    groups = [g for depth in (1, 2) for g in combinations(attributes, depth)]
    held = _held(tape, bare, groups, len(people.arms))
    chosen = choose_slices(attributes, lambda group: held[bare.places(group)], fewest=fewest)
    counts = {a.name: held[i,] for i, a in enumerate(attributes)}
    return replace(bare, chosen=chosen, counts=counts)


def _held(
    tape: Tape, sliced: Sliced, groups: Sequence[Group], arms: int
) -> dict[tuple[int, ...], IntArray]:
    """Users by crossed value and arm, of each combination of attributes, in one query."""
    t = sliced.table
    parts = [
        t.group_by(key=sliced.key(t, group), code=t.code)
        .agg(n=t.count())
        .mutate(combo=ibis.literal(i, "int32"))
        for i, group in enumerate(groups)
    ]
    rows, _ = tape.read("users by combination of attributes", _together(parts))
    found = [np.zeros((sizes_of(group), arms), dtype=np.int64) for group in groups]
    combo, key, code, n = (rows[c].to_numpy() for c in ("combo", "key", "code", "n"))
    for i, counts in enumerate(found):
        mine = combo == i
        counts[key[mine], code[mine]] = n[mine]
    return {sliced.places(group): counts for group, counts in zip(groups, found, strict=True)}


def _together(parts: Sequence[ibis.Table]) -> ibis.Table:
    return parts[0] if len(parts) == 1 else ibis.union(*parts)


def ended_in(
    tape: Tape,
    people: People,
    sliced: Sliced,
    ended: Mapping[int | None, IntArray],
) -> dict[int | None, IntArray]:
    """(S, A, B) users whose window of each length has ended, slice by slice."""
    arms, names = len(people.arms), sliced.slices
    found = {reach: np.zeros((len(names), arms, BUCKETS), dtype=np.int64) for reach in ended}
    for reach, counts in ended.items():
        found[reach][0] = counts
    if not sliced.chosen.numbers:
        return found
    spans = list(ended)
    parts = []
    for i, (group, number) in enumerate(sliced.chosen.numbers):
        t = sliced.within(sliced.table, group, number)
        sums = {
            f"e{j}": t.count() if r is None else t.count(where=people.has_ended(t, r))
            for j, r in enumerate(spans)
        }
        parts.append(
            t.group_by("key", "code", "bucket").agg(**sums).mutate(combo=ibis.literal(i, "int32"))
        )
    rows, _ = tape.read("users of slices whose window has ended", _together(parts))
    at = (numbers_of(sliced, rows), rows["code"].to_numpy(), rows["bucket"].to_numpy())
    for j, reach in enumerate(spans):
        found[reach][at] = rows[f"e{j}"].to_numpy()
    return found


def numbers_of(sliced: Sliced, rows: pa.Table) -> IntArray:
    """Slice numbers of rows with `combo` and `key`."""
    combo, key = rows["combo"].to_numpy(), rows["key"].to_numpy()
    out = np.zeros(len(combo), dtype=np.int64)
    for i, (_, number) in enumerate(sliced.chosen.numbers):
        mine = combo == i
        out[mine] = number[key[mine]]
    return out
