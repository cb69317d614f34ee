from __future__ import annotations

import numpy as np
import pytest

from octad.model.finding import Bars, Grade, Stance
from octad.model.inputs import Daily, Errors, Exposure, Inputs, JobUse
from octad.model.metric import CountMetric
from octad.model.plan import Charter, Job, Plan
from octad.readings import product
from octad.stats.moments import Moments
from tests.readings.voices_kit import plan_of, reviews_of, spread

BUCKETS = 64
FAMILY = {"family": "Show a person's family something they would be ashamed of."}


def use_of(
    pays: tuple[float, float],
    feeds: tuple[float, float],
    kept: tuple[int, int] = (900, 900),
    *,
    seed: int = 1,
) -> JobUse:
    """Poisson events by bucket: pays and feeds in control and treatment, alike before."""
    rng = np.random.default_rng(seed)
    events = np.zeros((2, 2, BUCKETS, 3))
    events[0] = rng.poisson([300.0, 5.0, 40.0], size=(2, BUCKETS, 3))
    for arm in (0, 1):
        events[1, arm] = rng.poisson([pays[arm], feeds[arm], 40.0], size=(BUCKETS, 3))
    had = np.array([[1000, 50, 10], [1000, 50, 10]])
    return JobUse(
        ("pay", "social", "(other)"),
        events,
        events / 2,
        had,
        np.array([[kept[0], 25, 5], [kept[1], 25, 5]]),
        steps=np.array([[2.0, 5.0, 1.0], [4.0, 2.0, 1.0]]),
        reach=np.array([[0.5, 0.1, 1.0], [0.4, 0.3, 1.0]]),
        visits=np.array([400, 400]),
        query="q1",
    )


def inputs_of(use: JobUse | None, **more: object) -> Inputs:
    exposure = Exposure(
        counts=np.array([6400, 6400]),
        days=np.array([], dtype="datetime64[D]"),
        by_day=np.zeros((0, 2), dtype=np.int64),
    )
    return Inputs(
        arms=("control", "treatment"),
        final=True,
        jobs=use,
        exposure=exposure,
        **more,  # type: ignore[arg-type]
    )


def test_a_core_job_that_sinks_under_a_louder_one_is_against() -> None:
    answer = product.read(
        plan_of(experiment=True), inputs_of(use_of((300, 260), (5, 120), kept=(900, 820)))
    )
    assert answer.stance is Stance.AGAINST
    found = {f.id: f for f in answer.findings}
    mix = found["product.mix"]
    assert mix.stance is Stance.AGAINST
    assert mix.grade is Grade.A
    assert mix.estimate is not None
    # Planted: 300/305 of use in control, 260/380 in treatment.
    assert mix.estimate.control == pytest.approx(300 / 305, abs=0.01)  # Poisson noise
    assert mix.estimate.treatment == pytest.approx(260 / 380, abs=0.02)  # Poisson noise
    assert mix.estimate.low is not None
    assert mix.estimate.high is not None
    assert mix.estimate.low < 260 / 380 - 300 / 305 < mix.estimate.high
    assert "Jensen–Shannon" in mix.method
    assert mix.query_digest == "q1"
    bars = mix.evidence[0]
    assert isinstance(bars, Bars)
    assert sum(x or 0 for x in bars.groups["control"]) == pytest.approx(1)
    displaced = found["product.displaced.pay"]
    assert displaced.stance is Stance.AGAINST
    assert displaced.estimate is not None
    assert displaced.estimate.value == pytest.approx(-0.08)
    assert found["product.steps"].claim.endswith("2 more to pay.")
    assert found["product.steps"].stance is None


def test_a_share_that_falls_only_because_something_was_added_is_mixed() -> None:
    answer = product.read(plan_of(experiment=True), inputs_of(use_of((300, 300), (5, 120))))
    mix = next(f for f in answer.findings if f.id == "product.mix")
    assert mix.stance is Stance.MIXED
    assert answer.stance is Stance.MIXED


def test_the_same_product_is_for() -> None:
    answer = product.read(plan_of(experiment=True), inputs_of(use_of((300, 301), (5, 5))))
    assert answer.stance is Stance.FOR
    assert next(f for f in answer.findings if f.id == "product.displaced.pay").claim.startswith(
        "Of those who did “pay” before, 90.0% still do"
    )


def test_without_arms_it_is_compared_with_its_past_and_graded_c() -> None:
    use = use_of((300, 300), (5, 5))
    events = use.events[:, :1].copy()
    events[1, 0, :, 1] += 100
    alone = JobUse(use.jobs, events, events / 2, use.had[:1], use.kept[:1])
    inputs = Inputs(arms=("everyone",), final=True, jobs=alone)
    answer = product.read(plan_of(), inputs)
    mix = next(f for f in answer.findings if f.id == "product.mix")
    assert mix.grade is Grade.C
    assert mix.estimate is not None
    assert mix.estimate.value < -0.2


