"""Talk and stars around releases, ours and rivals', beside dates on which nothing was released."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from octad.model.finding import Bars, Finding, Grade, Number, Table
from octad.model.inputs import Releases
from octad.model.numbers import day as day_text
from octad.model.numbers import plain
from octad.readings.voices import Talk
from octad.stats.controls import Compared
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
            "(or in one week each, while it is young), to set it beside other releases."
        )
    volume, stars = set_beside_quiet(study.daily, 0, study.launch, study.quiet[0])
    events = _events(study)
    past = base_rate(study.daily, events)
    calm = base_rate(study.daily, [(p, int(d)) for p, days in enumerate(study.quiet) for d in days])
    half = _Z * here.volume_se
    beside = "no other products as controls"
    if here.controls:
        many = len(here.controls)
        beside = f"{many} other {'product' if many == 1 else 'products'} as controls"
    return Finding(
        id="rival.release",
        claim=f"{_change(here)}{_leaning(study, here)}{_usual(volume, stars)}{_cheap(past, calm)}",
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
        method=f"{_span(here)} after against as long before, {beside}, each left out in turn; "
        "errors widened by how days and controls differ; placebo dates on the same weekday of the "
        "year before, with no release of the product in their two weeks; set aside praise is out",
        assumes="The two weeks before, and other products, say how these would have gone.",
        breaks="A prompt to review, a store that reset its ratings, a rival's release in the same "
        "days; a launch that moves people between the products, so that the control moves too.",
        evidence=(_table(study, here, events), *_controls(study, here), *_histogram(here)),
    )


def _span(here: Around) -> str:
    return "two weeks" if here.days > 7 else "one week"


def _change(here: Around) -> str:
    span = "two weeks" if here.days > 7 else "week"
    words = f"In the {span} from the launch reviews a day went to ×{_times(here.own_volume)}"
    others = "the other product's" if len(here.controls) == 1 else "other products'"
    if here.controls:
        words += f", ×{_times(here.volume)} with {others} change taken off"
    if np.isfinite(here.stars):
        words += f"; stars moved by {plain(here.own_stars, 1, signed=True)}"
        if here.rated:
            words += f", {plain(here.stars, 1, signed=True)} with theirs taken off"
    return words + "."


def _leaning(study: _Study, here: Around) -> str:
    """Name the control that moved the other way, or without which the answer is another."""
    sides: tuple[tuple[str, Compared | None, tuple[int, ...], Callable[[float], str]], ...] = (
        ("talk", here.of_volume, here.controls, lambda x: f"×{_times(x)}"),
        ("stars", here.of_stars, here.rated, lambda x: plain(x, 1, signed=True)),
    )
    words = ""
    for what, compared, at, say in sides:
        if compared is None or not len(at):
            continue
        other = max(compared.opposed, key=lambda k: abs(compared.theirs[k]), default=None)
        heavy = compared.heaviest
        if other is not None:
            words += (
                f" {study.names[at[other]]} moved the other way ({what} "
                f"{say(float(compared.theirs[other]))}): if the launch moved people between the "
                f"two it is no control; without it {say(float(compared.without[other]))}."
            )
        elif heavy is not None:
            words += (
                f" The change in {what} leans on one control: without {study.names[at[heavy]]} "
                f"({say(float(compared.theirs[heavy]))}) it is "
                f"{say(float(compared.without[heavy]))}."
            )
    return words


def _controls(study: _Study, here: Around) -> tuple[Table, ...]:
    """Each control's own change, and what ours is without it; nothing to say of a single one."""
    if len(here.controls) < 2:
        return ()
    stars = here.of_stars
    rated = {p: k for k, p in enumerate(here.rated)}
    rows = []
    for k, p in enumerate(here.controls):
        row: tuple[str | float | int | None, ...] = (
            study.names[p],
            f"×{_times(float(here.of_volume.theirs[k]))}",
            f"×{_times(float(here.of_volume.without[k]))}",
        )
        if stars is not None:
            at = rated.get(p)
            row += tuple(
                "" if at is None else plain(float(column[at]), 1, signed=True)
                for column in (stars.theirs, stars.without)
            )
        rows.append(row)
    columns = ("control", "its talk", "our talk without it", "its stars", "our stars without it")
    return (
        Table(
            title="The controls, each left out in turn",
            columns=columns if stars is not None else columns[:3],
            rows=tuple(rows),
        ),
    )


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


def _histogram(here: Around) -> tuple[Bars, ...]:
    if not here.before.any() or not here.after.any():
        return ()
    chart = Bars(
        title=f"Stars in the weeks around the launch; a review moved {plain(here.moved, 1)} stars",
        y_label="share of reviews",
        labels=tuple(f"{s} ★" for s in range(1, 6)),
        groups={
            "before": tuple(float(x) for x in here.before),
            "after": tuple(float(x) for x in here.after),
        },
        percent=True,
    )
    return (chart,)


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
    columns: tuple[str, ...] = ("product", "day", "talk ×", "stars", "a review moved")
    columns += ("the test alone", "")
    if all(row[4] is None for row in rows):  # nobody gave stars
        columns, rows = columns[:3] + columns[5:], [row[:3] + row[5:] for row in rows]
    return Table(
        title="Around releases, other products' change taken off",
        columns=columns,
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
        round(found.moved, 1) if np.isfinite(found.own_stars) else None,
        "significant" if found.p < _SURE else "not shown",
        note,
    )
