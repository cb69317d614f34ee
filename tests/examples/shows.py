"""What the examples of reviews say, looked up by a finding's name."""

from __future__ import annotations

from octad.model.finding import Finding, Quotes, Table
from octad.model.review import Review
from tests.examples.scripts import EXAMPLES

__all__ = ["finding", "page", "quotes", "rows", "silent"]


def finding(review: Review, name: str) -> Finding:
    """A finding, such as ``rival.stars``."""
    reading = name.split(".", maxsplit=1)[0]
    answer = review.kpi if reading == "kpi" else review.readings[reading]
    return next(f for f in answer.findings if f.id == name)


def rows(found: Finding, title: str = "") -> dict[str, tuple[str | float | int | None, ...]]:
    """The rows of a finding's first table whose title holds `title`, by their first cell."""
    table = next(e for e in found.evidence if isinstance(e, Table) and title in e.title)
    return {str(row[0]): row for row in table.rows}


def quotes(found: Finding) -> list[str]:
    """All typical quotes of a finding."""
    return [q.text for e in found.evidence if isinstance(e, Quotes) for q in e.quotes]


def silent(review: Review) -> set[str]:
    """Readings that say nothing."""
    return {name for name, a in review.readings.items() if a.stance.value == "silent"}


def page(example: str) -> str:
    """An example's README."""
    return (EXAMPLES / example / "README.md").read_text(encoding="utf-8")
