"""A plan asked for in plain words, one question at a time, and written as a file to edit."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from octad.errors import FileError, OctadError, UsageError, Where
from octad.lifecycle import answers
from octad.model.base import parse_margin
from octad.model.metric import Metric
from octad.model.records import Seal
from octad.project.atomic import mend, reason
from octad.project.ledger import Ledger
from octad.project.load import LAUNCHES, LoadedProject, load_plan, load_project

__all__ = ["Ask", "Question", "interview", "not_here", "refuse_taken"]

_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Question:
    """One question.

    Attributes:
        key: The key of the plan that it fills.
        text: What is asked, in plain words.
        hint: What may be answered.
        default: What an empty answer means; empty when nothing is assumed.
        read: Turns an answer into a value; raises ValueError with what is wrong, in words.
    """

    key: str
    text: str
    read: Callable[[str], Any]
    hint: str = ""
    default: str = ""


Ask = Callable[[Question], Any]
"""Asks until an answer holds, and gives its value."""


@dataclass(slots=True)
class _Home:
    """What the project offers: names to choose from, and what was answered the last time."""

    metrics: Mapping[str, Metric]
    jobs: tuple[str, ...]
    never: Mapping[str, str]
    attributes: tuple[str, ...]
    groups: bool
    last: dict[str, Any] = field(default_factory=dict)


def refuse_taken(root: Path, launch: str) -> Path:
    """Where a new launch's file will be.

    Raises:
        FileError: When the name cannot be a file's, or the file is there: it is never replaced.
    """
    odd = launch in ("", ".", "..") or Path(launch).name != launch or "\\" in launch
    if odd or not launch.isprintable() or len(launch.encode()) > _LONGEST_NAME:
        raise FileError(
            "this is no launch's name.",
            mend="Give it one plain word without an ending, such as circles.",
        )
    path = root / LAUNCHES / f"{launch}.yml"
    if path.exists():
        raise FileError(
            "this plan is there already, and is not written over.",
            where=Where(f"{LAUNCHES}/{launch}.yml"),
            mend=f"Edit the file, or size it as it is: octad plan {launch}",
        )
    return path


def interview(root: Path, launch: str, ask: Ask, *, today: date) -> Path:
    """Ask for a plan, and write it.

    Args:
        root: The project's folder.
        launch: The new launch's name.
        ask: Asks one question.
        today: For the dates that are offered.

    Returns:
        The file that was written.

    Raises:
        FileError: When the file is there already, or cannot be written; nothing is changed then.
    """
    path = refuse_taken(root, launch)
    home = _home(load_project(root), root)
    text = _text(launch, _answers(home, ask, today), home)
    _write_new(path, text)
    try:
        load_plan(root, launch)
    except OctadError:
        path.unlink()
        raise
    return path


def _home(loaded: LoadedProject, root: Path) -> _Home:
    project = loaded.project
    sources = project.sources
    attributes = sources.users.attributes if sources.users else ()
    seals = [e.record for e in Ledger.open(root).entries() if isinstance(e.record, Seal)]
    return _Home(
        metrics=project.metrics,
        jobs=tuple(project.charter.jobs),
        never=project.charter.never,
        attributes=attributes or (sources.units.attributes if sources.units else ()),
        groups=sources.exposures is not None or sources.units is not None,
        last=dict(seals[-1].record.get("launch", {})) if seals else {},
    )


def _answers(home: _Home, ask: Ask, today: date) -> dict[str, Any]:
    """Ask everything, in the order in which a team would talk about it."""
    said: dict[str, Any] = {}

    def put(question: Question) -> Any:
        said[question.key] = ask(question)
        return said[question.key]

    put(Question("what", "What is launched, in one sentence?", answers.sentence))
    _who(home, put, today)
    put(_metric("kpi", "Which number is the team paid for (the KPI)?", home))
    put(_margins("results", "What is that meant to lead to, and how much of it may be lost?", home))
    put(_margins("guardrails", "What must not get worse, and by how much at most?", home))
    if home.attributes:
        offered = ", ".join(home.attributes)
        text = "By which attributes should harm be searched for?"
        read = answers.names_of(home.attributes, "attribute")
        put(Question("segments", text, read, f"some of {offered}", offered))
    put(
        Question(
            "horizon", "How long should the gain last?", answers.span, "such as 90d or 12w", "90d"
        )
    )
    if home.jobs:
        text = "Which of the product's jobs does it serve?"
        hint = f"some of {', '.join(home.jobs)}; empty for none"
        put(Question("jobs", text, answers.names_of(home.jobs, "job"), hint))
    said["never"] = {}
    for name, line in home.never.items():
        text = f"Never: {line.rstrip('.')}. How was that looked after?"
        answer = ask(Question(f"never.{name}", text, str.strip, "empty when it was not"))
        if answer:
            said["never"][name] = answer
    said["expects"] = _forecasts(said, ask)
    put(
        Question(
            "signed", "Who stands for the plan?", answers.signed, "role and name: product Mei, …"
        )
    )
    return said


def _who(home: _Home, put: Callable[[Question], Any], today: date) -> None:
    """Who gets it, and when."""
    choices = ("chance", "everyone") if home.groups else ("everyone", "chance")
    text = "Who gets it: users drawn by chance, or everyone at once?"
    hint = "chance (an experiment) or everyone; staged and targeted launches are written by hand"
    design = put(Question("design", text, answers.one_of(choices), hint, choices[0]))
    day = today + timedelta(days=1)
    begins = put(Question("starts", "First day?", answers.day, "year-month-day", day.isoformat()))
    text, last = "Last day observed?", (begins + timedelta(days=27)).isoformat()
    ends = put(Question("ends", text, answers.day_from(begins), "year-month-day", last))
    if design == "chance":
        arms = "What are the groups called in the data: without it, with it?"
        put(Question("arms", arms, answers.arms, "two words, control first", "off, on"))
        text = "Last day on which users may still enter?"
        last = (begins + (ends - begins) / 2).isoformat()
        put(Question("enrol_until", text, answers.day_from(begins, ends), "year-month-day", last))


def _forecasts(said: Mapping[str, Any], ask: Ask) -> list[tuple[str, str, str]]:
    found = []
    for name in dict.fromkeys((said["kpi"], *said["results"])):
        text = f"What change of {name} do you expect?"
        hint = "at least 5%, no worse than -1%, at most 2%, between -1% and 2%; empty for none"
        change = ask(Question(f"expects.{name}", text, answers.change, hint))
        if change:
            sure = Question(f"sure.{name}", "How sure are you?", answers.sure, "such as 80%", "80%")
            found.append((name, change, ask(sure)))
    return found


def _metric(key: str, text: str, home: _Home) -> Question:
    last = home.last.get(key, "")
    default = last if last in home.metrics else next(iter(home.metrics), "")
    hint = f"one of {', '.join(home.metrics)}"
    return Question(key, text, answers.one_of(home.metrics), hint, default)


def _margins(key: str, text: str, home: _Home) -> Question:
    """Metrics with the loss still tolerable, by default as in the last launch that was sealed."""
    last = {n: m for n, m in home.last.get(key, {}).items() if n in home.metrics}
    default = ", ".join(f"{name} {margin}" for name, margin in last.items())
    if not default and key == "guardrails":
        down = [name for name, metric in home.metrics.items() if metric.better == "down"]
        default = ", ".join(f"{name} 2%" for name in down)
    hint = f"a metric and a loss, such as {[*home.metrics, 'payments'][0]} 1%; empty for none"

    def read(answer: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for part in filter(None, (one.strip() for one in answer.split(","))):
            name, _, margin = part.replace(":", " ").rpartition(" ")
            if not name:
                msg = f"'{part}' has no margin; write such as {part} 1%"
                raise ValueError(msg)
            answers.one_of(home.metrics)(name)
            found[name.strip()] = str(parse_margin(margin))
        return found

    return Question(key, text, read, hint, default)


def _quoted(text: str) -> str:
    """A YAML scalar that means this very text: JSON's strings are YAML's."""
    return json.dumps(text, ensure_ascii=False)


def _flow(pairs: Mapping[str, str], *, quote: bool = True) -> str:
    inner = ", ".join(f"{_quoted(k)}: {_quoted(v) if quote else v}" for k, v in pairs.items())
    return "{" + inner + "}"


def _listed(names: Iterable[str]) -> str:
    return "[" + ", ".join(map(_quoted, names)) + "]"


def _text(launch: str, said: Mapping[str, Any], home: _Home) -> str:
    """The file: every key with what it means, so that it can be edited by hand later."""
    lines = [
        f"# The plan of {launch}. Change what does not fit, then: octad plan {launch}",
        f"launch: {_quoted(launch)}",
        f"what: {_quoted(said['what'])}",
        "",
        "# Who gets it, and when; ends is the last day observed.",
    ]
    if said["design"] == "chance":
        control, treatment = said["arms"]
        lines += [
            "design: experiment",
            f"arms: {_flow({'control': control, 'treatment': treatment})}",
        ]
    else:
        lines.append(f"design: {{everyone: {said['starts']}}}")
    lines += [f"starts: {said['starts']}", f"ends: {said['ends']}"]
    if "enrol_until" in said:
        lines.append(f"enrol_until: {said['enrol_until']}")
    lines += [
        "",
        "# The number the team is paid for; it alone never ships a launch.",
        f"kpi: {_quoted(said['kpi'])}",
        "# What it is meant to lead to, each with the loss still tolerable.",
        f"results: {_flow(said['results'])}",
        "# What must not get worse, in the same way.",
        f"guardrails: {_flow(said['guardrails'])}",
    ]
    if "segments" in said:
        lines += [
            "# Attributes by which harm is searched for.",
            f"segments: {_listed(said['segments'])}",
        ]
    lines += ["# How long the gain should last.", f"horizon: {said['horizon']}"]
    if said.get("jobs"):
        lines += ["# The charter's jobs that it serves.", f"jobs: {_listed(said['jobs'])}"]
    if home.never:
        lines.append("# How each line that must never be crossed was looked after.")
        lines.append(f"never: {_flow(said['never'])}")
    lines += ["", "# What you expect, and how sure you are: scored when the launch has ended."]
    if said["expects"]:
        lines.append("expects:")
        lines += [
            f"  - {{metric: {_quoted(name)}, change: {_quoted(change)}, sure: {sure}}}"
            for name, change, sure in said["expects"]
        ]
    else:
        lines.append("expects: []")
    lines.append(f"signed: {_flow(said['signed'])}")
    return "\n".join(lines) + "\n"


def _write_new(path: Path, text: str) -> None:
    """Write a file that is not there yet; one that somebody made meanwhile is left alone.

    Raises:
        FileError: When it is there, or cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
    except FileExistsError as error:
        raise FileError(
            "somebody wrote this plan while you answered, and it is not written over.",
            where=Where(f"{LAUNCHES}/{path.name}"),
            mend="Look at that file first.",
        ) from error
    except OSError as error:
        path.unlink(missing_ok=True)
        raise FileError(
            f"the plan cannot be written ({reason(error)}).",
            where=Where(f"{LAUNCHES}/{path.name}"),
            mend=mend(error),
        ) from error


def not_here(launch: str) -> UsageError:
    """What is said where nobody can be asked."""
    return UsageError(
        "an interview needs a terminal, and somebody to answer.",
        mend=f"Write {LAUNCHES}/{launch}.yml by hand; docs/files.md names its keys.",
    )
