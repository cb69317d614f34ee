"""The plans of worlds, written from what they aim at, so that file and truth cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from octad.worlds.launches import Aims

__all__ = ["write_plan"]


def write_plan(
    launch: str,
    what: str,
    aims: Aims,
    *,
    expects: Sequence[tuple[str, str, int]],
    design: str = "experiment",
    jobs: Sequence[str] = (),
    family: str = "Nothing of it is shown to anybody else.",
    enrol_until: str = "2026-03-10",
    ends: str = "2026-04-07",
    controls: Sequence[str] = (),
) -> str:
    """The text of `launches/NAME.yml`.

    Args:
        launch: The launch's name.
        what: What is launched, in a sentence.
        aims: KPI, results, guardrails and segments.
        expects: Metric, change such as ``at least 3%``, and how sure, in per cent.
        design: The plan's design, as its file writes it.
        jobs: The charter's jobs that it serves.
        family: How the charter's line about families was looked after.
        enrol_until: The last day of enrolment, as a date.
        ends: The last day that counts, as a date.
        controls: Metrics that the launch cannot move.
    """
    armed = design == "experiment"
    lines = [
        f"# The plan of one launch, written before it. `octad seal {launch}` freezes it.",
        "",
        f"launch: {launch}",
        f"what: {what}",
        f"design: {design}",
        *(['arms: {control: "off", treatment: "on"}'] if armed else []),
        "starts: 2026-03-01",
        *([f"enrol_until: {enrol_until}"] if armed else []),
        f"ends: {ends}",
        "",
        f"kpi: {aims.kpi}",
        f"results: {_margins(aims.results)}",
        f"guardrails: {_margins(aims.guardrails)}",
        f"segments: [{', '.join(aims.segments)}]",
        "horizon: 90d",
        *([f"jobs: [{', '.join(jobs)}]"] if jobs else []),
        *([f"controls: [{', '.join(controls)}]"] if controls else []),
        "never:",
        f"  family: {family}",
        "",
        "expects:",
        *(f"  - {{metric: {m}, change: {change}, sure: {sure}%}}" for m, change, sure in expects),
        "",
        "signed: {operations: Lin, product: Mei}",
    ]
    return "\n".join(lines) + "\n"


def _margins(margins: Mapping[str, float]) -> str:
    items = margins.items()
    return "{" + ", ".join(f"{name}: {_percent(m)}" for name, m in items) + "}"


def _percent(share: float) -> str:
    return f"{round(100 * share, 4):g}%"
