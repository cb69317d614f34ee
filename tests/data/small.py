"""Small random products on disk, and a slow, obvious reference for what the engine adds up."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from octad.data.connect import connect
from octad.data.gather import gather
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.plan import Launch, Plan, Project

DAY = timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)
ENDS = date(2026, 3, 29)
UNTIL = datetime(2026, 3, 30, tzinfo=UTC)

METRICS: dict[str, dict[str, Any]] = {
    "opens": {"count": "open", "window": "7d"},
    "opens_ever": {"count": "open"},
    "opens_36h": {"count": "open", "window": "36h"},
    "either": {"count": ["open", "pay"], "window": "3d"},
    "big": {"count": "pay", "window": "14d", "where": 'value > 10 and kind == "it\'s"'},
    "spend": {"sum": "value", "of": "pay", "window": "14d"},
    "spend_cut": {"sum": "value", "of": "pay", "window": "14d", "winsorize": 0.9},
    "basket": {"mean": "value", "of": "pay", "window": "14d"},
    "crash_rate": {"ratio": ["crash", "open"], "better": "down"},
    "paid": {"any": "pay", "window": "2d"},
    "back": {"returns": "open", "between": ["7d", "14d"]},
    "back_odd": {"returns": "open", "between": ["30h", "61h"]},
    "through": {"funnel": ["open", "cart", "pay"], "within": "2h", "window": "14d"},
    "twice": {"funnel": ["open", "open"], "within": "1d"},
    "wait": {"quantile": 0.9, "of": "wait", "on": "open", "better": "down", "window": "14d"},
    "never": {"count": "rare", "window": "7d"},
}

Event = tuple[str, datetime, str, float | None, float | None, str | None]


@dataclass(frozen=True)
class World:
    """A product's tables as plain rows."""

    events: list[Event]
    exposures: list[tuple[str, datetime, str | None]]
    users: list[tuple[str, str | None, float | None, bool]]
    launch: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, dict[str, Any]] = field(default_factory=lambda: dict(METRICS))

    def arms(self) -> dict[str, tuple[int, datetime]]:
        """Who is compared: user to arm code and exposure, by the words of the design."""
        first: dict[str, datetime] = {}
        seen: dict[str, set[str]] = defaultdict(set)
        staff = {user for user, _, _, crew in self.users if crew}
        for user, at, arm in self.exposures:
            if at < UNTIL and arm is not None:
                first[user] = min(at, first.get(user, at))
                seen[user].add(arm)
        codes = {value: i for i, value in enumerate(("off", "on", "loud"))}
        return {
            user: (codes[next(iter(seen[user]))], at)
            for user, at in first.items()
            if len(seen[user]) == 1 and seen[user] <= set(codes) and at >= START
            if user not in staff
        }


def random_world(seed: int, users: int = 420) -> World:
    """Users in three arms, with everything that real tables hold."""
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    exposures: list[tuple[str, datetime, str | None]] = []
    people: list[tuple[str, str | None, float | None, bool]] = []
    for i in range(users):
        user = f"u'{i}-é付"
        region = [None, "north", "south", "it's"][int(rng.integers(0, 4))]
        age = None if rng.random() < 0.1 else float(rng.normal(40, 12))
        people.append((user, region, age, bool(rng.random() < 0.05)))
        arm: str | None = ["off", "on", "loud"][int(rng.integers(0, 3))]
        if rng.random() < 0.03:
            arm = [None, "odd"][int(rng.integers(0, 2))]
        at = START + timedelta(microseconds=int(rng.uniform(-2, 20) * 86_400e6))
        exposures.append((user, at, arm))
        if rng.random() < 0.3:  # seen again, now and then in another arm
            again = arm if rng.random() < 0.8 else "on"
            exposures.append((user, at + timedelta(hours=float(rng.integers(1, 300))), again))
        events += _events_of(rng, user, at)
    events += [("nobody", START, "open", 1.0, 1.0, None), ("u'0-é付", START, "rare", 1.0, 1.0, "")]
    events += [("nobody", UNTIL + i * DAY, "open", 1.0, 1.0, None) for i in (0, 1)]
    return World(events, exposures, people)


