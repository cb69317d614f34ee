"""The emblem: an octagon whose eight sides are the stances around the verdict.

A reading that speaks *for* is a side in place; *against*, a side that has broken away; *mixed*,
half in place and half away; *silent*, only a dotted line where a side would be. So the figure is
whole only when the launch is, and reads without colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from octad.faces.safe import html
from octad.model.review import READINGS

__all__ = ["COLOURS", "emblem", "side_mark", "stance_mark"]

COLOURS = {
    "for": "var(--for, #0a6c5a)",
    "against": "var(--against, #b8301c)",
    "mixed": "var(--mixed, #8f5a00)",
    "silent": "var(--silent, #6a7580)",
}
"""Fills by stance: CSS variables where the page has them, and a fallback where it has none."""

TAN = math.tan(math.pi / 8)
INNER, OUTER, AWAY = 74.0, 92.0, 14.0
GAP = 2.6

# One glyph a verdict, drawn in a box of 40 by 40 around the centre.
_GLYPHS = {
    "ship": "M-15 1 L-5 12 L16 -12",
    "hold": "M-8 -14 V14 M8 -14 V14",
    "roll back": "M-14 -5 H5 A9.5 9.5 0 0 1 5 14 H-6 M-6 -13 L-14 -5 L-6 3",
    "cannot tell": "M-8 -7 A8 8 0 1 1 3 1 Q0 3 0 7 M0 14 V14.4",
}


def _bar(left: float, right: float, inner: float, outer: float) -> str:
    """A piece of a side that lies at the top, mitred to its neighbours at the ends it reaches.

    `left` and `right` run from -1 to 1 along the side; a gap is kept at both ends.
    """

    def at(position: float, radius: float) -> float:
        reach = radius * TAN - GAP
        return position * reach if abs(position) == 1 else position * radius * TAN

    points = (
        (at(left, outer), -outer),
        (at(right, outer), -outer),
        (at(right, inner), -inner),
        (at(left, inner), -inner),
    )
    return "M" + " L".join(f"{x:.2f} {y:.2f}" for x, y in points) + "Z"


def _side(stance: str, turn: int, *, dots: int = 7) -> str:
    """One side, turned by so many eighths; few dots are larger, for a small figure."""
    colour = COLOURS.get(stance, COLOURS["silent"])
    if stance == "for":
        shape = f'<path d="{_bar(-1, 1, INNER, OUTER)}"/>'
    elif stance == "against":
        shape = f'<path d="{_bar(-1, 1, INNER, OUTER)}" transform="translate(0 -{AWAY})"/>'
    elif stance == "mixed":
        away = f'transform="translate(0 -{AWAY})"'
        shape = (
            f'<path d="{_bar(-1, -0.04, INNER, OUTER)}"/>'
            f'<path d="{_bar(0.04, 1, INNER, OUTER)}" {away}/>'
        )
    else:
        middle = (INNER + OUTER) / 2
        reach = middle * TAN - GAP - 3
        size, last = (2.6, dots - 1) if dots > 5 else (6.0, dots - 1)
        shape = "".join(
            f'<circle cx="{reach * (2 * step / last - 1):.2f}" cy="{-middle:.2f}" r="{size}"/>'
            for step in range(dots)
        )
    return f'<g transform="rotate({turn * 45})" style="fill:{colour}">{shape}</g>'


def _label(name: str, stance: str, turn: int) -> str:
    """A side's name and stance, outside it."""
    # Offsets by eye: clear of a side that has broken away, whichever side it is.
    across = (0.0, 88.0, 118.0, 88.0, 0.0, -88.0, -118.0, -88.0)[turn]
    down = (-136.0, -88.0, -5.0, 84.0, 132.0, 84.0, -5.0, -88.0)[turn]
    anchor = "middle" if across == 0 else "start" if across > 0 else "end"
    return (
        f'<text x="{across:.0f}" y="{down:.0f}" text-anchor="{anchor}" class="e-name">{name}</text>'
        f'<text x="{across:.0f}" y="{down + 16:.0f}" text-anchor="{anchor}" class="e-stance"'
        f' style="fill:{COLOURS[stance]}">{stance}</text>'
    )


