"""What metrics and charter lean on, checked against the events: names, columns, conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from octad.data.by_file import Filed
from octad.data.columns import column
from octad.data.expression import condition
from octad.data.gathering import Gathering
from octad.errors import OctadError, UnknownNameError, Where, nearest
from octad.model.metric import MeanMetric, Metric, QuantileMetric, SumMetric
from octad.model.plan import Charter

__all__ = ["check_names", "doubtful_names", "events_of"]

Place = Callable[[str], Where | None]

_COLUMNS: dict[str, type[Any]] = {"sum": SumMetric, "mean": MeanMetric, "of": QuantileMetric}
_MOST_KINDS = 5_000


def events_of(metric: Metric) -> Iterable[tuple[str, str]]:
    """Every event a metric names, with the key that names it."""
    for key in ("count", "of", "any", "returns", "on", "ratio", "funnel"):
        value = getattr(metric, key, None)
        if value is None or isinstance(value, str):
            continue
        for item in value:
            for event in (item,) if isinstance(item, str) else item:
                yield event, key


def _kinds(events: Any, wanted: Iterable[str]) -> tuple[set[str], list[str]]:
    """Which of the wanted events there are, and the names there are to choose from."""
    kinds = events.select("event").distinct()
    seen = kinds.filter(kinds.event.isin(list(wanted))).to_pyarrow()["event"].to_pylist()
    if set(seen) >= set(wanted):
        return set(seen), []
    return set(seen), [str(e) for e in kinds.limit(_MOST_KINDS).to_pyarrow()["event"].to_pylist()]


def _listed(files: Filed | None) -> frozenset[str] | None:
    """The events there are, from the account of each file; None where that does not tell."""
    if files is None or files.together or files.end is not None:
        return None
    names = [receipt.names for receipt in files.receipts if receipt.kept]
    if any(own is None for own in names):
        return None
    return frozenset(name for own in names for name in own or ())


def _columns_of(events: Any, name: str, metric: Metric, place: Place) -> None:
    key = next((k for k, kind in _COLUMNS.items() if isinstance(metric, kind)), None)
    if key is not None:
        column(events, getattr(metric, key), where=place(f"metrics.{name}.{key}"))
    if metric.where is not None:
        condition(events, metric.where, where=place(f"metrics.{name}.where"))


def check_names(job: Gathering, events: Any) -> None:
    """Refuse a plan that leans on what the data do not hold: a typing slip would read as zero.

    Raises:
        UnknownNameError: When an event or a column is not there; says what is near.
        DataError: When a condition compares what cannot be compared.
    """
    for name in sorted(job.needs.metrics):
        _columns_of(events, name, job.plan.metric(name), job.place)
    launch = job.plan.launch
    names = dict.fromkeys((*launch.metrics, *(e.metric for e in launch.expects)))
    wanted = {
        event: f"metrics.{name}.{key}"
        for name in reversed(names)
        for event, key in events_of(job.plan.metric(name))
    }
    counted = _counted_names(job)
    if counted is None:
        rows = job.tables.intake["events"].kept
        with job.tape.stage("looking for the events' names", rows):
            seen, known = _kinds(events, wanted)
    else:
        seen, known = set(counted), list(counted)
    for event, key in wanted.items():
        if event not in seen:
            raise _unknown(event, job.place(key), known)


def _counted_names(job: Gathering) -> dict[str, int] | None:
    """The events' names that the account of the files tells, most frequent first."""
    filed = job.tables.files.get("events")
    if filed is None or any(receipt.names is None for receipt in filed.receipts):
        return None
    found: dict[str, int] = {}
    for receipt in filed.receipts:
        for name, rows in (receipt.names or {}).items():
            found[name] = found.get(name, 0) + rows
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def doubtful_names(
    events: Any, metrics: Mapping[str, Metric], charter: Charter, place: Place
) -> list[OctadError]:
    """Names that are probably slips, before a launch has any data of its own.

    A column must be there. An event that is not there yet may be one that the launch will bring,
    so it is only doubted when it looks like one that is.

    Args:
        events: The events, under our names.
        metrics: The metrics to look at.
        charter: The charter, for its jobs' and its errors' events.
        place: From a dotted key to its file and line.
    """
    found: list[OctadError] = []
    wanted: dict[str, str] = {}
    for name, metric in metrics.items():
        try:
            _columns_of(events, name, metric, place)
        except OctadError as error:
            found.append(error)
        for event, key in events_of(metric):
            wanted.setdefault(event, f"metrics.{name}.{key}")
    for name, job in charter.jobs.items():
        for event in job.events:
            wanted.setdefault(event, f"charter.jobs.{name}.events")
    for event in charter.errors:
        wanted.setdefault(event, "charter.errors")
    seen, known = _kinds(events, wanted)
    unknown = [_unknown(e, place(key), known) for e, key in wanted.items() if e not in seen]
    return found + [error for error in unknown if error.mend.startswith("Did you mean")]


def _unknown(event: str, where: Where | None, known: list[str]) -> UnknownNameError:
    return UnknownNameError(
        f"there is no event '{event}' in the data.", where=where, mend=nearest(event, known)
    )