def test_an_early_look_does_not_decide_by_the_fixed_interval() -> None:
    use = use_of((300, 297.5), (5, 5), kept=(900, 862))  # z 2.6, inside the anytime interval
    late = inputs_of(use)
    early = Inputs(arms=late.arms, final=False, jobs=use, exposure=late.exposure)
    late_kept, early_kept = (
        next(f for f in product.read(plan_of(experiment=True), i).findings if "displaced" in f.id)
        for i in (late, early)
    )
    assert late_kept.stance is Stance.AGAINST
    assert early_kept.stance is None


def test_a_core_job_done_less_is_against_though_as_many_still_do_it() -> None:
    answer = product.read(plan_of(experiment=True), inputs_of(use_of((300, 270), (5, 5))))
    less = next(f for f in answer.findings if f.id == "product.less.pay")
    assert less.stance is Stance.AGAINST
    assert less.estimate is not None
    assert less.estimate.value == pytest.approx(-0.1, abs=0.02)  # Poisson noise of 19,000 events
    assert answer.stance is Stance.AGAINST
    # Half of a twentieth is told, and decides nothing; no fall at all is not told.
    little = product.read(plan_of(experiment=True), inputs_of(use_of((300, 291), (5, 5))))
    assert [f.stance for f in little.findings if ".less." in f.id] in ([Stance.MIXED], [])
    same = product.read(plan_of(experiment=True), inputs_of(use_of((300, 300), (5, 5))))
    assert not [f for f in same.findings if ".less." in f.id]


def test_silence_names_what_would_let_it_speak() -> None:
    answer = product.read(plan_of(charter=Charter()), Inputs())
    assert answer.stance is Stance.SILENT
    assert any("`jobs:`" in line for line in answer.missing)
    assert any("`never:`" in line for line in answer.missing)


def test_jobs_without_events_or_reviews_name_them() -> None:
    answer = product.read(plan_of(), Inputs())
    assert answer.stance is Stance.SILENT
    assert any("events source" in line for line in answer.missing)
    assert any("`reviews` source" in line and "2026-03-01" in line for line in answer.missing)


def talk(never_texts: list[tuple[float, str]]) -> Inputs:
    before = [(4.0, "Payment works at every shop"), (3.0, "pay is quick"), (4.0, "nice colours")]
    after = [(2.0, "The feed is everywhere"), (2.0, "feed feed feed"), (3.0, "too many posts")]
    rows = spread("Wallet", before, first=-60, last=0, times=30)
    rows += spread("Wallet", after, first=0, last=60, times=30)
    rows += spread("Wallet", never_texts, first=1, last=30)
    return Inputs(reviews=reviews_of(rows, "Wallet"))


def test_known_for_something_else_is_against() -> None:
    answer = product.read(plan_of(), talk([]))
    said = next(f for f in answer.findings if f.id == "product.talk")
    assert said.stance is Stance.AGAINST
    assert said.grade is Grade.T
    assert said.estimate is not None
    assert said.estimate.control == pytest.approx(2 / 3)
    assert said.estimate.treatment == 0
    assert "talk of social rose" in said.claim


def test_a_never_line_that_nobody_answered_is_mixed() -> None:
    plan = plan_of(charter=Charter(never=FAMILY))
    answer = product.read(plan, talk([]))
    (line,) = answer.findings
    assert line.id == "product.never.family"
    assert line.stance is Stance.MIXED
    assert "does not answer" in line.claim


def test_quotes_against_a_never_line_are_against_but_never_harm() -> None:
    charter = Charter(jobs={"pay": Job(events=("pay",), core=True)}, never=FAMILY)
    plan = plan_of(charter=charter, never={"family": "Tried with three families."})
    told: list[tuple[float, str]] = [
        (1.0, "My wife saw what I bought, so embarrassing. Call me on +62 812 3456 7890"),
        (1.0, "mother could see my posts, I was ashamed"),
        (2.0, "我老婆看到了我的转账，太尴尬了"),
        (5.0, "my family loves it"),
    ]
    line = next(f for f in product.read(plan, talk(told)).findings if "never" in f.id)
    assert line.stance is Stance.AGAINST
    assert not line.harm
    assert "3 reviews after the launch may speak against it, 0 before" in line.claim
    quotes = line.evidence[0]
    assert quotes.kind == "quotes"
    assert not any("3456" in quote.text for quote in quotes.quotes)
    quiet = next(f for f in product.read(plan, talk(told[3:])).findings if "never" in f.id)
    assert quiet.stance is None
    assert "none speaks against it" in quiet.claim


def test_the_line_that_speaks_against_is_the_one_named() -> None:
    lines = {"spam": "Send people spam.", **FAMILY}
    charter = Charter(jobs={"pay": Job(events=("pay",), core=True)}, never=lines)
    plan = plan_of(charter=charter, never={"family": "Tried with three families."})
    answer = product.read(
        plan,
        talk(
            [
                (1.0, "My wife saw what I bought, so embarrassing"),
                (1.0, "mother could see my posts, I was ashamed"),
                (2.0, "我老婆看到了我的转账，太尴尬了"),
            ]
        ),
    )
    stances = {f.id.rsplit(".", 1)[1]: f.stance for f in answer.findings if "never" in f.id}
    assert stances == {"spam": Stance.MIXED, "family": Stance.AGAINST}
    assert "never-line “family” is in question" in answer.summary
    assert "spam" not in answer.summary


