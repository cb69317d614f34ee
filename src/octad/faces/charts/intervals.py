"""Estimates side by side, each with its interval, zero, and the loss that was allowed."""

from __future__ import annotations

from octad.faces.charts.frame import Scale, figure, finite, number, ticks
from octad.faces.numbers import beyond_zero, decimals, plain
from octad.faces.safe import html
from octad.model.finding import Interval, Intervals

__all__ = ["intervals"]

_SHAPES = {
    "for": "M-5.5 0A5.5 5.5 0 1 1 5.5 0A5.5 5.5 0 1 1 -5.5 0Z",
    "against": "M0 -7L7 0L0 7L-7 0Z",
    "mixed": "M-5 -5H5V5H-5Z",
}


def _common_digits(evidence: Intervals) -> int:
    """One number of decimals for all rows: what the middle one deserves."""
    factor = 100 if evidence.percent else 1
    each = sorted(
        decimals((row.high - row.low) * factor / 2)
        for row in evidence.rows
        if row.low is not None and row.high is not None
    )
    return each[(len(each) - 1) // 2] if each else 1


def _written(row: Interval, percent: bool, digits: int) -> tuple[str, str]:
    factor = 100 if percent else 1
    if row.low is None or row.high is None:
        return number(row.value, percent=percent, signed=True), ""
    digits = beyond_zero(digits, row.low * factor, row.high * factor)
    low, high = (plain(x * factor, digits, signed=True) for x in (row.low, row.high))
    value = plain(row.value * factor, digits, signed=True) + ("%" if percent else "")
    return value, f"[{low}, {high}]"


def _mark(row: Interval, scale: Scale) -> str:
    stance = row.stance.value if row.stance else "none"
    shape = _SHAPES.get(stance, _SHAPES["for"])
    whisker = ""
    if row.low is not None and row.high is not None:
        whisker = (
            f'<line x1="{scale.at(row.low):.2f}%" x2="{scale.at(row.high):.2f}%" y1="50%" y2="50%"'
            f' class="whisker s-{stance}"/>'
        )
    return (
        f'{whisker}<svg x="{scale.at(row.value):.2f}%" y="50%" overflow="visible">'
        f'<path d="{shape}" class="dot s-{stance}"/></svg>'
    )


def _grid(scale: Scale, steps: list[float], margin: float | None) -> str:
    lines = "".join(
        f'<line x1="{scale.at(step):.2f}%" x2="{scale.at(step):.2f}%" y1="0" y2="100%"'
        f' class="{"zero" if step == 0 else "grid"}"/>'
        for step in steps
    )
    if margin is not None:
        at = f"{scale.at(margin):.2f}%"
        lines += f'<line x1="{at}" x2="{at}" y1="0" y2="100%" class="edge"/>'
    return lines


def intervals(evidence: Intervals) -> str:
    """Draw an interval chart; each row says its own numbers, so it needs no table."""
    values = finite(x for row in evidence.rows for x in (row.value, row.low, row.high))
    values += [0.0] + ([evidence.margin] if evidence.margin is not None else [])
    pad = (max(values) - min(values)) * 0.05 or 1.0
    scale = Scale(min(values) - pad, max(values) + pad)
    steps = ticks(scale.low, scale.high, 5)
    grid = _grid(scale, steps, evidence.margin)
    digits, rows = _common_digits(evidence), []
    for row in evidence.rows:
        value, bounds = _written(row, evidence.percent, digits)
        note = f'<span class="iv-note">{html(row.note)}</span>' if row.note else ""
        rows.append(
            f'<li class="iv"><span class="iv-label">{html(row.label, limit=60)}{note}</span>'
            f'<span class="iv-track"><svg width="100%" height="100%"'
            f' aria-hidden="true">{grid}{_mark(row, scale)}</svg></span>'
            f'<span class="iv-number"><b>{html(value)}</b> <span>{html(bounds)}</span></span></li>'
        )
    step = steps[1] - steps[0] if len(steps) > 1 else None
    axis = "".join(
        f'<text x="{scale.at(t):.2f}%" y="14" text-anchor="middle">'
        f"{number(t, percent=evidence.percent, signed=True, step=step)}</text>"
        for t in steps
        if 1 < scale.at(t) < 99
    )
    foot = (
        '<li class="iv iv-axis" aria-hidden="true"><span class="iv-label"></span>'
        f'<span class="iv-track"><svg width="100%" height="20">{axis}</svg></span></li>'
    )
    edge = ""
    if evidence.margin is not None:
        allowed = number(evidence.margin, percent=evidence.percent, signed=True)
        edge = f"; the dashed line is the change you allowed, {allowed}"
    note = f"{evidence.x_label[:1].upper()}{evidence.x_label[1:]}{edge}"
    return figure(
        "intervals", evidence.title, f'<ol class="iv-list">{"".join(rows)}{foot}</ol>', note=note
    )
