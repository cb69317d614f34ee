"""YAML's traps: what was written is not what is read. Each is said in words."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel

from octad.project.document import Document, Path_, Scalar
from octad.project.problems import Problem
from octad.project.shape import choices, inner

__all__ = ["date_mend", "dotted", "find"]

_SWITCH = {"on", "off", "yes", "no", "y", "n", "true", "false"}
_ISO = re.compile(r"\d{4}-\d\d-\d\d\Z")


def dotted(place: Path_) -> str:
    """A place as people write it: ``expects, item 2, sure``.

    >>> dotted(("expects", 1, "sure")), dotted(("guardrails", "crash_rate"))
    ('expects, item 2, sure', 'guardrails.crash_rate')
    """
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f", item {step + 1}"
        elif text:
            text += f"{', ' if 'item' in text else '.'}{step}"
        else:
            text = step
    return text


def find(model: type[BaseModel], document: Document) -> dict[Path_, Problem]:
    """The traps a file fell into: nothing where a value is meant, dates, and switches as names."""
    return _walk(model, document.data, (), document) | _arms(document)


def _walk(annotation: Any, data: Any, place: Path_, document: Document) -> dict[Path_, Problem]:
    scalar = document.scalars.get(place)
    if scalar is not None:
        found = _scalar(annotation, scalar, place)
        where = document.where(place, value=True)
        return {place: Problem(found[0], where, found[1])} if found else {}
    steps: list[tuple[str | int, Any]] = (
        list(data.items()) if isinstance(data, dict) else list(enumerate(data))
    )
    problems: dict[Path_, Problem] = {}
    for step, value in steps:
        expected = inner(annotation, step, data)
        problems |= _walk(expected, value, (*place, step), document)
    return problems


def _scalar(annotation: Any, scalar: Scalar, place: Path_) -> tuple[str, str] | None:
    name = dotted(place)
    if scalar.value is None:
        key = str(place[-1])
        if re.match(r"\w+:\S", key):
            return (
                f"'{key}' has no space after its colon, so YAML reads all of it as a key.",
                f"Write {key.replace(':', ': ', 1)}.",
            )
        what = (
            f"{name} is {scalar.text}, which YAML reads as nothing."
            if scalar.text
            else f"{name} has nothing after it."
        )
        return what, "Write a value, or take the line out."
    if date in choices(annotation) and not _is_day(scalar.text):
        return f"{name} is no date that can be read: {scalar.text}.", date_mend(scalar.text)
    return None


def _is_day(text: str) -> bool:
    try:
        return bool(_ISO.match(text) and date.fromisoformat(text))
    except ValueError:
        return False


def _arms(document: Document) -> dict[Path_, Problem]:
    """Arms must be named as the data name them, and a bare word may reach them changed."""
    problems: dict[Path_, Problem] = {}
    for place, scalar in document.scalars.items():
        if len(place) != 2 or place[0] != "arms" or not scalar.plain or scalar.value is None:
            continue
        name, where = dotted(place), document.where(place, value=True)
        if scalar.text.lower() in _SWITCH:
            what = (
                f"{name} is a bare {scalar.text}, which many readers of YAML take for true or "
                "false, not for an arm's name."
            )
            problems[place] = Problem(what, where, f"Put it in quotes: {scalar.quoted}.")
        elif not isinstance(scalar.value, str) and str(scalar.value) != scalar.text:
            what = f"{name} is {scalar.text}, which YAML reads as the number {scalar.value:g}."
            problems[place] = Problem(what, where, f"Put it in quotes: {scalar.quoted}.")
    return problems


_LAYOUTS = (
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y-%m-%d",
    "%Y%m%d",
    "%Y年%m月%d日",
    "%d %B %Y",
    "%d %b %Y",
    "%B %d %Y",
    "%b %d %Y",
)


def date_mend(text: str) -> str:
    """How to write a date that was written otherwise.

    >>> date_mend("2026-3-1")
    'Write 2026-03-01.'
    >>> date_mend("01/03/2026")
    'It may be 1 March or 3 January. Write the year first: 2026-03-01 or 2026-01-03.'
    >>> date_mend("2026-02-30")
    'There is no such day. Write year-month-day, such as 2026-03-01.'
    """
    usual = "Write year-month-day, such as 2026-03-01."
    parts = re.match(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})\Z", text)
    if parts is not None:
        return _either(int(parts[1]), int(parts[2]), int(parts[3])) or usual
    timed = re.match(r"(\d{4}-\d\d-\d\d)[T ]\S", text)
    if timed is not None and _is_day(timed[1]):
        return f"A plan's dates are whole days, without a time. Write {timed[1]}."
    words = text.replace(",", "").strip()
    for layout in _LAYOUTS:
        try:
            day = datetime.strptime(words, layout).date()  # noqa: DTZ007 - only the day is taken
        except ValueError:
            continue
        return f"Write {day.isoformat()}."
    if re.match(r"\d{4}-\d{1,2}-\d{1,2}\Z", text):
        return f"There is no such day. {usual}"
    return usual


def _either(first: int, second: int, year: int) -> str:
    """A date with the year last: day first, month first, or either."""
    days = []
    for month, day in ((second, first), (first, second)):
        try:
            days.append(date(year, month, day))
        except ValueError:
            continue
    days = list(dict.fromkeys(days))
    if not days:
        return ""
    if len(days) == 1:
        return f"Write the year first: {days[0].isoformat()}."
    one, two = days
    return (
        f"It may be {one.day} {one:%B} or {two.day} {two:%B}. "
        f"Write the year first: {one.isoformat()} or {two.isoformat()}."
    )
