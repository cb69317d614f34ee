"""The verdict: one table, read from the top, and printed in the docs from here.

A reading can veto; none can vouch for the KPI alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from octad.lifecycle.surely import ERROR, borne, surely
from octad.model.finding import Answer, Finding, Grade, Stance, State
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.model.review import Verdict
from octad.readings.claims import capital, segment_words, spoken

__all__ = ["TABLE", "Outcome", "Row", "decide", "row_words", "table_markdown"]


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table; `says` is what it means when it is taken, in one sentence."""

    key: str
    trust: str
    result: str
    harm: str
    verdict: Verdict
    then: str
    says: str


TABLE = (
    Row(
        "trust",
        "fails",
        "any",
        "any",
        Verdict.CANNOT_TELL,
        "mend the measurement first",
        "The measurement does not hold, so nothing is read from the numbers.",
    ),
    Row(
        "nothing",
        "holds",
        "neither it nor the KPI could be measured",
        "any",
        Verdict.CANNOT_TELL,
        "bring the data that would let a result be measured",
        "The measurement may hold, but no result could be measured.",
    ),
    Row(
        "harm",
        "holds",
        "worse, or",
        "a guardrail worse, either surely shown, and beyond its margin by its best estimate; or a "
        "harmed segment surely shown",
        Verdict.ROLL_BACK,
        "with estimates of grade A or B",
        "The measurement holds, and harm is shown.",
    ),
    Row(
        "good",
        "holds",
        "better; or shown no worse than its margin while the KPI is up and still is at the end",
        "every guardrail shown within its margin, and no reading against",
        Verdict.SHIP,
        "with estimates of grade A or B",
        "The measurement holds, the results are good, every guardrail is shown within its margin, "
        "and no reading speaks against.",
    ),
    Row(
        "else",
        "holds",
        "anything else",
        "not shown either way",
        Verdict.HOLD,
        "with what would decide it, and when",
        "The measurement holds, but neither enough good nor harm is shown.",
    ),
)


