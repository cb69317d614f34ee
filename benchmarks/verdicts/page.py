"""docs/worlds.md and its figure, written from the counts."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from benchmarks.verdicts.rules import RULES
from benchmarks.verdicts.run import Run
from benchmarks.verdicts.show import (
    Rows,
    kinds_table,
    rules_table,
    saw_table,
    target_words,
    wolf_table,
    wrong_table,
)
from benchmarks.verdicts.tally import Line, Tally
from octad import worlds

__all__ = ["drawn", "page", "write_page"]

DOCS = Path(__file__).resolve().parents[2] / "docs"

HEAD = """\
# Worlds: how often is the verdict right?

Nobody knows what a real launch would have been without it. In a simulated product one can know:
its people live on for a year with the launch and, from the same moment and with the same draws of
chance, without it. `octad.worlds` holds such products, one for each way in which a launch can be
good, bad, or not what its numbers say. They are made of mechanisms (needs, habits, tolerance,
friends, devices, jobs, errors, a rival, reviews written from what somebody lived), not of the
statistics that reviews test with.

This page is written by `make worlds ARGS=--page`, and its numbers are those of one call. Each world
is laid out as a project folder, its plan sealed before the launch, and reviewed once, on the plan's
last day, as any launch is. `truth.json` is carried out of the folder beforehand, unread, and opened
when the review is done. Each kind, strength and size has seeds of its own, numbered in their last
three digits; the readings were developed on 1 to 20, and what is reported here are others.

"""

TERMS = """\
- **visible**: runs whose truth the data could show (power of at least 80% on what decides it).
- **right**: the verdict is one that the truth allows; where the truth is not visible, or the design
  has no estimator yet, `hold` or `cannot tell` is right. In brackets the 95% interval (Wilson).
- **harm shipped**: of the runs with harm, those that were told to ship. **false roll back**: of
  the runs without harm, those that were told to roll back.
- **days**: with a look on every seventh day and one on the plan's last (day 37), the median day of
  the first look from which the verdict stays right.
"""

RULES_HEAD = """\
## Four simpler rules on the same data

Each gets the same estimates, adjusted by the pre-period in the same way, and the plan's own metrics
and margins; see `benchmarks/verdicts/rules.py`.

- *KPI alone*: p under .05; up ships, down rolls back.
- *KPI and guardrails*: the same, but a result or guardrail worse at p under .05 rolls back.
- *Spotify's rule* (Schultzberg, Ankargren, Frånberg 2024): ship when a success metric is superior,
  every guardrail non-inferior at its margin, nothing deteriorates and the sample ratio holds.
- *chance to win*: Bayesian, flat prior; above 95% ships, below 5% rolls back.