def _glyph(verdict: str, scale: float) -> str:
    path = _GLYPHS.get(verdict, _GLYPHS["cannot tell"])
    return (
        f'<path d="{path}" transform="scale({scale})" fill="none" stroke="currentColor"'
        ' stroke-width="5" stroke-linecap="round" stroke-linejoin="round"/>'
    )


def describe(verdict: str, stances: Sequence[str]) -> str:
    """Say the emblem in words.

    >>> describe("ship", ["for"] * 8)
    'Verdict: ship. For: results, horizon, breadth, user, doubt, rival, product, reflection.'
    """
    parts = [f"Verdict: {verdict}."]
    for stance in COLOURS:
        names = [name for name, took in zip(READINGS, stances, strict=True) if took == stance]
        if names:
            parts.append(f"{stance.capitalize()}: {', '.join(names)}.")
    return " ".join(parts)


def emblem(verdict: str, stances: Sequence[str], *, size: int = 360, labels: bool = True) -> str:
    """Draw the emblem as inline SVG.

    Args:
        verdict: The verdict's words, such as ``roll back``.
        stances: Eight stances, in the order of the readings, from the top clockwise.
        size: Its width in pixels; it scales down where the page is narrower.
        labels: Whether the sides are named; a small emblem is clearer without.

    Returns:
        One `<svg>` element with a text alternative.
    """
    said = html(describe(verdict, stances))
    sides = "".join(_side(stance, turn) for turn, stance in enumerate(stances))
    if not labels:
        box = "-108 -108 216 216"
        inside = _glyph(verdict, 1.9)
        names = ""
        ratio = 1.0
    else:
        box = "-190 -152 380 304"
        lines = verdict.split(" ")
        inside = "".join(
            f'<text x="0" y="{(i - (len(lines) - 1) / 2) * 29 + 9:.1f}" text-anchor="middle"'
            f' class="e-verdict">{html(line)}</text>'
            for i, line in enumerate(lines)
        )
        names = "".join(
            _label(name, stance, turn)
            for turn, (name, stance) in enumerate(zip(READINGS, stances, strict=True))
        )
        ratio = 304 / 380
    return (
        f'<svg class="emblem" viewBox="{box}" width="{size}" height="{round(size * ratio)}"'
        f' role="img" aria-label="{said}">{sides}{inside}{names}</svg>'
    )


def side_mark(stance: str, side: int, *, size: int = 40) -> str:
    """A small octagon with one side shown as its stance: a signpost beside a reading."""
    faint = "".join(
        f'<path d="{_bar(-1, 1, INNER + 5, OUTER - 5)}" transform="rotate({turn * 45})"/>'
        for turn in range(8)
        if turn != side
    )
    return (
        f'<svg class="side-mark" viewBox="-108 -108 216 216" width="{size}" height="{size}"'
        f' aria-hidden="true"><g style="fill:var(--rule-strong, #c4ccd2)">{faint}</g>'
        f"{_side(stance, side, dots=3)}</svg>"
    )


def stance_mark(stance: str, *, size: int = 22) -> str:
    """A stance's own shape: a whole bar, a raised one, half and half, or dots."""
    box = f"{-36} {-OUTER - AWAY - 2} 72 {OUTER + AWAY - INNER + 4}"
    height = round(size * (OUTER + AWAY - INNER + 4) / 72)
    base = (
        f'<path d="M-34 {-INNER + 0.5} H34" stroke="currentColor" opacity=".3" stroke-width="2"/>'
    )
    rule = base if stance in {"against", "mixed"} else ""
    return (
        f'<svg class="stance-mark" viewBox="{box}" width="{size}" height="{height}"'
        f' aria-hidden="true">{rule}{_side(stance, 0, dots=4)}</svg>'
    )
