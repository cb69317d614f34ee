"""Kill a review at any moment, and see that the next one says what a fresh one says.

``python -m tests.kills`` makes a small product with thirty daily files, and then, time after time:
changes its files (a day comes, is replaced, goes away; rows come late; users are exposed), starts
``octad review`` in a process of its own, kills it with SIGKILL, reviews again, and compares the
JSON with that of a clean copy that never had an ``.octad``: every word, and every number to twelve
significant digits, which is what sums of floats in another order define.

Half of the kills fall at a random moment. The other half fall at a random one of the process's
writes to the disk: just before a file is written, synced, renamed or removed, where a half-written
state would be left if one could be.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import math
import os
import pkgutil
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import octad

DIGITS = 1e-12
KEY = "pseudonyms.key"
"""What names users in a review; a copy must name them alike to be compared."""

_START = datetime(2026, 3, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_BEFORE = 8
_OCTAD = """\
product: Larder
charter:
  purpose: Keep a shopping list and pay for groceries quickly.
  jobs:
    pay: {events: [pay], terms: [pay], core: true}
    list: {events: [open, add], terms: [list]}
  errors: [crash]
sources:
  events: {table: data/events/*.parquet, user: user, time: at, event: name, value: amount}
  users: {table: data/users.parquet, user: user, attributes: [region, age], staff: crew}
  exposures: {table: data/exposures.csv, user: user, time: at, arm: arm, launch: launch}
metrics:
  opens: {count: open, window: 7d}
  spend: {sum: value, of: pay, window: 14d, winsorize: 0.99}
  kept_on: {returns: open, between: [7d, 10d]}
  crash_rate: {ratio: [crash, open], better: down}
  through: {funnel: [open, add, pay], within: 1d, window: 7d}
  wait: {quantile: 0.9, of: wait, on: pay, better: down}
"""
_LAUNCH = """\
launch: recipes
arms: {control: "off", treatment: "on"}
starts: 2026-03-01
ends: 2026-03-28
kpi: opens
results: {spend: 2%, kept_on: 2%}
guardrails: {crash_rate: 10%, wait: 10%}
"""


@dataclass
class Larder:
    """A product on disk, whose files come and change.

    Attributes:
        days: The days whose file is there, from `-_BEFORE`; `late` files come beside them.
    """

    root: Path
    users: int
    rng: np.random.Generator
    exposed: np.ndarray[Any, Any] = field(init=False)
    days: dict[int, int] = field(default_factory=dict)
    late: int = 0

    def __post_init__(self) -> None:
        """Write all but the events."""
        self.exposed = np.sort(self.rng.uniform(0, 20, self.users))
        for folder in ("data/events", "launches"):
            (self.root / folder).mkdir(parents=True)
        (self.root / "octad.yml").write_text(_OCTAD, encoding="utf-8")
        (self.root / "launches/recipes.yml").write_text(_LAUNCH, encoding="utf-8")
        names = [f"u{n}" for n in range(self.users)]
        table = {
            "user": names,
            "region": self.rng.choice(["north", "south", "east"], self.users).tolist(),
            "age": self.rng.normal(40, 12, self.users).round(1).tolist(),
            "crew": (self.rng.random(self.users) < 0.01).tolist(),
        }
        pq.write_table(pa.table(table), self.root / "data/users.parquet")
        self.expose()
        for day in range(-_BEFORE, 12):
            self.come(day)

    def expose(self) -> None:
        arms = ["on", "off"]
        lines = [
            f"u{n},{(_START + float(at) * _DAY).isoformat()},{arms[n % 2]},recipes"
            for n, at in enumerate(self.exposed)
        ]
        text = "\n".join(["user,at,arm,launch", *lines, ""])
        (self.root / "data/exposures.csv").write_text(text, encoding="utf-8")

    def come(self, day: int, version: int = 0) -> None:
        """A day's file, for the first time or in another version."""
        self.days[day] = version
        self._write(f"{(_START + day * _DAY).date()}", np.full(self.users * 2, day), version)

    def _write(self, name: str, days: np.ndarray[Any, Any], version: int) -> None:
        rng = np.random.default_rng([int(days[0]) + 100, version])
        n = len(days)
        at = days + rng.random(n)
        rows = {
            "user": [f"u{u}" for u in rng.integers(0, self.users, n)],
            "at": pa.array([_START + float(t) * _DAY for t in at], pa.timestamp("us", "UTC")),
            "name": rng.choice(["open", "add", "pay", "crash", "look"], n).tolist(),
            "amount": rng.lognormal(3, 1, n).round(2).tolist(),
            "wait": rng.gamma(2, 100, n).tolist(),
        }
        path = self.root / "data/events" / f"{name}.parquet"
        partial = path.with_suffix(".new")
        pq.write_table(pa.table(rows), partial)
        partial.replace(path)

    def change(self) -> str:
        """Something happens to the files; what."""
        last = max(self.days)
        what = str(self.rng.choice(["day", "day", "replace", "delete", "late", "expose"]))
        if what == "day" and last >= 29:
            what = "delete"
        if what == "day":
            self.come(last + 1)
        elif what == "replace":
            day = int(self.rng.choice(list(self.days)))
            self.come(day, self.days[day] + 1)
        elif what == "late":
            self.late += 1
            days = self.rng.integers(-_BEFORE, last + 1, self.users // 10)
            self._write(f"late-{self.late % 5}", days, self.late)
        elif what == "expose":
            some = self.rng.integers(0, self.users, 3)
            self.exposed[some] = self.rng.uniform(0, 20, 3)
            self.expose()
        else:
            day = int(self.rng.choice(list(self.days)[:-1] if len(self.days) > 12 else [last]))
            (self.root / "data/events" / f"{(_START + day * _DAY).date()}.parquet").unlink()
            del self.days[day]
        return what


@dataclass(frozen=True)
class Outcome:
    """How a review in a process of its own ended.

    Attributes:
        review: The JSON; None when it was killed before.
        writes: How often it wrote to the disk.
        stage: What it was at, at last.
    """

    review: Any
    writes: int
    stage: str
    seconds: float


def review(root: Path, *, after: float | None = None, write: int | None = None) -> Outcome:
    """Run ``octad review`` in a process of its own.

    Args:
        root: The project's folder.
        after: It is killed after so many seconds.
        write: It kills itself just before this one of its writes, from 1.

    Raises:
        AssertionError: When it ends otherwise than by the kill or with a verdict.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "said").touch()  # a child may be killed before it does a thing
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            _in_child(root, folder, write)
        status = _wait(child, None if after is None else begun + after)
        seconds = time.monotonic() - begun
        said = (folder / "said").read_text(encoding="utf-8").splitlines()
        stage = said[-1].split(" s ", 1)[-1].strip(" .…") if said else "starting"
        count = folder / "writes"
        writes = count.stat().st_size if count.exists() else 0
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            return Outcome(None, writes, stage, seconds)
        assert os.WEXITSTATUS(status) in {0, 10, 20, 30}, "\n".join(said)
        found = json.loads((folder / "out.json").read_text(encoding="utf-8"))
        return Outcome(found, writes, "", seconds)


def _wait(child: int, until: float | None) -> int:
    while until is not None and time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status
        time.sleep(0.001)
    if until is not None:
        os.kill(child, signal.SIGKILL)
    return os.waitpid(child, 0)[1]


def _in_child(root: Path, folder: Path, write: int | None) -> None:
    """Be the review; never come back."""
    try:
        with (folder / "said").open("w") as said:
            os.dup2(said.fileno(), 1)
            os.dup2(said.fileno(), 2)
        _count_writes(folder / "writes", write)
        os.chdir(root)
        from octad.faces.cli.app import run  # noqa: PLC0415

        out = str(folder / "out.json")
        sys.argv = ["octad", "review", "recipes", "--no-report", "-f", "json", "-o", out]
        run()
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else 1)
    except BaseException:  # noqa: BLE001 - the parent must hear of it, whatever it is
        sys.excepthook(*sys.exc_info())
        sys.stderr.flush()
    os._exit(1)


def _count_writes(count: Path, write: int | None) -> None:
    """Count every write to the disk, and be killed just before one of them."""
    tally = os.open(count, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    seen = 0

    def counted(act: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*words: Any, **more: Any) -> Any:
            nonlocal seen
            seen += 1
            if seen == write:
                os.kill(os.getpid(), signal.SIGKILL)
            os.write(tally, b".")
            return act(*words, **more)

        return instead

    for owner, names in (
        (os, ("fsync",)),
        (Path, ("replace", "rename", "unlink", "write_bytes", "write_text", "mkdir")),
        (np, ("save",)),
    ):
        for name in names:
            setattr(owner, name, counted(getattr(owner, name)))


def differences(one: Any, two: Any, path: str = "") -> Iterator[str]:
    """Where two reviews differ, but for what they cost."""
    if path == ".cost":
        return
    if isinstance(one, dict) and isinstance(two, dict) and one.keys() == two.keys():
        for key in one:
            yield from differences(one[key], two[key], f"{path}.{key}")
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for n, (a, b) in enumerate(zip(one, two, strict=True)):
            yield from differences(a, b, f"{path}[{n}]")
    elif isinstance(one, float) and isinstance(two, float):
        if not math.isclose(one, two, rel_tol=DIGITS, abs_tol=DIGITS):
            yield f"{path}: {one!r} {two!r}"
    elif one != two:
        yield f"{path}: {str(one)[:200]!r} {str(two)[:200]!r}"


def hold(root: Path) -> Outcome:
    """Review a product, and hold the review against that of a clean copy.

    Raises:
        AssertionError: When they differ.
    """
    (root / "ledger.jsonl").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "copy"
        shutil.copytree(root, copy, ignore=shutil.ignore_patterns(".octad"))
        with contextlib.suppress(FileNotFoundError):
            (copy / ".octad").mkdir()
            shutil.copy(root / ".octad" / KEY, copy / ".octad" / KEY)
        ours, theirs = review(root), review(copy)
        found = list(differences(ours.review, theirs.review))
        assert not found, "\n".join(found[:10])
    (root / "ledger.jsonl").unlink(missing_ok=True)
    return ours


def _import_all() -> None:
    """Import before the first fork, once for all: a checkout may change meanwhile."""
    for _, name, _ in pkgutil.walk_packages(octad.__path__, "octad."):
        if "__main__" not in name:
            importlib.import_module(name)


def kills(times: int, users: int, seed: int, tell: Callable[[str], None]) -> Counter[str]:
    """Kill so many reviews, and hold the one after each.

    Returns:
        How many were killed at which stage, and how many had ended before.
    """
    _import_all()

    rng = np.random.default_rng(seed)
    struck: Counter[str] = Counter()
    read: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="octad-kills-") as folder:
        larder = Larder(Path(folder) / "larder", users, rng)
        review(larder.root)  # It makes the key under which both name users.
        ours = hold(larder.root)
        begun = time.monotonic()
        for n in range(1, times + 1):
            larder.change()
            if n % 2:
                end = review(larder.root, after=float(rng.uniform(0, ours.seconds)))
            else:
                end = review(larder.root, write=int(rng.integers(1, max(2, ours.writes + 1))))
            at = "ended before" if end.review is not None else end.stage or "starting"
            struck[f"{'a write, ' if n % 2 == 0 and end.review is None else ''}{at}"] += 1
            ours = hold(larder.root)
            cost = ours.review["cost"]
            read["all" if cost["files_read"] == cost["files"] else "some or none"] += 1
            if n % 10 == 0 or n == times:
                took = time.monotonic() - begun
                tell(f"{n} of {times} killed, each next review as a fresh one ({took:.0f} s)")
        left = [p for p in (larder.root / ".octad").rglob("*") if p.is_file()]
        tell(
            f"{len(left)} files in .octad at the end, {sum(p.stat().st_size for p in left):,} bytes"
        )
    tell(f"the review after a kill read all files {read['all']} times of {times}")
    return struck


def main() -> None:
    """Run from the command line."""
    words = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    words.add_argument("--times", type=int, default=200, help="reviews to kill")
    words.add_argument("--users", type=int, default=2000)
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()

    def tell(text: str) -> None:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    for stage, times in kills(given.times, given.users, given.seed, tell).most_common():
        tell(f"{times:5}  {stage}")


if __name__ == "__main__":
    main()
