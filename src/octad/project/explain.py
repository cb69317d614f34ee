"""What pydantic says of a file, in a colleague's words."""

from __future__ import annotations

import difflib
import re
from typing import Any

from pydantic import BaseModel, ValidationError

from octad.errors import nearest
from octad.model.metric import METRIC_KINDS
from octad.project.document import Document, Path_
from octad.project.problems import Problem
from octad.project.shape import best, is_metric, resolve
from octad.project.traps import dotted

__all__ = ["explain"]

_EXAMPLE = {
    "arms": 'arms: {control: "off", treatment: "on"}',
    "between": "between: [21d, 28d]",
    "change": "change: at least 5%",
    "charter": "charter: {purpose: …, jobs: {pay: {events: [pay]}}}",
    "controls": "controls: [transfers]",
    "dates": "dates: {north: 2026-03-01}",
    "events": "events: [pay, scan]",
    "expects": "expects: [{metric: opens, change: at least 5%, sure: 80%}]",
    "guardrails": "guardrails: {crash_rate: 2%}",
    "jobs": "jobs: [pay]",
    "launch": "launch: circles",
    "metric": "metric: payments",
    "metrics": "metrics: {payments: {count: pay}}",
    "never": "never: {family: …}",
    "of": "of: pay",
    "product": "product: Wallet",
    "ratio": "ratio: [crash, open]",
    "results": "results: {payments: 1%}",
    "rivals": "rivals: [OtherPay]",
    "rules": "rules: {level: 0.95}",
    "segments": "segments: [region, age_band]",
    "signed": "signed: {product: Mei}",
    "sources": "sources: {events: {table: data/events.csv}}",
    "split": "split: {control: 0.5, treatment: 0.5}",
    "sure": "sure: 80%",
    "table": "table: data/events.csv",
}
_DESIGNS = "experiment, {staged: region, dates: {…}}, {everyone: 2026-03-01} or {targeted: why}"


def explain(
    model: type[BaseModel], error: ValidationError, document: Document
) -> dict[Path_, Problem]:
    """One problem for each thing that is wrong, by where it stands."""
    problems: dict[Path_, Problem] = {}
    details = error.errors(include_url=False)
    extra = [d["loc"] for d in details if d["type"] == "extra_forbidden"]
    for detail in details:
        unknown = [str(loc[-1]) for loc in extra if loc[:-1] == detail["loc"][:-1]]
        place, parent, member = resolve(model, detail["loc"], document.data)
        if place[:1] == ("design",) and model.__name__ == "Launch":
            place, problem = _design(detail, place, parent, member, document)
            if problem is None:
                continue
        else:
            if detail["type"] == "missing" and _like(str(place[-1]), unknown):
                continue
            problem = _problem(detail, place, parent, member, document)
        problems.setdefault(place, problem)
    return problems


def _like(word: str, others: list[str]) -> bool:
    """Whether a missing key is there under a misspelt name, which is then said already."""
    return bool(difflib.get_close_matches(word, others, n=1, cutoff=0.6))


def _problem(
    detail: Any, place: Path_, parent: type[BaseModel] | None, member: str, document: Document
) -> Problem:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return _unknown_key(place, parent, member, document)
    if kind == "missing":
        return _missing(place, document)
    if kind == "metric_kind":
        return _metric_kind(place, document)
    where = document.where(place, value=True)
    if kind == "value_error":
        what, mend = _own_words(detail, place, document)
        named = _named(what, place, document)
        return Problem(what, document.where(named) if named else where, mend)
    what, mend = _wrong_value(detail, place, document)
    return Problem(what, where, mend)


def _unknown_key(
    place: Path_, parent: type[BaseModel] | None, member: str, document: Document
) -> Problem:
    key, where = str(place[-1]), document.where(place)
    around = dotted(place[:-1])
    known = [] if parent is None else list(parent.model_fields)
    if re.match(r"\w+:\S", key):
        what = f"'{key}' has no space after its colon, so YAML reads all of it as a key."
        return Problem(what, where, f"Write {key.replace(':', ': ', 1)}.")
    if parent is not None and is_metric(parent):
        if key in METRIC_KINDS:
            what = f"{around} says both {member}: and {key}:, and a metric measures one thing."
            return Problem(what, where, "Keep one, or make two metrics of it.")
        owners = [name for name, other in METRIC_KINDS.items() if key in other.model_fields]
        if owners:
            what = f"'{key}' goes with {', '.join(owners)}; {around} is of the kind {member}."
            return Problem(what, where, "Take it out.")
        known += list(METRIC_KINDS)
    what = f"'{key}' is not a key of {around}." if around else f"'{key}' is not a known key."
    return Problem(what, where, nearest(key, known))


