"""The report: one HTML file that needs nothing beside it.

No script, no font, no picture is fetched; the page's own policy forbids it, so that even a text
that slipped through every escape could not call out.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from octad.faces.charts import chart
from octad.faces.emblem import emblem, side_mark, stance_mark
from octad.faces.safe import clean
from octad.faces.view import view
from octad.model.finding import Evidence
from octad.model.review import Review

__all__ = ["report"]

SQL_LIMIT = 20_000


def _chart(evidence: Evidence) -> Markup:
    return Markup(chart(evidence))  # noqa: S704 - every text in a chart goes through safe.html


def _emblem(verdict: str, stances: tuple[str, ...], size: int, *, labels: bool) -> Markup:
    return Markup(emblem(verdict, stances, size=size, labels=labels))  # noqa: S704 - our own words


def _side_mark(stance: str, side: int, size: int) -> Markup:
    return Markup(side_mark(stance, side, size=size))  # noqa: S704 - our own words


def _stance_mark(stance: str, size: int) -> Markup:
    return Markup(stance_mark(stance, size=size))  # noqa: S704 - our own words


def _sql(text: str) -> str:
    return clean(text, limit=SQL_LIMIT, lines=True)


def _icon(verdict: str, stances: tuple[str, ...]) -> str:
    svg = emblem(verdict, stances, size=64, labels=False)
    named = svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return "data:image/svg+xml," + quote(named)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("octad.faces.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        chart=_chart, emblem=_emblem, side_mark=_side_mark, stance_mark=_stance_mark, icon=_icon
    )
    made.filters["sql"] = _sql
    return made


def report(review: Review) -> str:
    """Lay a review out as one HTML page.

    Args:
        review: What `octad review` made.

    Returns:
        The whole file, ready to be written as UTF-8.
    """
    style = files("octad.faces.report").joinpath("templates/style.css").read_text("utf-8")
    page = _environment().get_template("page.html.j2")
    return page.render(view=view(review), style=Markup(style))  # noqa: S704 - our own stylesheet
