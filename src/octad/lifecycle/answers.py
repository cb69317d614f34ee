"""Answers to the questions of an interview, read: each gives a value, or ValueError in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta

from octad.errors import nearest
from octad.model.base import format_span, parse_share, parse_span
from octad.model.plan import Change, parse_change

__all__ = [
    "arms",
    "change",
    "day",
    "day_from",
    "names_of",
    "one_of",
    "sentence",
    "signed",
    "span",
    "sure",
]


def sentence(answer: str) -> str:
    """Whatever is said, if anything is."""
    if not answer.strip():
        msg = "a sentence is wanted, for those who read it in a year"
        raise ValueError(msg)
    return answer.strip()


def one_of(names: Iterable[str]) -> Callable[[str], str]:
    """One of these names; another is told the nearest."""
    known = tuple(names)

    def read(answer: str) -> str:
        if answer.strip() not in known:
            near = nearest(answer.strip(), known)
            msg = f"'{answer.strip()}' is not among them. {near}".strip()
            raise ValueError(msg)
        return answer.strip()

    return read


def names_of(known: tuple[str, ...], kind: str) -> Callable[[str], tuple[str, ...]]:
    """Some of these names, with commas between; `kind` says what they are."""

    def read(answer: str) -> tuple[str, ...]:
        names = tuple(filter(None, (one.strip() for one in answer.split(","))))
        for name in names:
            if name not in known:
                msg = f"there is no {kind} '{name}'. {nearest(name, known)}".strip()
                raise ValueError(msg)
        return names

    return read


def span(answer: str) -> str:
    """A span of time, such as ``90d``."""
    found = parse_span(answer)
    if not isinstance(found, timedelta) or not found:
        msg = "that is no time at all; write such as 90d"
        raise ValueError(msg)
    return format_span(found)


def day(answer: str) -> date:
    """A day, as year-month-day."""
    try:
        return date.fromisoformat(answer.strip())
    except ValueError:
        msg = f"'{answer}' is no day; write year-month-day, such as 2026-03-01"
        raise ValueError(msg) from None


def day_from(first: date, last: date | None = None) -> Callable[[str], date]:
    """A day not before `first`, and not after `last` where there is one."""

    def read(answer: str) -> date:
        found = day(answer)
        if found < first or (last is not None and found > last):
            when = f"on {first} or later" if last is None else f"between {first} and {last}"
            msg = f"it must be {when}"
            raise ValueError(msg)
        return found

    return read


def arms(answer: str) -> tuple[str, str]:
    """Two different names, control first."""
    names = [one.strip() for one in answer.replace(",", " ").split()]
    if len(names) != 2 or names[0] == names[1]:
        msg = "two different names are wanted, the group without it first: off, on"
        raise ValueError(msg)
    return names[0], names[1]


def change(answer: str) -> str:
    """A change as a plan writes it, such as ``at least 5%``; empty for none."""
    if not answer.strip():
        return ""
    found = parse_change(answer)
    return str(found) if isinstance(found, Change) else ""


def sure(answer: str) -> str:
    """How sure somebody is, as a percentage."""
    found = parse_share(answer)
    return f"{found * 100:g}%" if isinstance(found, float) else ""


def signed(answer: str) -> dict[str, str]:
    """Roles with their names, with commas between."""
    found = {}
    for part in filter(None, (one.strip() for one in answer.split(","))):
        role, _, name = part.replace(":", " ").partition(" ")
        if not name.strip():
            msg = f"'{part}' is one word; write the role and the name, such as product Mei"
            raise ValueError(msg)
        found[role] = name.strip()
    return found