def _events_of(rng: np.random.Generator, user: str, at: datetime) -> list[Event]:
    """Some at random, some on the very edges of windows."""
    edges = [timedelta(0), 36 * DAY / 24, 7 * DAY, 14 * DAY, -28 * DAY, timedelta(hours=30)]
    times = [
        at + edge + timedelta(microseconds=int(rng.integers(-1, 2)))
        for edge in edges
        if rng.random() < 0.5
    ]
    for _ in range(int(rng.poisson(12))):
        start = at + timedelta(microseconds=int(rng.uniform(-32, 30) * 86_400e6))
        times += [start + timedelta(minutes=40 * k) for k in range(int(rng.integers(1, 5)))]
    out: list[Event] = []
    for time in times:
        name = ["open", "open", "cart", "pay", "crash"][int(rng.integers(0, 5))]
        value = float(rng.exponential(12)) if name == "pay" and rng.random() < 0.9 else None
        wait = float(rng.gamma(2, 100)) if rng.random() < 0.8 else None
        out.append((user, time, name, value, wait, ["it's", "other", None][rng.integers(0, 3)]))
    return out


def plan_of(world: World, **more: Any) -> Plan:
    """The plan of an experiment over the world's tables."""
    table = {"table": "data/events/*.parquet", "user": "user", "time": "ts", "event": "name"}
    sources: dict[str, Any] = {
        "events": {**table, "value": "value"},
        "exposures": {
            "table": "data/exposures.parquet",
            "user": "user",
            "time": "ts",
            "arm": "arm",
        },
        "users": {
            "table": "data/users.parquet",
            "user": "user",
            "attributes": ["region", "age"],
            "staff": "crew",
        },
    }
    project = Project.model_validate(
        {"product": "P", "sources": sources, "metrics": world.metrics, **more.pop("project", {})}
    )
    launch: dict[str, Any] = {
        "launch": "x",
        "arms": {"control": "off", "treatment": "on", "second": "loud"},
        "starts": START.date(),
        "ends": ENDS,
        "kpi": next(iter(world.metrics)),
    }
    return Plan(project=project, launch=Launch.model_validate({**launch, **world.launch, **more}))


def write_world(world: World, root: Path, files: int = 1) -> Path:
    """Lay the tables out as Parquet, the events in so many files."""
    (root / "data" / "events").mkdir(parents=True, exist_ok=True)
    time = pa.timestamp("us", tz="UTC")
    kinds = [pa.string(), time, pa.string(), pa.float64(), pa.float64(), pa.string()]
    names = ["user", "ts", "name", "value", "wait", "kind"]
    for k in range(files):
        rows = world.events[k::files]
        _write(rows, names, kinds, root / "data" / "events" / f"{k}.parquet")
    kinds = [pa.string(), time, pa.string()]
    _write(world.exposures, ["user", "ts", "arm"], kinds, root / "data" / "exposures.parquet")
    kinds = [pa.string(), pa.string(), pa.float64(), pa.bool_()]
    _write(world.users, ["user", "region", "age", "crew"], kinds, root / "data" / "users.parquet")
    return root


def _write(rows: Sequence[Sequence[Any]], names: list[str], kinds: list[Any], path: Path) -> None:
    columns = [[row[i] for row in rows] for i in range(len(names))]
    arrays = [pa.array(c, type=k) for c, k in zip(columns, kinds, strict=True)]
    pq.write_table(pa.table(dict(zip(names, arrays, strict=True))), path)


def gathered(root: Path, plan: Plan, needs: Needs | None = None, **more: Any) -> Inputs:
    """Everything of every metric, unless other needs are named."""
    every = frozenset(plan.project.metrics)
    wanted = needs or Needs(totals=every, sliced=every, daily=every, tails=every, retention=True)
    with connect(plan.project, root) as engine:
        return gather(engine, plan, wanted, **more)


