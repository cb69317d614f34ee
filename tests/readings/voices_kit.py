"""Plans and reviews made by hand, for the tests of the readings that need words."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from octad.model.inputs import Releases, Reviews
from octad.model.plan import Charter, Everyone, Job, Launch, Plan, Project, Sources

__all__ = ["DAY", "Row", "plan_of", "releases_of", "reviews_of", "smart_home", "spread"]

DAY = date(2026, 3, 1)

Row = tuple[str, str | datetime, float, str]
"""Product, time, stars, text."""


def plan_of(
    own: str = "Wallet",
    day: date = DAY,
    rivals: Sequence[str] = ("OtherPay",),
    *,
    charter: Charter | None = None,
    what: str = "",
    never: dict[str, str] | None = None,
    experiment: bool = False,
) -> Plan:
    """A plan for a launch on a day."""
    wallet = Charter(
        jobs={
            "pay": Job(events=("pay",), terms=("pay", "payment"), core=True),
            "social": Job(events=("feed",), terms=("feed",)),
        }
    )
    project = Project(
        product=own,
        sources=Sources(),
        rivals=tuple(rivals),
        charter=wallet if charter is None else charter,
    )
    if experiment:
        launch = Launch(
            launch="x",
            what=what,
            arms={"control": "off", "treatment": "on"},
            starts=day,
            ends=day + timedelta(days=28),
            never=never or {},
        )
    else:
        launch = Launch(launch="x", what=what, design=Everyone(everyone=day), never=never or {})
    return Plan(project=project, launch=launch)


def reviews_of(
    rows: Sequence[Row],
    own: str,
    deleted: Sequence[bool] | None = None,
) -> Reviews:
    """Reviews from (product, time, stars, text)."""
    n = len(rows)
    return Reviews(
        product=np.array([row[0] for row in rows], dtype=object),
        ours=np.array([row[0] == own for row in rows], dtype=bool),
        time=np.array(
            [
                np.datetime64(
                    row[1].replace(tzinfo=None) if isinstance(row[1], datetime) else row[1]
                )
                for row in rows
            ],
            dtype="datetime64[s]",
        ),
        rating=np.array([row[2] for row in rows], dtype=float),
        text=np.array([row[3] for row in rows], dtype=object),
        version=np.full(n, "", dtype=object),
        author=np.array([f"writer {i}" for i in range(n)], dtype=object),
        deleted=np.zeros(n, dtype=bool) if deleted is None else np.array(deleted, dtype=bool),
    )


def spread(
    product: str,
    texts: Sequence[tuple[float, str]],
    *,
    first: float,
    last: float,
    times: int = 1,
    day: date = DAY,
) -> list[Row]:
    """Lay texts out evenly from day `first` to day `last` about the launch, over and over."""
    start = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
    count = len(texts) * times
    return [
        (
            product,
            start + timedelta(days=first + (last - first) * i / count),
            texts[i % len(texts)][0],
            texts[i % len(texts)][1],
        )
        for i in range(count)
    ]


def releases_of(rows: Sequence[tuple[str, str, str]], own: str) -> Releases:
    """Releases from (product, day, notes)."""
    return Releases(
        product=np.array([row[0] for row in rows], dtype=object),
        ours=np.array([row[0] == own for row in rows], dtype=bool),
        time=np.array([row[1] for row in rows], dtype="datetime64[s]"),
        version=np.full(len(rows), "", dtype=object),
        notes=np.array([row[2] for row in rows], dtype=object),
    )


def smart_home(folder: Path, own: str, until: str = "2020-01-01") -> Reviews:
    """The reviews of five smart-home apps, of which one is ours."""
    apps = {"米家", "小米商城", "美居", "海尔智家", "华为智能家居"}
    with (folder / "smarthome_cn" / "reviews.csv").open(encoding="utf-8") as file:
        found = [r for r in csv.DictReader(file) if r["app"] in apps and r["t"] < until]
    return reviews_of(
        [(r["app"], r["t"], float(r["rating"]), f"{r['title']}\n{r['text']}") for r in found],
        own,
        [r["deleted"] == "True" for r in found],
    )
