"""The rows of the table: what is measured, against what, and what would be good."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks import world
from benchmarks.measure import Taken, alternate, run, tell
from benchmarks.table import Row

__all__ = ["ROWS", "Bench", "DifferentAnswersError"]

MEMORY = 8.0
"""GB that a review may hold."""

A_MINUTE = 60.0
"""Seconds of one core that a million reviews may take."""

READING = (
    "opening the sources",
    "looking for the events' names",
    "reading the events once",
    "reading 1 new file",
    "reading the other files",
    "reading what has come to pass",
    "what older users' first days",
)
"""How the stages that read the events begin."""


class DifferentAnswersError(RuntimeError):
    """Two ways that should have given the same did not, so no ratio is printed."""


@dataclass(slots=True)
class Bench:
    """One run of the benchmarks.

    Attributes:
        events: How many, about.
        home: Where the data lie.
        repeats: How often a short thing is run, at most.
        worlds: Simulated launches for the coverage of intervals.
    """

    events: int
    home: Path = world.HOME
    repeats: int = 3
    worlds: int = 300
    _made: dict[int, world.World] = field(default_factory=dict)
    _whole: dict[int, tuple[Taken, Path]] = field(default_factory=dict)
    _folders: list[Path] = field(default_factory=list)

    @property
    def size(self) -> str:
        """The number of events, in words."""
        return said(self.events)

    @property
    def small(self) -> int:
        """The size that growth is measured from."""
        return min(1_000_000, max(20_000, self.events // 10))

    def made(self, events: int | None = None) -> world.World:
        """The data of a size."""
        events = events or self.events
        if events not in self._made:
            tell(f"data of {said(events)} events")
            self._made[events] = world.make(events, home=self.home)
        return self._made[events]

    @contextmanager
    def fresh(self, events: int | None = None, days: int = world.DAYS) -> Iterator[world.World]:
        """The project in a new folder, with nothing kept from before."""
        with self.scratch() as folder:
            yield self.made(events).copy(folder / "project", days=days)

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """A folder beside the data, so that files can be linked; it goes when it is done with."""
        self.home.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=self.home))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def whole(self, events: int | None = None) -> tuple[Taken, Path]:
        """One whole review with its aggregates put aside, made once."""
        events = events or self.events
        if events not in self._whole:
            folder = Path(tempfile.mkdtemp(prefix="kept-", dir=self.made(events).folder.parent))
            self._folders.append(folder)
            with self.fresh(events) as project:
                self._whole[events] = run("review", str(project.folder), str(folder)), folder
        return self._whole[events]

    def review(self, events: int | None = None) -> Taken:
        """A whole review of data never seen before."""
        with self.fresh(events) as project:
            return run("review", str(project.folder))

    def tea(self, segments: int, *, again: bool = False) -> Taken:
        """Ours beside tea-tasting's, of data never seen before; or asked a second time."""
        with self.fresh() as project:
            ask = partial(run, "tea-ours", str(project.folder), str(segments))
            first = ask()
            return ask() if again else first

    def close(self) -> None:
        """Throw away what was put aside."""
        for folder in self._folders:
            shutil.rmtree(folder, ignore_errors=True)


def said(events: int) -> str:
    """A number of events as one says it.

    >>> said(20_000_000), said(50_000)
    ('20 million', '50 thousand')
    """
    return f"{events / 1e6:g} million" if events >= 1_000_000 else f"{events / 1e3:g} thousand"


def _agree(what: str, taken: Taken) -> None:
    wrong = taken.more["wrong"]
    if wrong:
        raise DifferentAnswersError(f"{what} and the review differ in {', '.join(wrong[:5])}")


def floor(bench: Bench) -> list[Row]:
    """Against the best SQL by hand."""
    first, kept = bench.whole()
    combos = json.dumps(first.more["combos"])
    by_hand = partial(run, "floor", str(bench.made().folder), combos)
    checked = by_hand(str(kept))
    _agree("the floor", checked)
    ours, theirs = alternate(bench.review, by_hand, times=bench.repeats, enough=45)
    reading = sum(
        seconds for name, seconds in ours.more["stages"] if not name.startswith("reading reviews")
    )
    return [
        Row(
            f"whole review, {bench.size} events, over SQL by hand",
            ours.seconds,
            theirs.seconds,
            1.5,
            True,
            "40 metrics, 10 attributes and their pairs, 512 buckets, from files to verdict, "
            "against the best DuckDB SQL we could write for the same aggregates alone; that its "
            "answers are ours was checked.",
        ),
        Row(
            f"its data alone, {bench.size} events, over SQL by hand",
            reading,
            theirs.seconds,
            1.5,
            True,
            "The stages of the same review that bring over and add up data, without what the "
            "eight readings then make of them; the same SQL.",
        ),
    ]


