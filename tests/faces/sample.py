"""A review written by hand, rich enough to exercise every face.

The figures are invented: they are the ones of the design's example, with hostile texts added.
"""

from __future__ import annotations

from datetime import UTC, date, datetime

from octad.model.finding import (
    Answer,
    Bars,
    Curve,
    CurveLine,
    Finding,
    Grade,
    Interval,
    Intervals,
    Number,
    Quote,
    Quotes,
    Stance,
    State,
    Story,
    StoryLine,
    Table,
)
from octad.model.review import (
    Cost,
    Deviation,
    LeftOut,
    QueryRecord,
    Review,
    Stage,
    Verdict,
)

__all__ = ["HOSTILE", "review", "thin_review"]

HOSTILE = (
    '<script>document.title="owned"</script><img src=x onerror="document.title=1">',
    "\x1b[31mred\x1b[0m \x1b]0;owned\x07 \x9b2Jgone \u202edesrever\u202c z\u200bw\u200bs",
    "=cmd|' /C calc'!A0 | [link](javascript:alert(1)) **bold** `code` https://evil.example/x",
    "a" + "\u0301" * 60 + " stacked, " + "long " * 300_000,
    "منذ التحديث لا أستطيع الدفع بسرعة، والصفحة فارغة",
    "付款要多点两次，朋友圈里什么都没有。",
)

SQL = """SELECT arm, count(*) AS n, avg(payments) AS mean, var_samp(payments) AS variance
FROM units
WHERE exposed_at >= TIMESTAMP '2026-03-01' AND NOT is_staff
GROUP BY arm
ORDER BY arm -- </pre><script>document.title="owned"</script>"""


def _number(value: float, low: float, high: float, **more: object) -> Number:
    known: dict[str, object] = {"relative": True, "level": 0.95, **more}
    return Number.model_validate({"value": value, "low": low, "high": high, **known})


def _kpi() -> Answer:
    return Answer(
        stance=Stance.FOR,
        question="What does the number the team is paid for say?",
        summary="opens +6.8% [+5.9, +7.7] · loud: talk ×3.1 · liked: 4.3 → 2.9 stars",
        findings=(
            Finding(
                id="kpi.opens",
                claim="People open the app more often: 18.9 times in two weeks, up from 17.7.",
                stance=Stance.FOR,
                grade=Grade.A,
                metric="opens",
                state=State.BETTER,
                estimate=_number(
                    0.068,
                    0.059,
                    0.077,
                    p=2e-48,
                    control=17.7,
                    treatment=18.9,
                    anytime_low=0.055,
                    anytime_high=0.081,
                ),
                n=98_212,
                method="Difference of means, CUPED on the 28 days before, delta method.",
                assumes="Each person's opens are their own; no one opens because a friend did.",
                breaks="A change in how opens are logged on the day of the launch.",
                query_digest="q1",
            ),
            Finding(
                id="kpi.talk",
                claim="Reviews speak of the launch 3.1 times as often, and like it less.",
                stance=Stance.MIXED,
                grade=Grade.T,
                estimate=Number(value=-1.4, low=-1.7, high=-1.1, level=0.95, unit="stars"),
                n=412,
                evidence=(
                    Bars(
                        title="Stars given, before and after",
                        y_label="share of reviews",
                        labels=("1", "2", "3", "4", "5"),
                        groups={
                            "before": (0.06, 0.05, 0.09, 0.22, 0.58),
                            "after": (0.31, 0.15, 0.14, 0.16, 0.24),
                        },
                        percent=True,
                    ),
                ),
            ),
        ),
    )


