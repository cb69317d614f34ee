from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

from octad.model.inputs import PastForecast, PastLaunch
from octad.model.records import Decision, Look, Outcome, Record, Seal, Unknown, Unlocked
from octad.project.digest import canonical, plan_digest, plan_record, sha256
from octad.project.ledger import Ledger
from octad.project.load import load_plan
from tests.project.wallet import LAUNCH, write


def day(number: int) -> datetime:
    return datetime(2026, 3, number, tzinfo=UTC)


def ledger_of(root: Path, *records: tuple[int, Record]) -> Ledger:
    ledger = Ledger.open(root)
    for number, record in records:
        ledger.append(record, now=day(number))
    return ledger


def test_an_empty_ledger_makes_this_the_first_look(here: Path) -> None:
    history = Ledger.open(here).history("circles")
    assert history.looks == 1
    assert history.early_looks == 0
    assert history.sealed is None
    assert history.sealed_before_data is None
    assert history.launches == ()


def test_a_seal_and_what_was_changed_since(wallet: Path) -> None:
    plan = load_plan(wallet, "circles").plan
    seal = Seal(
        launch="circles",
        plan_digest=plan_digest(plan),
        record=plan_record(plan),
        before_data=True,
    )
    ledger = ledger_of(wallet, (1, seal), (2, Unlocked(launch="circles", unread=True)))
    write(wallet, launch=LAUNCH.replace("kpi: opens", "kpi: payments"))
    now = plan_record(load_plan(wallet, "circles").plan)
    history = ledger.history("circles", record=now)
    assert history.sealed == date(2026, 3, 1)
    assert history.sealed_before_data is True
    assert history.deviations == (
        "kpi: 'opens' when sealed, 'payments' now",
        "the numbers were opened before the timelines were read",
    )


def test_a_seal_after_a_look_is_not_before_the_data(here: Path) -> None:
    look = Look(launch="circles", plan_digest="1", verdict="hold")
    seal = Seal(launch="circles", plan_digest="1", record={}, before_data=True)
    history = ledger_of(here, (1, look), (2, seal)).history("circles")
    assert history.sealed_before_data is False


def test_looking_twice_at_the_same_data_is_one_look(here: Path) -> None:
    record = {"launch": {"kpi": "opens"}}
    digest = sha256(canonical(record))

    def look(number: int, plan: str = digest, *, final: bool = False) -> tuple[int, Record]:
        said = Look(
            launch="circles", plan_digest=plan, verdict="hold", as_of=day(number), final=final
        )
        return number, said

    ledger = ledger_of(here, look(1), look(1), look(2), look(2, "another"), look(9, final=True))
    again = ledger.history("circles", record=record, as_of=day(2))
    assert (again.looks, again.early_looks) == (4, 3)
    new = ledger.history("circles", record=record, as_of=day(12))
    assert (new.looks, new.early_looks) == (5, 3)
    assert ledger.history("another").looks == 1


def test_a_look_back_after_the_last_day_does_not_undo_it(here: Path) -> None:
    """Else a verdict could be turned into none by reviewing an earlier day after it."""
    record = {"launch": {"kpi": "opens"}}
    digest = sha256(canonical(record))

    def look(launch: str, number: int, plan: str, final: bool) -> tuple[int, Record]:
        at = day(number)
        return number, Look(launch=launch, plan_digest=plan, verdict="hold", as_of=at, final=final)

    back = ledger_of(here, look("circles", 9, digest, True), look("circles", 2, digest, False))
    assert back.history("circles", record=record).early_looks == 0
    assert back.history("circles", record=record).looks == 3
    # A plan whose last day was another does not close this one's looks.
    other = ledger_of(here, look("feed", 9, "another", True), look("feed", 2, digest, False))
    assert other.history("feed", record=record).early_looks == 1


def test_past_launches_and_forecasts(here: Path) -> None:
    ledger = ledger_of(
        here,
        (1, Look(launch="old", plan_digest="1", verdict="hold", kpi="opens")),
        (
            2,
            Look(
                launch="old",
                plan_digest="1",
                verdict="roll back",
                kpi="opens",
                final=True,
                as_of=day(2),
                effects={"opens": (0.05, 0.01)},
            ),
        ),
        (3, Look(launch="old", plan_digest="1", verdict="hold", kpi="opens")),
        (4, Decision(launch="old", what="ship", who="Mei", why="the quarter")),
        (5, Outcome(launch="old", metric="opens", sure=0.8, happened=0.0, change="at least 5%")),
        (6, Outcome(launch="old", metric="opens", sure=0.8, happened=1.0, change="at least 5%")),
        (7, Look(launch="circles", plan_digest="1", verdict="hold")),
        (8, Unknown(kind="hologram", body={"x": 1})),
    )
    history = ledger.history("circles")
    assert history.launches == (
        PastLaunch(
            launch="old",
            at=date(2026, 3, 2),
            verdict="roll back",
            decided="ship",
            kpi="opens",
            effects={"opens": (0.05, 0.01)},
        ),
    )
    assert history.forecasts == (
        PastForecast(launch="old", metric="opens", sure=0.8, happened=1.0),
    )
