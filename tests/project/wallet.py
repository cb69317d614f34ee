"""The design's own two files, which every test of this layer may bend."""

from __future__ import annotations

from pathlib import Path

PROJECT = """\
product: Wallet
charter:
  purpose: Pay and get paid, safely, in seconds.
  jobs:
    pay:      {events: [pay, scan], terms: [pay, payment, 付款], core: true}
    transfer: {events: [transfer], core: true}
    social:   {events: [feed_view, post, like], terms: [feed, 圈子]}
  never:
    family: Show a person's family something they would be ashamed of.
connection: duckdb://
sources:
  events:    {table: data/events/*.parquet, user: user_id, time: ts, event: name, value: amount}
  users:     {table: data/users.parquet, user: user_id, attributes: [region, age_band]}
  exposures: {table: data/exposures.parquet, user: user_id, time: ts, launch: launch, arm: arm}
  reviews:   {table: data/reviews.csv, product: app, time: at, rating: score, text: content}
rivals: [OtherPay]
metrics:
  opens:       {count: open, window: 14d}
  payments:    {count: pay, window: 28d}
  spend:       {sum: value, of: pay, winsorize: 0.999}
  paid:        {any: pay}
  retained:    {returns: open, between: [21d, 28d]}
  pay_success: {ratio: [pay_ok, pay]}
  crash_rate:  {ratio: [crash, open], better: down}
  p95_wait:    {quantile: 0.95, of: wait_ms, better: down}
  checkout:    {funnel: [open, cart, pay], within: 1d}
"""

LAUNCH = """\
launch: circles
what: A social feed on the home page.
design: experiment
arms: {control: "off", treatment: "on"}
starts: 2026-03-01
ends: 2026-03-29
kpi: opens
results: {payments: 1%, retained: 0.5%}
guardrails: {crash_rate: 2%, pay_success: 0.5%}
segments: [region, age_band]
horizon: 90d
jobs: [social]
never: {family: Who sees whose posts was tried with three families.}
expects:
  - {metric: opens, change: at least 5%, sure: 80%}
  - {metric: payments, change: no worse than -1%, sure: 90%}
read_first: 10
signed: {operations: Lin, product: Mei}
"""


def write(root: Path, project: str = PROJECT, launch: str = LAUNCH, name: str = "circles") -> Path:
    """A project folder with one launch; returns the folder."""
    (root / "launches").mkdir(parents=True, exist_ok=True)
    (root / "octad.yml").write_text(project, encoding="utf-8")
    (root / "launches" / f"{name}.yml").write_text(launch, encoding="utf-8")
    return root
