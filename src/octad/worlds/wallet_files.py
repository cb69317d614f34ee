"""The wallet's project files. They are the tutorial, so they explain themselves."""

from __future__ import annotations

__all__ = ["AUTHOR", "CIRCLES", "DELETED", "ICON", "LINKS", "OCTAD", "QUICKPAY", "readme"]

OCTAD = """\
# A wallet, simulated by Octad. Nobody in here is real; every page says so.
# This file says what the product is, where its data lie, and what is measured.

product: Wallet
simulated: true

charter:                            # what the product is for, and what it must never do
  purpose: Pay and get paid, safely, in seconds.
  jobs:                             # what people hire it for: events that do it, words that name it
    pay:
      events: [scan, pay]
      terms: [pay, payment, paying, paid, scan, 付款, 支付, 扫码]
      core: true                    # a core job: the product fails if it sinks
    transfer:
      events: [transfer]
      terms: [transfer, send money, sent money, 转账]
      core: true
    balance:
      events: [balance]
      terms: [balance, 余额]
    social:
      events: [feed_view, post, like]
      terms: [feed, posts, likes, 圈子, 动态]
  never:                            # lines that no gain is worth crossing
    family: Show a person's family something they would be ashamed of.
  errors: [crash, blank_feed, pay_fail]   # events that mean something went wrong for the user

sources:                            # where the tables lie, and what their columns are called
  events:
    table: data/events/*.parquet
    user: user_id
    time: ts
    event: name
    value: amount
  users:
    table: data/users.parquet
    user: user_id
    attributes: [region, age_band, device_class, tenure, plan]   # all known before the launch
    staff: is_staff                 # left out of every estimate
  exposures:
    table: data/exposures.parquet
    user: user_id
    time: ts
    launch: launch
    arm: arm
  reviews:
    table: data/reviews.csv
    product: app
    time: at
    rating: score
    text: content
    version: version
    author: author                  # hashed on reading
  releases:
    table: data/releases.csv
    product: app
    time: at
    version: version
    notes: notes

rivals: [OtherPay]

metrics:                            # each is per user, counted from the moment of exposure
  opens:
    count: open
    window: 14d
    what: How often people open the app in their first two weeks.
  payments:
    count: pay
    window: 28d
    what: Payments that people set out to make.
  transfers:
    count: transfer
    window: 28d
  spend:
    sum: amount
    of: pay_ok
    window: 28d
    winsorize: 0.999                # the largest tenth of a per cent is cut to that level
    unit: €
  retained:
    returns: open
    between: [21d, 28d]
    what: The share of people who come back in week four.
  pay_success:
    ratio: [pay_ok, pay]
    window: 28d
    what: The share of tried payments that went through.
  crash_rate:
    ratio: [crash, open]
    window: 28d
    better: down
  p95_wait:
    quantile: 0.95
    of: wait_ms
    on: open
    window: 28d
    better: down
    unit: ms
"""

LINKS = """\
  links:                            # who is friends with whom, as it was before the launch
    table: data/links.csv
    user: user_id
    other: other_id
"""

AUTHOR = "    author: author                  # hashed on reading\n"

DELETED = """\
    deleted: is_deleted             # taken down by the store later
"""

CIRCLES = """\
# The plan of one launch, written before it. `octad seal circles` freezes it.

launch: circles                     # the same as the file's name
what: A social feed on the home page.
design: experiment                  # chance decided who got it
arms: {control: "off", treatment: "on"}   # in quotes: YAML reads a bare on or off as true or false
starts: 2026-03-01
enrol_until: 2026-03-10             # rolled out over three days, enrolment closed after ten
ends: 2026-04-07                    # by then everyone has been watched for 28 days

kpi: opens                          # the number the team is paid for
results:                            # what the product is for, and the loss still tolerable
  payments: 1%
  retained: 0.5%
guardrails:                         # what must not break meanwhile
  crash_rate: 2%
  pay_success: 0.5%
segments: [region, age_band, device_class, tenure]
horizon: 90d                        # how long the gain should last
jobs: [social]                      # what the launch serves
never:                              # how each line of the charter was looked after
  family: Who sees whose posts was tried with three families.

expects:                            # what the team expects, and how sure it is; scored afterwards
  - {metric: opens, change: at least 5%, sure: 80%}
  - {metric: payments, change: no worse than -1%, sure: 90%}

signed: {operations: Lin, product: Mei}
"""

QUICKPAY = """\
# The plan of one launch, written before it. `octad seal quickpay` freezes it.

launch: quickpay
what: Paying from the lock screen.
design: experiment
arms: {control: "off", treatment: "on"}
starts: 2026-03-01
enrol_until: 2026-03-10             # rolled out over three days, enrolment closed after ten
ends: 2026-04-07                    # by then everyone has been watched for 28 days

kpi: payments
results: {spend: 1%, retained: 1%}
guardrails: {crash_rate: 5%, pay_success: 0.5%}
segments: [region, age_band, device_class, tenure]
horizon: 90d
jobs: [pay]
never:
  family: The lock screen shows neither amounts nor names.

expects:
  - {metric: payments, change: at least 2%, sure: 70%}
  - {metric: retained, change: no worse than -0.5%, sure: 90%}

signed: {operations: Lin, product: Mei}
"""

ICON = """\
# The plan of one launch, written before it. `octad seal icon` freezes it.

launch: icon
what: A new icon for the app.
design: experiment
arms: {control: "off", treatment: "on"}
starts: 2026-03-01
enrol_until: 2026-03-10             # rolled out over three days, enrolment closed after ten
ends: 2026-04-07                    # by then everyone has been watched for 28 days

kpi: opens
results: {payments: 2%, retained: 1%}
guardrails: {crash_rate: 5%, pay_success: 0.5%}
segments: [region, age_band, device_class, tenure]
horizon: 90d
never:
  family: An icon shows nothing of anybody.

expects:
  - {metric: opens, change: at least 2%, sure: 60%}

signed: {operations: Lin, product: Mei}
"""


def readme(launch: str, about: str) -> str:
    """The project's README.

    Args:
        launch: The launch's name.
        about: What was launched, in a sentence or two.
    """
    return f"""\
# Wallet: a worked example

A simulated product. Its people, payments, reviews and its rival OtherPay were made by
`octad.worlds` from a seed; none of them is real.

Wallet pays in seconds. {about}

    octad check              # what lies in data/, and whether it is sound
    octad plan {launch:<14}# what this launch can show, before it starts
    octad review {launch:<12}# the number, the eight readings, the verdict

Look into `octad.yml` and `launches/{launch}.yml` first: they explain themselves.

`truth.json` says what is really so, because a simulation can know. No review reads it.
Guess the verdict before you open it.
"""
