"""A review as Markdown: for a pull request, a wiki, a message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from octad.faces.charts.panel import written
from octad.faces.numbers import common, count, plain
from octad.faces.safe import clean
from octad.faces.safe import markdown as md
from octad.faces.view import FindingView, ReadingView, ReviewView, view
from octad.model.finding import Bars, Curve, Evidence, Intervals, Panel, Quotes, Story, Table
from octad.model.review import Review

__all__ = ["markdown"]

MOST_ROWS = 40
MOST_DAYS = 8


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A table of cells that are escaped here."""
    yield "| " + " | ".join(md(column) or " " for column in columns) + " |"
    yield "|" + "|".join(" --- " for _ in columns) + "|"
    for row in rows[:MOST_ROWS]:
        yield "| " + " | ".join(md(cell, limit=240) for cell in row) + " |"
    if len(rows) > MOST_ROWS:
        yield ""
        yield f"…and {count(len(rows) - MOST_ROWS)} more rows in the full review."


def _cell(value: str | float | None, digits: int) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    return count(value) if isinstance(value, int) else plain(value, digits)


def _thinned(n: int) -> list[int]:
    """At most `MOST_DAYS` places out of n, the first and the last among them."""
    if n <= MOST_DAYS:
        return list(range(n))
    return sorted({round(i * (n - 1) / (MOST_DAYS - 1)) for i in range(MOST_DAYS)})


def _drawn(evidence: Curve | Intervals | Bars) -> Iterator[str]:
    """What the report draws, as a table."""
    factor, ending = (100, "%") if evidence.percent else (1, "")
    rows: list[tuple[str, tuple[float | None, ...]]]
    if isinstance(evidence, Intervals):
        columns = ["", evidence.x_label, "low", "high"]
        rows = [
            (f"{r.label} ({r.note})" if r.note else r.label, (r.value, r.low, r.high))
            for r in evidence.rows
        ]
    elif isinstance(evidence, Bars):
        columns = ["", *evidence.groups]
        groups = evidence.groups.values()
        rows = [(label, tuple(g[i] for g in groups)) for i, label in enumerate(evidence.labels)]
    else:
        columns = [evidence.x_label, *(line.name for line in evidence.lines)]
        rows = [
            (f"{evidence.x[i]}".removesuffix(".0"), tuple(line.y[i] for line in evidence.lines))
            for i in _thinned(len(evidence.x))
        ]
    digits = common(v * factor for _, values in rows for v in values if v is not None)
    signed = isinstance(evidence, Intervals)

    def write(value: float | None) -> str:
        return "–" if value is None else plain(value * factor, digits, signed=signed) + ending

    yield from _table(columns, [[label, *map(write, values)] for label, values in rows])


def _evidence(evidence: Evidence) -> Iterator[str]:
    yield f"*{md(evidence.title)}*"
    yield ""
    if isinstance(evidence, Curve | Intervals | Bars):
        yield from _drawn(evidence)
    elif isinstance(evidence, Panel):
        cells = [
            [
                row.label,
                *("–" if c is None else written(c, percent=evidence.percent) for c in row.cells),
            ]
            for row in evidence.rows
        ]
        yield from _table(["", *evidence.columns], cells)
    elif isinstance(evidence, Table):
        digits = common(v for row in evidence.rows for v in row if isinstance(v, float))
        rows = [[_cell(value, digits) for value in row] for row in evidence.rows]
        yield from _table(evidence.columns, rows)
    elif isinstance(evidence, Quotes):
        every = [*evidence.quotes, *((evidence.dissent,) if evidence.dissent else ())]
        for quote in every:
            voice = "And one that disagrees: " if quote is evidence.dissent else ""
            yield f"> {voice}{md(quote.text, limit=600)}"
            yield ""
    elif isinstance(evidence, Story):
        told = [f"user {evidence.user}", *(s for s in (evidence.arm, evidence.chosen) if s)]
        yield md(" · ".join(told))
        yield ""
        for line in evidence.lines:
            wrong = " **went wrong**" if line.error and not line.note else ""
            words = f"{md(line.event, limit=400)}{wrong} {md(line.note, limit=320)}".strip()
            at = f", {md(line.time)}" if line.time else ""
            yield f"- day {line.day}{at}: {words}"
    yield ""


