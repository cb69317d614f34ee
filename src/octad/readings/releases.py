"""Talk and stars around releases, ours and rivals', beside dates on which nothing was released."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Bars, Finding, Grade, Number, Table
from octad.model.inputs import Releases
from octad.model.numbers import day as day_text
from octad.model.numbers import plain
from octad.readings.voices import Talk
from octad.stats.placebo import Placebo
from octad.stats.refusal import NotEstimable
from octad.stats.release_study import (
    Around,
    BaseRate,
    Daily,
    around,
    base_rate,
    quiet_days,
    set_beside_quiet,
)

__all__ = ["releases_around"]

IntArray = NDArray[np.int64]

_YEAR = 365
_FEW = 8
_SURE = 0.05
_ROWS = 12
_Z = 1.959963984540054


@dataclass(frozen=True, slots=True, eq=False)
class _Study:
    """Daily reviews by product, ours first; releases and quiet days as positions.

    Attributes:
        launch: The launch's position.
        released: By product, days of its releases, the launch among ours.
        quiet: By product, days without a release.
    """

    talk: Talk
    names: tuple[str, ...]
    daily: Daily
    start: np.datetime64
    launch: int
    released: tuple[tuple[int, ...], ...]
    quiet: tuple[IntArray, ...]

    def day(self, at: int) -> str:
        """A position as a date in words."""
        return day_text(date.fromisoformat(str(self.start + at)))


def _study(talk: Talk, releases: Releases | None) -> _Study:
    """Lay out the last year's reviews by day, to the end of the window after the launch."""
    reviews = talk.reviews
    day = reviews.time.astype("datetime64[D]")
    end = talk.start + talk.days_after
    start = max(talk.start - _YEAR, talk.first)
    ours = str(reviews.product[talk.ours][0])
    others = sorted({str(p) for p in reviews.product[talk.sound & ~talk.ours]})
    names = (ours, *others)
    days = int((end - start).astype(int))
    counts, stars = np.zeros((len(names), days)), np.zeros((len(names), days, 5))
    first = np.zeros(len(names), dtype=np.int64)
    for p, name in enumerate(names):
        mine = (reviews.product == name) & talk.sound
        rows = mine & (day >= start) & (day < end)
        at = (day[rows] - start).astype(np.int64)
        counts[p] = np.bincount(at, minlength=days)
        rated = np.isfinite(reviews.rating[rows])
        star = np.clip(np.rint(reviews.rating[rows][rated]), 1, 5).astype(np.int64) - 1
        np.add.at(stars[p], (at[rated], star), 1.0)
        # Reviews that begin within the year say nothing of the days before them.
        first[p] = max(0, int((day[mine].min() - start).astype(int)))
    daily = Daily(counts, stars, first)
    launch = int((talk.start - start).astype(int))
    released = []
    for name in names:
        told: set[int] = {launch} if name == ours else set()
        if releases is not None:
            known = (releases.product == name) & ~np.isnat(releases.time)
            at = (releases.time[known].astype("datetime64[D]") - start).astype(np.int64)
            told |= {int(d) for d in at if 0 <= d < days}
        released.append(tuple(sorted(told)))
    quiet = tuple(
        quiet_days(daily, p, launch, {d for d in released[p] if d != launch})
        for p in range(len(names))
    )
    return _Study(talk, names, daily, start, launch, tuple(released), quiet)


def _events(study: _Study) -> list[tuple[int, int]]:
    """(product, day) of past releases, each week's first: what comes in one week is one."""
    found = []
    for p, days in enumerate(study.released):
        last = -7
        for day in days:
            if day - last >= 7 and day != study.launch:
                found.append((p, day))
                last = day
    return found


