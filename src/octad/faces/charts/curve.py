"""Lines over days, with their bands."""

from __future__ import annotations

import math
from datetime import date

from octad.faces.charts.frame import (
    Scale,
    figure,
    finite,
    legend,
    number,
    numbers_table,
    pairing,
    ticks,
)
from octad.faces.safe import clean, html
from octad.model.finding import Curve, CurveLine
from octad.model.numbers import MONTHS

__all__ = ["curve"]

HEIGHT = 240


def _places(evidence: Curve) -> tuple[list[float], bool]:
    """Where each x lies in per cent, and whether x is numeric."""
    numeric = all(isinstance(x, int | float) and math.isfinite(x) for x in evidence.x)
    if numeric and evidence.x:
        values = [float(x) for x in evidence.x]
        scale = Scale(min(values), max(values))
        return [scale.at(x) for x in values], True
    last = max(len(evidence.x) - 1, 1)
    return [100 * i / last for i in range(len(evidence.x))], False


def _runs(xs: list[float], ys: tuple[float | None, ...], scale: Scale) -> list[list[str]]:
    """The line's points, cut where a value is missing."""
    runs: list[list[str]] = [[]]
    for x, y in zip(xs, ys, strict=False):
        if y is None or not math.isfinite(y):
            runs.append([])
        else:
            runs[-1].append(f"{x:.2f} {100 - scale.at(y):.2f}")
    return [run for run in runs if run]


def _line(line: CurveLine, xs: list[float], scale: Scale, which: str) -> str:
    drawn = ""
    if line.low is not None and line.high is not None:
        ends = zip(xs, line.low, line.high, strict=False)
        pairs = [(x, a, b) for x, a, b in ends if a is not None and b is not None]
        upper = [f"{x:.2f} {100 - scale.at(b):.2f}" for x, _, b in pairs]
        lower = [f"{x:.2f} {100 - scale.at(a):.2f}" for x, a, _ in reversed(pairs)]
        if len(pairs) > 1:
            drawn += f'<path d="M{" L".join(upper + lower)}Z" class="band {which}"/>'
    for run in _runs(xs, line.y, scale):
        # A lone point is a line of no length, which a round cap still shows.
        points = run if len(run) > 1 else run * 2
        drawn += f'<path d="M{" L".join(points)}" class="line {which}"/>'
    return drawn


