"""`octad init`: a new project's files, written all or none, and over nothing."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path

from octad.errors import FileError, UsageError, Where
from octad.model import presets
from octad.model.presets import Preset
from octad.project.atomic import mend, reason, sync_folder
from octad.project.load import LAUNCHES, PROJECT_FILE
from octad.project.problems import shown

__all__ = ["EXAMPLE", "create"]

EXAMPLE = "example"
"""The launch that a new project begins with."""

_EVENTS = {"ga4": ("session_start", "purchase"), "posthog": ("$pageview", "order_completed")}
"""What a tool calls coming back and doing the job; `open` and `pay` where it has no word."""

_FIRST = ("events", "exposures")
_ORDER = (*_FIRST, "users", "units", "reviews", "releases")


def create(folder: Path, preset: str, product: str) -> list[Path]:
    """Write a project to begin from.

    Args:
        folder: Made when it is not there. A README or .gitignore that is there stays as it is.
        preset: Whose export the data are, such as ``plain``; see `octad.model.presets.names`.
        product: What the product is called.

    Returns:
        The files that were written.

    Raises:
        UnknownNameError: When there is no such preset.
        UsageError: When the product has no name.
        FileError: When a project is there already, or the folder cannot be written; then nothing
            has changed.
    """
    known = presets.load(preset)
    product = " ".join("".join(c if c.isprintable() else " " for c in product).split())
    if not product:
        raise UsageError("The product has no name.", mend="Give it one, such as Wallet.")
    for name in (PROJECT_FILE, f"{LAUNCHES}/{EXAMPLE}.yml"):
        if os.path.lexists(folder / name):
            what = f"There is {name} already, and nothing is written over."
            raise FileError(what, where=Where(shown(folder / name)), mend="Choose another folder.")
    texts = {
        PROJECT_FILE: project_text(known, product),
        f"{LAUNCHES}/{EXAMPLE}.yml": launch_text(known),
        ".gitignore": "# Octad's caches; they can be deleted at any time.\n.octad/\n",
        "README.md": _readme(known, product),
    }
    wanted = {
        folder / name: text for name, text in texts.items() if not os.path.lexists(folder / name)
    }
    try:
        return _place(folder, wanted)
    except OSError as error:
        what = f"The project cannot be written ({reason(error)}); nothing has changed."
        raise FileError(what, where=Where(shown(folder)), mend=mend(error)) from error


def _place(folder: Path, texts: dict[Path, str]) -> list[Path]:
    """Write every file under a passing name, then give each its own; undo all if one fails."""
    mark = secrets.token_hex(4)
    made: list[Path] = []
    placed: list[Path] = []
    passing: dict[Path, Path] = {}
    try:
        for path in (folder, folder / LAUNCHES):
            made += _make(path)
        for path, text in texts.items():
            passing[path] = path.with_name(f".{path.name}.{mark}.tmp")
            passing[path].write_text(text, encoding="utf-8", newline="\n")
        for path, temporary in passing.items():
            _name(temporary, path)
            placed.append(path)
    except BaseException:
        for path in placed:
            path.unlink(missing_ok=True)
        _clear(passing)
        for path in reversed(made):
            with contextlib.suppress(OSError):
                path.rmdir()
        raise
    _clear(passing)
    for path in {path.parent for path in texts}:
        sync_folder(path)
    return placed


def _make(folder: Path) -> list[Path]:
    """Make a folder and those above it; says which were made, the outermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    for path in reversed(missing):
        path.mkdir()
    return missing[::-1]