def releases_around(talk: Talk, releases: Releases | None) -> Finding | str:
    """Tell how talk and stars changed around the launch, and how usual that is.

    It takes no side: `rival.stars` does. What it adds is how cheap significance is here.

    Returns:
        The finding, or what is missing, in words.
    """
    study = _study(talk, releases)
    try:
        here = around(study.daily, 0, study.launch)
    except NotEstimable:
        return (
            "At least 20 reviews of ours in the two weeks before the launch and in the two after "
            "(or in the weeks, while it is young), to set it beside other releases."
        )
    volume, stars = set_beside_quiet(study.daily, 0, study.launch, study.quiet[0])
    events = _events(study)
    past = base_rate(study.daily, events)
    calm = base_rate(study.daily, [(p, int(d)) for p, days in enumerate(study.quiet) for d in days])
    half = _Z * here.volume_se
    beside = "no other products as controls"
    if here.controls:
        beside = (
            f"{here.controls} other {'product' if here.controls == 1 else 'products'} as controls"
        )
    return Finding(
        id="rival.release",
        claim=f"{_change(here)}{_usual(volume, stars)}{_cheap(past, calm)}",
        grade=Grade.T,
        estimate=Number(
            value=float(np.exp(here.volume)),
            low=float(np.exp(here.volume - half)),
            high=float(np.exp(here.volume + half)),
            level=0.95,
            unit="times",
            z=here.z[0],
            p=None if volume is None else volume.p,
        ),
        n=here.n,
        method=f"two weeks after against two before (one, where there are fewer days), {beside}, "
        "errors widened by how days and controls differ; placebo dates on the same weekday of the "
        "year before, with no release of the product in their two weeks; set aside praise is out",
        assumes="The two weeks before, and other products, say how these would have gone.",
        breaks="A prompt to review, a store that reset its ratings, a rival's release in the same "
        "days; a launch that moves people between the products, so that the control moves too.",
        evidence=(_table(study, here, events), _histogram(here)),
    )


def _change(here: Around) -> str:
    words = f"In the two weeks from the launch reviews a day went to ×{_times(here.own_volume)}"
    if here.controls:
        others = "the other product's" if here.controls == 1 else "other products'"
        words += f" (×{_times(here.volume)} with {others} change taken off)"
    if np.isfinite(here.stars):
        words += f", stars moved by {plain(here.own_stars, 1, signed=True)}"
        if here.controls:
            words += f" ({plain(here.stars, 1, signed=True)})"
    return words + "."


def _times(log: float) -> str:
    return plain(float(np.exp(log)), 1 if log > 0 else 2)


def _usual(volume: Placebo | None, stars: Placebo | None) -> str:
    parts = []
    for what, placebo in (("talk", volume), ("stars", stars)):
        if placebo is not None and len(placebo.placebos) >= _FEW:
            many = len(placebo.placebos)
            as_much = round(placebo.p * (1 + many)) - 1
            parts.append(f"{what} moved as clearly at {as_much} of {many}")
    if not parts:
        return " Too few earlier dates without a release of ours to say whether that is usual."
    return f" Of earlier dates without a release of ours, {' and '.join(parts)}."


def _cheap(past: BaseRate, calm: BaseRate) -> str:
    """The base rate: how often the same test calls a release, or nothing, significant."""
    parts = []
    if past.dates:
        parts.append(f"{past.significant} of {past.dates} past releases, ours and rivals',")
    if calm.dates:
        parts.append(f"{calm.significant} of {calm.dates} dates without a release")
    if not parts:
        return ""
    return f" The test alone calls {' and '.join(parts)} significant; it promises 1 in 20."


def _histogram(here: Around) -> Bars:
    return Bars(
        title=f"Stars in the weeks around the launch; a review moved {plain(here.moved, 1)} stars",
        y_label="share of reviews",
        labels=tuple(f"{s} ★" for s in range(1, 6)),
        groups={
            "before": tuple(float(x) for x in here.before),
            "after": tuple(float(x) for x in here.after),
        },
        percent=True,
    )


def _table(study: _Study, here: Around, events: list[tuple[int, int]]) -> Table:
    """The launch, then releases from the windows around it and the latest before, newest first."""
    rows = [_row(study, 0, study.launch, here, "this launch")]
    newest = sorted(events, key=lambda e: (-e[1], e[0]))
    for product, day in newest:
        try:
            found = around(study.daily, product, day)
        except NotEstimable:
            continue
        rows.append(_row(study, product, day, found, ""))
        if len(rows) > _ROWS:
            break
    return Table(
        title="Around releases, other products' change taken off",
        columns=("product", "day", "talk ×", "stars", "a review moved", "the test alone", ""),
        rows=tuple(rows),
    )


def _row(
    study: _Study, product: int, day: int, found: Around, note: str
) -> tuple[str | float | int | None, ...]:
    return (
        study.names[product],
        study.day(day),
        round(float(np.exp(found.volume)), 2),
        plain(found.stars, 1, signed=True) if np.isfinite(found.stars) else "",
        round(found.moved, 1),
        "significant" if found.p < _SURE else "not shown",
        note,
    )
