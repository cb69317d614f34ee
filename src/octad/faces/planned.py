"""A plan that was sized: in a terminal, as Markdown, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from octad.faces.numbers import count, day, share
from octad.faces.safe import clean
from octad.faces.safe import markdown as md
from octad.faces.terminal import hanging
from octad.model.planned import MetricSize, PlanReport, Precedent, Prospect

__all__ = ["plan_json", "plan_markdown", "show_plan"]

_SPEAKS = {"yes": "will speak", "partly": "in part", "no": "silent"}
_STYLE = {"yes": "green", "partly": "yellow", "no": "bright_black"}


def plan_json(found: PlanReport) -> str:
    """The plan as JSON, every key of `PlanReport` in its order."""
    return found.model_dump_json(indent=2) + "\n"


def _who(found: PlanReport) -> str:
    """Who would come, in a sentence; empty where the history does not tell."""
    if found.users is None or found.a_day is None:
        return ""
    days = f"{found.enrolment} days" if found.enrolment != 1 else "one day"
    words = (
        f"About {count(found.users)} users would enter in {days}, "
        f"{count(round(found.a_day))} on an average day."
    )
    if len(found.weekly) > 1:
        first, *more = (count(n) for n in found.weekly[:6])
        words += (
            f" In the history, {first} came in the first week, and {', '.join(more)} more in those "
            "after it."
        )
    return words


def _long(days: int) -> str:
    """How long, without pretending to know the day ten years ahead."""
    return f"{count(days)} days" if days <= 3650 else "more than ten years"


def _facts(metric: MetricSize) -> str:
    """What a metric's size comes to, in a line."""
    if metric.why_not:
        return f"cannot be sized: {clean(metric.why_not)}"
    facts = []
    if metric.visible is not None:
        facts.append(f"would see a change of {share(metric.visible)} or more")
    if metric.margin is not None and metric.users is not None:
        margin = f"{metric.margin * 100:.3g}%"
        time = f", {_long(metric.days)}" if metric.days is not None else ""
        facts.append(f"a loss within {margin} takes {count(metric.users)} users{time} to show")
    if metric.reduction >= 0.01:
        facts.append(f"users’ own past takes away {share(metric.reduction, 0)} of the noise")
    return " · ".join(facts) or "nothing can be said of it yet"


def _lines(prospect: Prospect) -> list[tuple[str, str]]:
    """What a reading will see, will not, and needs: label and sentence."""
    found = [("sees", clean(text)) for text in prospect.will]
    found += [("not", clean(text)) for text in prospect.cannot]
    return found + [("needs", clean(text)) for text in prospect.needs]


def _before(past: Precedent) -> str:
    """A precedent in a sentence or two."""
    words = f"{clean(past.launch)} ({day(past.at)}): {'; '.join(map(clean, past.alike))}."
    came = f" It came out as {', '.join(map(clean, past.came))}" if past.came else " It"
    words += f"{came}, verdict {clean(past.verdict)}" if past.came else f"{came} was {past.verdict}"
    words += f"; the team decided: {clean(past.decided)}." if past.decided else "."
    return words + "".join(f" Learnt: {clean(text)}" for text in past.lessons)


def show_plan(found: PlanReport, console: Console) -> None:
    """Print what a launch would be able to see, and where it would have nothing to say."""
    head = Text(clean(found.launch), "bold")
    if found.as_of is not None:
        head.append(f" · sized from your own data up to {day(found.as_of)}")
    console.print(head, soft_wrap=True)
    if _who(found):
        hanging(console, Text("  "), _who(found), 2)
    console.print()
    for metric in found.metrics:
        label = Text("  ").append(f"{clean(metric.metric, limit=40):<13}", "bold")
        label.append(f"{metric.role:<11}")
        style = "bright_black" if metric.why_not else ""
        hanging(console, label, _facts(metric), 26, style)
    if found.readings:
        console.print()
        console.print(Text("  What each reading will be able to say", "bold"), soft_wrap=True)
    for prospect in found.readings:
        label = Text("  ").append(f"{prospect.reading:<13}", "bold")
        label.append(f"{_SPEAKS[prospect.speaks]:<12}", _STYLE[prospect.speaks])
        for word, sentence in _lines(prospect):
            hanging(console, label.append(f"{word:<7}", "bright_black"), sentence, 34)
            label = Text(" " * 27)
    if found.precedents:
        console.print()
        for past in found.precedents:
            hanging(console, Text("  ").append("Before:   ", "bright_black"), _before(past), 12)
    console.print()
    for warning in found.warnings:
        hanging(console, Text("  ").append("Mind this: ", "yellow"), clean(warning), 13)
    hanging(console, Text("  "), f"When it says what you mean: octad seal {clean(found.launch)}", 2)


def plan_markdown(found: PlanReport) -> str:
    """The plan as Markdown, every foreign text escaped."""
    return "\n".join(_markdown(found)) + "\n"


def _markdown(found: PlanReport) -> Iterator[str]:
    yield f"# {md(found.launch)}: what its plan will be able to say"
    yield ""
    if found.as_of is not None:
        yield f"Sized from your own data up to {day(found.as_of)}. {md(_who(found))}"
        yield ""
    if found.metrics:
        yield "| metric | role | what it would see |"
        yield "|---|---|---|"
        yield from (f"| {md(m.metric)} | {m.role} | {md(_facts(m))} |" for m in found.metrics)
        yield ""
    for prospect in found.readings:
        yield f"**{prospect.reading}**: {_SPEAKS[prospect.speaks]}"
        yield ""
        yield from (f"- {word}: {md(text)}" for word, text in _lines(prospect))
        yield ""
    if found.precedents:
        yield "## Before"
        yield ""
        yield from (f"- {md(_before(past))}" for past in found.precedents)
        yield ""
    if found.warnings:
        yield "## Mind this"
        yield ""
        yield from (f"- {md(warning)}" for warning in found.warnings)
