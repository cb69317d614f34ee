"""The floor: the best SQL we could write by hand for what a review brings out of events and users.

Everything that a general engine must find out is known here beforehand: the names and their codes,
the windows, that they are whole days, which metrics there are. What was tried, and is used because
it measured better (`python -m benchmarks.plans`):

- The strings are gone after one pass: events joined to users become a *tape* in memory, a row of
  one integer key (user and event name), the span of time that it falls in, and an amount.
- Windows are cut at 7, 14, 21 and 28 days, so each event falls in one of seven spans, and every
  window is a sum of spans. One integer key groups faster than two columns, and a FILTER on a byte
  costs a third of one on a moment.
- A name's code is its place in a list, found before the join: DuckDB then looks it up once for
  each name of a file's dictionary.
- Users' sums stay long, a row for each metric that a user has anything in: a pivot to one row a
  user costs more than everything before it.
- Users are numbered by bucket, so that neighbours fall into the same cells.
- The pairs of three attributes come of one table over all three, and their second moments, which
  are wanted by half of the buckets only, of one over five: the rows are grouped seventeen and six
  times, not fifty-six, and what is left is put together by GROUPING SETS.
- A funnel's order is looked at only for users who did each of its steps.

It does less than a review: no winsorised variants, no largest users, no staff, no search for
combinations of three, none of the checks of the source's rows but a count. So a ratio against it
is, if anything, too strict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from benchmarks.world import ATTRIBUTES, NAMES
from octad.model.metric import (
    AnyMetric,
    CountMetric,
    MeanMetric,
    Metric,
    RatioMetric,
    ReturnsMetric,
    SumMetric,
)
from octad.model.plan import Plan
from octad.stats.segments import halves

__all__ = ["Floor", "run"]

DAY = 86_400_000_000
BUCKETS = 512
CODE = {name: i for i, name in enumerate(NAMES)}
GROUPS = (*ATTRIBUTES, "first_seen", "used")
"""What users are grouped by; the last two are made of their use before exposure."""
NARROW, WIDE = 3, 5
"""Attributes of one table: of sums by bucket, and of second moments by half."""
JOBS = {"pay": ("scan", "pay"), "transfer": ("transfer",), "social": ("feed_view", "like", "share")}
ERRORS = ("crash", "pay_fail")
DRAWN = {"opens": "open", "payments": "pay", "transfers": "transfer"}
"""Metrics drawn day by day that are counts of one event; `spend` is a sum of `pay_ok`."""
_SPANS = {7: (2,), 14: (2, 3), 28: (2, 3, 4, 5), None: (2, 3, 4, 5, 6)}
_BETWEEN = {7: 3, 14: 4, 21: 5}


@dataclass(slots=True)
class Floor:
    """What the SQL brought out: Arrow tables, and the numbers of the metrics in them.

    Attributes:
        metrics: Metric to its number in `cells` (its numerator and pre-period alone) or `pairs`
            (with denominators).
        everyone: Sums and second moments by arm and bucket; `every_pair` with denominators.
        cells: Sums by slice, arm and bucket, one table for each block of groups; `pairs` likewise.
        squares: Second moments by slice, arm and half; `pair_squares` likewise.
        counts: Users by slice, arm and bucket, under each window.
        cuts: Winsorised metric to where it was cut, after and before exposure.
    """

    metrics: dict[str, int] = field(default_factory=dict)
    everyone: list[pa.Table] = field(default_factory=list)
    every_pair: list[pa.Table] = field(default_factory=list)
    cells: list[pa.Table] = field(default_factory=list)
    pairs: list[pa.Table] = field(default_factory=list)
    squares: list[pa.Table] = field(default_factory=list)
    pair_squares: list[pa.Table] = field(default_factory=list)
    counts: list[pa.Table] = field(default_factory=list)
    cuts: dict[str, tuple[float, float]] = field(default_factory=dict)
    daily: pa.Table | None = None
    volume: pa.Table | None = None
    jobs: pa.Table | None = None
    errors: pa.Table | None = None
    funnel: list[pa.Table] = field(default_factory=list)
    values: pa.Table | None = None
    sample: pa.Table | None = None
    account: pa.Table | None = None


def days_of(metric: Metric) -> int | None:
    """A metric's window in days; None when it is open to the end of the data."""
    window = metric.between[1] if isinstance(metric, ReturnsMetric) else metric.window
    return None if window is None else window // timedelta(days=1)


