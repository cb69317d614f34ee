"""Makes the data that everything is measured on: a wallet's events, seeded, with known effects.

Fifty-seven daily Parquet files, twenty-eight of them before the launch: thirty event names, amounts
and waiting times, heavy and light users, eight attributes, exposures over four weeks (two thirds of
them in the first three days). One event in twenty million is as likely as in the others, so sizes
can be compared. The treatment opens more often (+3%) and pays less often (-2%).
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import duckdb

__all__ = ["ATTRIBUTES", "DAYS", "HOME", "METRICS", "NAMES", "World", "make"]

HOME = Path(__file__).resolve().parent / ".data"
"""Git-ignored; made once for every size, and used again."""

DAYS = 57
BEFORE = 28
ATTRIBUTES = tuple(f"a{i}" for i in range(8))
FORM = 2
"""Counted up whenever the data or the project below change."""

_WEIGHTS = {
    "open": 52, "feed_view": 24, "scan": 17, "pay": 14, "pay_ok": 12, "search": 9, "cart": 8,
    "transfer": 6, "like": 6, "login": 6, "chat": 6, "balance": 5, "receive": 4, "top_up": 4,
    "coupon": 4, "share": 2, "notice": 2, "card": 2, "bill": 2, "settings": 2, "logout": 2,
    "help": 2, "pay_fail": 2, "crash": 1, "split_bill": 1, "ticket": 1, "ride": 1, "gift": 1,
    "report": 1, "rate": 1,
}  # fmt: skip
NAMES = tuple(_WEIGHTS)

METRICS: dict[str, str] = {
    "opens": "{count: open, window: 14d}",
    "payments": "{count: pay, window: 28d}",
    "transfers": "{count: transfer, window: 28d}",
    "feed_views": "{count: feed_view, window: 14d}",
    "scans": "{count: scan, window: 28d}",
    "carts": "{count: cart, window: 14d}",
    "likes": "{count: like, window: 7d}",
    "searches": "{count: search, window: 14d}",
    "chats": "{count: chat, window: 7d}",
    "balances": "{count: balance, window: 28d}",
    "bills": "{count: bill, window: 28d}",
    "shares": "{count: share}",
    "helps": "{count: help, better: down}",
    "crashes": "{count: crash, window: 28d, better: down}",
    "logins": "{count: login, window: 14d}",
    "spend": "{sum: amount, of: pay_ok, window: 28d, winsorize: 0.999}",
    "sent": "{sum: amount, of: transfer, window: 28d, winsorize: 0.999}",
    "topped_up": "{sum: amount, of: top_up, window: 28d}",
    "saved": "{sum: amount, of: coupon}",
    "spend_week": "{sum: amount, of: pay_ok, window: 7d}",
    "paid": "{any: pay_ok, window: 28d}",
    "transferred": "{any: transfer, window: 28d}",
    "searched": "{any: search, window: 14d}",
    "helped": "{any: help, window: 28d, better: down}",
    "used_coupon": "{any: coupon, window: 28d}",
    "shared": "{any: share}",
    "pay_success": "{ratio: [pay_ok, pay], window: 28d}",
    "crash_rate": "{ratio: [crash, open], window: 28d, better: down}",
    "cart_rate": "{ratio: [cart, search], window: 14d}",
    "like_rate": "{ratio: [like, feed_view], window: 14d}",
    "scan_rate": "{ratio: [scan, open]}",
    "fail_rate": "{ratio: [pay_fail, pay], window: 28d, better: down}",
    "basket": "{mean: amount, of: pay_ok, window: 28d}",
    "transfer_size": "{mean: amount, of: transfer, window: 28d}",
    "coupon_size": "{mean: amount, of: coupon, window: 28d}",
    "week_two": "{returns: open, between: [7d, 14d]}",
    "week_three": "{returns: open, between: [14d, 21d]}",
    "week_four": "{returns: open, between: [21d, 28d]}",
    "p95_wait": "{quantile: 0.95, of: wait_ms, on: pay, window: 28d, better: down}",
    "checkout": "{funnel: [open, cart, pay], within: 1d, window: 28d}",
}
RESULTS = ("payments", "spend", "week_four", "transfers")


@dataclass(frozen=True, slots=True)
class World:
    """A project on disk.

    Attributes:
        folder: It holds `octad.yml`, `launches/big.yml` and `data/`.
        events: Rows that were asked for; a few per cent fewer are there.
        users: Users, all of them exposed.
    """

    folder: Path
    events: int
    users: int

    @property
    def files(self) -> list[Path]:
        """One file of events a day, oldest first."""
        return sorted((self.folder / "data" / "events").glob("*.parquet"))

    def copy(self, folder: Path, *, days: int = DAYS) -> World:
        """The same project elsewhere, with the events of the first so many days.

        Files are linked, not copied, so that it takes no room and is read from the same place.
        """
        events = folder / "data" / "events"
        events.mkdir(parents=True)
        (folder / "launches").mkdir()
        for name in (
            "octad.yml",
            "launches/big.yml",
            "data/users.parquet",
            "data/exposures.parquet",
        ):
            shutil.copy2(self.folder / name, folder / name)
        for path in self.files[:days]:
            (events / path.name).hardlink_to(path)
        return World(folder, self.events, self.users)


def make(events: int, users: int | None = None, *, home: Path = HOME) -> World:
    """Make the data of one size, or find them made.

    Args:
        events: About how many; a twentieth as many users unless said otherwise.
        users: How many users.
        home: The folder of all sizes.
    """
    users = users or max(1000, events // 20)
    folder = home / f"e{events}u{users}"
    mark = folder / "made.json"
    said = {"events": events, "users": users, "form": FORM}
    if mark.is_file() and json.loads(mark.read_text()) == said:
        return World(folder, events, users)
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "data" / "events").mkdir(parents=True)
    (folder / "launches").mkdir()
    _write_data(folder / "data", events, users)
    (folder / "octad.yml").write_text(_project(), encoding="utf-8")
    (folder / "launches" / "big.yml").write_text(_launch(), encoding="utf-8")
    mark.write_text(json.dumps(said))
    return World(folder, events, users)


_MACROS = """
CREATE MACRO share(key) AS hash(key) / 18446744073709551616.0;
CREATE MACRO name_of(key) AS ({names})[1 + (hash(key) % {many})::INT];
CREATE MACRO arm_of(i) AS if(hash(i * 31 + 5) % 2 = 0, 'on', 'off');
CREATE MACRO met(i) AS TIMESTAMP '2026-03-01' + to_microseconds((CASE WHEN hash(i) % 3 < 2
    THEN hash(i * 17) % (3 * 86400000000) ELSE hash(i * 19) % (27 * 86400000000) END)::BIGINT);