def _name(temporary: Path, path: Path) -> None:
    """Give a file its name, failing when the name is taken, even in this very moment."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):  # a file system without links
        if os.path.lexists(path):
            raise FileExistsError(17, "File exists", str(path)) from None
        temporary.rename(path)


def _clear(passing: dict[Path, Path]) -> None:
    for temporary in passing.values():
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def project_text(preset: Preset, product: str) -> str:
    """`octad.yml` for a preset."""
    opened, done = _EVENTS.get(preset.name, ("open", "pay"))
    return "\n".join(
        [
            "# What the product is, where its data lie, and what is measured.",
            "# After every change, `octad check` says whether Octad can read it all.",
            f"product: {_quoted(product)}",
            "",
            "# What the product is for. A launch is held against this, not only against its KPI.",
            "charter:",
            "  purpose: In one sentence, what people come for.",
            "  jobs:                    # what people hire it for: the events that do it,",
            "    main:                  # and the words they name it by in reviews",
            f"      {{events: [{done}], terms: [], core: true}}",
            "  never:                   # lines that must not be crossed, whatever a number says",
            "    shame: Show anybody something about a person that the person would hide.",
            "",
            *_sources(preset),
            "",
            "rivals: []                 # such as [OtherApp], named as in the reviews",
            "",
            "# A metric is measured per user, since the user first met the launch.",
            "# Kinds: count, sum, mean, any, returns, ratio, quantile, funnel, column, reviews.",
            "metrics:",
            *_metrics(preset, opened, done),
            "",
        ]
    )


def _sources(preset: Preset) -> list[str]:
    lines = [
        f"# Tables: CSV, Parquet or JSON lines beside this file. Preset: {preset.title}.",
        *(f"# {note}" for note in preset.notes),
        "# Columns are found by their usual names; name one to be sure, such as `user: user_id`.",
        "sources:",
    ]
    written = _written(preset)
    others = [role for role in _ORDER if role in preset.tables and role not in written]
    return [
        *lines,
        *(f"  {_source(preset, role)}" for role in written),
        *(f"# {_source(preset, role)}  # when you have them" for role in others),
    ]


def _source(preset: Preset, role: str) -> str:
    return f"{role + ':':<11}{{table: data/{role}.csv{_preset_key(preset)}}}"


def _preset_key(preset: Preset) -> str:
    return "" if preset.name == "plain" else f", preset: {preset.name}"


def _written(preset: Preset) -> list[str]:
    """The sources that a new project names; the others stand beside them as comments."""
    first: list[str] = [role for role in _FIRST if role in preset.tables]
    return first or [role for role in _ORDER if role in preset.tables]


def _metrics(preset: Preset, opened: str, done: str) -> list[str]:
    if "events" in preset.tables:
        return [
            f"  opens:    {{count: {opened}, window: 14d}}",
            f"  done:     {{count: {done}, window: 28d}}",
            f"  retained: {{returns: {opened}, between: [21d, 28d]}}",
        ]
    if "reviews" in preset.tables:
        return ["  stars:    {reviews: stars}", "  talk:     {reviews: volume}"]
    return ["  outcome:  {column: outcome}    # a column of the units table"]


def launch_text(preset: Preset) -> str:
    """`launches/example.yml` for a preset."""
    events, reviews = "events" in preset.tables, "reviews" in preset.tables
    kpi, result = ("opens", "done") if events else ("stars", "") if reviews else ("outcome", "")
    randomised = events or not reviews
    return "\n".join(
        [
            "# A launch. The file's name is the launch's name; `octad review example` reviews it.",
            f"launch: {EXAMPLE}",
            "what: In one sentence, what was launched.",
            *(_experiment() if randomised else _everyone()),
            "",
            f"kpi: {kpi}                 # the number the team is paid for",
            *_margins(result, events=events),
            "horizon: 90d               # how far ahead it should hold",
            "jobs: [main]               # which of the charter's jobs it is meant to serve",
            "never: {shame: Write here how you made sure of it.}",
            *_expects(kpi, result),
            "signed: {}                 # who stands for it, such as {product: Mei}",
            "",
        ]
    )


def _experiment() -> list[str]:
    return [
        "design: experiment         # or {everyone: 2026-03-01}; or {staged: region, dates: {…}}",
        'arms: {control: "off", treatment: "on"}    # named as in the data; keep the quotes',
        "starts: 2026-03-01         # the first day observed, and the last",
        "ends: 2026-03-29",
    ]


def _everyone() -> list[str]:
    return [
        "design: {everyone: 2026-03-01}    # the day everybody got it",
        "starts: 2026-02-01         # the first day observed, and the last",
        "ends: 2026-03-29",
    ]


def _margins(result: str, *, events: bool) -> list[str]:
    if not events:
        return []
    return [
        "# Results are what the product lives by. Beside each: the loss still tolerable, relative.",
        f"results: {{{result}: 1%, retained: 0.5%}}",
    ]


def _expects(kpi: str, result: str) -> list[str]:
    lines = [
        "# What you expect, and how sure you are. It is scored later, so that you learn how often",
        "# you are right.",
        "expects:",
        f"  - {{metric: {kpi}, change: at least 2%, sure: 70%}}",
    ]
    if result:
        lines.append(f"  - {{metric: {result}, change: no worse than -1%, sure: 90%}}")
    return lines


def _quoted(text: str) -> str:
    """Text as a YAML double-quoted scalar, which JSON's strings are."""
    return json.dumps(text, ensure_ascii=False)


def _readme(preset: Preset, product: str) -> str:
    tables = ", ".join(f"`data/{role}.csv`" for role in _written(preset))
    return f"""# Launch reviews of {_plain(product)}

1. Put your data beside this file: {tables}. (CSV, Parquet or JSON lines; say which in
   `octad.yml`.) {preset.get}
2. `octad check` reads every table and says what it found, and what it could not use.
3. Say in `octad.yml` what the product is for, and what is measured.
4. Copy `launches/{EXAMPLE}.yml` to a file named after your launch, and fill it in.
5. `octad review NAME` reviews it.

`octad.yml`, `launches/` and `ledger.jsonl` belong in git. `.octad/` holds caches.
"""


def _plain(text: str) -> str:
    """A name in Markdown, where it must not become a tag or a link."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#!|" else sign for sign in text)
