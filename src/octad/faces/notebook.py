"""A review in a notebook: the emblem, the verdict and the readings, as a small fragment."""

from __future__ import annotations

import sys
from typing import Any

from octad.faces.emblem import COLOURS, emblem
from octad.faces.safe import html
from octad.faces.view import view
from octad.model.review import Review

__all__ = ["fragment", "register"]


def fragment(review: Review) -> str:
    """Lay a review out as a fragment of HTML that brings its own look and no script.

    Args:
        review: What `Session.review` returned.

    Returns:
        One `<div>`; text keeps the notebook's own colour, so it reads in light and in dark.
    """
    shown = view(review)
    rows = "".join(
        f'<tr><th scope="row" style="text-align:left;padding:3px 14px 3px 0">{reading.title}</th>'
        f'<td style="text-align:left;padding:3px 14px 3px 0;color:{COLOURS[reading.stance]};'
        f'font-weight:600">{reading.stance}</td>'
        f'<td style="text-align:left;padding:3px 0">{html(reading.summary)}</td></tr>'
        for reading in (shown.kpi, *shown.readings)
    )
    simulated = f"<p><em>{html(shown.simulated_note)}</em></p>" if shown.simulated else ""
    mark = emblem(shown.verdict, shown.stances, size=120, labels=False)
    facts = html(" · ".join(shown.facts))
    later = html(" ".join(shown.next))
    change = f"<p><b>What would change this:</b> {later}</p>" if later else ""
    return (
        '<div class="octad" style="max-width:60em">'
        '<div style="display:flex;gap:20px;align-items:center;flex-wrap:wrap">'
        f"{mark}<div style='flex:1;min-width:16em'><p style='margin:0;opacity:.75'>"
        f"{html(shown.launch)} · {facts}</p>"
        f"<p style='margin:2px 0;font-size:1.9em;font-weight:700'>"
        f"{shown.verdict.capitalize()}</p>"
        f"<p style='margin:0;font-size:1.15em'>{html(shown.headline)}</p></div></div>"
        f'<table style="margin:14px 0;border-collapse:collapse">{rows}</table>'
        f"{change}{simulated}</div>"
    )


def register() -> bool:
    """Teach a running IPython to show reviews; does nothing outside a notebook.

    Returns:
        Whether there was an IPython to teach.
    """
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return False
    shell.display_formatter.formatters["text/html"].for_type(Review, fragment)
    return True