def each(bench: Bench) -> list[Row]:
    """Against one query for each metric and dimension."""
    _, kept = bench.whole()
    theirs = run("each", str(bench.made().folder), str(kept))
    _agree("one query each", theirs)
    ours = bench.review()
    ran, every = theirs.more["ran"], theirs.more["every"]
    return [
        Row(
            f"one query a metric and attribute ({every}, scaled from {ran}), {bench.size} events",
            ours.seconds,
            theirs.seconds,
            8,
            False,
            "A whole review against a query for each of 40 metrics and 8 attributes, each joining "
            "exposures to events by itself, in the same engine. One in "
            f"{theirs.more['step']} was run, checked against ours, and the time scaled. They find "
            "no pairs.",
        )
    ]


def tea(bench: Bench) -> list[Row]:
    """Against tea-tasting."""
    folder = str(bench.made().folder)
    rows = []
    for segments, target in ((0, 1.0), (50, 10.0)):
        mine = bench.tea(segments)
        named = json.dumps(mine.more["segments"])
        times = bench.repeats if not segments else 1
        ours, theirs = alternate(
            partial(bench.tea, segments),
            partial(run, "tea-theirs", folder, named),
            times=times,
        )
        if not np.allclose(ours.more["found"], theirs.more["found"], rtol=1e-6, atol=1e-9):
            raise DifferentAnswersError("tea-tasting and ours differ")
        what = f"{len(mine.more['segments'])} segments" if segments else "one metric"
        note = (
            "tea-tasting 1.14 on DuckDB through Ibis, from the same files to the same effect and "
            "interval with CUPED (held to 1e-6)."
        )
        second = bench.tea(segments, again=True)
        note += (
            " Ours also counts every row by day and event, tells rows that cannot be used, and "
            f"keeps what it read: asked again it takes {second.seconds:.1f} s."
        )
        if segments:
            cached = run("tea-theirs", folder, named, "kept")
            note += (
                " It loops over segments, each from the events; with its table of users worked out "
                f"once and kept it takes {cached.seconds:.1f} s."
            )
        rows.append(
            Row(
                f"tea-tasting, {what}, {bench.size} events",
                ours.seconds,
                theirs.seconds,
                target,
                False,
                note,
            )
        )
    return rows


