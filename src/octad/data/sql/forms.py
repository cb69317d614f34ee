"""Every metric in every form that was asked for: cut, sliced, by kind, its tail, other choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from octad.data.cells import choices
from octad.data.population import BUCKETS
from octad.data.sql.cells import Cut
from octad.data.sql.layout import Key
from octad.data.sql.metrics import everyone_cells, sliced_cells
from octad.data.sql.search import deepened
from octad.data.sql.slices import Sliced
from octad.data.sql.tails import cuts_of, tails_of
from octad.data.sql.units import Units
from octad.data.tape import Tape
from octad.data.work import MetricWork, Request
from octad.model.inputs import MetricCells, Slice
from octad.model.metric import CountMetric, SumMetric
from octad.model.plan import Plan
from octad.stats.moments import Moments
from octad.stats.parts import Parts
from octad.stats.segments import halves

__all__ = ["Forms"]

_Cuts = dict[Key, Cut]


@dataclass(frozen=True, slots=True)
class Forms:
    """What the forms are made of; as in `octad.data.sql.work.EngineWork`."""

    tape: Tape
    plan: Plan
    request: Request
    units: Units
    sliced: Sliced
    paired: Mapping[str, bool]

    def every(self) -> dict[str, MetricWork]:
        """All metrics but quantiles, by name."""
        request, tape, units = self.request, self.tape, self.units
        planned, others = self._cuts()
        kinds: list[Key] = [("kind", n, e) for n, made in request.kinds.items() for e in made]
        whole, query = everyone_cells(tape, units, planned | dict.fromkeys(kinds, Cut()), "cuts")
        sought: _Cuts = {
            ("metric", name): planned["metric", name]
            for name in (*self.plan.launch.results, *self.plan.launch.guardrails)
            if name in request.recipes and name in request.sliced
        }
        deep = deepened(tape, self.plan, units, self.sliced, sought, whole)
        sliced = self.sliced.with_deep(deep)
        inside = {key: planned[key] for key in planned if key[1] in request.sliced}
        slices = sliced_cells(tape, units, sliced, inside, whole)
        tails = tails_of(tape, units, [k for k in planned if k[1] in request.tails])
        variants = self._variants(others)
        found = {}
        for key, cut in planned.items():
            cells = self._cells(key, whole[key][None], cut, query)
            if key in slices:
                cells = self._in(cells, slices[key], sliced, deep.searched)
            found[key[1]] = MetricWork(
                cells=cells,
                variants=variants.get(key, {}),
                tail=tails.get(key),
                kinds={
                    kind[2]: self._cells(kind, whole[kind][None], Cut(), query)
                    for kind in kinds
                    if kind[1] == key[1]
                },
            )
        return found

    def _cuts(self) -> tuple[_Cuts, dict[str, _Cuts]]:
        """Where each metric is cut, and where by each other choice."""
        plan, names = self.plan, [*self.request.recipes, *self.request.funnels]
        levels = {n: getattr(plan.metric(n), "winsorize", None) for n in names}
        others = {
            (n, label): level
            for n, planned in levels.items()
            if n in self.request.variants and isinstance(plan.metric(n), CountMetric | SumMetric)
            for label, level in choices(planned).items()
        }
        asked = [*levels.items(), *((n, level) for (n, _), level in others.items())]
        found = cuts_of(
            self.tape, self.units, [(("metric", n), q) for n, q in asked if q is not None]
        )

        def cut(name: str, level: float | None) -> Cut:
            return Cut() if level is None else found[("metric", name), level]

        by_choice: dict[str, _Cuts] = {}
        for (name, label), level in others.items():
            by_choice.setdefault(label, {})["metric", name] = cut(name, level)
        return {("metric", n): cut(n, level) for n, level in levels.items()}, by_choice

    def _variants(self, others: Mapping[str, _Cuts]) -> dict[Key, dict[str, MetricCells]]:
        found: dict[Key, dict[str, MetricCells]] = {}
        for label, own in others.items():
            moments, query = everyone_cells(self.tape, self.units, own, "variant_cuts")
            for key, whole in moments.items():
                cells = self._cells(key, whole[None], own[key], query)
                found.setdefault(key, {})[label] = cells
        return found

    def _cells(self, key: Key, moments: Moments, cut: Cut, query: str) -> MetricCells:
        ended = self.units.ended[self.units.units[self.units.number(key)].reach]
        return MetricCells(
            metric=key[1],
            moments=moments,
            slices=(Slice(),),
            waiting=self.units.seen.people.n - int(ended.sum()),
            paired=self.paired[key[1]],
            winsor=cut.after,
            query=query,
        )

    def _in(
        self, cells: MetricCells, moments: Moments, sliced: Sliced, searched: int
    ) -> MetricCells:
        """With moments by slice."""
        if len(sliced.slices) == 1:
            return replace(cells, searched=searched)
        parts = Parts.of(moments, halves(BUCKETS, self.plan.launch.halving))
        return replace(cells, slices=sliced.slices, searched=searched, parts=parts)
