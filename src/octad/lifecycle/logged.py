"""What the ledger keeps of a review: the look itself, and the forecasts scored."""

from __future__ import annotations

from datetime import UTC

from octad.errors import UsageError
from octad.lifecycle.shared_errors import shared_errors
from octad.model.finding import Stance
from octad.model.inputs import Inputs
from octad.model.plan import Plan
from octad.model.records import Look, Outcome, Witness
from octad.model.review import Review, Verdict

__all__ = ["look_of", "outcomes_of", "witnessed"]


def witnessed(witness: Witness | None) -> str:
    """Who else vouches for the seal, in a few words."""
    if witness is None:
        return ""
    who = f"commit {witness.by[:10]}" if witness.how == "git" else f"a time stamp of {witness.by}"
    return f"{who}, {witness.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def look_of(plan: Plan, review: Review, inputs: Inputs) -> Look:
    """What the ledger keeps of a look."""
    effects: dict[str, tuple[float, float]] = {}
    answers = [review.kpi, *review.readings.values()]
    for finding in (f for answer in answers for f in answer.findings):
        e = finding.estimate
        wanted = finding.metric in plan.launch.metrics and finding.segment is None
        named = finding.id.split(".")[0] in ("kpi", "results", "breadth")
        if e is None or e.se is None or not e.relative or not wanted or not named:
            continue
        effects.setdefault(str(finding.metric), (e.value, e.se))
    return Look(
        launch=review.launch,
        plan_digest=review.plan_digest,
        verdict=Verdict(review.verdict).value,
        as_of=review.as_of,
        final=review.final,
        grade=review.grade.value,
        users=review.users,
        kpi=plan.launch.kpi or "",
        effects=effects,
        joint=shared_errors(inputs, effects),
        deviations=tuple(d.what for d in review.deviations),
        against=tuple(n for n, a in review.readings.items() if a.stance is Stance.AGAINST),
    )


def outcomes_of(plan: Plan, review: Review) -> tuple[Outcome, ...]:
    """The plan's forecasts, scored by a review; what the data do not tell is not scored for good.

    Raises:
        UsageError: When the launch has not ended, or nothing was forecast.
    """
    launch = plan.launch
    if not launch.expects:
        raise UsageError(
            f"nothing was forecast for '{launch.launch}'.",
            mend="Write 'expects:' in the plan before the next launch.",
        )
    if not review.final:
        raise UsageError(
            f"'{launch.launch}' has not ended, so its forecasts cannot be scored for good.",
            mend=f"Reflect once there are data of {launch.ends}.",
        )
    findings = {f.id: f for f in review.readings["reflection"].findings}
    outcomes = []
    for i, e in enumerate(launch.expects):
        found = findings.get(f"reflection.{i + 1}.{e.metric}")
        if found is None or found.estimate is None or found.stance is Stance.MIXED:
            continue
        outcomes.append(
            Outcome(
                launch=launch.launch,
                metric=e.metric,
                sure=e.sure,
                happened=float(found.stance is Stance.FOR),
                change=str(e.change),
                value=found.estimate.value,
            )
        )
    return tuple(outcomes)
