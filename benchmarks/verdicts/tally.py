"""Runs counted: how often the verdict was right, for each kind of world and in all."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from scipy.stats import binomtest

from benchmarks.verdicts.rules import RULES
from benchmarks.verdicts.run import FAILED, Run
from octad.model.review import Verdict

__all__ = ["OCTAD", "Line", "Share", "Tally", "Target", "count", "days_until_right", "share"]

OCTAD = "octad"
SHIP, ROLL_BACK = Verdict.SHIP.value, Verdict.ROLL_BACK.value

Said = Callable[[Run], str]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with its 95% interval (Wilson 1927); NaN-free: None when of none."""

    k: int
    n: int
    value: float | None
    low: float | None
    high: float | None


def share(runs: Iterable[Run], holds: Callable[[Run], bool]) -> Share:
    """How many of the runs it holds for."""
    said = [holds(r) for r in runs]
    k, n = sum(said), len(said)
    if not n:
        return Share(0, 0, None, None, None)
    found = binomtest(k, n).proportion_ci(0.95, method="wilson")
    return Share(k, n, k / n, float(found.low), float(found.high))


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of world, or all, under one rule.

    Attributes:
        visible: Runs whose truth the data could show.
        right: Of all runs; `right_visible` of the visible.
        harm_shipped: Of runs with harm, those shipped; `harm_shipped_visible` of visible harm.
        false_roll_back: Of runs without harm, those rolled back.
        errors: Of runs whose truth is not visible, those with a verdict that is an error.
        days: Median days until the verdict is right for good; None when nobody looked early.
        never: Of the runs with early looks, those that never came right.
    """

    name: str
    rule: str
    visible: Share
    right: Share
    right_visible: Share
    harm_shipped: Share
    harm_shipped_visible: Share
    false_roll_back: Share
    cannot_tell: Share
    errors: Share
    days: float | None
    never: Share


def days_until_right(run: Run, rule: str = OCTAD) -> int | None:
    """The first look, in days since the start, from which the verdict stays right."""
    found = None
    for day, verdict, by in reversed(run.looks):
        said = verdict if rule == OCTAD else by.get(rule, FAILED)
        if said not in run.right:
            break
        found = day
    return found


def _said(rule: str) -> Said:
    if rule == OCTAD:
        return lambda run: run.verdict
    return lambda run: run.rules.get(rule, FAILED)


def line(name: str, runs: Sequence[Run], rule: str = OCTAD) -> Line:
    """Count some runs under a rule."""
    said = _said(rule)

    def right(run: Run) -> bool:
        return said(run) in run.right

    looked = [r for r in runs if r.looks]
    days = [days_until_right(r, rule) for r in looked]
    known = [d for d in days if d is not None]
    visible = [r for r in runs if r.visible]
    harmful = [r for r in runs if r.harm]
    return Line(
        name=name,
        rule=rule,
        visible=share(runs, lambda r: r.visible),
        right=share(runs, right),
        right_visible=share(visible, right),
        harm_shipped=share(harmful, lambda r: said(r) == SHIP),
        harm_shipped_visible=share(
            [r for r in harmful if r.harm_visible], lambda r: said(r) == SHIP
        ),
        false_roll_back=share([r for r in runs if not r.harm], lambda r: said(r) == ROLL_BACK),
        cannot_tell=share(runs, lambda r: said(r) == Verdict.CANNOT_TELL.value),
        errors=share(
            [r for r in runs if not r.visible], lambda r: said(r) in r.errors or said(r) == FAILED
        ),
        days=statistics.median(known) if known else None,
        never=share(looked, lambda r: days_until_right(r, rule) is None),
    )


@dataclass(frozen=True, slots=True)
class Target:
    """One of the figures that the verdict is held to."""

    name: str
    share: Share
    at_most: bool
    limit: float

    @property
    def met(self) -> bool | None:
        """Whether the share keeps to it; None without a run to say so."""
        if self.share.value is None:
            return None
        return self.share.value <= self.limit if self.at_most else self.share.value >= self.limit


@dataclass(frozen=True, slots=True)
class Tally:
    """All that is printed.

    Attributes:
        kinds: One line a kind, Octad's verdict. `rules`: for each simpler rule, the same lines.
        total: Octad's line over all. `totals`: each rule's.
        saw: Kind to reading to how often it was the first to see what was wrong there.
        wolf: Reading to the share of calm worlds (nothing harmed, nothing broken) in which it
            fails the measurement, shows harm or speaks against; `findings` the same by finding.
        wrong: The runs whose verdict is not right, worst first.
    """

    kinds: tuple[Line, ...]
    rules: dict[str, tuple[Line, ...]]
    total: Line
    totals: dict[str, Line]
    saw: dict[str, dict[str, int]] = field(default_factory=dict)
    wolf: dict[str, Share] = field(default_factory=dict)
    findings: dict[str, Share] = field(default_factory=dict)
    wrong: tuple[Run, ...] = ()
    targets: tuple[Target, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same figures for a program."""
        told = asdict(self)
        for target, kept in zip(told["targets"], self.targets, strict=True):
            target["met"] = kept.met
        for run in told["wrong"]:
            run["open"] = _command(self.wrong, run)
        return told


def _command(wrong: Sequence[Run], record: dict[str, Any]) -> str:
    return next(r.case.command for r in wrong if asdict(r.case) == record["case"])


def count(runs: Sequence[Run]) -> Tally:
    """Count every kind, every rule and all."""
    kinds = list(dict.fromkeys(r.case.kind for r in runs))
    by_kind = {kind: [r for r in runs if r.case.kind == kind] for kind in kinds}
    total = line("all", runs)
    calm = [r for r in runs if r.calm]
    readings = list(dict.fromkeys(name for r in runs for name in r.stances))
    claimed = Counter(c for r in calm for c in set(r.claims))
    return Tally(
        kinds=tuple(line(kind, by_kind[kind]) for kind in kinds),
        rules={rule: tuple(line(kind, by_kind[kind], rule) for kind in kinds) for rule in RULES},
        total=total,
        totals={rule: line("all", runs, rule) for rule in RULES},
        saw={
            kind: dict(Counter(r.saw[0] if r.saw else "" for r in found).most_common())
            for kind, found in by_kind.items()
            if any(r.harm or not r.trust for r in found)
        },
        wolf={
            name: share(calm, lambda r, name=name: name in r.saw)  # type: ignore[misc]
            for name in readings
        },
        findings={
            claim: share(calm, lambda r, claim=claim: claim in r.claims)  # type: ignore[misc]
            for claim, _ in claimed.most_common(12)
        },
        wrong=tuple(sorted((r for r in runs if not r.is_right), key=_how_bad)),
        targets=_targets(total),
    )


def _how_bad(run: Run) -> tuple[int, bool, str]:
    order = (run.verdict == SHIP and run.harm, run.verdict in run.errors, True)
    return order.index(True), not run.visible, run.case.kind


def _targets(total: Line) -> tuple[Target, ...]:
    return (
        Target("harm shipped where it was visible", total.harm_shipped_visible, True, 0.02),
        Target("harmless launches rolled back", total.false_roll_back, True, 0.02),
        Target("right where the truth was visible", total.right_visible, False, 0.95),
        Target("errors where it was not visible", total.errors, True, 0.02),
    )