def _results() -> Answer:
    rows = (
        Interval(label="opens (KPI)", value=0.068, low=0.059, high=0.077, stance=Stance.FOR),
        Interval(label="payments", value=-0.031, low=-0.04, high=-0.022, stance=Stance.AGAINST),
        Interval(label="retained", value=-0.012, low=-0.019, high=-0.005, stance=Stance.AGAINST),
        Interval(label="spend", value=-0.008, low=-0.024, high=0.008, stance=Stance.MIXED),
    )
    return Answer(
        stance=Stance.AGAINST,
        question="Did the result move, or only the KPI?",
        summary="payments −3.1% [−4.0, −2.2] · retained −1.2% [−1.9, −0.5]",
        findings=(
            Finding(
                id="results.payments",
                claim="People pay less: 3.1% fewer payments in four weeks. You allowed 1%.",
                stance=Stance.AGAINST,
                grade=Grade.A,
                metric="payments",
                state=State.WORSE,
                harm=True,
                estimate=_number(-0.031, -0.04, -0.022, p=1.4e-11, control=9.42, treatment=9.13),
                n=98_212,
                method="Difference of means, CUPED, Holm over two results.",
                assumes="No one's payments depend on whether a friend has the feed.",
                breaks="Payments that moved to another channel we do not log.",
                evidence=(
                    Intervals(
                        title="The KPI beside the results",
                        x_label="change against control",
                        rows=rows,
                        percent=True,
                        margin=-0.01,
                    ),
                ),
                query_digest="q1",
            ),
            Finding(
                id="results.retained",
                claim="Fewer people come back in week four: 43.5%, down from 44.0%.",
                stance=Stance.AGAINST,
                grade=Grade.A,
                metric="retained",
                state=State.WORSE,
                harm=True,
                estimate=Number(
                    value=-0.0053,
                    low=-0.0084,
                    high=-0.0022,
                    level=0.95,
                    unit="share",
                    p=0.0008,
                    control=0.4403,
                    treatment=0.435,
                ),
                n=98_212,
                method="Difference of shares.",
                assumes="A person is the same account before and after.",
                breaks="Accounts merged in week four.",
                query_digest="q1",
            ),
        ),
    )


def _horizon() -> Answer:
    days = tuple(float(day) for day in range(29))
    effect = tuple(0.17 * 0.5 ** (day / 6) + 0.004 for day in range(29))
    return Answer(
        stance=Stance.AGAINST,
        question="Will it last?",
        summary="the gain halves every 6 days; about +0.4% is left at day 90",
        findings=(
            Finding(
                id="horizon.novelty",
                claim="The gain in opens halves every 6 days. About 0.4% is left at day 90.",
                stance=Stance.AGAINST,
                grade=Grade.A,
                metric="opens",
                estimate=_number(0.004, -0.002, 0.011),
                decides="Ten more days of data.",
                n=98_212,
                method="Exponential decay fitted to daily effects, weighted by their variance.",
                assumes="What wears off goes on wearing off at the same pace.",
                breaks="A new version of the feed that people come back for.",
                evidence=(
                    Curve(
                        title="The gain in opens, by day since a person first saw the feed",
                        x_label="days since first seen",
                        y_label="change in opens",
                        x=days,
                        lines=(
                            CurveLine(
                                name="change in opens",
                                y=effect,
                                low=tuple(y - 0.008 - 0.0004 * i for i, y in enumerate(effect)),
                                high=tuple(y + 0.008 + 0.0004 * i for i, y in enumerate(effect)),
                            ),
                        ),
                        percent=True,
                    ),
                    Curve(
                        title="Who comes back",
                        x_label="days since first seen",
                        y_label="share who came back",
                        x=days,
                        lines=(
                            CurveLine(name="off", y=tuple(0.9 / (1 + d / 25) for d in range(29))),
                            CurveLine(name="on", y=tuple(0.93 / (1 + d / 21) for d in range(29))),
                        ),
                        percent=True,
                        mark=21.0,
                    ),
                ),
                query_digest="q2",
            ),
        ),
    )


