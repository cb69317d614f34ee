"""Times a thing in a process of its own, so that neither memory nor a warm cache is shared."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

__all__ = ["Taken", "alternate", "measured", "run", "tell"]

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Taken:
    """What one run took.

    Attributes:
        seconds: From the first call to the last answer; importing is not counted.
        gigabytes: Most memory that the process held, in 10^9 bytes, all of Python included.
        more: What the run itself says.
    """

    seconds: float
    gigabytes: float
    more: dict[str, Any]


def measured(work: Callable[[], dict[str, Any]]) -> None:
    """In the child: do the work, and print what it took as one line of JSON."""
    start = time.perf_counter()
    more = work()
    seconds = more.pop("seconds", None) or time.perf_counter() - start
    # Linux counts in units of 1,024 bytes, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    peak = more.pop("peak", None) or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    sys.stdout.write(json.dumps({"seconds": seconds, "gigabytes": peak / 1e9, "more": more}) + "\n")


def tell(words: str) -> None:
    """Say what is going on, on the standard error."""
    sys.stderr.write(f"  {words}\n")
    sys.stderr.flush()


def run(job: str, *words: str) -> Taken:
    """Run one job of `benchmarks.jobs` in a new process.

    Raises:
        RuntimeError: When it fails; what it said is shown.
    """
    tell(" ".join([job, *(w for w in words if w and not set(w) & set("/{["))]))
    line = [sys.executable, "-m", "benchmarks.jobs", job, *words]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{job} failed:\n{done.stderr[-3000:]}")
    return Taken(**json.loads(done.stdout.splitlines()[-1]))


def alternate(
    *takes: Callable[[], Taken], times: int = 3, enough: float = 60.0
) -> tuple[Taken, ...]:
    """Run several things in turn, and give the run of median time of each.

    Args:
        takes: Each makes one run.
        times: How often at most.
        enough: No further round begins after so many seconds.
    """
    start = time.perf_counter()
    found: list[list[Taken]] = [[] for _ in takes]
    for turn in range(times):
        for i in range(len(takes)):
            # Who goes first changes every round, so that a warm disk favours nobody.
            j = (i + turn) % len(takes)
            found[j].append(takes[j]())
        if time.perf_counter() - start > enough:
            break
    return tuple(_middle(runs) for runs in found)


def _middle(runs: list[Taken]) -> Taken:
    middle = median(sorted(r.seconds for r in runs)[: len(runs) // 2 * 2 + 1])
    return min(runs, key=lambda r: abs(r.seconds - middle))
