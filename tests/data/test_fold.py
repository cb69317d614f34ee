"""One read of the events makes every product, however the rows lie and come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octad.data.clock import DAY
from octad.data.connect import connect
from octad.data.fold_order import funnel_of
from octad.data.fold_rows import NOBODY, Batch, Folder, People
from octad.data.fold_state import Form, Reading, State
from octad.data.fold_sums import Sums
from octad.data.gather import gather
from octad.data.primitives import OPEN, Part, Primitive
from octad.model.metric import FunnelMetric
from octad.model.needs import Needs
from tests.data.small import METRICS, gathered, plan_of, random_world, write_world

EVENTS = ("open", "pay")
HOURS = DAY // 24
FORM = Form(
    events=EVENTS,
    conditions=("big", "red"),
    sums=(("value", ("pay",)),),
    readings=(Reading("value", window=3 * DAY), Reading("value", ("open",), "red")),
    ordered=EVENTS,
    edges=(-36 * HOURS, 30 * HOURS),
    sampled=256,
)
ASKED: dict[str | None, int] = {None: 2, "open": 2, "pay": 3}


def _people(rng: np.random.Generator, n: int) -> People:
    return People(
        user=np.arange(n, dtype=np.uint64) * 7 + 1,
        exposed=rng.integers(60 * DAY, 90 * DAY, n),
        bucket=rng.integers(0, 512, n).astype(np.int16),
        staff=np.array([3, 4], dtype=np.uint64),
    )


def _rows(rng: np.random.Generator, people: People, m: int) -> Batch:
    """Rows of the people, of staff and of nobody; many of one moment, on edges and at midnight."""
    n = len(people.user)
    uid = rng.integers(-3, n, m)
    base = np.where(uid >= 0, people.exposed[np.maximum(uid, 0)], 70 * DAY)
    spans = np.array([0, -1, 30 * HOURS, 30 * HOURS - 1, -36 * HOURS, 7 * DAY, -28 * DAY, 3 * DAY])
    at = base + np.where(
        rng.random(m) < 0.4, rng.choice(spans, m), rng.integers(-30 * DAY, 20 * DAY, m)
    )
    midnight = rng.random(m) < 0.1
    at = np.where(midnight, at // DAY * DAY, at)
    code = rng.integers(-1, 3, m).astype(np.int16)
    named = np.flatnonzero((uid < -1) | ((uid >= 0) & (people.bucket[np.maximum(uid, 0)] < 256)))
    return Batch(
        uid=uid.astype(np.int32),
        at=at,
        code=code,
        flags=rng.integers(0, 4, m),
        values={"value": (rng.integers(1, 9, m) / 4.0, rng.random(m) < 0.7)},
        marked=(named, ["other", *EVENTS], np.maximum(code[named], 0).astype(np.int64)),
    )


def _some(batch: Batch, rows: Any) -> Batch:
    """Some rows of a batch, in the order given."""
    place = np.full(len(batch.uid), -1)
    place[batch.marked[0]] = np.arange(len(batch.marked[0]))
    named = np.flatnonzero(place[rows] >= 0)
    assert batch.flags is not None
    return Batch(
        uid=batch.uid[rows],
        at=batch.at[rows],
        code=batch.code[rows],
        flags=batch.flags[rows],
        values={name: (v[rows], t[rows]) for name, (v, t) in batch.values.items()},
        marked=(named, batch.marked[1], batch.marked[2][place[rows][named]]),
    )


def _folded(people: People, batches: list[Batch], form: Form = FORM) -> State:
    folder = Folder(people, form, ASKED)
    for batch in batches:
        folder.add(batch)
    return folder.state()


PRIMITIVES = [
    Primitive(),
    Primitive(("open",)),
    Primitive(("open", "pay"), where="red"),
    Primitive(("pay",), where="big", before=30 * HOURS),
    Primitive((), where="red", after=-36 * HOURS),
    Primitive(("pay",), "value"),
    Primitive(("pay",), "value", present=True, where="big"),
]
SPANS = [(-28, 0), (0, OPEN), (0, 7), (-2, 0), (0, 2), (3, 9)]


def _expected(people: People, batch: Batch, part: Part) -> list[float]:
    """One user and one row at a time."""
    out = [0.0] * len(people.user)
    p, (value, there) = part.primitive, batch.values["value"]
    assert batch.flags is not None
    for i, (uid, at, code) in enumerate(zip(batch.uid, batch.at, batch.code, strict=True)):
        if uid < 0 or code < 0:
            continue
        since = int(at - people.exposed[uid])
        name = None if code == 0 else EVENTS[code - 1]
        bit = {None: 0, "big": 1, "red": 2}[p.where]
        if (
            part.first * DAY <= since < part.last * DAY
            and (not p.events or name in p.events)
            and (not bit or batch.flags[i] & bit)
            and (p.after is None or since >= p.after)
            and (p.before is None or since < p.before)
            and (p.column is None or there[i])
        ):
            out[uid] += 1.0 if p.column is None or p.present else float(value[i])
    return out


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(0, 300))
def test_every_part_is_what_one_counts_by_hand(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    people = _people(rng, n)
    batch = _rows(rng, people, m)
    sums = Sums(_folded(people, [batch]))
    for primitive in PRIMITIVES:
        for first, last in SPANS:
            part = Part(primitive, first, last)
            # Quarters add up without rounding, in any order.
            assert sums.users(part).tolist() == _expected(people, batch, part)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(0, 300))
def test_days_and_dates_are_what_one_counts_by_hand(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    people = _people(rng, n)
    batch = _rows(rng, people, m)
    sums = Sums(_folded(people, [batch]))
    inside = (batch.uid >= 0) & (batch.code >= 0)
    uid, at = batch.uid[inside], batch.at[inside]
    since = at - people.exposed[uid]
    kept = since >= -28 * DAY
    first = {int(u): int(since[kept & (uid == u)].min() // DAY) for u in np.unique(uid[kept])}
    assert [int(d) for d in sums.first_day(28) if d < 10**6] == [first[u] for u in sorted(first)]
    after = since >= 0
    active = {(int(s // DAY), int(u)) for u, s in zip(uid[after], since[after], strict=True)}
    assert set(zip(*(a.tolist() for a in np.nonzero(sums.active())), strict=True)) == active
    days, arm = sums.dates(), np.arange(n) % 2
    found = sums.by_date(Primitive(), arm, 2, days) if len(days) else np.zeros((0, 2))
    users = sums.users_by_date(arm, 2, days) if len(days) else np.zeros((0, 2))
    for i, day in enumerate(days):
        for a in range(2):
            mine = after & (arm[uid] == a) & (at // DAY == day)
            assert found[i, a] == mine.sum()
            assert users[i, a] == len(set(uid[mine].tolist()))
    assert found.sum() == after.sum()


def _said(state: State) -> tuple[Any, ...]:
    """Everything a state says, whatever the order of its rows."""
    sums = Sums(state)
    parts = [sums.users(Part(p, *span)).tolist() for p in PRIMITIVES for span in SPANS]
    marks = sorted(
        (int(state.user[p]) if p >= 0 else -int(state.staff[-1 - p]), int(at), state.marks.names[e])
        for p, at, e in zip(state.marks.person, state.marks.at, state.marks.event, strict=True)
    )
    readings = [
        sorted(zip(state.user[r.user].tolist(), r.value.tolist(), strict=True))
        for r in state.readings
    ]
    totals = [r.total.tolist() for r in state.readings]
    through = funnel_of(state, FUNNEL, back=28 * DAY)
    funnel = [column.tolist() for column in (through.y, through.d, through.x, through.w)]
    return parts, marks, readings, totals, funnel


FUNNEL = FunnelMetric.model_validate({"funnel": ["open", "pay", "open"], "within": "2d"})


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(0, 300), st.integers(1, 7))
def test_any_split_and_any_order_of_the_rows_says_the_same(
    seed: int, n: int, m: int, pieces: int
) -> None:
    rng = np.random.default_rng(seed)
    people = _people(rng, n)
    batch = _rows(rng, people, m)
    whole = _folded(people, [batch])
    order = rng.permutation(m)
    cuts = np.sort(rng.integers(0, m + 1, pieces - 1))
    split = [_some(batch, rows) for rows in np.split(order, cuts)]
    assert _said(_folded(people, split)) == _said(whole)
    # In states of their own, put together in another order, it is the same again.
    states = [_folded(people, [piece]) for piece in split]
    merged = states[-1]
    for state in states[:-1]:
        merged = merged.merge(state)
    assert _said(merged) == _said(whole)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(2, 20), st.integers(0, 300))
def test_halves_of_the_users_make_the_whole(seed: int, n: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    people = _people(rng, n)
    batch = _rows(rng, people, m)
    # Staff's events are the same in both halves, so they are left out here.
    batch = _some(batch, np.flatnonzero(batch.uid >= NOBODY))
    whole = _folded(people, [batch])
    half = rng.random(n) < 0.5
    merged = whole.take(half).merge(whole.take(~half))
    assert _said(merged) == _said(whole)


def test_values_beyond_memory_are_kept_of_whole_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    people = _people(rng, 400)
    batches = [_rows(rng, people, 3_000) for _ in range(6)]
    whole = _folded(people, batches).readings[0]
    monkeypatch.setattr("octad.data.fold_rows.MOST_VALUES", 700)
    thinned = _folded(people, batches).readings[0]
    assert len(thinned.user) <= 700
    assert 0 < thinned.buckets < 512
    assert np.array_equal(thinned.total, whole.total)
    kept = people.bucket[whole.user] < thinned.buckets
    assert sorted(whole.value[kept].tolist()) == sorted(thinned.value.tolist())


def test_more_than_a_row_can_count_takes_several() -> None:
    people = replace(_people(np.random.default_rng(1), 1), exposed=np.array([60 * DAY]))
    m = 200_000
    nothing = np.zeros(0, dtype=np.int64)
    batch = Batch(
        uid=np.zeros(m, np.int32),
        at=np.full(m, 61 * DAY),
        code=np.ones(m, np.int16),
        flags=np.zeros(m, np.int64),
        values={"value": (np.zeros(m), np.zeros(m, bool))},
        marked=(nothing, [], nothing),
    )
    state = _folded(people, [batch, batch])
    assert Sums(state).users(Part(Primitive(("open",)), 0, 2)).tolist() == [2.0 * m]


EVERY = frozenset(METRICS)
ALL = Needs(
    totals=EVERY,
    sliced=EVERY,
    daily=EVERY,
    tails=EVERY,
    variants=EVERY,
    kinds=EVERY,
    calendar=EVERY,
    retention=True,
    volume=True,
    jobs=True,
    errors=True,
    stories=3,
)


def test_the_events_are_read_once_however_much_is_asked(tmp_path: Path) -> None:
    world = random_world(3, users=120)
    charter = {"charter": {"jobs": {"pay": {"events": ["pay"]}}, "errors": ["crash"]}}
    plan = plan_of(world, project=charter)
    with connect(plan.project, write_world(world, tmp_path, files=3)) as engine:
        engine.backend.raw_sql("CALL enable_logging('QueryLog')")
        inputs = gather(engine, plan, ALL)
        log = engine.backend.raw_sql(
            "SELECT message FROM duckdb_logs WHERE type = 'QueryLog'"
        ).fetchall()
    reads = [sql for (sql,) in log if '"_octad_raw_events"' in sql and "CREATE" not in sql]
    stages = {name: rows for name, _, rows in inputs.cost[1] if rows}
    rows = len(world.events)
    # Files that were never seen are counted first, in one pass for days and names.
    assert len([sql for sql in reads if '"uid"' in sql]) == 1
    assert stages == {
        "opening the sources": rows + len(world.users) + len(world.exposures),
        "reading the events once": rows,
    }
    assert inputs.cost[0] == sum(stages.values())


def test_errors_from_buckets_agree_with_errors_from_users(tmp_path: Path) -> None:
    world = random_world(8, users=3_000)
    needs = Needs(totals=frozenset({"opens", "crash_rate", "spend"}))
    inputs = gathered(write_world(world, tmp_path), plan_of(world), needs)
    for name in ("opens", "spend", "crash_rate"):
        moments = inputs.metrics[name].moments[0, 0]
        whole = moments.total(0)
        ratio = whole.mean[0] / whole.mean[1]
        spread = whole.linear([[1.0, -ratio, 0.0, 0.0]]).covariance()[0, 0]
        by_user = float(np.sqrt(spread / whole.n) / whole.mean[1])
        sums = moments.n[:, None] * moments.mean
        left = sums.sum(axis=0) - sums
        estimates = left[:, 0] / left[:, 1]
        some = moments.n > 0
        by_bucket = float(np.sqrt((some.sum() - 1) * np.var(estimates[some])))
        # Both estimate one error; 512 buckets know it to about one part in thirty.
        assert by_bucket == pytest.approx(by_user, rel=0.12)


def test_an_interrupted_read_leaves_the_engine_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = random_world(4, users=60)
    plan = plan_of(world)
    root = write_world(world, tmp_path)
    with connect(plan.project, root) as engine:
        order = "SELECT current_setting('preserve_insertion_order')"
        before = engine.backend.raw_sql(order).fetchall()

        def stop(*_: Any) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("octad.data.tape.Tape.tell", stop)
        with pytest.raises(KeyboardInterrupt):
            gather(engine, plan, Needs(totals=frozenset({"opens"})))
        monkeypatch.undo()
        assert engine.backend.raw_sql(order).fetchall() == before
        assert "opens" in gather(engine, plan, Needs(totals=frozenset({"opens"}))).metrics
    assert not list((root / ".octad").glob("tmp/*"))
