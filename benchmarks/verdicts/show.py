"""The counts as a page of a terminal, 100 columns wide, and as docs/worlds.md."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from benchmarks.verdicts.rules import RULES
from benchmarks.verdicts.run import Run
from benchmarks.verdicts.tally import Line, Share, Tally, Target

__all__ = ["kinds_table", "percent", "rules_table", "target_words", "text", "wrong_table"]

WIDE = 100
NOTHING = "–"
Rows = tuple[tuple[str, ...], ...]


def percent(found: Share, *, interval: bool = False, counts: bool = False) -> str:
    """``96% [91, 98]``, ``96% (48/50)``, or a dash where there was none."""
    if found.value is None or found.low is None or found.high is None:
        return NOTHING
    said = f"{100 * found.value:.0f}%"
    if interval:
        said += f" [{100 * found.low:.0f}, {100 * found.high:.0f}]"
    return f"{said} ({found.k}/{found.n})" if counts else said


def kinds_table(tally: Tally) -> Rows:
    """Head, one row a kind, and all."""
    head = (
        "kind",
        "runs",
        "visible",
        "right",
        "harm shipped",
        "false roll back",
        "cannot tell",
        "days",
    )
    lines = (*tally.kinds, tally.total)
    return (head, *(_row(line) for line in lines))


def _row(line: Line) -> tuple[str, ...]:
    return (
        line.name,
        str(line.right.n),
        percent(line.visible),
        percent(line.right, interval=True),
        percent(line.harm_shipped),
        percent(line.false_roll_back),
        percent(line.cannot_tell),
        NOTHING if line.days is None else f"{line.days:.0f}",
    )


def rules_table(tally: Tally) -> Rows:
    """Share of right verdicts by kind, Octad's beside each simpler rule's."""
    head = ("right verdicts", "octad", *RULES)
    rows = [
        (
            line.name,
            percent(line.right),
            *(percent(tally.rules[rule][i].right) for rule in RULES),
        )
        for i, line in enumerate(tally.kinds)
    ]
    every = (tally.total, *(tally.totals[rule] for rule in RULES))
    rows += [
        ("all", *(percent(t.right) for t in every)),
        ("right where visible", *(percent(t.right_visible) for t in every)),
        ("harm shipped, visible", *(percent(t.harm_shipped_visible) for t in every)),
        ("false roll back", *(percent(t.false_roll_back) for t in every)),
    ]
    if tally.total.days is not None:
        days = (NOTHING if t.days is None else f"{t.days:.0f}" for t in every)
        rows.append(("days until right", *days))
        rows.append(("never right, looking weekly", *(percent(t.never) for t in every)))
    return (head, *rows)


def saw_table(tally: Tally) -> Rows:
    """Which reading was the first to see what was wrong."""
    rows = [
        (
            kind,
            ", ".join(f"{name or 'none'} {k}/{sum(found.values())}" for name, k in found.items()),
        )
        for kind, found in tally.saw.items()
    ]
    return (("kind", "the reading that saw it first"), *rows)


def wolf_table(tally: Tally) -> Rows:
    """Readings, then findings, that spoke against launches with nothing wrong."""
    rows = [(name, percent(found, counts=True)) for name, found in tally.wolf.items()]
    rows += [(f"  {name}", percent(found, counts=True)) for name, found in tally.findings.items()]
    return (("reading", "against, where nothing was wrong"), *rows)


def target_words(target: Target) -> str:
    """``met: right where the truth was visible, 97% [94, 99] of 180 (at least 95%)``."""
    edge = f"{'at most' if target.at_most else 'at least'} {100 * target.limit:.0f}%"
    if target.met is None:
        return f"no run: {target.name} ({edge})"
    word = "met" if target.met else "NOT MET"
    edge_of = target.share.high if target.at_most else target.share.low
    beyond = edge_of is not None and (edge_of > target.limit) is target.at_most
    if target.met and beyond:
        word = "met so far, too few runs to be sure"
    of = f"{percent(target.share, interval=True)} of {target.share.n}"
    return f"{word}: {target.name}, {of} ({edge})"


def wrong_table(runs: Sequence[Run]) -> Rows:
    """Every wrong verdict: what was said, what was right, why, and how to open it."""
    return tuple(
        (
            f"{r.case.kind}, {r.case.strength}, {r.case.users:,} users, seed {r.case.seed}",
            f"{r.verdict} ({_fault(r)}); right: {' or '.join(r.right)}"
            + ("" if r.visible else " (the truth was not visible)")
            + (f"; {r.harms[0]}" if r.harms else ""),
            r.because,
            r.case.command,
        )
        for r in runs
    )


def _fault(run: Run) -> str:
    """What a verdict that is not right is called."""
    if run.verdict in run.errors:
        return run.errors[run.verdict]
    if run.verdict not in ("hold", "cannot tell"):
        return "not earned"
    return "too timid" if run.trust else "the fault not seen"


def text(tally: Tally, *, only_wrong: bool = False) -> str:
    """The whole page for a terminal."""
    out: list[str] = []
    if not only_wrong:
        out += [_aligned(kinds_table(tally)), _aligned(rules_table(tally))]
        if tally.saw:
            out.append(_aligned(saw_table(tally), left=2))
        out.append(_aligned(wolf_table(tally)))
        out.append("\n".join(target_words(t) for t in tally.targets) + "\n")
    wrong = wrong_table(tally.wrong)
    out.append("Wrong: none.\n" if not wrong else f"Wrong: {len(wrong)}.\n")
    for world, said, because, command in wrong:
        out.append(f"{world}: {said}\n{_indented(because)}\n{_indented(command)}\n")
    return "\n".join(out)


def _indented(words: str) -> str:
    return fill(words, WIDE, initial_indent="    ", subsequent_indent="    ")


def _aligned(rows: Rows, left: int = 1) -> str:
    """Columns under one another; the first `left` begin at the left, the others end at the right.

    Args:
        rows: The head first.
        left: How many columns are words.
    """
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]

    def line(row: tuple[str, ...]) -> str:
        cells = [
            cell.ljust(w) if i < left else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, wide, strict=True))
        ]
        return "  ".join(cells).rstrip()

    rule = "-" * min(WIDE, sum(wide) + 2 * (len(wide) - 1))
    return "\n".join([line(rows[0]), rule, *(line(row) for row in rows[1:])]) + "\n"
