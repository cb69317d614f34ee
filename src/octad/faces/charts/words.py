"""Evidence that is words: tables, quotes and one person's timeline. All of it hostile text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from octad.faces.charts.frame import figure
from octad.faces.numbers import common, count, day, plain
from octad.faces.safe import clean, html
from octad.model.finding import Quote, Quotes, Story, StoryLine, Table

__all__ = ["quotes", "story", "table"]

QUOTE_LIMIT = 600
"""Characters of one quote; a quote is read, not searched."""


_FIGURE = re.compile(r"^[+−×-]?[\d.,]+ ?(%|pp|s|ms|×)?$|^p [.<\d]|^–$")


def _column(values: Sequence[str | float | int | None]) -> tuple[list[str], bool]:
    """A column's texts, and whether it is made of figures."""
    digits = common(v for v in values if isinstance(v, float))

    def text(value: str | float | None) -> str:
        if value is None:
            return "–"
        if isinstance(value, str):
            return clean(value, limit=240)
        return count(value) if isinstance(value, int) else plain(value, digits)

    texts = [text(value) for value in values]
    return texts, sum(bool(_FIGURE.match(t)) for t in texts) * 2 > len(texts)


def table(evidence: Table) -> str:
    """Lay out rows; figures to the right, so that they can be compared."""
    width = len(evidence.columns)
    columns = [
        _column([row[i] if i < len(row) else None for row in evidence.rows]) for i in range(width)
    ]
    numeric = [figures for _, figures in columns]
    head = "".join(
        f'<th scope="col"{" class=num" if number else ""}>{html(name)}</th>'
        for name, number in zip(evidence.columns, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td{" class=num" if figures else ""} dir="auto">{html(texts[i])}</td>'
            for texts, figures in columns
        )
        + "</tr>"
        for i in range(len(evidence.rows))
    )
    inside = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html(evidence.title)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return figure("table", evidence.title, inside)


def _quote(quote: Quote, kind: str = "") -> str:
    stars = ""
    if quote.rating is not None:
        stars = f"{quote.rating:g} {'star' if quote.rating == 1 else 'stars'}"
    source = [html(quote.product)] if quote.product else []
    source += [stars] if stars else []
    source += [day(quote.at)] if quote.at else []
    return (
        f'<li class="quote {kind}"><blockquote dir="auto">'
        f"{html(quote.text, limit=QUOTE_LIMIT)}</blockquote>"
        f'<p class="by">{" · ".join(source)}</p></li>'
    )


def quotes(evidence: Quotes) -> str:
    """Show people's words, and the voice that disagrees apart from them."""
    said = "".join(_quote(quote) for quote in evidence.quotes)
    inside = f'<ul class="quotes">{said}</ul>'
    if evidence.dissent is not None:
        dissent = _quote(evidence.dissent, "dissent")
        inside += (
            f'<p class="dissent-head">And one that disagrees</p><ul class="quotes">{dissent}</ul>'
        )
    return figure("voices", evidence.title, inside)


def _step(line: StoryLine) -> str:
    """What a user did at a moment: an event, or a visit's events in a row."""
    note = f'<span class="did-note" dir="auto">{html(line.note, limit=320)}</span>'
    if not line.event:
        return f'<span class="did">{note}</span>'
    wrong = " <em>went wrong</em>" if line.error and not line.note else ""
    return (
        f'<span class="did{" error" if line.error else ""}"><b>{html(line.event, limit=400)}</b>'
        f"{wrong}{' ' + note if line.note else ''}</span>"
    )


def story(evidence: Story) -> str:
    """Tell one person's days: a line a minute, what was done in it one after the other."""
    rows = []
    shown = None
    for (number, at), lines in groupby(evidence.lines, key=lambda line: (line.day, line.time)):
        day_name = f"Day {number}" if number != shown else ""
        shown = number
        done = ' <span class="then" aria-hidden="true">→</span> '.join(map(_step, lines))
        rows.append(
            f'<li{" class=next-day" if day_name else ""}><span class="day">{day_name}</span>'
            f'<span class="at">{html(at)}</span><span>{done}</span></li>'
        )
    wrong = sum(line.error for line in evidence.lines)
    facts = [f"user {html(evidence.user, limit=40)}"]
    facts += [html(said) for said in (evidence.arm, evidence.chosen) if said]
    facts += [f"{wrong} {'thing' if wrong == 1 else 'things'} went wrong"] if wrong else []
    return (
        f'<figure class="chart story"><details><summary><b>{html(evidence.title)}</b>'
        f' <span class="note">{" · ".join(facts)}</span></summary>'
        f"<ol>{''.join(rows)}</ol></details></figure>"
    )