"""


def write_page(tally: Tally, runs: Sequence[Run], note: str = "") -> None:
    """Write docs/worlds.md and docs/worlds.svg."""
    (DOCS / "worlds.md").write_text(page(tally, runs, note), encoding="utf-8")
    (DOCS / "worlds.svg").write_text(drawn(tally), encoding="utf-8")


def page(tally: Tally, runs: Sequence[Run], note: str = "") -> str:
    """The page as Markdown."""
    parts = [
        HEAD,
        _measured(runs),
        f"{note}\n\n" if note else "",
        "".join(f"- {target_words(t)}\n" for t in tally.targets),
        "\n![Share of right verdicts for each kind of world, under each rule](worlds.svg)\n\n",
        "## Kind by kind\n\n",
        _markdown(kinds_table(tally)),
        f"\n{TERMS}\n",
        _kinds(tally),
        RULES_HEAD,
        _markdown(rules_table(tally)),
        "\n## Which reading saw it\n\n",
        (
            "Of the runs of each kind: the first reading, in the order of the verdict's table,\n"
            "that failed the measurement, showed harm or spoke against.\n\n"
        ),
        _markdown(saw_table(tally), left=2),
        "\n## Which readings cried wolf\n\n",
        (
            "In worlds where nothing is wrong, neither with the launch nor with its measurement:\n"
            "how often each reading, and below it each finding, spoke against.\n\n"
        ),
        _markdown(wolf_table(tally)),
        _wrong(tally),
    ]
    return "".join(parts)


def _measured(runs: Sequence[Run]) -> str:
    users = sorted({r.case.users for r in runs})
    sizes = " and ".join(f"{n:,}" for n in users)
    numbers = [r.case.number for r in runs]
    strengths = ", ".join(dict.fromkeys(r.case.strength for r in runs))
    seconds = sum(r.seconds for r in runs) / len(runs)
    return (
        f"**{len(runs)} runs**: {len({r.case.kind for r in runs})} kinds, strengths {strengths}, "
        f"{sizes} users,\nvariants {min(numbers)} to {max(numbers)}; {seconds:.1f} s of processor "
        "time a review.\n\n"
    )


def _kinds(tally: Tally) -> str:
    told = {kind.name: kind.about for kind in worlds.kinds()}
    rows = tuple((f"`{line.name}`", told[line.name]) for line in tally.kinds)
    head = "What each kind is; `octad demo --world NAME` opens it as a project folder:\n\n"
    return head + _markdown((("kind", "what happens in it"), *rows), left=2) + "\n"


def _wrong(tally: Tally) -> str:
    rows = wrong_table(tally.wrong)
    if not rows:
        return "\n## The wrong ones\n\nNone in these runs.\n"
    lines = [
        f"- **{world}**: {said}. {because} `{command}`\n" for world, said, because, command in rows
    ]
    return f"\n## The wrong ones\n\nAll {len(rows)}, worst first.\n\n" + "".join(lines)


def _markdown(rows: Rows, left: int = 1) -> str:
    head, *body = rows
    lines = [
        f"| {' | '.join(head)} |",
        f"|{'|'.join('---' if i < left else '---:' for i in range(len(head)))}|",
    ]
    lines += [f"| {' | '.join(row)} |" for row in body]
    return "\n".join(lines) + "\n"


WIDE, LEFT, RIGHT, ROW, TOP = 900, 230, 40, 26, 64
COLOURS = ("#b45309", "#7c6f64", "#6d28d9", "#0f766e")
OURS = "#111827"


def drawn(tally: Tally) -> str:
    """A static chart: a row a kind, the share of right verdicts of Octad and of each rule."""
    lines = (*tally.kinds, tally.total)
    tall = TOP + ROW * len(lines) + 30
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {tall}" '
            'font-family="system-ui,sans-serif" font-size="13">'
        ),
        "<title>Share of right verdicts, by kind of world</title>",
        f'<rect width="{WIDE}" height="{tall}" fill="#ffffff"/>',
        _legend(),
    ]
    for tenth in range(0, 101, 25):
        x = _at(tenth / 100)
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="{TOP - 6}" y2="{tall - 26}" stroke="#e5e7eb"/>'
            f'<text x="{x}" y="{tall - 8}" text-anchor="middle" fill="#6b7280">{tenth}%</text>'
        )
    for i, line in enumerate(lines):
        others = [tally.rules[r][i] if i < len(tally.kinds) else tally.totals[r] for r in RULES]
        parts.append(_drawn_row(TOP + ROW * i + ROW // 2, line, others))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _at(value: float) -> float:
    return round(LEFT + value * (WIDE - LEFT - RIGHT), 1)


def _legend() -> str:
    names, x, parts = ("octad", *RULES), LEFT, []
    for name, colour in zip(names, (OURS, *COLOURS), strict=True):
        parts.append(
            f'<circle cx="{x}" cy="24" r="{6 if name == "octad" else 4}" fill="{colour}"/>'
            f'<text x="{x + 11}" y="28.5" fill="{OURS}">{escape(name)}</text>'
        )
        x += 28 + 8 * len(name)
    return "".join(parts)


def _drawn_row(y: int, line: Line, others: Sequence[Line]) -> str:
    heavy = ' font-weight="600"' if line.name == "all" else ""
    parts = [
        (
            f'<text x="{LEFT - 14}" y="{y + 4.5}" text-anchor="end" fill="{OURS}"{heavy}>'
            f"{escape(line.name)}</text>"
        )
    ]
    ours = line.right
    if ours.low is not None and ours.high is not None:
        parts.append(
            f'<line x1="{_at(ours.low)}" x2="{_at(ours.high)}" y1="{y}" y2="{y}" '
            f'stroke="{OURS}" stroke-width="2" opacity=".35"/>'
        )
    # Rules that share a value stand apart by a few points, so that each can be seen.
    for k, (other, colour) in enumerate(zip(others, COLOURS, strict=True)):
        if other.right.value is not None:
            place = y - 6 + 4 * k
            parts.append(
                f'<circle cx="{_at(other.right.value)}" cy="{place}" r="4" fill="{colour}" '
                'opacity=".8"/>'
            )
    if ours.value is not None:
        parts.append(f'<circle cx="{_at(ours.value)}" cy="{y}" r="6" fill="{OURS}"/>')
    return "".join(parts)