def bucket(user: str) -> int:
    """The first three hex digits of MD5, modulo 512."""
    return int(hashlib.md5(user.encode(), usedforsecurity=False).hexdigest()[:3], 16) % 512


def span_of(metric: dict[str, Any]) -> timedelta | None:
    """A metric's window."""
    text = metric.get("window")
    return None if text is None else _span(text)


def _span(text: str) -> timedelta:
    return timedelta(**{{"d": "days", "h": "hours"}[text[-1]]: float(text[:-1])})


def reference(world: World, name: str) -> dict[str, tuple[float, float, float, float]]:
    """A metric's y, d, x, w for every user whose window has ended, one user at a time."""
    metric = world.metrics[name]
    by_user: dict[str, list[Event]] = defaultdict(list)
    for event in world.events:
        by_user[event[0]].append(event)
    rows = {}
    for user, (_, at) in world.arms().items():
        first, last = timedelta(0), span_of(metric)
        if "between" in metric:
            first, last = (_span(t) for t in metric["between"])
        if last is not None and at + last > UNTIL:
            continue
        end = UNTIL if last is None else at + last
        back = last - first if "between" in metric and last is not None else 28 * DAY
        after = [e for e in by_user[user] if at + first <= e[1] < end and e[1] < UNTIL]
        before = [e for e in by_user[user] if at - back <= e[1] < at]
        rows[user] = (*_number(metric, after), *_number(metric, before))
    cut = metric.get("winsorize")
    if cut is not None:
        top = [
            np.quantile([row[i] for row in rows.values()], cut, method="inverted_cdf")
            for i in (0, 2)
        ]
        rows = {u: (min(y, top[0]), d, min(x, top[1]), w) for u, (y, d, x, w) in rows.items()}
    return rows


def _names(value: str | Iterable[str]) -> set[str]:
    return {value} if isinstance(value, str) else set(value)


def _number(metric: dict[str, Any], events: list[Event]) -> tuple[float, float]:
    if "where" in metric:
        events = [e for e in events if e[3] is not None and e[3] > 10 and e[5] == "it's"]
    if "funnel" in metric:
        return _funnel(metric, events)
    if "ratio" in metric:
        one, two = (_names(side) for side in metric["ratio"])
        return float(sum(e[2] in one for e in events)), float(sum(e[2] in two for e in events))
    if "sum" in metric or "mean" in metric:
        values = [e[3] for e in events if e[2] == metric["of"] and e[3] is not None]
        return float(sum(values)), float(len(values)) if "mean" in metric else 1.0
    kind = next(k for k in ("count", "any", "returns") if k in metric)
    times = float(sum(e[2] in _names(metric[kind]) for e in events))
    return (times if kind == "count" else float(times > 0)), 1.0


def _funnel(metric: dict[str, Any], events: list[Event]) -> tuple[float, float]:
    """Every beginning is tried, and each next step taken at the first chance."""
    steps = [_names(step) for step in metric["funnel"]]
    ordered = sorted(events, key=lambda e: e[1])
    begun = [i for i, e in enumerate(ordered) if e[2] in steps[0]]
    return float(any(_runs(steps, ordered, i, _span(metric["within"])) for i in begun)), float(
        bool(begun)
    )


def _runs(steps: list[set[str]], events: list[Event], begin: int, within: timedelta) -> bool:
    used, now = {begin}, events[begin][1]
    for step in steps[1:]:
        later = [i for i, e in enumerate(events) if e[2] in step and e[1] >= now and i not in used]
        if not later:
            return False
        used.add(later[0])
        now = events[later[0]][1]
    return now - events[begin][1] <= within


def turned(world: World) -> World:
    """The same rows in another order."""
    return replace(
        world,
        events=world.events[::-1],
        exposures=world.exposures[::-1],
        users=world.users[::-1],
    )
