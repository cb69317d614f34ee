"""What each of the eight readings will and will not be able to say of a launch that is planned."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from octad.model.base import format_span
from octad.model.inputs import History
from octad.model.numbers import plain
from octad.model.plan import Plan
from octad.model.planned import MetricSize, Prospect
from octad.model.review import READINGS
from octad.readings.reflection import FEW
from octad.readings.results_past import FEWEST_PAST
from octad.stats.power import smallest_visible

__all__ = ["ENTERING", "LATEST", "Known", "prospects"]

SMALL = 0.1
"""The share of users of the segment that is spoken of."""
LATEST = 3650
"""Days beyond which no day is named: nothing foretells it so far ahead."""
ENTERING = 14
"""Days in which the older users enter from whom a forecast is learnt; `octad.data.cohort` asks
for two periods of a week at least."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before a launch.

    Attributes:
        users: Users that the enrolment would bring.
        since: The oldest data; `until` the newest.
        arriving: Users first seen on each day of the history.
        products: The products that reviews speak of.
        history: What the ledger knows.
        variances: Metric to its variance between users, noise that their past explains taken
            off, as a fraction of its level squared.
    """

    users: int | None = None
    since: date | None = None
    until: date | None = None
    products: frozenset[str] = frozenset()
    history: History = field(default_factory=History)
    variances: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class _Say:
    """A prospect in the making."""

    will: list[str] = field(default_factory=list)
    cannot: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)

    def made(self, reading: str) -> Prospect:
        speaks: Literal["yes", "partly", "no"]
        speaks = "no" if not self.will else "partly" if self.cannot or self.needs else "yes"
        return Prospect(
            reading=reading,
            speaks=speaks,
            will=tuple(self.will),
            cannot=tuple(self.cannot),
            needs=tuple(self.needs),
        )


def prospects(plan: Plan, sizes: tuple[MetricSize, ...], known: Known) -> tuple[Prospect, ...]:
    """What each reading will and will not be able to say.

    Args:
        plan: The plan.
        sizes: What it could see in each of its metrics.
        known: What else is known before the launch.
    """
    readings: dict[str, Callable[[Plan, tuple[MetricSize, ...], Known], _Say]] = {
        "results": _results,
        "horizon": _horizon,
        "breadth": _breadth,
        "user": _user,
        "doubt": _doubt,
        "rival": _rival,
        "product": _product,
        "reflection": _reflection,
    }
    return tuple(readings[name](plan, sizes, known).made(name) for name in READINGS)


def _sized(size: MetricSize) -> str:
    seen = f"{size.metric}: a change of {_percent(size.visible)} or more" if size.visible else ""
    if size.margin is None or size.users is None:
        return seen
    wide = f"{size.margin * 100:.3g}%"
    within = f"a loss kept within {wide} from {_count(size.users)} users on"
    if size.days is not None:
        late = size.days > LATEST
        within += ", more than ten years on" if late else f", day {_count(size.days)}"
    return f"{seen}; {within}"


def _judged(say: _Say, sizes: list[MetricSize]) -> None:
    """What will be seen of results or guardrails, one line each."""
    for size in sizes:
        if size.why_not:
            say.cannot.append(f"{size.metric} cannot be sized: {size.why_not}.")
        elif size.margin and size.days is None and size.visible is not None:
            say.will.append(f"{size.metric}: a change of {_percent(size.visible)} or more.")
            say.cannot.append(
                f"That {size.metric} stays within {size.margin * 100:.3g}%: that takes "
                f"{_count(size.users or 0)} users, and they are not on the way."
            )
        else:
            say.will.append(f"{_sized(size)}.")


def _results(plan: Plan, sizes: tuple[MetricSize, ...], known: Known) -> _Say:
    say = _Say()
    if not plan.launch.results:
        say.needs.append("results: in the plan, such as `results: {payments: 1%}`")
        return say
    _judged(say, [s for s in sizes if s.role == "result"])
    if plan.launch.kpi is not None:
        for name in (n for n in plan.launch.results if n != plan.launch.kpi):
            n = sum({name, plan.launch.kpi} <= set(past.effects) for past in known.history.launches)
            if n < FEWEST_PAST:
                say.cannot.append(
                    f"What a gain in {plan.launch.kpi} has been worth in {name}: that takes "
                    f"{FEWEST_PAST} past launches measured in both; the ledger holds {n or 'none'}."
                )
            else:
                say.will.append(
                    f"What a gain in {plan.launch.kpi} has been worth in {name}, over {n} launches."
                )
    return say


def _days(plan: Plan) -> int | None:
    launch = plan.launch
    if launch.starts is None or launch.ends is None:
        return None
    return (launch.ends - launch.starts).days + 1


def _horizon(plan: Plan, _sizes: tuple[MetricSize, ...], known: Known) -> _Say:
    say = _Say()
    launch = plan.launch
    if plan.project.sources.events is None:
        say.needs.append("events with times: one row a user says nothing of how an effect goes on")
        return say
    if not launch.arms:
        say.needs.append("a control: without one, no day's effect can be told from the season's")
        return say
    days = _days(plan)
    last = launch.enrol_until or launch.ends
    if days is None or last is None or launch.ends is None:
        say.needs.append("starts: and ends: in the plan")
        return say
    whole = (launch.ends - last).days + 1
    say.will.append(
        f"The effect by day since exposure up to day {days - 1}; everyone enrolled is seen for "
        f"{whole} {'day' if whole == 1 else 'days'}."
    )
    if launch.horizon is None:
        say.needs.append("horizon: in the plan, such as `horizon: 90d`")
    elif launch.horizon > timedelta(days=days):
        _long_term(say, plan, launch.horizon, known)
    return say


def _long_term(say: _Say, plan: Plan, horizon: timedelta, known: Known) -> None:
    """The horizon lies beyond the launch: do older users reach that far?"""
    wide, starts = format_span(horizon), plan.launch.starts
    if known.since is None or starts is None:
        say.cannot.append(f"Day {wide.rstrip('d')}: it lies after the launch's last day.")
        return
    there = (starts - known.since).days
    wanted = horizon.days + ENTERING
    if there < wanted:
        say.cannot.append(
            f"What is left after {wide}: the launch ends sooner, and the history before it holds "
            f"{there} days, where a forecast from older users takes {wanted}."
        )
        say.needs.append(f"events from {starts - timedelta(days=wanted)} on")
    else:
        say.will.append(
            f"A forecast for {wide}, learnt from users who were there {horizon.days} days before "
            "the launch and longer, as far as early behaviour foretells later."
        )


def _attributes(plan: Plan) -> tuple[str, ...]:
    if plan.launch.segments is not None:
        return plan.launch.segments
    sources = plan.project.sources
    users = sources.users.attributes if sources.users else ()
    return users or (sources.units.attributes if sources.units else ())


def _breadth(plan: Plan, sizes: tuple[MetricSize, ...], known: Known) -> _Say:
    say = _Say()
    guards = [s for s in sizes if s.role == "guardrail"]
    _judged(say, guards)
    if not guards:
        say.needs.append("guardrails: in the plan, such as `guardrails: {crash_rate: 2%}`")
    attributes = _attributes(plan)
    if not attributes:
        say.needs.append("attributes of users known before exposure, to look for who pays for it")
        return say
    for size in sizes:
        variance = known.variances.get(size.metric)
        if variance is None or known.users is None or size.role == "KPI":
            continue
        # Half of the users find a harmed group, the other half confirm it.
        seen = smallest_visible(
            variance, known.users * SMALL / 2, error=plan.launch.rules.segment_error, sides="one"
        )
        if math.isfinite(seen):
            say.will.append(
                f"In a group of a tenth of the users, by {', '.join(attributes)}: a loss of about "
                f"{_percent(seen)} of {size.metric} or more."
            )
            break
    else:
        say.will.append(f"Groups by {', '.join(attributes)} that are harmed more than the rest.")
    return say


def _user(plan: Plan, _sizes: tuple[MetricSize, ...], _known: Known) -> _Say:
    say = _Say()
    sources = plan.project.sources
    if sources.events is None:
        say.needs.append("events with times, to tell what a user's days were like")
        return say
    say.will.append("Timelines of real users, and the ways they take.")
    if plan.project.charter.errors:
        say.will.append("Errors by how much people use it: what only heavy users meet.")
    else:
        say.needs.append("charter.errors: in octad.yml, the events that mean something went wrong")
    if sources.users is None or sources.users.staff is None:
        say.needs.append("sources.users.staff: who is of the team, to see what it never walked")
    return say


def _doubt(plan: Plan, _sizes: tuple[MetricSize, ...], known: Known) -> _Say:
    say = _Say()
    launch = plan.launch
    if not launch.arms:
        say.needs.append("a control, chosen by chance")
        return say
    if known.users and len(launch.arms) == 2 and launch.split is None:
        # Two-sided at the level that fails trust, seen four times out of five.
        reach = smallest_visible(0.25, known.users * 4, error=launch.rules.ratio_fails)
        say.will.append(f"A split that is off by {plain(reach * 100, 2)} points or more.")
    else:
        say.will.append("Whether the arms are as large as planned.")
    if plan.project.sources.events is not None:
        say.will.append("Whether the arms differed before the launch ever reached them.")
    else:
        say.cannot.append("Whether the arms differed before: one row a user holds no past.")
    if launch.rules.looks == 1:
        say.will.append(
            "Each look before the last day, counted; until then wider intervals decide."
        )
    return say


def _rival(plan: Plan, _sizes: tuple[MetricSize, ...], known: Known) -> _Say:
    say = _Say()
    sources, product = plan.project.sources, plan.project.product
    if sources.reviews is None:
        say.needs.append("reviews of ours and of rivals")
        return say
    if not known.products or product in known.products:
        say.will.append("What people say of us, before and after.")
    else:
        say.cannot.append(f"What people say of us: no review is of {product}.")
    there = [r for r in plan.project.rivals if not known.products or r in known.products]
    if there:
        say.will.append(f"What rose beside what people say of {', '.join(there)}.")
    else:
        say.needs.append("reviews of rivals, and their names under rivals:")
    if sources.releases is None:
        say.needs.append("releases of ours and of rivals, to see what came of similar ones")
    return say


def _product(plan: Plan, _sizes: tuple[MetricSize, ...], _known: Known) -> _Say:
    say = _Say()
    charter, sources = plan.project.charter, plan.project.sources
    if not charter.jobs and not charter.never:
        say.needs.append("the charter's jobs and never-lines in octad.yml")
        return say
    if charter.jobs and sources.events is not None:
        core = [name for name, job in charter.jobs.items() if job.core]
        say.will.append("How use is shared out over the charter's jobs, in either arm.")
        if core:
            say.will.append(f"Whether {', '.join(core)} is displaced, and the steps to it.")
        else:
            say.needs.append("core: true on the jobs that the product fails without")
    if charter.jobs and sources.events is None:
        say.needs.append("events, to see which jobs the product is used for")
    if charter.never and sources.reviews is not None:
        say.will.append("Words in reviews that touch a line it must never cross.")
    elif charter.never:
        say.cannot.append("Whether a never-line was crossed, but by a person's signed word.")
    return say


def _reflection(plan: Plan, _sizes: tuple[MetricSize, ...], known: Known) -> _Say:
    say = _Say()
    if not plan.launch.expects:
        say.needs.append(
            "expects: in the plan, such as `{metric: opens, change: at least 5%, sure: 80%}`"
        )
        return say
    n = len(plan.launch.expects)
    say.will.append(f"Whether {n} {'forecast comes' if n == 1 else 'forecasts come'} true.")
    scored = len(known.history.forecasts)
    if scored + n < FEW:
        say.cannot.append(
            f"How often you are right when you are sure: that takes {FEW} scored forecasts, and "
            f"with these there will be {scored + n}."
        )
    return say


def _percent(value: float | None) -> str:
    size = abs(value or 0) * 100
    return f"{plain(size, 1 if size >= 1 else 2)}%"


def _count(n: int) -> str:
    return f"{n:,}"