def _missing(place: Path_, document: Document) -> Problem:
    last, around = place[-1], dotted(place[:-1])
    where = document.where(place[:-1])
    if isinstance(last, int):
        has = f"has {last}" if last else "is empty"
        return Problem(f"{around} wants {last + 1} items, and {has}.", where, _such_as(place[:-1]))
    what = f"{around} lacks '{last}'." if around else f"'{last}' is missing."
    return Problem(what, where, _such_as(place) or f"Add `{last}:`.")


def _such_as(place: Path_) -> str:
    if place[:2] == ("charter", "jobs") and len(place) < 4:
        example = "jobs: {pay: {events: [pay]}}"
    else:
        example = _EXAMPLE.get(str(place[-1]), "")
    return f"Write it such as `{example}`." if example else ""


def _metric_kind(place: Path_, document: Document) -> Problem:
    name, where = dotted(place), document.where(place)
    data = _data_at(document.data, place)
    if isinstance(data, dict) and data:
        model = best(METRIC_KINDS.values(), data)
        kinds = [kind for kind, other in METRIC_KINDS.items() if other is model]
        for key in data:
            close = difflib.get_close_matches(key.lower(), METRIC_KINDS, n=1, cutoff=0.6)
            if close and close[0] not in data:
                what = f"'{key}' is not a kind of metric."
                return Problem(what, document.where((*place, key)), f"Did you mean '{close[0]}'?")
        what = f"{name} does not say what it measures."
        mend = f"Write one of {', '.join(METRIC_KINDS)}; by its other keys, perhaps {kinds[0]}."
        return Problem(what, where, mend)
    what = f"{name} does not say what it measures."
    return Problem(what, where, f"Write it such as `{place[-1]}: {{count: {data or 'open'}}}`.")


def _design(
    detail: Any, place: Path_, parent: type[BaseModel] | None, member: str, document: Document
) -> tuple[Path_, Problem | None]:
    """A design is a word or one of three mappings; pydantic complains of each in turn."""
    from octad.model.plan import Everyone, Staged, Targeted  # noqa: PLC0415 - only for this union

    data = document.data.get("design")
    where = document.where(("design",))
    if not isinstance(data, dict):
        what = f"design is {_has(document, ('design',))}, which is none Octad knows."
        if isinstance(data, str):
            words = ["experiment", "staged", "everyone", "targeted"]
            close = difflib.get_close_matches(data.lower(), words, n=1, cutoff=0.6)
            if close:
                return ("design",), Problem(what, where, _design_mend(close[0]))
        return ("design",), Problem(what, where, f"Write {_DESIGNS}.")
    meant = best((Staged, Everyone, Targeted), data)
    assert meant is not None  # noqa: S101 - three candidates always have a best
    if member != meant.__name__:
        return place, None
    unknown = [key for key in data if key not in meant.model_fields]
    if detail["type"] == "missing" and _like(str(place[-1]), unknown):
        return place, None
    return place, _problem(detail, place, parent or meant, member, document)


def _design_mend(word: str) -> str:
    return {
        "experiment": "Write design: experiment.",
        "staged": "Write design: {staged: region, dates: {north: 2026-03-01}}.",
        "everyone": "Write design: {everyone: 2026-03-01}.",
        "targeted": "Write design: {targeted: how they were chosen}.",
    }[word]


