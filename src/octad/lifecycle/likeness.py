"""Past launches that resemble the one being planned, and what came of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from octad.model.inputs import PastLaunch
from octad.model.numbers import plain
from octad.model.plan import Launch
from octad.model.planned import Precedent
from octad.model.records import Lesson, Seal
from octad.project.chain import Entry
from octad.text.tokens import cut_chinese
from octad.text.words import STOP

__all__ = ["alike"]

MOST = 5
_KPI, _METRIC, _JOB, _WORD = 2.0, 1.0, 2.0, 1.0
"""What each shared thing weighs: the same KPI and the same job are most of a likeness."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What the ledger says of a past launch's plan."""

    what: str = ""
    jobs: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    lessons: list[str] = field(default_factory=list)


def alike(
    launch: Launch, past: Sequence[PastLaunch], entries: Iterable[Entry]
) -> tuple[Precedent, ...]:
    """The past launches that share metrics, jobs or words with this one, the likest first.

    Args:
        launch: The one being planned.
        past: Past launches with what was measured in them.
        entries: The ledger, for what their plans said and what was learnt.
    """
    known = _known(entries)
    found = []
    for one in past:
        plan = known.get(one.launch, _Known())
        shared, weight = _shared(launch, one, plan)
        if weight > 0:
            found.append((weight, one.at, _precedent(one, plan, shared)))
    found.sort(key=lambda item: (item[0], item[1]), reverse=True)
    return tuple(precedent for _, _, precedent in found[:MOST])


def _known(entries: Iterable[Entry]) -> dict[str, _Known]:
    known: dict[str, _Known] = {}
    for entry in entries:
        said = entry.record
        if isinstance(said, Seal):
            before = known.get(said.launch)
            plan: dict[str, Any] = said.record.get("launch", {})
            kpi = plan.get("kpi")
            metrics = {*plan.get("results", {}), *plan.get("guardrails", {})}
            known[said.launch] = _Known(
                what=str(plan.get("what", "")),
                jobs=frozenset(plan.get("jobs", ())),
                metrics=frozenset({*metrics, kpi} if kpi else metrics),
                lessons=before.lessons if before else [],
            )
        elif isinstance(said, Lesson):
            known.setdefault(said.launch, _Known()).lessons.append(said.text)
    return known


def _shared(launch: Launch, past: PastLaunch, plan: _Known) -> tuple[tuple[str, ...], float]:
    """What two launches have in common, in words, and how much that weighs."""
    said: list[str] = []
    weight = 0.0
    if launch.kpi and launch.kpi == past.kpi:
        said.append(f"the same KPI, {launch.kpi}")
        weight += _KPI
    metrics = ({*plan.metrics, *past.effects} & set(launch.metrics)) - {launch.kpi}
    if metrics:
        said.append(f"judged by {', '.join(sorted(metrics))} too")
        weight += _METRIC * len(metrics) / max(1, len(launch.metrics))
    jobs = plan.jobs & set(launch.jobs)
    if jobs:
        said.append(f"for the same job, {', '.join(sorted(jobs))}")
        weight += _JOB
    ours, theirs = _words(f"{launch.launch} {launch.what}"), _words(f"{past.launch} {plan.what}")
    both = ours & theirs
    if both:
        said.append(f"both speak of {', '.join(sorted(both)[:4])}")
        weight += _WORD * len(both) / len(ours | theirs) * 3
    return tuple(said), weight


def _words(text: str) -> set[str]:
    """Words that carry a meaning of their own, Chinese ones cut."""
    lower = text.lower()
    found = re.findall(r"[a-z0-9]+", lower)
    if not lower.isascii():
        found += [word for word in cut_chinese(lower) if not word.isascii() and word.isalnum()]
    return {w for w in found if (len(w) > 3 if w.isascii() else len(w) > 1) and w not in STOP}


def _precedent(past: PastLaunch, plan: _Known, shared: tuple[str, ...]) -> Precedent:
    order = sorted(past.effects, key=lambda name: (name != past.kpi, name))
    came = []
    for name in order[:4]:
        value, se = past.effects[name]
        half = 1.96 * se
        came.append(
            f"{name} {_percent(value)} [{_percent(value - half)}, {_percent(value + half)}]"
        )
    return Precedent(
        launch=past.launch,
        at=past.at,
        alike=shared,
        verdict=past.verdict,
        decided=past.decided,
        came=tuple(came),
        lessons=tuple(plan.lessons),
    )


def _percent(value: float) -> str:
    return f"{plain(value * 100, 1, signed=True)}%"
