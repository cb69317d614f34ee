"""What `octad init` writes: a charter, sources from a preset, metrics and a launch to change."""

from __future__ import annotations

import json
import textwrap

from octad.model.presets import Preset

__all__ = ["EXAMPLE", "launch_text", "project_text", "readme_text"]

EXAMPLE = "example"
"""The launch that a new project begins with."""

_EVENTS = {"ga4": ("session_start", "purchase"), "posthog": ("$pageview", "order_completed")}
"""What a tool calls coming back and doing the job; `open` and `pay` where it has no word."""

_FILES = {
    "ga4": {"events": "data/events/*.parquet", "exposures": "data/events/*.parquet"},
    "posthog": {
        "events": "data/events/*.parquet",
        "exposures": "data/events/*.parquet",
        "users": "data/persons/*.parquet",
    },
    "google_play": {"reviews": "data/reviews/*.csv"},
    "github_releases": {"releases": "data/releases.json"},
}
"""Where a tool's export is put when it comes in many files, or not as CSV."""

_ARM = {
    "ga4": "where: user_properties.firebase_exp_3 is not null, arm: user_properties.firebase_exp_3"
}
"""Who was in which arm, where the tool does not say it the same way in every project."""

_ROLES = ("events", "exposures", "users", "units", "reviews", "releases", "links")


def project_text(preset: Preset, product: str) -> str:
    """`octad.yml` for a preset."""
    _, done = _names(preset)
    head = f"""\
# What the product is, where its data lie, and what is measured.
# After every change, `octad check` says whether Octad can read it all.
product: {_quoted(product)}    # as reviews name it, if there are any

# What the product is for. A launch is held against this, not only against its KPI.
charter:
  purpose: In one sentence, what people come for.
  jobs:                    # what people hire it for: the events that do it,
    main:                  # and the words they name it by in reviews
      {{events: [{done}], terms: [], core: true}}
  never:                   # lines that must not be crossed, whatever a number says
    shame: Show anybody something about a person that the person would hide.
"""
    tail = """\
rivals: []                 # such as [OtherApp], named as in the reviews

# A metric is measured per user, since the user first met the launch.
# Kinds: count, sum, mean, any, returns, ratio, quantile, funnel, column, reviews.
metrics:
"""
    sources, metrics = "\n".join(_sources(preset)), "\n".join(_metrics(preset))
    return f"{head}\n{sources}\n\n{tail}{metrics}\n"


def _names(preset: Preset) -> tuple[str, str]:
    return _EVENTS.get(preset.name, ("open", "pay"))


def _sources(preset: Preset) -> list[str]:
    """The sources of a new project; those it may have later stand beside them as comments."""
    notes = [f"Tables: CSV, Parquet or JSON lines beside this file. Preset: {preset.title}."]
    notes += preset.notes
    notes += ["Columns are found by their usual names; name one to be sure: `user: user_id`."]
    now = written(preset)
    wraps = [textwrap.wrap(n, 96, initial_indent="# ", subsequent_indent="#   ") for n in notes]
    return [
        *(line for wrapped in wraps for line in wrapped),
        "sources:",
        *(f"  {_source(preset, role)}" for role in now),
        # Indented as the others, so that taking the mark away is all it takes.
        *(f"  # {_source(preset, r)}  # when you have them" for r in _ROLES if r not in now),
    ]


def written(preset: Preset) -> list[str]:
    """The sources that a new project names: what the preset knows, and enough to measure by."""
    if "events" in preset.tables:
        return ["events", "exposures"]
    known = [role for role in _ROLES if role in preset.tables]
    return known if {"units", "reviews"}.intersection(known) else ["reviews", *known]


def _source(preset: Preset, role: str) -> str:
    """A source's line: by the preset where it knows the table, else by the usual names."""
    table = f"table: {_file(preset, role)}"
    known = preset.tables.get(role)
    if known is None or preset.name == "plain":
        return f"{role + ':':<11}{{{table}}}"
    named = f"{table}, preset: {preset.name}"
    if role == "exposures" and "arm" not in known.roles:
        named += f", {_ARM.get(preset.name, 'arm: arm')}"
    return f"{role + ':':<11}{{{named}}}"


def _file(preset: Preset, role: str) -> str:
    return _FILES.get(preset.name, {}).get(role, f"data/{role}.csv")


def _metrics(preset: Preset) -> list[str]:
    opened, done = _names(preset)
    if "events" in written(preset):
        return [
            f"  opens:    {{count: {opened}, window: 14d}}",
            f"  done:     {{count: {done}, window: 28d}}",
            f"  retained: {{returns: {opened}, between: [21d, 28d]}}",
        ]
    if "reviews" in written(preset):
        return ["  stars:    {reviews: stars}", "  talk:     {reviews: volume}"]
    return ["  outcome:  {column: outcome}    # a column of the units table"]


def launch_text(preset: Preset) -> str:
    """`launches/example.yml` for a preset."""
    sources = written(preset)
    if "events" in sources:
        kpi, middle, design = "opens", _RESULTS, _EXPERIMENT
        last = "  - {metric: done, change: no worse than -1%, sure: 90%}\n"
    else:
        kpi = "stars" if "reviews" in sources else "outcome"
        middle, design, last = "", _EVERYONE if kpi == "stars" else _EXPERIMENT, ""
    return f"""\
# A launch. The file's name is the launch's name; `octad review {EXAMPLE}` reviews it.
launch: {EXAMPLE}
what: In one sentence, what was launched.
{design}
{f"kpi: {kpi}":<26} # the number the team is paid for
{middle}horizon: 90d               # how far ahead it should hold
jobs: [main]               # which of the charter's jobs it is meant to serve
never: {{shame: Write here how you made sure of it.}}
# What you expect, and how sure you are. It is scored later, so that you learn how often you are
# right.
expects:
  - {{metric: {kpi}, change: at least 2%, sure: 70%}}
{last}signed: {{}}                 # who stands for it, such as {{product: Mei}}
"""


_EXPERIMENT = """\
design: experiment         # or {everyone: 2026-03-01}; or {staged: region, dates: {…}}
arms: {control: "off", treatment: "on"}    # named as in the data; keep the quotes
starts: 2026-03-01         # the first day observed, and the last
ends: 2026-03-29
"""
_EVERYONE = """\
design: {everyone: 2026-03-01}    # the day everybody got it
starts: 2026-02-01         # the first day observed, and the last
ends: 2026-03-29
"""
_RESULTS = """\
# Results are what the product lives by. Beside each: the loss still tolerable, relative.
results: {done: 1%, retained: 0.5%}
"""


def _quoted(text: str) -> str:
    """Text as a YAML double-quoted scalar, which JSON's strings are."""
    return json.dumps(text, ensure_ascii=False)


def readme_text(preset: Preset, product: str) -> str:
    """A short README for the project's folder."""
    tables = " and ".join(dict.fromkeys(f"`{_file(preset, r)}`" for r in written(preset)))
    return f"""# Launch reviews of {_plain(product)}

1. Put your data in {tables}, or say in `octad.yml` where they lie. {preset.get}
2. `octad check` reads every table and says what it found, and what it could not use.
3. Say in `octad.yml` what the product is for, and what is measured.
4. Copy `launches/{EXAMPLE}.yml` to a file named after your launch, and fill it in.
5. `octad review NAME` reviews it.

`octad.yml`, `launches/` and `ledger.jsonl` belong in git. `.octad/` holds caches.
"""


def _plain(text: str) -> str:
    """A name in Markdown, where it must not become a tag or a link."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>#!|" else sign for sign in text)