_MEND = (
    "Only mending the measurement would change this: find why it failed, collect the data again, "
    "and review them."
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the table says, and why."""

    verdict: Verdict
    row: Row
    because: tuple[str, ...]
    next: tuple[str, ...]


def table_markdown() -> str:
    """The table as Markdown, for the docs."""
    lines = [
        "| trust (sample ratio, pre-period, placebo) | result | harm | verdict |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {r.trust} | {r.result} | {r.harm} | `{r.verdict.value}`: {r.then} |" for r in TABLE
    ]
    return "\n".join(lines)


def row_words(row: Row) -> str:
    """Which row was taken, as every face says it.

    >>> row_words(TABLE[2])
    'Row 3 of 5: the measurement holds, and harm is shown.'
    """
    says = f"{row.says[:1].lower()}{row.says[1:]}"
    return f"Row {TABLE.index(row) + 1} of {len(TABLE)}: {says}"


def _row(key: str) -> Row:
    return next(row for row in TABLE if row.key == key)


def decide(
    plan: Plan,
    kpi: Answer,
    readings: Mapping[str, Answer],
    *,
    early: bool = False,
    looks: int = 1,
) -> Outcome:
    """Read the table from the top.

    Args:
        plan: For the names of results and guardrails.
        kpi: The KPI's answer.
        readings: The eight answers, by name.
        early: Whether the anytime interval decides.
        looks: Looks so far, this one included.
    """
    findings = [f for answer in (kpi, *readings.values()) for f in answer.findings]
    failed = [f for f in findings if f.trust == "fails"]
    if failed:
        return Outcome(
            Verdict.CANNOT_TELL,
            _row("trust"),
            (
                "The measurement does not hold, so nothing that follows can be believed.",
                *(f.claim for f in failed),
            ),
            (_MEND,),
        )
    states = _states(plan, findings)
    measured = {n: s for n, s in states.items() if s is not None}
    if not measured and not _estimated(kpi):
        return _nothing(plan, kpi, readings)
    strong = all(f.grade in (Grade.A, Grade.B) for f in findings if f.state is not None)
    harms = [f for f in findings if f.harm]
    sure = surely(plan, findings, early=early, looks=looks)
    if sure and strong:
        return _roll_back(plan, kpi, findings, sure)
    vetoes = [name for name, a in readings.items() if a.stance is Stance.AGAINST]
    good = _good(states, plan, lasting=_lasting(plan, kpi, findings))
    if strong and not harms and not vetoes and good:
        return Outcome(
            Verdict.SHIP,
            _row("good"),
            (_headline(plan, kpi, findings, []), "Every guardrail is shown within its margin."),
            _undoes_a_ship(plan, findings),
        )
    return _hold(plan, kpi, readings, findings, states, strong=strong)


def _states(plan: Plan, findings: Iterable[Finding]) -> dict[str, State | None]:
    """The worst state of each result and guardrail over the arms; None where not measured."""
    order = [State.WORSE, State.UNCLEAR, State.WITHIN, State.BETTER]
    names = dict.fromkeys((*plan.launch.results, *plan.launch.guardrails))
    found: dict[str, State | None] = dict.fromkeys(names)
    for f in findings:
        if f.state is None or f.metric not in found:
            continue
        before = found[f.metric]
        if before is None or order.index(f.state) < order.index(before):
            found[f.metric] = f.state
    return found


def _estimated(kpi: Answer) -> bool:
    """Whether the KPI at least was compared by chance: then it is only too early for the rest."""
    return any(f.estimate is not None and f.grade in (Grade.A, Grade.B) for f in kpi.findings)


def _good(states: Mapping[str, State | None], plan: Plan, *, lasting: bool) -> bool:
    """Whether a result is better, or all are within while the KPI's gain is seen to last."""
    results = [states[n] for n in plan.launch.results]
    guards = [states[n] for n in plan.launch.guardrails]
    fine = (State.BETTER, State.WITHIN)
    if not results or any(s not in fine for s in (*results, *guards)):
        return False
    return State.BETTER in results or lasting


def _followed(plan: Plan, findings: Iterable[Finding]) -> list[Finding]:
    """What was found of the KPI over the days since exposure, arm by arm."""
    own = f"horizon.{plan.launch.kpi}"
    named = (own, *(f"{own}.{arm}" for arm in plan.launch.arms or {}))
    return [f for f in findings if f.id in named]


def _lasting(plan: Plan, kpi: Answer, findings: Iterable[Finding]) -> bool:
    """Whether the KPI is up, and still is in its last days wherever days can be told."""
    if kpi.stance is not Stance.FOR:
        return False
    return all(f.stance is Stance.FOR for f in _followed(plan, findings))


def _nothing(plan: Plan, kpi: Answer, readings: Mapping[str, Answer]) -> Outcome:
    missing = dict.fromkeys(m for a in (kpi, *readings.values()) for m in a.missing)
    sources = plan.project.sources
    if sources.events is None and sources.units is None:
        what = "Events of users who got it and of users who did not would let a result be measured."
        missing = dict.fromkeys((what,))
    against = [name for name, a in readings.items() if a.stance is Stance.AGAINST]
    because = ["No result and no guardrail could be measured against a comparison."]
    if against:
        because.append(f"Speaking against it all the same: {', '.join(against)}.")
    nexts = tuple(missing)[:4] or ("A result that can be measured in users with it and without.",)
    return Outcome(Verdict.CANNOT_TELL, _row("nothing"), tuple(because), nexts)


def _undoes_a_ship(plan: Plan, findings: list[Finding]) -> tuple[str, ...]:
    """What later data would have to show to take a 'ship' back: the margin that is nearest."""
    margins = {**plan.launch.guardrails, **plan.launch.results}
    nearest: tuple[float, str] | None = None
    for f in findings:
        e, margin = f.estimate, margins.get(f.metric or "")
        if e is None or margin is None or f.state is None or margin.kind != "relative":
            continue
        edge = e.low if plan.metric(str(f.metric)).better == "up" else e.high
        if edge is None or not e.relative or margin.value == 0:
            continue
        loss = max(0.0, -edge if plan.metric(str(f.metric)).better == "up" else edge)
        used = loss / margin.value
        if nearest is None or used > nearest[0]:
            name = spoken(str(f.metric))
            nearest = used, f"{name} is nearest to it: at worst {_size(loss)} of {margin} was lost"
    said = "A guardrail or result beyond its margin, or a harmed group, in later data."
    return (said,) if nearest is None else (said, f"{capital(nearest[1])}.")


def _size(fraction: float) -> str:
    size = fraction * 100
    return f"{plain(size, 1 if size >= 1 else 2)}%"


def _roll_back(plan: Plan, kpi: Answer, findings: list[Finding], harms: list[Finding]) -> Outcome:
    lost = [f for f in harms if f.segment is None]
    segments = [f for f in harms if f.segment is not None]
    because = [_headline(plan, kpi, findings, harms), *(f.claim for f in (*lost, *segments[:2]))]
    margins = {**plan.launch.guardrails, **plan.launch.results}
    short = [
        f"{spoken(str(f.metric))} shown within {margins[str(f.metric)]}"
        for f in lost
        if f.metric in margins
    ]
    nexts = [f"Nothing short of {' and '.join(short)} would change this."] if short else []
    nexts += [f"{f.decides}." for f in lost if f.decides]
    if segments:
        nexts.append("The harmed segment would have to be spared, or helped, and measured again.")
    return Outcome(Verdict.ROLL_BACK, _row("harm"), tuple(because), tuple(dict.fromkeys(nexts)))


def _hold(
    plan: Plan,
    kpi: Answer,
    readings: Mapping[str, Answer],
    findings: list[Finding],
    states: Mapping[str, State | None],
    *,
    strong: bool,
) -> Outcome:
    because = [_headline(plan, kpi, findings, [])]
    if not strong:
        because.append(
            "Nobody was chosen by chance for this launch, so its numbers (grade C) can neither "
            "ship it nor roll it back."
        )
    unclear = [n for n, s in states.items() if s is State.UNCLEAR]
    absent = [n for n, s in states.items() if s is None]
    worse = [n for n, s in states.items() if s is State.WORSE]
    if worse:
        because.append(f"Worse: {', '.join(map(spoken, worse))}.")
    if strong:
        because += _held(plan, findings)
    if unclear:
        because.append(f"Not shown either way: {', '.join(map(spoken, unclear))}.")
    if absent:
        because.append(f"Not measured: {', '.join(map(spoken, absent))}.")
    if not plan.launch.results:
        because.append("The plan names no result, and a KPI alone never ships a launch.")
    if kpi.stance is Stance.FOR and not _lasting(plan, kpi, findings):
        because.append("Its gain is not shown to be still there in the last days.")
    for name, answer in readings.items():
        if answer.stance is Stance.AGAINST:
            because.append(f"{name} speaks against it: {answer.summary or answer.question}.")
    nexts = _what_would_decide(plan, readings, findings, absent, strong=strong)
    return Outcome(Verdict.HOLD, _row("else"), tuple(because), tuple(dict.fromkeys(nexts)))


def _held(plan: Plan, findings: list[Finding]) -> list[str]:
    """Why harm that is shown rolls nothing back."""
    margins = {**plan.launch.guardrails, **plan.launch.results}
    harms = [f for f in findings if f.harm]
    said = [
        f"{capital(spoken(str(f.metric)))} is shown to be worse, but its best estimate lies within "
        f"the {margins[str(f.metric)]} that the plan tolerates."
        for f in harms
        if borne(plan, f)
    ]
    if len(said) < len(harms):
        said.append(
            "Harm is shown, but not so surely as it takes to roll back: that is kept to "
            f"{_size(ERROR)} of harmless launches."
        )
    return said


def _what_would_decide(
    plan: Plan,
    readings: Mapping[str, Answer],
    findings: list[Finding],
    absent: list[str],
    *,
    strong: bool,
) -> list[str]:
    nexts = [f"{f.decides}." for f in findings if f.decides]
    if not strong:
        nexts.append("A randomised share of users, even a small one, would let it be told.")
    if absent:
        nexts += [m for a in readings.values() for m in a.missing if any(n in m for n in absent)]
    if nexts:
        return nexts
    if absent:
        return [f"Data for {', '.join(map(spoken, absent))}, or time until their windows end."]
    if not plan.launch.results:
        return ["Name a result beside the KPI in the plan of the next launch."]
    against = [name for name, answer in readings.items() if answer.stance is Stance.AGAINST]
    if against:
        which = f"{', '.join(against[:-1])} and {against[-1]}" if len(against) > 1 else against[0]
        return [
            f"Nothing else stands in the way: once what {which} found is answered, it could ship."
        ]
    return ["A result shown to be better, or a KPI that visibly rose: so far nothing was gained."]


def _clause(f: Finding) -> str:
    """``payments fell 3.1%``."""
    e, name = f.estimate, spoken(f.metric or "")
    if e is None:
        return f"{name} moved"
    low, high = e.low, e.high
    moved = low is not None and high is not None and (low > 0 or high < 0)
    # The reading has decided by the interval that counts, which on an early look is the wider one.
    undecided = f.state is State.UNCLEAR or (f.state is None and f.stance is Stance.MIXED)
    if not moved or undecided:
        return f"{name} did not visibly move"
    verb = "rose" if e.value > 0 else "fell"
    if e.relative:
        size = abs(e.value) * 100
        return f"{name} {verb} {plain(size, 1 if size >= 1 else 2)}%"
    return f"{name} {verb}"


def _headline(plan: Plan, kpi: Answer, findings: list[Finding], harms: list[Finding]) -> str:
    """One sentence: what the KPI did, what the results did, who pays."""
    named = [f for f in kpi.findings if f.metric is not None and f.metric == plan.launch.kpi]
    parts = [_clause(f) for f in named[:1]]
    names = [f.metric for f in harms if f.segment is None]
    shown = [f for f in findings if f.state is not None and f.metric in names]
    if not shown:
        shown = [f for f in findings if f.state is not None and f.metric in plan.launch.results]
    if not shown and not parts:
        shown = [f for f in findings if f.state is not None]
    parts += [_clause(f) for f in shown if f.metric != plan.launch.kpi][:3]
    still = " did not visibly move"
    if len(parts) > 1 and all(part.endswith(still) for part in parts):
        named_still = [part.removesuffix(still) for part in parts]
        parts = [f"neither {' nor '.join(named_still)} visibly moved"]
    segment = next((f for f in harms if f.segment is not None), None)
    if segment is not None and segment.segment:
        parts.append(f"{segment_words(segment.segment.items())} pay most")
    if not parts:
        return "No number of this plan could be measured."
    text = parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])}, and {parts[-1]}"
    return f"{text[:1].upper()}{text[1:]}."
