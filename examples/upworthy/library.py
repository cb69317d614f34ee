"""4,873 headline tests as a library: what do their clicks say, and what can they not say?

The tests (arms with impressions and clicks) and the site's daily traffic are public, and not kept
here. Run it with the folder that holds both files:

    python examples/upworthy/library.py ../shared/data/upworthy
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import numpy as np
from numpy.typing import NDArray

from octad.lifecycle.outlook import Known, prospects
from octad.model.inputs import History, PastLaunch
from octad.model.plan import Launch, Plan, Project
from octad.stats.refusal import NotEstimable
from octad.stats.sample_ratio import sample_ratio
from octad.stats.shrinkage import random_effects

Floats = NDArray[np.float64]

SURE = 1.96
CORRECTED = (201325, 201402)
"""The weeks in which, by the archive's own correction (Matias et al. 2024), headlines were likely
not assigned by chance: 25 June 2013 to 10 January 2014."""


@dataclass(frozen=True, slots=True)
class Test:
    """One headline test: arms in the order of the file."""

    __test__ = False  # pytest would take the name for its own

    name: str
    week: int
    shown: Floats
    clicks: Floats

    def pair(self) -> tuple[float, float] | None:
        """The second headline against the first: log of the ratio of clicks, and its error.

        Which comes first in the file means nothing, so the mean over tests is about zero.
        """
        n, c = self.shown[:2], self.clicks[:2]
        if len(n) < 2 or (c < 1).any() or (n < 1).any():
            return None
        error = float(np.sqrt((1 / c - 1 / n).sum()))
        return float(np.log(c[1] / n[1]) - np.log(c[0] / n[0])), error


def read(file: Path) -> list[Test]:
    """The tests, in the order of their weeks."""
    rows = duckdb.execute(
        "select clickability_test_id, min(test_week), list(impressions order by place), "
        "list(clicks order by place) "
        "from (select *, file_row_number as place from read_parquet(?, file_row_number = true)) "
        "group by 1 order by 2, 1",
        [str(file)],
    ).fetchall()
    return [
        Test(str(name), int(week), np.array(n, dtype=float), np.array(c, dtype=float))
        for name, week, n, c in rows
    ]


def even(tests: list[Test], fails: float = 0.001) -> list[Test]:
    """The tests whose arms were shown as often as an even split gives.

    The others fail Octad's first check, and nothing is read from their clicks.
    """
    found = []
    for test in tests:
        try:
            if sample_ratio(test.shown).p >= fails:
                found.append(test)
        except NotEstimable:
            continue
    return found


def in_doubt(test: Test) -> bool:
    """Whether a test lies in the weeks that the archive's authors withdrew."""
    return CORRECTED[0] <= test.week <= CORRECTED[1]


def clicks(tests: list[Test]) -> dict[str, float]:
    """How far clicks can be told apart, and how far a winner's lead is luck.

    `claimed` and `true` are the mean lead of those that were significant, as measured and after
    each was pulled towards the others by as much as its error asks for (random effects, REML).
    """
    pairs = [pair for test in tests if (pair := test.pair()) is not None]
    effects, errors = np.array(pairs).T
    fitted = random_effects(effects, errors)
    won = np.abs(effects / errors) > SURE
    sign = np.sign(effects[won])
    return {
        "pairs": float(len(pairs)),
        "significant": float(won.mean()),
        "tau": float(np.sqrt(fitted.tau2)),
        "noise share": 1 - fitted.i2,
        "claimed": float(np.expm1((effects[won] * sign).mean())),
        "true": float(np.expm1((fitted.shrunk[won] * sign).mean())),
    }


def traffic(file: Path) -> dict[date, float]:
    """Users of the site by day."""
    found = {}
    with file.open(encoding="utf-8-sig", newline="") as handle:
        for row in csv.DictReader(handle):
            try:
                day = datetime.strptime(row["Day Index"], "%m/%d/%y").replace(tzinfo=UTC).date()
                found[day] = float(row["Users"].replace(",", ""))
            except ValueError:
                continue  # the table ends in a line of totals
    return found