def _finding(finding: FindingView) -> Iterator[str]:
    yield f"**{md(finding.claim)}**"
    yield ""
    facts = []
    if finding.number is not None:
        level = f" ({finding.number.level})" if finding.number.level else ""
        facts.append(f"{finding.number.text}{level}")
    facts += [f"grade {finding.grade}, {finding.grade_name}"] if finding.grade else []
    facts += [finding.state] if finding.state else []
    facts += [finding.segment] if finding.segment else []
    facts += [f"n = {finding.n}"] if finding.n else []
    facts += [finding.number.p] if finding.number is not None and finding.number.p else []
    if facts:
        yield md(" · ".join(facts))
        yield ""
    for evidence in finding.evidence:
        yield from _evidence(evidence)
    terms = (
        ("Assumes", finding.assumes),
        ("Would be settled by", finding.decides),
        ("Would be wrong if", finding.breaks),
    )
    if any(text for _, text in terms):
        yield from (f"- {name}: {md(text)}" for name, text in terms if text)
        yield ""


def _reading(reading: ReadingView) -> Iterator[str]:
    yield f"### {reading.title}: {reading.stance}"
    yield ""
    yield f"*{md(reading.question)}*"
    yield ""
    for finding in reading.findings:
        yield from _finding(finding)
    if reading.missing:
        silent = reading.stance == "silent"
        yield "To say anything, it needs:" if silent else "It could say more with:"
        yield ""
        yield from (f"- {md(item)}" for item in reading.missing)
        yield ""


def _beneath(shown: ReviewView) -> Iterator[str]:
    notes = list(shown.warnings)
    for what, before, after in shown.deviations:
        change = f": {before or 'nothing'} → {after or 'nothing'}" if before or after else ""
        notes.append(f"Changed: {what}{change}")
    notes += [f"Left out: {rows} of {source}: {why}" for source, why, rows in shown.left_out]
    if notes:
        yield "## Mind this"
        yield ""
        yield from (f"- {md(note)}" for note in notes)
        yield ""


def _queries(review: Review) -> Iterator[str]:
    if not review.queries:
        return
    yield "## The queries behind the numbers"
    yield ""
    for query in review.queries.values():
        sql = clean(query.sql, limit=20_000, lines=True)
        # A fence longer than any run of backticks inside cannot be closed from inside.
        longest = max((len(run) for run in re.findall(r"`+", sql)), default=0)
        fence = "`" * max(3, longest + 1)
        yield f"{md(query.what)}:"
        yield ""
        yield f"{fence}sql"
        yield sql
        yield fence
        yield ""


def markdown(review: Review) -> str:
    """Write a review as Markdown, every foreign text escaped.

    Args:
        review: What `octad review` made.

    Returns:
        GitHub-flavoured Markdown without raw HTML.
    """
    shown = view(review)
    lines = [f"# {md(shown.launch)}: {shown.verdict}", ""]
    if shown.simulated:
        lines += [f"**{shown.simulated_note}**", ""]
    about = " · ".join((*((shown.what,) if shown.what else ()), *shown.facts))
    lines += [f"**{md(shown.headline)}**", "", md(about), ""]
    lines += [*(f"- {md(reason)}" for reason in shown.reasons), *([""] if shown.reasons else [])]
    rows = [(r.title, r.stance, r.summary) for r in (shown.kpi, *shown.readings)]
    lines += [*_table(("", "stance", "in a line"), rows), ""]
    if shown.case:
        lines += [f"**The case against:** {md(shown.case)}", ""]
    if shown.next:
        lines += [f"**What would change this:** {' '.join(md(s) for s in shown.next)}", ""]
    lines += [f"**Verdict table:** {md(shown.rule)}", ""]
    lines += _beneath(shown)
    lines += ["## The readings", ""]
    for reading in (shown.kpi, *shown.readings):
        lines += _reading(reading)
    lines += _queries(review)
    cost = f" {md(shown.cost)}." if shown.cost else ""
    lines.append(f"Made by Octad {md(shown.octad)}. Plan {md(shown.digest)}.{cost}")
    return "\n".join(lines) + "\n"
