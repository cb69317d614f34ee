"""What can be checked between a project's files before any data are touched."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from zoneinfo import ZoneInfo, available_timezones

from octad.errors import Where, nearest
from octad.model import presets
from octad.model.metric import ColumnMetric, Metric, ReviewMetric, is_share
from octad.model.plan import Launch, Project, Staged
from octad.project.document import Document, Path_
from octad.project.problems import Problem

__all__ = ["launch_problems", "project_problems"]


def project_problems(project: Project, document: Document) -> list[Problem]:
    """What does not hold together in `octad.yml`."""
    problems = _rivals(project, document)
    for name, metric in project.metrics.items():
        where = document.where(("metrics", name))
        problems += _source(name, metric, project, where)
        problems += _spans(name, metric, document)
    for role in type(project.sources).model_fields:
        source = getattr(project.sources, role)
        if source is not None and source.timezone is not None:
            place = ("sources", role, "timezone")
            problems += _timezone(source.timezone, document.where(place))
        if source is not None and source.preset is not None:
            place = ("sources", role, "preset")
            problems += _preset(source.preset, role, document.where(place))
    return problems


def _rivals(project: Project, document: Document) -> list[Problem]:
    problems = []
    seen: set[str] = set()
    for number, rival in enumerate(project.rivals):
        where = document.where(("rivals", number))
        if rival == project.product:
            what = f"rivals names {rival}, which is the product itself."
            problems.append(Problem(what, where, "Take it out, or name the rival."))
        elif rival in seen:
            problems.append(Problem(f"rivals names {rival} twice.", where, "Keep one."))
        seen.add(rival)
    return problems


def _source(name: str, metric: Metric, project: Project, where: Where) -> list[Problem]:
    """A metric needs the kind of table it is read from."""
    sources = project.sources
    if isinstance(metric, ColumnMetric):
        if sources.units is None:
            what = f"metrics.{name} reads a column of a table with one row a user."
            mend = "Name that table under sources, as `units: {table: …}`; or count an event."
            return [Problem(what, where, mend)]
    elif isinstance(metric, ReviewMetric):
        if sources.reviews is None:
            what = f"metrics.{name} reads reviews, and there are none under sources."
            return [Problem(what, where, "Add `reviews: {table: …}` under sources.")]
    elif sources.events is None:
        what = f"metrics.{name} is made of events, and there are none under sources."
        mend = (
            f"Say which column it is: `{name}: {{column: …}}`; or add `events: {{table: …}}`."
            if sources.units is not None
            else "Add `events: {table: …}` under sources."
        )
        return [Problem(what, where, mend)]
    return []


def _spans(name: str, metric: Metric, document: Document) -> list[Problem]:
    problems = []
    for key in ("window", "within"):
        if getattr(metric, key, None) == timedelta(0):
            place = ("metrics", name, key)
            what = f"metrics.{name}.{key} is no time at all."
            problems.append(Problem(what, document.where(place), "Write a span such as 14d."))
    return problems


def _timezone(name: str, where: Where) -> list[Problem]:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        mend = nearest(name, available_timezones())
        if not mend.startswith("Did"):
            mend = "Write it as a place, such as Asia/Jakarta, or take it out for UTC."
        return [Problem(f"'{name}' is no time zone.", where, mend)]
    return []


def _preset(name: str, role: str, where: Where) -> list[Problem]:
    if name not in presets.names():
        what = f"There is no preset '{name}'."
        return [Problem(what, where, nearest(name, presets.names()))]
    tables = presets.load(name).tables
    if role not in tables:
        what = f"The preset '{name}' knows {', '.join(tables)}, and nothing of {role}."
        return [Problem(what, where, "Take it out, and name the columns instead.")]
    return []


def launch_problems(
    launch: Launch, project: Project, document: Document
) -> tuple[list[Problem], list[Problem]]:
    """What does not hold together in a launch, and between it and its project.

    Returns:
        Names the project does not have; and everything else.
    """
    others: list[Problem] = []
    stem = document.path.stem
    if launch.launch != stem:
        what = f"launch is '{launch.launch}', and the file is {stem}.yml."
        mend = f"Write `launch: {stem}`, or rename the file to {launch.launch}.yml."
        others.append(Problem(what, document.where(("launch",)), mend))
    others += _enrolment(launch, document)
    others += _arms(launch, document)
    others += _margins(launch, project, document)
    others += _design(launch, project, document)
    if launch.horizon == timedelta(0):
        mend = "Write a span such as 90d."
        others.append(Problem("horizon is no time at all.", document.where(("horizon",)), mend))
    return _unknown(launch, project, document), others


def _unknown(launch: Launch, project: Project, document: Document) -> list[Problem]:
    metrics = list(project.metrics)
    asked: list[tuple[str, str, Path_, Iterable[str]]] = []
    if launch.kpi is not None:
        asked.append(("metric", launch.kpi, ("kpi",), metrics))
    asked += [("metric", name, ("results", name), metrics) for name in launch.results]
    asked += [("metric", name, ("guardrails", name), metrics) for name in launch.guardrails]
    asked += [("metric", name, ("controls", i), metrics) for i, name in enumerate(launch.controls)]
    asked += [
        ("metric", said.metric, ("expects", number, "metric"), metrics)
        for number, said in enumerate(launch.expects)
    ]
    jobs = list(project.charter.jobs)
    asked += [("job", name, ("jobs", number), jobs) for number, name in enumerate(launch.jobs)]
    never = list(project.charter.never)
    asked += [("never-line", name, ("never", name), never) for name in launch.never]
    problems = []
    for kind, name, place, known in asked:
        if name not in known:
            owner = "the charter has" if kind != "metric" else "octad.yml defines"
            what = f"{place[0]}: {owner} no {kind} '{name}'."
            mend = nearest(name, known) or _add(kind, name)
            problems.append(Problem(what, document.where(place), mend))
    return problems


def _add(kind: str, name: str) -> str:
    return {
        "metric": f"Define it under metrics, such as `{name}: {{count: open}}`.",
        "job": f"Add it to the charter's jobs, such as `{name}: {{events: [{name}]}}`.",
        "never-line": f"Add it to the charter's never, as `{name}: …`.",
    }[kind]


def _design(launch: Launch, project: Project, document: Document) -> list[Problem]:
    """A design needs the table that says who got what."""
    sources, problems = project.sources, []
    if launch.arms and sources.exposures is None and sources.units is None:
        what = "arms: octad.yml names no table that says who was in which arm."
        mend = "Add `exposures: {table: …}` under sources (or `units`, with one row a user)."
        problems.append(Problem(what, document.where(("arms",)), mend))
    if not isinstance(launch.design, Staged):
        return problems
    if not launch.design.dates:
        what = "design.dates names no group, so nobody ever gets it."
        mend = "Write `dates: {north: 2026-03-01}`."
        problems.append(Problem(what, document.where(("design", "dates")), mend))
    group, where = launch.design.staged, document.where(("design", "staged"))
    tables = [table for table in (sources.users, sources.units) if table is not None]
    known = [name for table in tables for name in table.attributes]
    if not tables:
        what = f"design.staged: octad.yml names no table that says which {group} a user is in."
        problems.append(Problem(what, where, "Add `users: {table: …}` under sources."))
    elif known and group not in known:
        what = f"design.staged: octad.yml lists no attribute '{group}'."
        problems.append(Problem(what, where, nearest(group, known)))
    return problems


def _enrolment(launch: Launch, document: Document) -> list[Problem]:
    until = launch.enrol_until
    if until is None:
        return []
    where = document.where(("enrol_until",))
    if launch.starts is not None and until < launch.starts:
        what = f"enrol_until ({until}) is before starts ({launch.starts})."
        return [Problem(what, where, "Enrolment closes on or after the first day.")]
    if launch.ends is not None and until > launch.ends:
        what = f"enrol_until ({until}) is after ends ({launch.ends})."
        return [Problem(what, where, "Enrolment closes on or before the last day.")]
    return []


def _arms(launch: Launch, document: Document) -> list[Problem]:
    problems = []
    named: dict[str, str] = {}
    for arm, value in (launch.arms or {}).items():
        where = document.where(("arms", arm))
        if value in named:
            what = f"arms: {named[value]} and {arm} are both '{value}'."
            mend = "Each arm has its own name in the data."
            problems.append(Problem(what, where, mend))
        elif not value.strip():
            what = f"arms.{arm} has an empty name."
            problems.append(Problem(what, where, "Write what the data call it."))
        named.setdefault(value, arm)
    return problems + _split(launch, document)


def _split(launch: Launch, document: Document) -> list[Problem]:
    if launch.split is None:
        return []
    arms, where = list(launch.arms or {}), document.where(("split",))
    problems = [
        Problem(
            f"split: there is no arm '{arm}'.", document.where(("split", arm)), nearest(arm, arms)
        )
        for arm in launch.split
        if arm not in arms
    ]
    missing = [arm for arm in arms if arm not in launch.split]
    if missing:
        what = f"split gives no share to {' and '.join(missing)}."
        problems.append(Problem(what, where, "Give every arm its planned share."))
    for arm, share in launch.split.items():
        if not 0 < share <= 1:
            what = f"split.{arm} is {share:g}, and a share lies between 0 and 1."
            mend = "Write fractions that add up to 1, such as 0.5."
            problems.append(Problem(what, document.where(("split", arm)), mend))
    total = math.fsum(launch.split.values())
    # Thirds written to four places add up to 0.9999: close enough to be meant as 1.
    if not problems and abs(total - 1) > 0.001:
        what = f"split adds up to {total:g}, not 1."
        problems.append(Problem(what, where, "Write the arms' planned shares as fractions of 1."))
    return problems


def _margins(launch: Launch, project: Project, document: Document) -> list[Problem]:
    """Margins that cannot be meant: two for one metric, or one that lets everything be lost."""
    problems = []
    for key in ("results", "guardrails"):
        for name, margin in getattr(launch, key).items():
            metric = project.metrics.get(name)
            share = metric is not None and is_share(metric)
            if margin.value >= 1 and (margin.kind != "absolute" or share):
                what = f"{key}.{name} is {margin}, which lets all of it be lost."
                size = f"{margin.value:g}" if margin.kind == "absolute" else "1"
                mend = f"Write the loss you could bear, such as {size}%."
                problems.append(Problem(what, document.where((key, name)), mend))
    for name, margin in launch.guardrails.items():
        other = launch.results.get(name)
        if other is not None and other != margin:
            what = f"{name} has two margins: {other} as a result, {margin} as a guardrail."
            mend = "Keep it as one of the two."
            problems.append(Problem(what, document.where(("guardrails", name)), mend))
    for i, name in enumerate(launch.controls):
        if name in launch.metrics:
            what = f"{name} is a control, and the launch is also judged by it."
            mend = "A control is a metric that the launch cannot have moved; keep it as one."
            problems.append(Problem(what, document.where(("controls", i)), mend))
    return problems