def _own_words(detail: Any, place: Path_, document: Document) -> tuple[str, str]:
    """A sentence from our own models: what is wrong; then, after a semicolon, how to mend it."""
    said = str(detail.get("ctx", {}).get("error", detail["msg"]))
    what, _, mend = said.partition("; ")
    share = re.match(r"'(\d+(?:\.\d+)?)' is not between 0% and 100%", what)
    if share is not None:
        what = f"'{share[1]}' without a per cent sign is {float(share[1]) * 100:g}%"
        mend = f"write {share[1]}%"
    key = re.match(r"(\w+): ", what)
    if key is not None and place and key[1] == place[-1]:
        place, what = place[:-1], what.replace(": ", " ", 1)
    elif key is not None:
        what = what.replace(": ", " ", 1)
    name = dotted(place)
    whole = f"{name}{'.' if key else ': '}{what}" if name else what
    if not name and re.split(r"\W", what)[0] not in document.data:
        whole = whole[:1].upper() + whole[1:]
    return _sentence(whole), _sentence(mend[:1].upper() + mend[1:])


def _sentence(text: str) -> str:
    return f"{text}." if text and not text.endswith((".", "?", "!", "…")) else text


def _named(what: str, place: Path_, document: Document) -> Path_ | None:
    """The key that a sentence about a whole mapping speaks of first."""
    data = _data_at(document.data, place)
    if not isinstance(data, dict):
        return None
    spoken = re.findall(r"\w+", what.lower())
    found = sorted((spoken.index(key.lower()), key) for key in data if key.lower() in spoken)
    return (*place, found[0][1]) if found else None


_WANTS = (
    (r"string", "text"),
    (r"tuple|list", "a list"),
    (r"dict|model", "keys with values"),
    (r"int", "a whole number"),
    (r"float", "a number"),
    (r"bool", "true or false"),
    (r"date", "a date"),
)


_BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}


def _wrong_value(detail: Any, place: Path_, document: Document) -> tuple[str, str]:
    name, kind, ctx = dotted(place), detail["type"], detail.get("ctx", {})
    scalar = document.scalars.get(place)
    written = scalar.text if scalar is not None else ""
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", ctx.get("expected", ""))
        return f"{name} is '{written}', which is not known.", nearest(written, known)
    if any(key in ctx for key in _BOUNDS):
        bound = next(f"{said} {ctx[key]:g}" for key, said in _BOUNDS.items() if key in ctx)
        return f"{name} must be {bound}, and is {written}.", _fraction(written)
    if kind in ("too_short", "too_long"):
        size = ctx.get("min_length") or ctx.get("max_length")
        word = "at least" if kind == "too_short" else "at most"
        has = ctx.get("actual_length")
        return f"{name} wants {word} {size} item{'s' if size != 1 else ''}, and has {has}.", ""
    wants = next((word for pattern, word in _WANTS if re.match(pattern, kind)), None)
    if wants is None:
        return f"{name}: {detail['msg']}.", ""
    has = _has(document, place)
    mend = _fraction(written) if wants.endswith("number") else _such_as(place)
    if wants == "text" and scalar is not None:
        mend = f"Put it in quotes: {scalar.quoted}."
    elif wants == "a date":
        mend = "Write year-month-day, such as 2026-03-01."
    elif wants == "a list" and not mend:
        mend = f"Write {place[-1]}: [{written or '…'}]."
    return f"{name} wants {wants}, and has {has}.", mend


def _has(document: Document, place: Path_) -> str:
    scalar = document.scalars.get(place)
    if scalar is None:
        data = _data_at(document.data, place)
        return "a list" if isinstance(data, list) else "keys below it"
    if isinstance(scalar.value, bool):
        return f"{scalar.text}, which YAML reads as a switch"
    if isinstance(scalar.value, int | float):
        number = f"{scalar.value:g}"
        said = f"{scalar.text}, which YAML reads as the number {number}"
        return f"the number {number}" if number == scalar.text else said
    return f"'{scalar.text}'"


def _fraction(written: str) -> str:
    """The mend for a number that was written in per cent, or with a comma."""
    percent = re.match(r"(\d+(?:\.\d+)?)\s*(%?)\Z", written)
    if percent is not None and (percent[2] or 1 < float(percent[1]) <= 100):
        return f"Write it as a fraction: {float(percent[1]) / 100:g}."
    if re.match(r"\d+,\d+\Z", written):
        return f"Write it with a point: {written.replace(',', '.')}."
    return ""


def _data_at(data: Any, place: Path_) -> Any:
    for step in place:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data