def next_look(bench: Bench) -> list[Row]:
    """The look after a new day, against a full one."""
    runs: list[tuple[Taken, Taken]] = []
    for _ in range(1 if bench.events >= 5_000_000 else bench.repeats):
        with bench.fresh(days=world.DAYS - 1) as project:
            run("review", str(project.folder))
            newest = bench.made().files[-1]
            (project.folder / "data" / "events" / newest.name).hardlink_to(newest)
            again = run("review", str(project.folder))
        runs.append((again, bench.review()))
    again, full = sorted(runs, key=lambda pair: pair[0].seconds)[len(runs) // 2]
    note = (
        "After 28 days of looks one more day of events has come; the review of it, against a "
        "review of the same data of which nothing was kept."
    )
    return [
        Row(f"next look, whole, {bench.size} events", again.seconds, full.seconds, 0.1, True, note),
        Row(
            f"next look, reading, {bench.size} events",
            _reading(again),
            _reading(full),
            0.1,
            True,
            "Of the same two, the stages that read the files: the new day alone, and all of them.",
        ),
    ]


def _reading(taken: Taken) -> float:
    return float(sum(s for name, s in taken.more["stages"] if name.startswith(READING)))


def quantiles(bench: Bench) -> list[Row]:
    """Against a bootstrap."""
    users = max(2_000, min(100_000, bench.events // 20))
    cover = run("coverage", str(bench.worlds)).more
    ours, theirs = alternate(
        partial(run, "quantile", "ours", str(users)),
        partial(run, "quantile", "theirs", str(users)),
        times=bench.repeats,
    )
    covers = f"covers {cover['ours']:.1%} against {cover['theirs']:.1%}"
    return [
        Row(
            f"95th percentile, {users:,} users, 1,000 resamples; {covers}",
            ours.seconds,
            theirs.seconds,
            100,
            False,
            "The effect on a quantile over events, clustered by user, from values in memory to an "
            f"interval. How often each 95% interval held the truth was measured on "
            f"{cover['worlds']} simulated launches (chance alone moves it by "
            f"{1.96 * math.sqrt(0.05 * 0.95 / cover['worlds']):.1%} either way).",
        )
    ]


def memory(bench: Bench) -> list[Row]:
    """What a review holds in memory, and how time and memory grow."""
    small, large = bench.review(bench.small), bench.review()
    times = bench.made().events / bench.made(bench.small).events
    grows = f"{said(bench.small)} to {said(bench.events)} events"
    return [
        Row(
            f"peak memory, {bench.size} events",
            large.gigabytes,
            MEMORY,
            1,
            True,
            "Most memory the whole process held, Python and engine together, against 8 GB.",
            unit="GB",
        ),
        Row(
            f"growth of time, {grows}",
            large.seconds,
            small.seconds * times,
            1,
            True,
            f"The larger review against {times:g} times the smaller one: 1 is linear, less is "
            "better than linear.",
        ),
        Row(
            f"growth of memory, {grows}",
            large.gigabytes,
            small.gigabytes * times,
            1,
            True,
            f"The same for memory: against {times:g} times what the smaller one held.",
            unit="GB",
        ),
    ]


def voices(bench: Bench) -> list[Row]:
    """Reading reviews, against scikit-learn and against a minute a million."""
    reviews = min(100_000, max(2_000, bench.events // 200))
    # A rate is no time: at the usual size the million is read, not reckoned from a part of it.
    many = 1_000_000 if bench.events >= _USUAL else reviews
    scaled = "" if many == 1_000_000 else f", scaled from {many:,}"
    rows = []
    for code, language in (("en", "English"), ("zh", "Chinese")):
        size = f"{reviews:,} reviews in {language}"
        mine, theirs = alternate(
            partial(run, "voices", "terms", code, str(reviews)),
            partial(run, "voices", "theirs", code, str(reviews)),
            times=bench.repeats,
        )
        whole = run("voices", "all", code, str(many))
        rows += [
            Row(
                f"terms of {size}, over scikit-learn",
                mine.seconds,
                theirs.seconds,
                1,
                True,
                "From texts to the table of words and pairs, against CountVectorizer with pairs; "
                "seconds of processor. Ours also tells languages apart, folds inflected words and "
                "keeps negations. Both cut Chinese with rjieba.",
            ),
            Row(
                f"a million reviews in {language}{scaled}",
                whole.seconds / many * 1e6,
                A_MINUTE,
                1,
                True,
                "Terms, copies, what rose, topics and how stable they are, who leaves and bursts "
                "of praise, in seconds of one core, against a minute. Most memory held: "
                f"{whole.gigabytes:.1f} GB, with the {many:,} reviews themselves.",
            ),
        ]
    return rows + _topics(bench, min(20_000, reviews))


def _topics(bench: Bench, reviews: int) -> list[Row]:
    """Topics beside the usual notebook's: speed, what was planted, and what comes back."""
    ours, theirs = alternate(
        partial(run, "topics", "ours", str(reviews)),
        partial(run, "topics", "theirs", str(reviews)),
        times=bench.repeats,
    )
    what = "From texts to topics, against NMF on TF-IDF with as many topics as were planted"
    mine, peer = ours.more, theirs.more
    return [
        Row(
            f"topics of {reviews:,} reviews, over scikit-learn's NMF",
            ours.seconds,
            theirs.seconds,
            1,
            True,
            f"{what}; seconds of processor, theirs on one thread. LDA is left out for its time.",
        ),
        Row(
            "planted topics missed or mistaken, over NMF's (1 less F1)",
            1 - mine["agreement"],
            1 - peer["agreement"],
            1,
            True,
            "Each planted topic beside the found one that fits best. The planted ones have words "
            "of their own, which suits topics that are sets of words; on reviews that people wrote "
            "see docs/voices.md.",
            unit="",
        ),
        Row(
            "topics that do not come back in the other half of the reviews, over NMF's",
            1 - mine["recurring"],
            1 - peer["recurring"],
            1,
            True,
            f"Half of a topic's first ten words in one topic of the other half; ours finds "
            f"{mine['topics']} topics, of which {_PLANTED} were planted.",
            unit="",
        ),
    ]


_PLANTED = 20
_USUAL = 20_000_000
ROWS: dict[str, Callable[[Bench], list[Row]]] = {
    "floor": floor,
    "each": each,
    "tea": tea,
    "next": next_look,
    "quantiles": quantiles,
    "memory": memory,
    "voices": voices,
}
"""Name, as `--only` takes it, to what makes the rows."""