def _x_axis(evidence: Curve, xs: list[float], numeric: bool) -> str:
    if numeric:
        values = [float(x) for x in evidence.x if not isinstance(x, str)]
        steps = ticks(min(values), max(values), 5, days="day" in evidence.x_label.lower())
        if all(value.is_integer() for value in values):  # no half weeks where there are none
            steps = [t for t in steps if t.is_integer()]
        step = steps[1] - steps[0] if len(steps) > 1 else None
        scale = Scale(min(values), max(values))
        marks = [(scale.at(t), number(t, percent=False, step=step)) for t in steps]
    else:
        labels = [_day(clean(x, limit=16)) for x in evidence.x]
        room = max(2, 42 // (max((len(label) for label in labels), default=1) + 2))
        every = max(1, math.ceil((len(labels) - 1) / max(room - 1, 1)))
        marks = [(xs[i], labels[i]) for i in range(0, len(labels), every)]

    def text(at: float, label: str) -> str:
        anchor = "start" if at < 3 else "end" if at > 97 else "middle"
        return f'<text x="{at:.2f}%" y="15" text-anchor="{anchor}">{html(label)}</text>'

    return "".join(text(at, label) for at, label in marks)


def _day(text: str) -> str:
    """An ISO date as people write it; anything else as it is."""
    try:
        when = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{when.day} {MONTHS[when.month - 1]}"


def _launch(evidence: Curve, xs: list[float], numeric: bool) -> str:
    """The line where the launch was."""
    if evidence.mark is None:
        return ""
    if numeric and not isinstance(evidence.mark, str):
        values = [float(x) for x in evidence.x if not isinstance(x, str)]
        at = Scale(min(values), max(values)).at(float(evidence.mark))
    elif evidence.mark in evidence.x:
        at = xs[evidence.x.index(evidence.mark)]
    else:
        return ""
    anchor, shift = ("end", -6) if at > 70 else ("start", 6)
    return (
        f'<line x1="{at:.2f}%" x2="{at:.2f}%" y1="0" y2="100%" class="edge"/>'
        f'<text x="{at:.2f}%" dx="{shift}" y="12" text-anchor="{anchor}" class="mark">launch</text>'
    )


def _scale(evidence: Curve) -> tuple[Scale, list[float]]:
    values: list[float] = []
    for line in evidence.lines:
        values += finite((*line.y, *(line.low or ()), *(line.high or ())))
    values = values or [0.0, 1.0]
    low, high = min(0.0, *values), max(0.0, *values)
    pad = (high - low) * 0.06 or 1.0
    scale = Scale(low - (pad if low < 0 else 0.0), high + pad)
    return scale, ticks(scale.low, scale.high, 5)


def _table(evidence: Curve) -> str:
    columns = [evidence.x_label, *(line.name for line in evidence.lines)]

    def cell(line: CurveLine, i: int) -> str:
        y = line.y[i] if i < len(line.y) else None
        return "–" if y is None else number(y, percent=evidence.percent)

    rows = [
        [f"{x:g}" if isinstance(x, int | float) else x, *(cell(ln, i) for ln in evidence.lines)]
        for i, x in enumerate(evidence.x)
    ]
    return numbers_table(columns, rows)


def _spoken(evidence: Curve) -> str:
    said = [f"{evidence.title}. Lines over {evidence.x_label}."]
    for line in evidence.lines:
        known = [(x, y) for x, y in zip(evidence.x, line.y, strict=False) if y is not None]
        if known:
            (x0, y0), (x1, y1) = known[0], known[-1]
            first, last = (number(y, percent=evidence.percent) for y in (y0, y1))
            said.append(f"{line.name}: from {first} at {x0} to {last} at {x1}.")
    return " ".join(said)


def curve(evidence: Curve) -> str:
    """Draw a curve: a plot whose letters keep their size, and its numbers folded below."""
    if not evidence.x or not evidence.lines:
        return figure("curve", evidence.title, "<p>There is nothing to draw.</p>")
    xs, numeric = _places(evidence)
    scale, steps = _scale(evidence)
    step = steps[1] - steps[0] if len(steps) > 1 else None
    signed = any(y < 0 for line in evidence.lines for y in finite((*line.y, *(line.low or ()))))
    grid = "".join(
        f'<line x1="-50" x2="100%" y1="{100 - scale.at(t):.2f}%" y2="{100 - scale.at(t):.2f}%"'
        f' class="{"zero" if t == 0 else "grid"}"/>'
        f'<text x="-50" y="{100 - scale.at(t):.2f}%" dy="-4">'
        f"{number(t, percent=evidence.percent, signed=signed, step=step)}</text>"
        for t in steps
    )
    pair = pairing([line.name for line in evidence.lines])
    lines = "".join(
        _line(line, xs, scale, f"l{i % 4}{pair}") for i, line in enumerate(evidence.lines)
    )
    plot = (
        f'<svg class="plot" width="100%" height="{HEIGHT}" role="img"'
        f' aria-label="{html(_spoken(evidence))}">{grid}{_launch(evidence, xs, numeric)}'
        '<svg width="100%" height="100%" viewBox="0 0 100 100"'
        f' preserveAspectRatio="none">{lines}</svg></svg>'
    )
    axis = (
        '<svg class="plot axis" width="100%" height="20" aria-hidden="true">'
        f"{_x_axis(evidence, xs, numeric)}</svg>"
    )
    name = f'<p class="axis-name">{html(evidence.x_label)}</p>'
    names = legend([line.name for line in evidence.lines])
    return figure(
        "curve",
        evidence.title,
        names + plot + axis + name + _table(evidence),
        note=evidence.y_label,
    )