def by_quarter(
    tests: list[Test], users: dict[date, float]
) -> list[tuple[str, float, float, int, int]]:
    """Each quarter's clicks per impression, users a day on the site, tests, and uneven ones.

    A test's week is taken as an ISO week; a quarter forgives a week's difference.
    """
    shown: dict[str, list[Test]] = {}
    for test in tests:
        day = date.fromisocalendar(test.week // 100, min(max(test.week % 100, 1), 52), 1)
        shown.setdefault(_quarter(day), []).append(test)
    seen: dict[str, list[float]] = {}
    for day, n in users.items():
        seen.setdefault(_quarter(day), []).append(n)
    return [
        (
            name,
            sum(t.clicks.sum() for t in shown[name]) / sum(t.shown.sum() for t in shown[name]),
            float(np.mean(seen[name])),
            len(shown[name]),
            len(shown[name]) - len(even(shown[name])),
        )
        for name in sorted(shown.keys() & seen.keys())
    ]


def _quarter(day: date) -> str:
    return f"{day.year} Q{(day.month + 2) // 3}"


def asked(tests: list[Test]) -> str:
    """What Octad answers when this library is asked what a click is worth in returns."""
    past = tuple(
        PastLaunch(
            launch=test.name,
            at=date.fromisocalendar(test.week // 100, min(max(test.week % 100, 1), 52), 1),
            verdict="",
            decided="",
            kpi="clicks",
            effects={"clicks": pair},
        )
        for test in tests
        if (pair := test.pair()) is not None
    )
    metrics = {"clicks": {"any": "click"}, "returns": {"any": "return"}}
    sources = {"events": {"table": "events"}}
    project = Project.model_validate({"product": "Site", "sources": sources, "metrics": metrics})
    arms = {"control": "off", "treatment": "on"}
    launch = Launch(launch="next", arms=arms, kpi="clicks")
    launch = Launch.model_validate({**launch.model_dump(), "results": {"returns": "1%"}})
    known = Known(history=History(launches=past))
    said = prospects(Plan(project=project, launch=launch), (), known)
    return next(p for p in said if p.reading == "results").cannot[0]


def main(folder: Path) -> None:
    """Print the figures."""
    tests = read(folder / "headline_tests.parquet")
    out = sys.stdout.write
    arms, shown = sum(len(t.shown) for t in tests), sum(t.shown.sum() for t in tests)
    out(f"{len(tests):,} tests, {arms:,} arms, {shown:,.0f} impressions\n")
    sound = even(tests)
    inside = [test for test in tests if in_doubt(test)]
    odd = len(inside) - len(even(inside))
    out(f"arms of uneven size (p under .001): {len(tests) - len(sound)} tests; ")
    out(f"{odd} of them among the {len(inside)} of the weeks that were withdrawn later\n")
    found = clicks([test for test in sound if not in_doubt(test)])
    out(f"{found['pairs']:,.0f} pairs of headlines in the others; ")
    out(f"{found['significant']:.1%} differ (|z| > 1.96)\n")
    out(f"true differences have a standard deviation of {np.expm1(found['tau']):.1%}; ")
    out(f"{found['noise share']:.0%} of the spread is noise\n")
    out(f"winners' lead: measured {found['claimed']:.1%}, true about {found['true']:.1%}\n")
    for quarter, rate, users, n, odd in by_quarter(tests, traffic(folder / "site_daily.csv")):
        out(f"  {quarter}  clicks {rate:.2%} of impressions, {users:>9,.0f} users a day, ")
        out(f"{n} tests, {odd} uneven\n")
    out(f"Octad: {asked(tests)}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the folder: python library.py FOLDER")
    main(Path(sys.argv[1]))
