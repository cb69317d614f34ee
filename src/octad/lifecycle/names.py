"""Names that the files and the data do not share, looked for before a launch rests on them."""

from __future__ import annotations

from collections.abc import Mapping

from octad.data.connect import Engine
from octad.data.event_names import doubtful_names
from octad.data.sources import open_sources
from octad.data.voices import products_of
from octad.errors import OctadError, UnknownNameError, nearest
from octad.model.metric import ColumnMetric, Metric, ReviewMetric
from octad.project.load import LoadedPlan, LoadedProject

__all__ = ["doubtful", "refuse_doubtful"]


def doubtful(
    home: LoadedProject, engine: Engine, metrics: Mapping[str, Metric] | None = None
) -> list[OctadError]:
    """What is probably misspelt in `octad.yml`, as the data show it.

    Args:
        home: The project.
        engine: An open engine.
        metrics: Only these; every metric, and the products that reviews speak of, when absent.
    """
    project = home.project
    everything = metrics is None
    names = {
        role
        for role in ("events", "reviews")
        if getattr(project.sources, role) is not None and (everything or role == "events")
    }
    if not names:
        return []
    tables = open_sources(engine, project, only=names, where=home.where)
    found: list[OctadError] = []
    if tables.events is not None:
        wanted = {
            name: metric
            for name, metric in (project.metrics if metrics is None else metrics).items()
            if not isinstance(metric, ColumnMetric | ReviewMetric)
        }
        found += doubtful_names(tables.events, wanted, project.charter, home.where)
    if tables.reviews is not None:
        there = products_of(tables.reviews)
        for name, key in ((project.product, "product"), *((r, "rivals") for r in project.rivals)):
            if there and name not in there:
                found.append(
                    UnknownNameError(
                        f"no review is of '{name}'.",
                        where=home.where(key),
                        mend=nearest(name, there),
                    )
                )
    return found


def refuse_doubtful(loaded: LoadedPlan, engine: Engine) -> None:
    """Stop before a plan with a misspelt event or column is sized or sealed.

    Raises:
        OctadError: The first such name.
    """
    plan = loaded.plan
    names = dict.fromkeys((*plan.launch.metrics, *(e.metric for e in plan.launch.expects)))
    found = doubtful(loaded.home, engine, {name: plan.metric(name) for name in names})
    if found:
        raise found[0]