def _breadth() -> Answer:
    return Answer(
        stance=Stance.AGAINST,
        question="Who and what pays for it?",
        summary="people over 60 in the north (4%): payments −11% [−15, −7] · crash rate within 2%",
        findings=(
            Finding(
                id="breadth.segment.1",
                claim="People over 60 in the north, 4% of users, make 11% fewer payments.",
                stance=Stance.AGAINST,
                grade=Grade.A,
                metric="payments",
                segment={"region": "north", "age_band": "60+"},
                state=State.WORSE,
                harm=True,
                estimate=_number(-0.11, -0.15, -0.07, p=3e-8, p_adjusted=0.0004),
                n=3_911,
                method="Honest half-split, max-T over 212 overlapping segments, 5% familywise.",
                assumes="Region and age were known before the launch.",
                breaks="A bug that only people in one arm of that region met.",
                evidence=(
                    Intervals(
                        title="Payments, by segment",
                        x_label="change in payments",
                        percent=True,
                        margin=-0.01,
                        rows=(
                            Interval(
                                label="north · 60+",
                                value=-0.11,
                                low=-0.15,
                                high=-0.07,
                                stance=Stance.AGAINST,
                                note="confirmed",
                            ),
                            Interval(label="north · 18–29", value=-0.02, low=-0.05, high=0.01),
                            Interval(label="south · 60+", value=-0.034, low=-0.07, high=0.002),
                            Interval(label=HOSTILE[0], value=0.01, low=-0.02, high=0.04),
                        ),
                    ),
                ),
                query_digest="q2",
            ),
            Finding(
                id="breadth.guardrail.crash_rate",
                claim="Crashes per open are shown to stay within the 2% you allowed.",
                stance=Stance.FOR,
                grade=Grade.A,
                metric="crash_rate",
                state=State.WITHIN,
                estimate=_number(0.002, -0.011, 0.015, p=0.76),
                n=98_212,
            ),
        ),
    )


def _user() -> Answer:
    return Answer(
        stance=Stance.MIXED,
        question="What is it like to be a user?",
        summary="a quarter of heavy users met the blank feed; the team never could have",
        findings=(
            Finding(
                id="user.errors",
                claim="26% of the heaviest users met a blank feed. 1% of light users did.",
                stance=Stance.AGAINST,
                grade=Grade.C,
                n=9_800,
                evidence=(
                    Table(
                        title="Errors, by how much people use it",
                        columns=("use", "users", "met a blank feed", "errors per 100 opens"),
                        rows=(
                            ("lightest tenth", 9_821, "1%", 0.2),
                            ("middle", 78_570, "6%", 0.9),
                            ("heaviest tenth", 9_821, "26%", 4.1),
                            (HOSTILE[2], None, HOSTILE[0], -3.5),
                        ),
                    ),
                    Story(
                        title="One person's first day with the feed",
                        user="u_8c41f0",
                        lines=(
                            StoryLine(day=0, time="09:12", event="open"),
                            StoryLine(day=0, time="09:12", event="feed_view", note="34 posts"),
                            StoryLine(
                                day=0, time="09:13", event="feed_blank", note="timeout", error=True
                            ),
                            StoryLine(day=0, time="09:14", event="scan", note=HOSTILE[1]),
                            StoryLine(day=3, time="18:40", event="pay", note="12.50"),
                        ),
                    ),
                ),
            ),
        ),
        missing=("a source with device and network, to say on which phones the feed is blank",),
    )


def _rival() -> Answer:
    at = datetime(2026, 3, 9, tzinfo=UTC)
    texts = (HOSTILE[5], HOSTILE[0], HOSTILE[1], HOSTILE[2], HOSTILE[3], HOSTILE[4])
    quotes = tuple(Quote(text=text, product="Wallet", at=at, rating=2) for text in texts)
    return Answer(
        stance=Stance.MIXED,
        question="What do people say of us and of our rivals, and what came of it elsewhere?",
        summary=(
            '"moving to OtherPay" ×2.4, from 31 reviews; after 3 of 4 such releases ratings fell'
        ),
        findings=(
            Finding(
                id="rival.moving",
                claim="2.4 times as many reviews say they are moving to OtherPay.",
                stance=Stance.AGAINST,
                grade=Grade.T,
                n=31,
                evidence=(
                    Quotes(
                        title="In their words",
                        quotes=quotes,
                        dissent=Quote(
                            text="I like to see what my friends do. Stayed because of it.",
                            product="Wallet",
                            at=at,
                            rating=5,
                        ),
                    ),
                    Curve(
                        title="Reviews a week that say they are leaving",
                        x_label="week",
                        y_label="reviews",
                        x=("2 Feb", "9 Feb", "16 Feb", "23 Feb", "2 Mar", "9 Mar", "16 Mar"),
                        lines=(
                            CurveLine(name="Wallet", y=(4, 6, 5, 5, 9, 14, None)),
                            CurveLine(name="OtherPay", y=(8, 7, 9, 6, 7, 8, 5)),
                        ),
                        mark="2 Mar",
                    ),
                ),
            ),
        ),
    )