MONEY = {"money": "Lose a person's money."}


def errors_of(met: tuple[int, int], other: tuple[int, int]) -> Errors:
    """10,000 users an arm in one band; how many met each of two error events."""
    users = np.array([[10_000], [10_000]])
    kinds = {
        "balance_wrong": np.array(met)[:, None],
        "page_timeout": np.array(other)[:, None],
    }
    hits = np.array([met, other]).sum(axis=0)[:, None]
    return Errors(("all",), users, hits, users * 10.0, hits * 1.0, kinds=kinds)


def test_an_event_that_touches_a_never_line_and_rises_is_against() -> None:
    plan = plan_of(
        charter=Charter(never=MONEY, errors=("balance_wrong", "page_timeout")),
        never={"money": "Every transfer is checked twice."},
        experiment=True,
    )
    arms = ("control", "treatment")
    rising = Inputs(arms=arms, errors=errors_of((20, 90), (5, 5)), final=True)
    (line,) = product.read(plan, rising).findings
    assert line.stance is Stance.AGAINST
    assert not line.harm
    assert line.grade is Grade.A
    assert "“balance_wrong” was met by 0.90% of users, 0.20% in control" in line.claim
    calm = Inputs(arms=arms, errors=errors_of((20, 22), (5, 900)), final=True)
    (line,) = product.read(plan, calm).findings
    # The event that rose has nothing to do with money.
    assert line.stance is None
    assert "page_timeout" not in line.claim
    assert product.needs(plan).errors


def test_needs_follow_the_charter() -> None:
    assert product.needs(plan_of()).jobs
    assert product.needs(plan_of()).reviews
    assert not product.needs(plan_of(charter=Charter())).reviews
    assert product.needs(plan_of(charter=Charter(never=FAMILY))).reviews


def daily_of(early: tuple[float, float], late: tuple[float, float], *, seed: int = 5) -> Daily:
    """A user's mean pays a day in the first and the last third, in control and treatment."""
    rng = np.random.default_rng(seed)
    both = [
        Moments.from_rows(rng.poisson([10 * early[arm], 10 * late[arm]], size=(6400, 2)) / 10)
        for arm in (0, 1)
    ]
    halves = Moments(*(np.stack([getattr(m, k) for m in both]) for k in ("n", "mean", "comoment")))
    none = Moments.empty((2, 0), 4)
    return Daily("pays", np.arange(0), none, halves=halves, spans=((0, 9), (19, 28)))


def counted(**how: object) -> Plan:
    """The wallet's experiment, with a metric on payments."""
    plan = plan_of(experiment=True)
    metric = CountMetric.model_validate({"count": "pay", **how})
    project = plan.project.model_copy(update={"metrics": {"pays": metric}})
    return plan.model_copy(update={"project": project})


@pytest.mark.parametrize(
    ("late", "stance", "told"),
    [
        # A good tenth less at first in every case; at the end none of that, a quarter, or all.
        (3.0, Stance.MIXED, True),
        (2.9, Stance.MIXED, True),
        (2.6, Stance.AGAINST, False),
    ],
)
def test_a_job_that_people_come_back_to_is_not_held_against_it(
    late: float, stance: Stance, told: bool
) -> None:
    daily = {"pays": daily_of((3.0, 2.6), (3.0, late))}
    answer = product.read(counted(), inputs_of(use_of((300, 270), (5, 5)), daily=daily))
    less = next(f for f in answer.findings if f.id == "product.less.pay")
    assert less.stance is stance
    assert ("The loss shrinks: −" in less.claim) is told
    assert (" in days 20 to 28." in less.claim) is told
    assert answer.stance is stance


def test_nor_is_it_displaced_when_they_come_back() -> None:
    use = use_of((300, 270), (5, 5), kept=(900, 820))
    stances = {}
    for late in (3.0, 2.6):
        daily = {"pays": daily_of((3.0, 2.6), (3.0, late))}
        found = product.read(counted(), inputs_of(use, daily=daily)).findings
        kept = next(f for f in found if f.id == "product.displaced.pay")
        stances[late] = kept.stance
        assert ("In how often it is done, the loss shrinks: −" in kept.claim) is (late == 3.0)
    assert stances == {3.0: Stance.MIXED, 2.6: Stance.AGAINST}


def test_a_loss_that_shrinks_and_is_still_large_is_against() -> None:
    daily = {"pays": daily_of((3.0, 1.8), (3.0, 2.6))}
    answer = product.read(counted(), inputs_of(use_of((300, 240), (5, 5)), daily=daily))
    less = next(f for f in answer.findings if f.id == "product.less.pay")
    assert "The loss shrinks" in less.claim
    assert less.stance is Stance.AGAINST


def test_days_are_asked_of_a_metric_that_counts_just_the_jobs_events() -> None:
    assert product.needs(counted()).daily == {"pays"}
    assert product.needs(counted(count=["pay", "scan"])).daily == frozenset()
    assert product.needs(counted(where="amount > 5")).daily == frozenset()
    assert product.needs(plan_of(experiment=True)).daily == frozenset()
