"""Evidence as charts: HTML with inline SVG, drawn by hand.

Why not a chart library: these charts must keep their type size while their width goes from 340 to
900 pixels, change with the reader's light or dark scheme, print, and be read aloud. SVG whose
coordinates are per cents does all of it in one drawing, without a start-up second or a network;
a picture that scales as a whole would shrink its letters on a phone.

`chart` is the one door: it takes evidence and returns markup that is already escaped.
"""

from __future__ import annotations

from octad.faces.charts.bars import bars
from octad.faces.charts.curve import curve
from octad.faces.charts.intervals import intervals
from octad.faces.charts.panel import panel
from octad.faces.charts.words import quotes, story, table
from octad.model.finding import Bars, Curve, Evidence, Intervals, Panel, Quotes, Table

__all__ = ["chart"]


def chart(evidence: Evidence) -> str:
    """Draw one piece of evidence.

    Returns:
        A `<figure>`, escaped; its text alternative and, for drawings, its numbers are inside.
    """
    if isinstance(evidence, Curve):
        return curve(evidence)
    if isinstance(evidence, Intervals):
        return intervals(evidence)
    if isinstance(evidence, Panel):
        return panel(evidence)
    if isinstance(evidence, Bars):
        return bars(evidence)
    if isinstance(evidence, Table):
        return table(evidence)
    if isinstance(evidence, Quotes):
        return quotes(evidence)
    return story(evidence)