def _product() -> Answer:
    return Answer(
        stance=Stance.AGAINST,
        question="Is it still the product it is meant to be?",
        summary="paying fell from 61% to 52% of use; two more steps to pay",
        findings=(
            Finding(
                id="product.mix",
                claim="Paying fell from 61% to 52% of what people do here.",
                stance=Stance.AGAINST,
                grade=Grade.A,
                n=98_212,
                evidence=(
                    Bars(
                        title="What people do here, of all they do",
                        y_label="share of use",
                        labels=("pay", "transfer", "social"),
                        groups={"off": (0.61, 0.3, 0.09), "on": (0.52, 0.26, 0.22)},
                        percent=True,
                    ),
                ),
            ),
        ),
    )


def _doubt() -> Answer:
    return Answer(
        stance=Stance.FOR,
        question="What would prove us wrong?",
        summary=(
            "sample ratio, pre-period and 3 negative controls hold; 46 of 48 specifications agree"
        ),
        findings=(
            Finding(
                id="doubt.srm",
                claim="The arms have the sizes the plan gave them: 49,120 and 49,092.",
                stance=Stance.FOR,
                grade=Grade.A,
                estimate=Number(
                    value=0.5001, low=0.497, high=0.5033, level=0.95, unit="share", p=0.93
                ),
                n=98_212,
                method="Chi-squared test of the planned split.",
            ),
        ),
    )


def review() -> Review:
    """A full review: every reading, every kind of evidence, hostile texts among them."""
    return Review(
        octad="0.1.0",
        launch="circles",
        product="Wallet",
        what="A social feed on the home page.",
        verdict=Verdict.ROLL_BACK,
        rule="Trust holds, and harm is shown: payments and retention are worse.",
        because=(
            "Opens rose, payments fell, and fewer people come back in week four.",
            "Payments are 3.1% lower [−4.0, −2.2]. You allowed 1%.",
            "Retention in week four is half a point lower, and the loss is real.",
            "People over 60 in the north lose most: 11% fewer payments.",
        ),
        next=("Nothing short of payments within −1%. At this size that needs 11 more days.",),
        looks=3,
        plan_digest="9f2c41d07be2f05a1c77" + "0" * 44,
        sealed=date(2026, 2, 27),
        deviations=(Deviation(what="The end was moved", before="2026-03-29", after="2026-04-02"),),
        as_of=datetime(2026, 4, 2, 23, 59, tzinfo=UTC),
        users=98_212,
        arms={"off": 49_120, "on": 49_092},
        simulated=True,
        warnings=("2,104 users are still inside the 28 days of payments and are not yet counted.",),
        left_out=(
            LeftOut(source="events", reason="the time does not parse", rows=1_204),
            LeftOut(source="exposures", reason="in two arms", rows=17),
        ),
        kpi=_kpi(),
        readings={
            "results": _results(),
            "horizon": _horizon(),
            "breadth": _breadth(),
            "user": _user(),
            "doubt": _doubt(),
            "rival": _rival(),
            "product": _product(),
            "reflection": Answer(
                stance=Stance.SILENT,
                question="What did we expect, and how often are we right?",
                missing=(
                    "a forecast in the plan, under 'expects'",
                    "past launches in the ledger",
                ),
            ),
        },
        queries={
            "q1": QueryRecord(what="Metrics by arm", sql=SQL),
            "q2": QueryRecord(what="Effect by day and segment", sql="SELECT 1"),
        },
        cost=Cost(
            rows_scanned=5_012_330,
            stages=(
                Stage(name="gather", seconds=7.31, rows=5_012_330),
                Stage(name="read", seconds=2.2),
                Stage(name="verdict", seconds=0.004),
            ),
        ),
    )


def thin_review() -> Review:
    """The least a review can be: nothing but a KPI that cannot speak."""
    return Review(
        octad="0.1.0",
        launch="empty",
        product="Thing",
        verdict=Verdict.CANNOT_TELL,
        rule="Trust fails.",
        because=("The arms are not the sizes the plan gave them.",),
        plan_digest="0" * 64,
        kpi=Answer(stance=Stance.SILENT, question="?", missing=("a kpi in the plan",)),
    )
