"""The older cohort: read to the launch and no further, and equal to what is counted by hand."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.data.clock import to_micros
from octad.data.cohort import spans_of
from octad.model.inputs import Cohort, Exposure, Inputs
from octad.model.needs import Needs
from tests.data.small import (
    DAY,
    START,
    UNTIL,
    Event,
    World,
    bucket,
    gathered,
    plan_of,
    write_world,
)

HORIZON = 30
METRICS: dict[str, dict[str, Any]] = {
    "opens": {"count": "open", "window": "7d"},
    "spend": {"sum": "value", "of": "pay", "window": "14d", "winsorize": 0.9},
    "back": {"returns": "open", "between": ["7d", "14d"]},
}
FloatArray = NDArray[np.float64]


def older_world(seed: int, users: int = 900) -> World:
    """A product with seven weeks behind it, its launch, and staff."""
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    exposures: list[tuple[str, datetime, str | None]] = []
    people: list[tuple[str, str | None, float | None, bool]] = []
    for i in range(users):
        user = f"u{i}"
        people.append((user, "north", 40.0, bool(rng.random() < 0.05)))
        for _ in range(int(rng.poisson(rng.gamma(2, 8)))):
            at = START + timedelta(microseconds=int(rng.uniform(-48, 29) * 86_400e6))
            name = ["open", "pay"][int(rng.random() < 0.3)]
            value = float(rng.exponential(12)) if name == "pay" else None
            events.append((user, at, name, value, None, None))
        if rng.random() < 0.7:
            at = START + timedelta(microseconds=int(rng.uniform(0, 10) * 86_400e6))
            exposures.append((user, at, ["off", "on", "loud"][int(rng.integers(0, 3))]))
    events.append(("early", START - 48 * DAY, "open", None, None, None))
    return World(events, exposures, people, metrics=dict(METRICS))


def seen(tmp_path: Path, world: World, horizon: str = f"{HORIZON}d") -> Inputs:
    plan = plan_of(world, results={"spend": "1%", "back": "1%"}, horizon=horizon)
    return gathered(write_world(world, tmp_path), plan, Needs(cohort=True))


def turn(user: str, periods: int) -> int:
    """The one period a user is asked in."""
    digest = hashlib.md5(user.encode(), usedforsecurity=False).hexdigest()
    return int(digest[6:8], 16) % periods


def by_hand(world: World, cohort: Cohort) -> tuple[FloatArray, NDArray[np.int64]]:
    """Figures of every older user, and the period and bucket of each."""
    periods = 0 if cohort.periods is None else cohort.periods.shape[0]
    length = ((cohort.entered[1] - cohort.entered[0]).days + 1) // periods
    first = datetime.combine(cohort.entered[0], datetime.min.time(), START.tzinfo)
    staff = {u for u, _, _, crew in world.users if crew}
    by_user: dict[str, list[Event]] = defaultdict(list)
    for e in world.events:
        by_user[e[0]].append(e)
    rows, places = [], []
    for user, own in by_user.items():
        g = turn(user, periods)
        start = first + g * length * DAY
        there = [e[1] for e in own if start <= e[1] < start + length * DAY]
        if not there or user in staff:
            continue
        entry = min(there)
        rows.append(_figures(own, entry, cohort.early, later=True))
        places.append((g, bucket(user)))
    return np.array(rows), np.array(places)


def _figures(own: list[Event], entry: datetime, early: int, *, later: bool) -> list[float]:
    def inside(a: int, b: int) -> list[Event]:
        return [e for e in own if entry + a * DAY <= e[1] < entry + b * DAY]

    weeks = [inside(7 * w, 7 * w + 7) for w in range(early // 7)]
    row = [float(len({(e[1] - entry) // DAY for e in week})) for week in weeks]
    row += [float(sum(e[2] == "open" for e in week)) for week in weeks]
    row += [sum(e[3] or 0.0 for e in week if e[2] == "pay") for week in weeks]
    if later:
        whole = inside(0, HORIZON)
        row.append(float(sum(e[2] == "open" for e in whole)))
        row.append(sum(e[3] or 0.0 for e in whole if e[2] == "pay"))
        row.append(float(any(e[2] == "open" for e in inside(HORIZON - 7, HORIZON))))
        row.append(float(bool(inside(HORIZON - 7, HORIZON))))
    return row


def test_the_cohort_is_what_is_counted_by_hand(tmp_path: Path) -> None:
    world = older_world(1)
    cohort = seen(tmp_path, world).cohort
    assert cohort is not None
    assert cohort.periods is not None
    assert cohort.entered[1] + timedelta(days=HORIZON) < START.date()
    assert cohort.outcomes == ("opens", "spend", "back", "(active)")
    assert cohort.early_of == ("opens", "spend", "days of use", "days of use")
    rows, places = by_hand(world, cohort)
    m = len(cohort.features)
    cut = np.full(rows.shape[1], np.inf)
    for j in (*[i for i, n in enumerate(cohort.features) if n.startswith("spend")], m + 1):
        cut[j] = np.quantile(rows[:, j], 0.9, method="inverted_cdf") or np.inf
    rows = np.minimum(rows, cut)
    total = cohort.moments.total(0)
    assert int(total.n) == len(rows)
    assert total.mean == pytest.approx(rows.mean(axis=0))
    assert total.comoment == pytest.approx((len(rows) - 1) * np.cov(rows.T), rel=1e-9, abs=1e-6)
    for g in range(cohort.periods.shape[0]):
        assert int(cohort.periods[g].n.sum()) == int((places[:, 0] == g).sum())
    assert cohort.moments.n == pytest.approx(np.bincount(places[:, 1], minlength=512))
    _same_for_the_launch(world, cohort, cut[:m])


def _same_for_the_launch(world: World, cohort: Cohort, cut: FloatArray) -> None:
    by_user: dict[str, list[Event]] = defaultdict(list)
    for e in world.events:
        by_user[e[0]].append(e)
    for arm in range(3):
        rows = np.array(
            [
                _figures(by_user[user], at, cohort.early, later=False)
                for user, (code, at) in world.arms().items()
                if code == arm and at + cohort.early * DAY <= UNTIL
            ]
        )
        found = cohort.launch[arm].total(0)
        assert int(found.n) == len(rows)
        assert found.mean == pytest.approx(np.minimum(rows, cut).mean(axis=0))


def test_nothing_after_the_launch_is_learnt_from(tmp_path: Path) -> None:
    world = older_world(2)
    before = [e for e in world.events if e[1] < START]
    after = [e for e in world.events if e[1] >= START]
    changed = [(u, t, n, None if v is None else 1000 * v, w, k) for u, t, n, v, w, k in after]
    one = seen(tmp_path / "one", world).cohort
    two = seen(tmp_path / "two", replace(world, events=before + changed)).cohort
    assert one is not None
    assert two is not None
    assert one.moments.mean == pytest.approx(two.moments.mean)
    assert one.launch.mean != pytest.approx(two.launch.mean)


def test_a_past_too_short_gives_no_cohort(tmp_path: Path) -> None:
    world = older_world(3, 200)
    assert seen(tmp_path / "a", world, "60d").cohort is None
    assert seen(tmp_path / "b", world, "35d").cohort is None  # two weeks of entry are needed
    assert seen(tmp_path / "c", world, "10d").cohort is None  # days 1 to 14 are seen already


def test_the_spans() -> None:
    plan = plan_of(older_world(4, 5), horizon="90d")
    days = np.array(["2026-03-01", "2026-03-09"], dtype="datetime64[D]")
    entry = Exposure(np.array([100, 100]), days, np.array([[90, 90], [10, 10]]))
    starts, until = to_micros(START), to_micros(UNTIL)

    def spans(past: int) -> Any:
        first = START - timedelta(days=past)
        return spans_of(plan, entry, starts=starts, until=until, events_from=first)

    assert spans(103) is None
    found = spans(104)
    # The first nine days enrol, so periods are nine days where there is room for two of them.
    assert (found.early, found.length, found.periods) == (28, 7, 2)
    assert found.first == to_micros(START) - 104 * 86_400_000_000
    assert spans(400).periods == 4
    assert spans(400).length == 9
    late = Exposure(np.array([100, 100]), days[1:], np.array([[100, 100]]))
    soon = to_micros(START + timedelta(days=14))
    assert spans_of(plan, late, starts=starts, until=soon, events_from=START - 400 * DAY) is None
