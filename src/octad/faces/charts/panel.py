"""Estimates in rows and columns: every segment beside every other, on one scale a column."""

from __future__ import annotations

from octad.faces.charts.frame import Scale, figure, finite
from octad.faces.numbers import beyond_zero, decimals, plain
from octad.faces.safe import html
from octad.model.finding import Interval, Panel

__all__ = ["panel", "written"]

_SHAPES = {
    "for": "M-4.5 0A4.5 4.5 0 1 1 4.5 0A4.5 4.5 0 1 1 -4.5 0Z",
    "against": "M0 -6L6 0L0 6L-6 0Z",
    "none": "M-2.5 0A2.5 2.5 0 1 1 2.5 0A2.5 2.5 0 1 1 -2.5 0Z",
}
_FURTHEST = 6.0
"""How far a scale reaches, in medians of the rows' reach: one tiny segment must not flatten all."""


def _scale(cells: list[Interval | None]) -> Scale:
    """About zero, as far as most rows reach; what reaches further is cut at the edge."""
    reach = sorted(
        max(abs(x) for x in finite((c.value, c.low, c.high))) for c in cells if c is not None
    )
    if not reach:
        return Scale(-1.0, 1.0)
    edge = 1.05 * min(reach[-1], _FURTHEST * reach[len(reach) // 2]) or 1.0
    return Scale(-edge, edge)


def _drawn(cell: Interval, scale: Scale) -> str:
    stance = cell.stance.value if cell.stance else "none"
    line = ""
    if cell.low is not None and cell.high is not None:
        low, high = scale.at(cell.low), scale.at(cell.high)
        line = (
            f'<line x1="{low:.2f}%" x2="{high:.2f}%" y1="50%" y2="50%" class="whisker s-{stance}"/>'
        )
    return (
        '<span class="pn-track"><svg width="100%" height="100%" aria-hidden="true">'
        '<line x1="50%" x2="50%" y1="0" y2="100%" class="zero"/>'
        f'{line}<svg x="{scale.at(cell.value):.2f}%" y="50%" overflow="visible">'
        f'<path d="{_SHAPES.get(stance, _SHAPES["none"])}" class="dot s-{stance}"/></svg></svg>'
        "</span>"
    )


def written(cell: Interval, *, percent: bool) -> str:
    """A cell's numbers: ``−12.3% [−15.7, −9.0]``.

    >>> written(Interval(label="", value=-0.123, low=-0.157, high=-0.09), percent=True)
    '−12.3% [−15.7, −9.0]'
    """
    factor, ending = (100, "%") if percent else (1, "")
    if cell.low is None or cell.high is None:
        return plain(cell.value * factor, 1, signed=True) + ending
    digits = min(decimals((cell.high - cell.low) * factor / 2), 2)
    digits = beyond_zero(digits, cell.low * factor, cell.high * factor)
    value, low, high = (
        plain(x * factor, digits, signed=True) for x in (cell.value, cell.low, cell.high)
    )
    return f"{value}{ending} [{low}, {high}]"


def panel(evidence: Panel) -> str:
    """Draw a panel as a table whose cells are drawings and say their numbers."""
    scales = [_scale([row.cells[i] for row in evidence.rows]) for i in range(len(evidence.columns))]
    head = "".join(f'<th scope="col">{html(name)}</th>' for name in evidence.columns)
    body = []
    for row in evidence.rows:
        cells = []
        for cell, scale in zip(row.cells, scales, strict=True):
            if cell is None:
                cells.append('<td class="pn-none">too few</td>')
                continue
            value, _, bounds = written(cell, percent=evidence.percent).partition(" ")
            cells.append(
                f'<td>{_drawn(cell, scale)}<span class="pn-number"><b>{html(value)}</b> '
                f"<span>{html(bounds)}</span></span></td>"
            )
        note = f'<span class="iv-note">{html(row.note)}</span>' if row.note else ""
        body.append(
            f'<tr><th scope="row">{html(row.label, limit=60)}{note}</th>{"".join(cells)}</tr>'
        )
    inside = (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{html(evidence.title)}">'
        f'<table class="pn"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(body)}</tbody></table></div>"
    )
    note = f"{evidence.x_label[:1].upper()}{evidence.x_label[1:]}; each column has its own scale"
    return figure("panel", evidence.title, inside, note=note)
