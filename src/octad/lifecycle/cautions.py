"""What should be mended in a plan before it is sealed, as far as its own history tells."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from octad.lifecycle.outlook import ENTERING, LATEST, Known
from octad.model.base import format_span
from octad.model.inputs import PastLaunch
from octad.model.plan import Plan
from octad.model.planned import MetricSize
from octad.stats.proxies import FEWEST, effect_covariance, slope_on_kpi
from octad.stats.refusal import NotEstimable

__all__ = ["LONGEST", "warnings"]

LONGEST = 180
"""Days after which nobody waits any more for a margin to be shown."""


def warnings(plan: Plan, metrics: Sequence[MetricSize], known: Known) -> tuple[str, ...]:
    """What should be mended before sealing, in sentences.

    Args:
        plan: The plan.
        metrics: What it could see in each of its metrics.
        known: What is known before the launch.
    """
    return (
        *_results(plan),
        *_margins(metrics),
        *_horizon(plan, known),
        *_proxy(plan, known.history.launches),
        *_promises(plan),
    )


def _results(plan: Plan) -> list[str]:
    launch = plan.launch
    found = []
    if not launch.results:
        found.append("No result is named, so nothing could ever earn this launch a 'ship'.")
    same = [
        name
        for name in launch.results
        if launch.kpi is not None
        and (name == launch.kpi or plan.metric(name) == plan.metric(launch.kpi))
    ]
    if same:
        found.append(
            f"{same[0]} is the KPI and the result at once: a number cannot vouch for itself. "
            "Name what the gain is meant to lead to."
        )
    if not launch.guardrails:
        found.append(
            "No guardrail is named, so nothing that the gain may cost will be held against it."
        )
    return found


def _margins(metrics: Sequence[MetricSize]) -> list[str]:
    found = []
    for m in metrics:
        if not m.users or m.visible is None:
            continue
        if m.days is None:
            found.append(
                f"{m.metric}: the margin asks for {m.users:,} users, and they are not on the way. "
                "A wider margin, or a longer enrolment, would let it be shown."
            )
        elif m.days > LONGEST:
            long = "more than ten years" if m.days > LATEST else f"{m.days:,} days"
            found.append(
                f"{m.metric}: the margin takes {long} to show, and nobody waits longer "
                f"than {LONGEST} days. A wider margin would let it be shown sooner."
            )
    return found


def _horizon(plan: Plan, known: Known) -> list[str]:
    launch = plan.launch
    if launch.horizon is None or launch.starts is None or launch.ends is None:
        return []
    days = (launch.ends - launch.starts).days + 1
    if launch.horizon <= timedelta(days=days) or known.since is None:
        return []
    if (launch.starts - known.since).days >= launch.horizon.days + ENTERING:
        return []
    before = (launch.starts - known.since).days
    said = (
        f"The horizon of {format_span(launch.horizon)} is reached by no data: the launch lasts "
        f"{days} days, and the history begins {before} days before it. Run it longer, bring older "
        "events, or shorten the horizon."
    )
    return [said]


def _proxy(plan: Plan, past: Sequence[PastLaunch]) -> list[str]:
    """A KPI whose gains have not come with gains of the result."""
    kpi = plan.launch.kpi
    found = []
    for name in plan.launch.results if kpi else ():
        both = [p for p in past if {kpi, name} <= set(p.effects)]
        if kpi is None or name == kpi or not both:
            continue
        said = _followed(plan, both, kpi, name)
        if said:
            found.append(said)
    return found


def _followed(plan: Plan, past: Sequence[PastLaunch], kpi: str, name: str) -> str:
    signs = {m: 1.0 if plan.metric(m).better == "up" else -1.0 for m in (kpi, name)}
    joint = [(p, e) for p in past if (e := _shared(p, kpi, name)) is not None]
    if len(joint) >= FEWEST:
        sign = signs[kpi] * signs[name]
        effects = np.array(
            [[p.effects[m][0] * signs[m] for m in (kpi, name)] for p, _ in joint], dtype=np.float64
        )
        errors = np.array(
            [
                [
                    [p.effects[kpi][1] ** 2, shared * sign],
                    [shared * sign, p.effects[name][1] ** 2],
                ]
                for p, shared in joint
            ]
        )
        with contextlib.suppress(NotEstimable):
            slope = slope_on_kpi(effect_covariance(effects, errors))
            if slope.low > 0:
                return ""
            worth = "none" if slope.high > 0 else "a loss"
            return (
                f"{kpi} has been a poor stand-in for {name}: over {len(joint)} past launches, what "
                f"it gained came with {worth} of {name} that could be told from chance."
            )
    parted = [
        p
        for p in past
        if signs[kpi] * p.effects[kpi][0] > 1.96 * p.effects[kpi][1]
        and signs[name] * p.effects[name][0] < -1.96 * p.effects[name][1]
    ]
    if not parted:
        return ""
    which = ", ".join(p.launch for p in parted[:3])
    many = "once" if len(parted) == 1 else f"{len(parted)} times"
    return (
        f"{kpi} has parted from {name} before: {many} in {len(past)} past "
        f"{'launch' if len(past) == 1 else 'launches'} it gained while {name} lost ({which})."
    )


def _shared(past: PastLaunch, kpi: str, name: str) -> float | None:
    """The covariance of two effects' errors, both coming of the same users; None when unknown."""
    first, second = sorted((kpi, name))
    found = past.joint.get((first, second))
    return past.with_kpi.get(name) if found is None and past.kpi == kpi else found


def _promises(plan: Plan) -> list[str]:
    found = []
    if not plan.launch.expects:
        found.append("Nothing is forecast, so nothing will be learnt about your judgement.")
    if not plan.launch.signed:
        found.append("Nobody has signed the plan.")
    return found