def _sum(kind: str, spans: Sequence[int]) -> str:
    return "(" + " + ".join(f"{kind}{i}" for i in spans) + ")"


def is_pair(metric: Metric) -> bool:
    """Whether a metric has a denominator of its own."""
    return isinstance(metric, RatioMetric | MeanMetric)


def terms(metric: Metric) -> tuple[str, str, str]:
    """A plain metric's event, and its sums over spans after and before exposure.

    Raises:
        TypeError: For a metric of another kind.
    """
    match metric:
        case CountMetric():
            return metric.count[0], _sum("n", _SPANS[days_of(metric)]), "(n0 + n1)"
        case SumMetric():
            return metric.of[0], _sum("s", _SPANS[days_of(metric)]), "(s0 + s1)"
        case AnyMetric():
            after = _sum("n", _SPANS[days_of(metric)])
            return metric.any[0], f"({after} > 0)::INT", "(n0 + n1 > 0)::INT"
        case ReturnsMetric():
            span = _BETWEEN[metric.between[0] // timedelta(days=1)]
            return metric.returns[0], f"(n{span} > 0)::INT", "(n1 > 0)::INT"
    raise TypeError(metric)


def ended(metric: Metric) -> str:
    """The condition under which a user's window is over."""
    days = days_of(metric)
    return "true" if days is None else f"seen >= {days}"


def run(folder: Path, plan: Plan, combos: Sequence[tuple[int, ...]], con: Any = None) -> Floor:
    """Run all of it.

    Args:
        folder: The project's folder.
        plan: For what the metrics mean.
        combos: The groups (numbers into `GROUPS`) whose slices a review keeps; the empty one is
            everyone.
        con: A connection; one in memory when absent.
    """
    con = con or duckdb.connect()
    con.execute("SET preserve_insertion_order = false")
    con.execute(f"SET temp_directory = '{folder / '.octad' / 'floor'}'")
    out = Floor()
    metrics = {name: plan.metric(name) for name in plan.launch.metrics}
    single = {n: m for n, m in metrics.items() if _is_single(m)}
    pairs = {n: m for n, m in metrics.items() if is_pair(m)}
    out.metrics = {n: i for i, n in enumerate(single)} | {n: i for i, n in enumerate(pairs)}
    _tape(con, folder, out, np.flatnonzero(~halves(BUCKETS, plan.launch.halving)).tolist())
    _users(con)
    out.cuts = {n: _cut(con, m) for n, m in single.items() if getattr(m, "winsorize", None)}
    _long(con, single, pairs, out.cuts)
    out.counts.append(_grouped(con, "population", ((), [()]), _COUNTS, "cell"))
    out.everyone.append(_grouped(con, "single", ((), [()]), _SUMS + _SQUARES, "metric", "cell"))
    paired = _SUMS + _MORE + _SQUARES + _MORE_SQUARES
    out.every_pair.append(_grouped(con, "pairs", ((), [()]), paired, "metric", "cell"))
    for block in _blocks(combos, NARROW):
        out.counts.append(_grouped(con, "population", block, _COUNTS, "cell"))
        out.cells.append(_grouped(con, "single", block, _SUMS, "metric", "cell"))
        out.pairs.append(_grouped(con, "pairs", block, _SUMS + _MORE, "metric", "cell"))
    for block in _blocks(combos, WIDE):
        out.squares.append(_grouped(con, "single", block, _SQUARES, "metric", "half"))
        both = _SQUARES + _MORE_SQUARES
        out.pair_squares.append(_grouped(con, "pairs", block, both, "metric", "half"))
    _rest(con, out)
    con.close()
    return out


def _is_single(metric: Metric) -> bool:
    return isinstance(metric, CountMetric | SumMetric | AnyMetric | ReturnsMetric)


def _tape(con: Any, folder: Path, out: Floor, late: list[int]) -> None:
    """Read every file once more than once: a count by day and name, and the join.

    Args:
        con: The connection.
        folder: The project's folder.
        out: To be filled.
        late: The buckets of the confirming half.
    """
    events = f"'{folder}/data/events/*.parquet'"
    out.account = con.execute(
        f"SELECT ts::DATE AS day, name, count(*) AS n, max(ts) AS last FROM {events} GROUP BY ALL"
    ).to_arrow_table()
    until = con.execute(f"SELECT epoch_us(max(ts)) + 1 FROM {events}").fetchone()[0]
    codes = ", ".join(f"a{i}" for i in range(len(ATTRIBUTES)))
    con.execute(f"""
        CREATE TEMP TABLE population AS
        SELECT (row_number() OVER (ORDER BY bucket, arm) - 1)::INT AS uid,
            (arm * 512 + bucket)::SMALLINT AS cell,
            (arm * 2 + (bucket IN {tuple(late)})::INT)::TINYINT AS half, *,
            (({until} - exposed) // {DAY})::SMALLINT AS seen
        FROM (
            SELECT user_id, arm, exposed, {codes},
                (('0x' || substr(md5(user_id), 1, 3))::INT % 512)::SMALLINT AS bucket
            FROM (
                SELECT user_id, epoch_us(min(ts)) AS exposed, count(DISTINCT arm) AS arms,
                    (arg_min(arm, ts) = 'on')::TINYINT AS arm
                FROM '{folder}/data/exposures.parquet'
                WHERE launch = 'big' AND epoch_us(ts) < {until} GROUP BY user_id
            ) JOIN (
                SELECT user_id, is_staff, {
        ", ".join(f"substr({a}, 2)::TINYINT AS a{i}" for i, a in enumerate(ATTRIBUTES))
    }
                FROM '{folder}/data/users.parquet'
            ) USING (user_id)
            WHERE NOT is_staff AND arms = 1)""")
    edges = " ".join(
        f"WHEN since < {d} * {DAY} THEN {i}" for i, d in enumerate((-7, 0, 7, 14, 21, 28))
    )
    con.execute(f"""
        CREATE TEMP TABLE tape AS
        SELECT uid * 32 + code AS key, since,
            (CASE {edges} ELSE 6 END)::TINYINT AS span,
            ((since + 28 * {DAY}) // {DAY} - 28)::TINYINT AS day, ts::DATE AS date, amount, wait_ms
        FROM (SELECT uid, code, ts, amount, wait_ms, epoch_us(ts) - exposed AS since
            FROM (SELECT *, list_position({list(NAMES)}, name) - 1 AS code FROM {events})
            JOIN (SELECT user_id, uid, exposed FROM population) USING (user_id)
            WHERE epoch_us(ts) < {until})
        WHERE since >= -28 * {DAY}""")


def _users(con: Any) -> None:
    """Sums by user and event name; then what use before exposure says of each user."""
    counts = ", ".join(f"count(*) FILTER (span = {i})::INT AS n{i}" for i in range(7))
    sums = ", ".join(f"sum(amount) FILTER (span = {i}) AS s{i}" for i in range(7))
    numbers = ", ".join(f"count(amount) FILTER (span = {i})::INT AS k{i}" for i in range(7))
    con.execute(f"""CREATE TEMP TABLE counted AS
        SELECT key // 32 AS uid, (key % 32)::TINYINT AS code, {counts} FROM tape GROUP BY key""")
    filled = ", ".join(f"coalesce(s{i}, 0) AS s{i}" for i in range(7))
    con.execute(f"""CREATE TEMP TABLE summed AS
        SELECT uid, code, {filled}, COLUMNS('^k[0-6]$')
        FROM (SELECT key // 32 AS uid, (key % 32)::TINYINT AS code, {sums}, {numbers}
            FROM tape WHERE amount IS NOT NULL GROUP BY key)""")
    after, before = _sum("n", _SPANS[None]), "(n0 + n1)"
    jobs = ", ".join(
        f"coalesce(sum({when}) FILTER (code IN ({', '.join(str(CODE[e]) for e in events)})), 0)"
        f"::INT AS {job}_{label}"
        for job, events in JOBS.items()
        for label, when in (("before", before), ("after", after))
    )
    errors = ", ".join(
        f"coalesce(sum({after}) FILTER (code = {CODE[e]}), 0)::INT AS {e}" for e in ERRORS
    )
    con.execute(f"""CREATE TEMP TABLE use AS
        SELECT uid, sum({before})::INT AS before, sum({after})::INT AS after,
            (sum(n0) > 0)::TINYINT AS older, {jobs}, {errors}
        FROM counted GROUP BY uid""")
    half, top = con.execute(
        "SELECT quantile_cont(before, 0.5), quantile_cont(before, 0.9) FROM use WHERE before > 0"
    ).fetchone()
    con.execute(f"""CREATE OR REPLACE TEMP TABLE population AS
        SELECT population.*, coalesce(older, 0)::TINYINT AS a8,
            CASE WHEN coalesce(before, 0) = 0 THEN 0
                ELSE 1 + (before > {half})::INT + (before > {top})::INT END::TINYINT AS a9
        FROM population LEFT JOIN use USING (uid)""")


def _cut(con: Any, metric: Metric) -> tuple[float, float]:
    """The order statistics at which a winsorised sum is cut, after and before exposure."""
    event, after, before = terms(metric)
    level = getattr(metric, "winsorize", 1.0)
    found = []
    for value in (after, before):
        n, own, sums = con.execute(f"""
            SELECT (SELECT count(*) FROM population WHERE {ended(metric)}), count(*),
                list({value} ORDER BY {value} DESC)[:200000]
            FROM summed JOIN population USING (uid)
            WHERE code = {CODE[event]} AND {ended(metric)} AND {value} > 0""").fetchone()
        back = n - max(1, -int(-n * level // 1))  # how many lie above the order statistic
        found.append(float(sums[back]) if back < min(own, len(sums or ())) else 0.0)
    return found[0] or float("inf"), found[1] or float("inf")


def _long(con: Any, single: dict[str, Metric], pairs: dict[str, Metric], cuts: Any) -> None:
    """A row for every user and metric with anything in it, beside what the user is grouped by."""
    rows = []
    for number, (name, metric) in enumerate(single.items()):
        event, y, x = terms(metric)
        if name in cuts:
            y, x = (
                f"least({v}, {cut}::DOUBLE)" if cut < float("inf") else v
                for v, cut in zip((y, x), cuts[name], strict=True)
            )
        table = "summed" if isinstance(metric, SumMetric) else "counted"
        rows.append(
            f"SELECT uid, {number}::TINYINT AS metric, ({y})::DOUBLE AS y, ({x})::DOUBLE AS x, "
            f"{days_of(metric) or 0}::TINYINT AS needs FROM {table} WHERE code = {CODE[event]}"
        )
    _attach(con, "single", rows)
    rows = []
    for number, metric in enumerate(pairs.values()):
        spans = _SPANS[days_of(metric)]
        start = f"SELECT uid, {number}::TINYINT AS metric, {days_of(metric) or 0}::TINYINT AS needs"
        if isinstance(metric, MeanMetric):
            values = [_sum("s", spans), _sum("k", spans), "(s0 + s1)", "(k0 + k1)"]
            named = ", ".join(f"({v})::DOUBLE AS {c}" for v, c in zip(values, "ydxw", strict=True))
            rows.append(f"{start}, {named} FROM summed WHERE code = {CODE[metric.of[0]]}")
        elif isinstance(metric, RatioMetric):
            top, bottom = (CODE[events[0]] for events in metric.ratio)
            both = ", ".join(
                f"coalesce(sum({when}) FILTER (code = {c}), 0)::DOUBLE AS {name}"
                for name, c, when in (
                    ("y", top, _sum("n", spans)),
                    ("d", bottom, _sum("n", spans)),
                    ("x", top, "n0 + n1"),
                    ("w", bottom, "n0 + n1"),
                )
            )
            rows.append(
                f"{start}, {both} FROM counted WHERE code IN ({top}, {bottom}) GROUP BY uid"
            )
    _attach(con, "pairs", rows)


def _attach(con: Any, name: str, rows: list[str]) -> None:
    groups = ", ".join(f"a{i}" for i in range(len(GROUPS)))
    con.execute(f"""CREATE TEMP TABLE {name} AS
        SELECT long.* EXCLUDE (uid, needs), cell, half, {groups}
        FROM ({" UNION ALL BY NAME ".join(rows)}) AS long JOIN population USING (uid)
        WHERE seen >= needs""")


def _summed(*terms: str) -> tuple[tuple[str, str], ...]:
    """A sum of each product of columns, and what it is called."""
    return tuple((f"sum({' * '.join(term)})", term) for term in terms)


_COUNTS = tuple((f"count(*) FILTER (seen >= {d})", f"n{d}") for d in (0, 7, 14, 21, 28))
_SUMS, _MORE = _summed("y", "x"), _summed("d", "w")
_SQUARES = _summed("yy", "xx", "yx")
_MORE_SQUARES = _summed("dd", "ww", "yd", "yw", "dx", "dw", "xw")

Block = tuple[tuple[int, ...], list[tuple[int, ...]]]
"""Groups, and the combinations of them that are wanted."""


def _blocks(combos: Sequence[tuple[int, ...]], most: int) -> Iterator[Block]:
    """Sets of so many groups that hold every combination; everyone's is none of them."""
    left = [c for c in sorted(combos, key=len, reverse=True) if c]
    every = sorted({g for c in left for g in c})
    while left:
        block = left[0]
        while len(block) < min(most, len(every)):
            wider = [tuple(sorted((*block, g))) for g in every if g not in block]
            block = max(wider, key=lambda w: sum(set(c) <= set(w) for c in left))
        inside = [c for c in left if set(c) <= set(block)]
        left = [c for c in left if c not in inside]
        yield tuple(sorted({g for c in inside for g in c})), inside


def _grouped(
    con: Any, table: str, block: Block, sums: tuple[tuple[str, str], ...], *by: str
) -> pa.Table:
    """Sums by every combination of a block: grouped by all of its groups, then put together."""
    groups, combos = [f"a{i}" for i in block[0]], block[1]
    made = ", ".join(f"{expression} AS {name}" for expression, name in sums)
    shown = ", ".join([*by, *groups])
    fine = f"SELECT {shown}, {made} FROM {table} GROUP BY ALL"
    if not groups:
        return con.execute(f"SELECT *, 0 AS left_out FROM ({fine})").to_arrow_table()
    sets = ", ".join("(" + ", ".join([*by, *(f"a{i}" for i in c)]) + ")" for c in combos)
    together = ", ".join(
        f"sum({name})" + ("::BIGINT" if name[0] == "n" else "") + f" AS {name}" for _, name in sums
    )
    # Which columns a row was grouped by: a bit for each, the first the highest, 1 for those left.
    return con.execute(
        f"SELECT {shown}, grouping({', '.join(groups)}) AS left_out, {together} "
        f"FROM ({fine}) GROUP BY GROUPING SETS ({sets})"
    ).to_arrow_table()


def _rest(con: Any, out: Floor) -> None:
    """Days, calendar, jobs, errors, the funnel, waiting times, a sample."""
    codes = ", ".join(
        f"count(*) FILTER (key % 32 = {CODE[e]})::DOUBLE AS {n}" for n, e in DRAWN.items()
    )
    names = (*DRAWN, "spend")
    moments = ", ".join(f"sum({n}) AS {n}, sum({n} * {n}) AS {n}_2" for n in names)
    out.daily = con.execute(f"""
        SELECT cell, day, count(*) AS active, {moments}
        FROM (SELECT key // 32 AS uid, day, {codes},
                coalesce(sum(amount) FILTER (key % 32 = {CODE["pay_ok"]}), 0) AS spend
            FROM tape WHERE day >= 0 GROUP BY uid, day)
        JOIN (SELECT uid, cell, seen FROM population) USING (uid)
        WHERE day < seen GROUP BY cell, day""").to_arrow_table()
    out.volume = con.execute("""
        SELECT date, cell // 512 AS arm, sum(n)::BIGINT AS events, count(*) AS users
        FROM (SELECT date, key // 32 AS uid, count(*) AS n FROM tape WHERE since >= 0 GROUP BY ALL)
        JOIN (SELECT uid, cell FROM population) USING (uid) GROUP BY ALL""").to_arrow_table()
    terms_ = ", ".join(
        f"sum({j}_{p})::BIGINT AS {j}_{p}, count(*) FILTER ({j}_{p} > 0) AS {j}_{p}_users"
        for j in JOBS
        for p in ("before", "after")
    )
    kept = ", ".join(
        f"count(*) FILTER ({j}_before > 0 AND {j}_after > 0) AS {j}_kept" for j in JOBS
    )
    who = "use JOIN (SELECT uid, cell, a9 FROM population) USING (uid)"
    out.jobs = con.execute(
        "SELECT cell, sum(before)::BIGINT AS before, sum(after)::BIGINT AS after, "
        f"{terms_}, {kept} FROM {who} GROUP BY cell"
    ).to_arrow_table()
    every = " + ".join(ERRORS)
    kinds = ", ".join(
        f"sum({e})::BIGINT AS {e}, count(*) FILTER ({e} > 0) AS {e}_met" for e in ERRORS
    )
    out.errors = con.execute(
        f"SELECT cell // 512 AS arm, a9, sum(after)::BIGINT AS actions, "
        f"count(*) FILTER ({every} > 0) AS met, {kinds} FROM {who} GROUP BY ALL"
    ).to_arrow_table()
    out.funnel = [_funnel(con, after=after) for after in (True, False)]
    out.values = con.execute(f"""
        SELECT key // 32 AS uid, wait_ms FROM tape
        JOIN (SELECT uid, seen FROM population) AS p ON p.uid = key // 32
        WHERE key % 32 = {CODE["pay"]} AND span BETWEEN 2 AND 5 AND seen >= 28
            AND wait_ms IS NOT NULL""").to_arrow_table()
    few = max(1, round(512 * 3000 / max(1, con.execute("SELECT count(*) FROM use").fetchone()[0])))
    out.sample = con.execute(f"""
        SELECT key // 32 AS uid, since, key % 32 AS code FROM tape
        WHERE since >= 0 AND key // 32 IN (SELECT uid FROM population WHERE bucket < {few})
        """).to_arrow_table()


def _funnel(con: Any, *, after: bool) -> pa.Table:
    """Users who did open, cart and pay in that order within a day; only those who did each."""
    spans = "span BETWEEN 2 AND 5" if after else "span < 2"
    when = _sum("n", (2, 3, 4, 5) if after else (0, 1))
    steps = [CODE[e] for e in ("open", "cart", "pay")]
    order = "OVER (PARTITION BY uid ORDER BY since RANGE UNBOUNDED PRECEDING)"
    return con.execute(f"""
        WITH each AS (
            SELECT uid FROM counted WHERE code IN ({", ".join(map(str, steps))}) AND {when} > 0
            GROUP BY uid HAVING count(*) = 3),
        rows AS (
            SELECT key // 32 AS uid, key % 32 AS code, since FROM tape
            WHERE {spans} AND key % 32 IN ({", ".join(map(str, steps))})
                AND key // 32 IN (SELECT uid FROM each)),
        opened AS (
            SELECT *, max(CASE WHEN code = {steps[0]} THEN since END) {order} AS from_open
            FROM rows),
        carted AS (
            SELECT *, max(CASE WHEN code = {steps[1]} THEN from_open END) {order} AS from_cart
            FROM opened),
        through AS (
            SELECT DISTINCT uid FROM carted
            WHERE code = {steps[2]} AND since - from_cart <= {DAY}),
        entered AS (
            SELECT uid FROM counted WHERE code = {steps[0]} AND {when} > 0)
        SELECT cell, count(*) AS entered, count(through.uid) AS through
        FROM entered JOIN population USING (uid) LEFT JOIN through USING (uid)
        WHERE seen >= 28 GROUP BY cell""").to_arrow_table()
