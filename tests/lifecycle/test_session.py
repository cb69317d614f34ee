"""The life of a launch: sealed, looked at, decided, reflected upon."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from octad.data.write import write_table
from octad.errors import FileError, UsageError
from octad.lifecycle.session import Session
from octad.model.finding import Finding
from octad.model.records import Look
from octad.model.review import READINGS, Review, Verdict

START = np.datetime64("2026-03-01T00:00:00")
DAY = np.timedelta64(1, "D")
NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)

PROJECT = """\
product: Wallet
charter: {purpose: Pay in seconds., jobs: {pay: {events: [pay], core: true}}}
sources:
  events:    {table: data/events.parquet, user: user, time: at, event: name}
  exposures: {table: data/exposures.parquet, user: user, time: at, arm: arm}
metrics:
  opens:    {count: open, window: 7d}
  payments: {count: pay, window: 7d}
"""
LAUNCH = """\
launch: circles
what: A social feed.
arms: {control: "off", treatment: "on"}
starts: 2026-03-01
ends: 2026-03-29
kpi: opens
results: {payments: 2%}
expects:
  - {metric: opens, change: at least 5%, sure: 80%}
  - {metric: payments, change: no worse than -1%, sure: 90%}
"""


def _tables(root: Path, opens: float = 1.3, pays: float = 0.7, users: int = 1_200) -> None:
    """Exposed over ten days; opens rise and payments fall in the treatment."""
    rng = np.random.default_rng(4)
    names = np.array([f"u{i}" for i in range(users)], dtype=object)
    treated = np.arange(users) % 2 == 1
    at = START + rng.integers(0, 10 * 86_400, users).astype("timedelta64[s]")
    columns: dict[str, list[np.ndarray]] = {"user": [], "at": [], "name": []}
    for event, rate, factor in (("open", 0.6, opens), ("pay", 0.3, pays)):
        for first, last, lift in ((-14, 0, 1.0), (0, 19, factor)):
            n = rng.poisson(rate * (last - first) * np.where(treated, lift, 1.0))
            seconds = rng.integers(first * 86_400, last * 86_400, int(n.sum()))
            columns["user"].append(np.repeat(names, n))
            columns["at"].append(np.repeat(at, n) + seconds.astype("timedelta64[s]"))
            columns["name"].append(np.full(int(n.sum()), event, dtype=object))
    columns["user"].append(np.array(["nobody"], dtype=object))
    columns["at"].append(np.array([START + 28 * DAY + np.timedelta64(23, "h")]))
    columns["name"].append(np.array(["open"], dtype=object))
    events = {name: np.concatenate(parts) for name, parts in columns.items()}
    events["at"] = events["at"].astype("datetime64[us]")
    write_table(events, root / "data" / "events.parquet")
    arms = np.where(treated, "on", "off").astype(object)
    exposures = {"user": names, "at": at.astype("datetime64[us]"), "arm": arms}
    write_table(exposures, root / "data" / "exposures.parquet")


Made = Callable[[], Session]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tables")
    _tables(root)
    return root / "data"


@pytest.fixture
def session(tmp_path: Path, data: Path) -> Session:
    (tmp_path / "launches").mkdir()
    (tmp_path / "octad.yml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "launches" / "circles.yml").write_text(LAUNCH, encoding="utf-8")
    (tmp_path / "data").symlink_to(data)
    return Session.open(tmp_path)


def _looks(session: Session) -> list[Look]:
    return [e.record for e in session.entries() if isinstance(e.record, Look)]


def _finding(review: Review, reading: str, name: str) -> Finding:
    return next(f for f in review.readings[reading].findings if f.id == name)


def _claims(review: Review) -> list[str]:
    answers = [review.kpi, *review.readings.values()]
    return [f.claim for a in answers for f in a.findings] + [a.summary for a in answers]


def test_a_review_reads_decides_and_logs_its_look(session: Session) -> None:
    review = session.review("circles", now=NOW)
    assert review.verdict is Verdict.ROLL_BACK
    assert tuple(review.readings) == READINGS
    assert review.final
    assert review.looks == 1
    assert review.arms == {"control": 600, "treatment": 600}
    look = _looks(session)[0]
    assert (look.verdict, look.users, look.final) == ("roll back", 1_200, True)
    assert set(look.effects) == {"opens", "payments"}
    assert look.effects["payments"][0] < -0.1
    assert session.verify().whole


def test_the_same_data_looked_at_again_is_one_look(session: Session) -> None:
    one, two = session.review("circles", now=NOW), session.review("circles", now=NOW)
    assert (one.looks, two.looks) == (1, 1)
    # The engine adds doubles up in any order, so last digits may differ; no sentence may.
    assert _claims(one) == _claims(two)
    assert one.because == two.because


def test_a_look_that_nobody_sees_is_not_logged(session: Session) -> None:
    session.review("circles", log_look=False)
    assert not session.entries()


def test_every_number_names_a_query_that_is_kept(session: Session) -> None:
    review = session.review("circles", log_look=False)
    asked = {f.query_digest for a in review.readings.values() for f in a.findings} - {None}
    assert asked
    assert asked <= set(review.queries)


def test_an_early_look_uses_the_wider_interval_and_counts(session: Session) -> None:
    early = session.review("circles", as_of=date(2026, 3, 20), now=NOW)
    assert not early.final
    assert any("early look" in w for w in early.warnings)
    opens = next(f for f in early.kpi.findings if f.metric == "opens")
    assert opens.estimate is not None
    assert opens.estimate.anytime_low is not None
    assert opens.estimate.low is not None
    assert opens.estimate.anytime_low < opens.estimate.low
    late = session.review("circles", now=NOW)
    assert (early.looks, late.looks) == (1, 2)


def test_as_of_shows_what_was_known_then(session: Session) -> None:
    review = session.review("circles", as_of=date(2026, 3, 9), now=NOW)
    assert review.as_of == datetime(2026, 3, 9, 23, 59, 59, 999999)  # noqa: DTZ001
    assert review.users < 1_200
    assert any("not counted yet" in w for w in review.warnings)


def test_a_plan_changed_after_sealing_is_a_deviation(session: Session) -> None:
    session.seal("circles", now=datetime(2026, 2, 27, tzinfo=UTC))
    same = session.review("circles", now=NOW)
    assert same.sealed == date(2026, 2, 27)
    assert not same.deviations
    path = session.root / "launches" / "circles.yml"
    path.write_text(LAUNCH.replace("payments: 2%", "payments: 50%"), encoding="utf-8")
    bent = session.review("circles", now=NOW)
    assert len(bent.deviations) == 1
    assert "50%" in bent.deviations[0].after
    assert bent.deviations[0].direction == "looser"
    assert "50%" in _finding(bent, "doubt", "doubt.deviations").claim


BENT = {
    "a margin loosened": (("payments: 2%", "payments: 90%"), ["looser"]),
    "the KPI swapped": (("kpi: opens", "kpi: payments"), [""]),
    "a result taken out": (("results: {payments: 2%}\n", ""), ["looser"]),
    "a margin tightened": (("payments: 2%", "payments: 0.1%"), ["stricter"]),
    "an earlier end": (("ends: 2026-03-29", "ends: 2026-03-12"), [""]),
    "the forecasts": (("at least 5%", "at least 50%"), [""]),
}


@pytest.mark.parametrize("change", BENT)
def test_the_sealed_plan_decides_however_the_file_is_bent(session: Session, change: str) -> None:
    sealed = session.seal("circles", now=datetime(2026, 2, 27, tzinfo=UTC))
    honest = session.review("circles", now=NOW)
    (old, new), directions = BENT[change]
    path = session.root / "launches" / "circles.yml"
    path.write_text(LAUNCH.replace(old, new), encoding="utf-8")
    bent = session.review("circles", now=NOW)
    assert (bent.verdict, bent.rule) == (honest.verdict, honest.rule)
    assert (bent.because, bent.next) == (honest.because, honest.next)
    # Under the sealed plan and the same data it is the very same look.
    assert (bent.looks, bent.plan_digest) == (1, sealed.plan_digest)
    assert [d.direction for d in bent.deviations] == directions
    assert any("judges by what was sealed on 2026-02-27" in w for w in bent.warnings)
    assert _looks(session)[-1].deviations == tuple(d.what for d in bent.deviations)


def test_a_metric_redefined_after_sealing_is_measured_as_sealed(session: Session) -> None:
    session.seal("circles", now=datetime(2026, 2, 27, tzinfo=UTC))
    path = session.root / "octad.yml"
    path.write_text(PROJECT.replace("count: pay,", "count: open,"), encoding="utf-8")
    review = session.review("circles", now=NOW)
    assert review.verdict is Verdict.ROLL_BACK
    assert [d.what for d in review.deviations] == [
        "metrics.payments.count: 'pay' when sealed, 'open' now"
    ]


def test_sealing_again_binds_only_before_the_first_look(session: Session) -> None:
    session.seal("circles", now=datetime(2026, 2, 27, tzinfo=UTC))
    path = session.root / "launches" / "circles.yml"
    path.write_text(LAUNCH.replace("payments: 2%", "payments: 3%"), encoding="utf-8")
    again = session.seal("circles", now=datetime(2026, 2, 28, tzinfo=UTC))
    first = session.review("circles", now=NOW)
    assert (first.plan_digest, first.deviations) == (again.plan_digest, ())
    path.write_text(LAUNCH.replace("payments: 2%", "payments: 90%"), encoding="utf-8")
    late = session.seal("circles", now=NOW)
    assert late.plan_digest != again.plan_digest
    second = session.review("circles", now=NOW)
    assert second.plan_digest == again.plan_digest
    assert [d.direction for d in second.deviations] == ["looser"]


def test_the_sealed_forecasts_are_scored(session: Session) -> None:
    session.seal("circles", now=datetime(2026, 2, 27, tzinfo=UTC))
    path = session.root / "launches" / "circles.yml"
    path.write_text(LAUNCH.replace("no worse than -1%", "at most 0%"), encoding="utf-8")
    outcomes = session.reflect("circles", now=NOW)
    assert [(o.change, o.happened) for o in outcomes] == [
        ("at least 5%", 1.0),
        ("no worse than -1%", 0.0),
    ]


def test_the_same_plan_is_sealed_once(session: Session) -> None:
    seal = session.seal("circles", now=NOW)
    assert seal.before_data is False  # the data reach past the launch's first day
    with pytest.raises(UsageError, match="sealed already"):
        session.seal("circles", now=NOW + timedelta(days=1))


@pytest.mark.parametrize(
    ("newest", "now", "before"),
    [
        ("2026-02-27", "2026-02-28", True),
        ("2026-02-28", "2026-03-01", True),
        ("2026-03-01", "2026-03-01", False),
        ("2026-02-27", "2026-03-09", False),
    ],
)
def test_a_seal_before_the_data_is_held_against_data_and_clock(
    session: Session, newest: str, now: str, before: bool
) -> None:
    moments = [datetime.fromisoformat(f"{day}T12:00:00+00:00") for day in (newest, now)]
    seal = session.seal("circles", newest=moments[0], now=moments[1])
    assert seal.before_data is before


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(FileError, match="cannot be written") as error:
        session.review("circles")
    assert error.value.mend
    assert session.review("circles", log_look=False).verdict is Verdict.ROLL_BACK


def test_a_decision_keeps_the_verdict_it_was_taken_on(session: Session) -> None:
    session.review("circles", now=NOW)
    made = session.decide(
        "circles", "ship", who="Mei", why="The board wants it.", against=("results",), now=NOW
    )
    assert made.verdict == "roll back"
    look = session.last_look("circles")
    assert look is not None
    assert "results" in look.against
    assert session.entries()[-1].record == made
    with pytest.raises(UsageError, match="no reading 'luck'"):
        session.decide("circles", "ship", who="Mei", why="-", against=("luck",))


def test_reflecting_scores_each_forecast(session: Session) -> None:
    outcomes = session.reflect("circles", now=NOW)
    assert [(o.metric, o.happened) for o in outcomes] == [("opens", 1.0), ("payments", 0.0)]
    assert outcomes[0].value == pytest.approx(0.3, abs=0.06)  # planted: +30% of a Poisson count


def test_there_is_nothing_to_reflect_upon_without_forecasts(session: Session) -> None:
    path = session.root / "launches" / "circles.yml"
    path.write_text(LAUNCH.split("expects:", maxsplit=1)[0], encoding="utf-8")
    with pytest.raises(UsageError, match="nothing was forecast"):
        session.reflect("circles", now=NOW)


def test_check_reads_every_source(session: Session) -> None:
    report = session.check()
    assert set(report.intake) == {"events", "exposures"}
    assert report.sound


def test_a_folder_without_a_project_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        Session.open(tmp_path)
