"""What every chart shares: scales, ticks, how a figure is framed, and its numbers as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from octad.faces.numbers import plain, significant
from octad.faces.safe import html

__all__ = ["Scale", "figure", "finite", "legend", "number", "numbers_table", "pairing", "ticks"]


@dataclass(frozen=True, slots=True)
class Scale:
    """A line from `low` to `high`, placed in per cent of the drawing's width or height."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Where a value lies, in per cent, kept on the drawing."""
        if self.high == self.low:
            return 50.0
        return min(100.0, max(0.0, 100 * (value - self.low) / (self.high - self.low)))


def finite(values: Iterable[float | None]) -> list[float]:
    """Keep the numbers that can be drawn."""
    return [value for value in values if value is not None and math.isfinite(value)]


def ticks(low: float, high: float, wanted: int = 5, *, days: bool = False) -> list[float]:
    """Round numbers between two ends: steps of 1, 2, 2.5 or 5 times a power of ten, or weeks.

    >>> ticks(-0.04, 0.08)
    [-0.025, 0.0, 0.025, 0.05, 0.075]
    >>> ticks(0, 28, days=True)
    [0.0, 7.0, 14.0, 21.0, 28.0]
    """
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [low]
    raw = (high - low) / max(wanted, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    if days and high - low >= 14:
        step = next((week for week in (7.0, 14.0, 28.0, 91.0) if week >= raw * 0.8), 364.0)
        return [step * i for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    step = next((m * power for m in (1, 2, 2.5, 5, 10) if m * power >= raw * 0.999), 10 * power)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(i * step, 12) for i in range(first, last + 1)]


def number(value: float, *, percent: bool, signed: bool = False, step: float | None = None) -> str:
    """Write a number on an axis or beside a mark.

    Args:
        value: As it is in the evidence; a fraction when `percent`.
        percent: Whether to write it as a percentage.
        signed: Whether a gain carries a plus.
        step: The distance between ticks, which settles the decimals; else three digits are kept.
    """
    factor = 100 if percent else 1
    if step is not None:
        digits = max(0, -math.floor(math.log10(abs(step) * factor) + 1e-9)) if step else 0
        if abs(round(step * factor, digits) - step * factor) > 1e-9:
            digits += 1
    else:
        digits = min(significant(value * factor, 2 if percent else 3), 3)
    return plain(value * factor, digits, signed=signed) + ("%" if percent else "")


def numbers_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The numbers behind a drawing, folded away."""
    head = "".join(f'<th scope="col">{html(c)}</th>' for c in columns)
    body = "".join(
        "<tr>"
        f'<th scope="row">{html(row[0])}</th>'
        + "".join(f"<td>{html(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        '<details class="numbers"><summary>The numbers</summary>'
        '<div class="scroll" tabindex="0" role="region" aria-label="The numbers">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


_REFERENCES = {"control", "off", "before", "baseline", "expected", "others", "reference"}


def pairing(names: Sequence[str]) -> str:
    """An extra class when two series are a reference and what is held against it."""
    return " pair" if len(names) == 2 and names[0].lower() in _REFERENCES else ""


def legend(names: Sequence[str]) -> str:
    """Which line or bar is which; nothing when there is only one."""
    if len(names) < 2:
        return ""
    items = "".join(
        f'<li><svg width="22" height="10" aria-hidden="true"><line x1="1" x2="21" y1="5" y2="5"'
        f' class="line l{i % 4}{pairing(names)}"/></svg>{html(name)}</li>'
        for i, name in enumerate(names)
    )
    return f'<ul class="legend">{items}</ul>'


def figure(kind: str, title: str, inside: str, *, note: str = "") -> str:
    """Frame a chart: its title first, then the drawing."""
    small = f'<span class="note">{html(note)}</span>' if note else ""
    return (
        f'<figure class="chart {kind}"><figcaption>{html(title)}{small}</figcaption>'
        f"{inside}</figure>"
    )