CREATE MACRO id_of(i) AS 'user-' || lpad(i::VARCHAR, 8, '0');
"""


def _write_data(folder: Path, events: int, users: int) -> None:
    con = duckdb.connect()
    con.execute("SET preserve_insertion_order = false")
    names = [name for name, weight in _WEIGHTS.items() for _ in range(weight)]
    con.execute(_MACROS.format(names=names, many=len(names)))
    each = events // DAYS
    for day in range(DAYS):
        con.execute(f"""
            COPY (SELECT id_of(u) AS user_id, ts, name,
                CASE WHEN name IN ('pay_ok', 'transfer', 'top_up', 'coupon')
                    THEN round(exp(2.0 + 1.6 * (share(i * 5 + {day}) + share(i * 7 + {day} * 3)
                        + share(i * 9 + {day} * 5) - 1.5)), 2) END AS amount,
                CASE WHEN name IN ('open', 'pay')
                    THEN round(-400.0 * ln(1.0 - share(i * 11 + {day})), 1) END AS wait_ms
            FROM (SELECT i, floor({users} * pow(share(i * 7 + {day} * 1000003), 1.7))::BIGINT AS u,
                    TIMESTAMP '2026-02-01' + INTERVAL ({day}) DAY
                        + to_microseconds((i * 86400000000.0 / {each})::BIGINT) AS ts,
                    name_of(i * 13 + {day} * 77) AS name
                FROM (SELECT range AS i FROM range({each})))
            WHERE CASE
                WHEN name = 'open' THEN (arm_of(u) = 'on' AND ts >= met(u))
                    OR hash(i * 3 + {day}) % 100 >= 3
                WHEN name = 'pay' THEN NOT (arm_of(u) = 'on' AND ts >= met(u))
                    OR hash(i * 3 + {day}) % 100 >= 2
                ELSE true END)
            TO '{folder}/events/d{day:02d}.parquet' (FORMAT parquet)""")
    values = ", ".join(
        f"'v' || (hash(i * {k + 3} + {k}) % {k % 5 + 3})::VARCHAR AS {name}"
        for k, name in enumerate(ATTRIBUTES)
    )
    everyone = f"(SELECT range AS i FROM range({users}))"
    con.execute(f"""COPY (
        SELECT id_of(i) AS user_id, {values}, hash(i * 41) % 1000 = 0 AS is_staff
        FROM {everyone}) TO '{folder}/users.parquet' (FORMAT parquet)""")
    con.execute(f"""COPY (
        SELECT id_of(i) AS user_id, arm_of(i) AS arm, 'big' AS launch, met(i) AS ts
        FROM {everyone}) TO '{folder}/exposures.parquet' (FORMAT parquet)""")
    con.close()


def _project() -> str:
    metrics = "\n".join(f"  {name}: {text}" for name, text in METRICS.items())
    return f"""product: Bench
simulated: true
charter:
  purpose: Pay and get paid.
  jobs:
    pay: {{events: [scan, pay], core: true}}
    transfer: {{events: [transfer], core: true}}
    social: {{events: [feed_view, like, share]}}
  errors: [crash, pay_fail]
sources:
  events: {{table: data/events/*.parquet, user: user_id, time: ts, event: name, value: amount}}
  users: {{table: data/users.parquet, user: user_id, attributes: [{", ".join(ATTRIBUTES)}],
    staff: is_staff}}
  exposures: {{table: data/exposures.parquet, user: user_id, time: ts, launch: launch, arm: arm}}
metrics:
{metrics}
"""


def _launch() -> str:
    results = ", ".join(f"{name}: 2%" for name in RESULTS)
    guards = ", ".join(f"{name}: 5%" for name in METRICS if name not in (*RESULTS, "opens"))
    return f"""launch: big
what: A benchmark.
arms: {{control: "off", treatment: "on"}}
starts: 2026-03-01
ends: 2026-04-30
kpi: opens
results: {{{results}}}
guardrails: {{{guards}}}
jobs: [social]
"""
