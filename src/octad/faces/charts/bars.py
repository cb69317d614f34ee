"""Groups of bars, lying down, so that their names can be read on a phone."""

from __future__ import annotations

from octad.faces.charts.frame import Scale, figure, finite, legend, pairing
from octad.faces.numbers import common, plain
from octad.faces.safe import html
from octad.model.finding import Bars

__all__ = ["bars"]

_THICK, _STEP = 16, 22


def _bar(value: float | None, scale: Scale, i: int, which: str, written: str) -> str:
    top = i * _STEP + 3
    if value is None or value != value:  # noqa: PLR0124 - NaN is the one number unequal to itself
        return f'<text x="{scale.at(0):.2f}%" dx="4" y="{top + 13}">no data</text>'
    zero, end = scale.at(0.0), scale.at(value)
    left, width = min(zero, end), abs(end - zero)
    anchor, dx = ("end", -6) if value < 0 else ("start", 6)
    return (
        f'<rect x="{left:.2f}%" width="{width:.2f}%" y="{top}" height="{_THICK}"'
        f' class="bar {which}"/><text x="{end:.2f}%" dx="{dx}" y="{top + 13}"'
        f' text-anchor="{anchor}">{written}</text>'
    )


def bars(evidence: Bars) -> str:
    """Draw groups of bars; each bar carries its number."""
    values = finite(v for group in evidence.groups.values() for v in group) or [1.0]
    low, high = min(0.0, *values), max(0.0, *values)
    room = (high - low) * 0.2 or 1.0
    scale = Scale(low - (room if low < 0 else 0.0), high + (room if high > 0 else 0.0))
    pair = pairing(list(evidence.groups))
    factor, ending = (100, "%") if evidence.percent else (1, "")
    digits, rows = common(value * factor for value in values), []
    for at, label in enumerate(evidence.labels):
        drawn, said = "", []
        for i, (name, group) in enumerate(evidence.groups.items()):
            value = group[at] if at < len(group) else None
            written = "" if value is None else plain(value * factor, digits) + ending
            drawn += _bar(value, scale, i, f"l{i % 4}{pair}", written)
            if written:
                said.append(f"{name} {written}")
        height = len(evidence.groups) * _STEP + 4
        rows.append(
            f'<li class="iv br"><span class="iv-label">{html(label, limit=90)}</span>'
            f'<svg width="100%" height="{height}" role="img"'
            f' aria-label="{html(label)}: {html(", ".join(said))}">'
            f'<line x1="{scale.at(0):.2f}%" x2="{scale.at(0):.2f}%" y1="0" y2="100%" class="zero"/>'
            f"{drawn}</svg></li>"
        )
    names = legend(list(evidence.groups))
    inside = f'{names}<ol class="iv-list">{"".join(rows)}</ol>'
    return figure("bars", evidence.title, inside, note=evidence.y_label)
