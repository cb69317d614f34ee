"""What runs in a process of its own: ``python -m benchmarks.jobs JOB``; one line of JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import measured

__all__: list[str] = []


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def review(folder: str, kept: str = "") -> dict[str, Any]:
    """A whole review, as `octad review` makes it, without the faces; `kept`: where to put cells."""
    import octad.lifecycle.review as module  # noqa: PLC0415 - imported before the clock starts
    from octad.lifecycle.session import Session  # noqa: PLC0415
    from octad.model.inputs import Inputs  # noqa: PLC0415
    from octad.readings import all_readings  # noqa: PLC0415

    all_readings()  # Imported when first asked for.
    seen: list[Inputs] = []
    gather: Any = vars(module)["gather"]

    def watched(*args: Any, **named: Any) -> Inputs:
        found: Inputs = gather(*args, **named)
        if kept:
            seen.append(found)
        return found

    vars(module)["gather"] = watched
    session = Session.open(folder)
    start = time.perf_counter()
    try:
        made = session.review("big", log_look=False)
    finally:
        vars(module)["gather"] = gather
    seconds, peak = time.perf_counter() - start, _peak()
    stages = [[s.name, s.seconds] for s in made.cost.stages]
    more = {"seconds": seconds, "peak": peak, "stages": stages, "rows": made.cost.rows_scanned}
    if kept:
        from benchmarks import same  # noqa: PLC0415
        from octad.project.load import load_plan  # noqa: PLC0415

        same.keep(seen[0], load_plan(Path(folder), "big").plan, Path(kept))
        more["combos"] = same.combos_of(seen[0])
    return more


def floor(folder: str, combos: str, kept: str = "") -> dict[str, Any]:
    """The hand-written SQL, and whether its answers are those of the review in `kept`."""
    from benchmarks import same  # noqa: PLC0415 - imported before the clock starts
    from benchmarks.floor import run  # noqa: PLC0415
    from octad.project.load import load_plan  # noqa: PLC0415

    plan = load_plan(Path(folder), "big").plan
    wanted = [tuple(combo) for combo in json.loads(combos)]
    start = time.perf_counter()
    found = run(Path(folder), plan, wanted)
    seconds, peak = time.perf_counter() - start, _peak()
    wrong = same.differences(found, plan, Path(kept)) if kept else []
    return {"seconds": seconds, "peak": peak, "wrong": wrong}


def each(folder: str, kept: str) -> dict[str, Any]:
    """One query a metric and attribute."""
    from benchmarks import per_query  # noqa: PLC0415 - imported before the clock starts
    from octad.project.load import load_plan  # noqa: PLC0415

    return per_query.run(Path(folder), load_plan(Path(folder), "big").plan, Path(kept))


def tea_ours(folder: str, segments: str) -> dict[str, Any]:
    """Ours, for the metric that tea-tasting has too."""
    from benchmarks import peers  # noqa: PLC0415 - imported before the clock starts

    return peers.ours(Path(folder), int(segments))


def tea_theirs(folder: str, segments: str, kept: str = "") -> dict[str, Any]:
    """Tea-tasting's."""
    from benchmarks import peers  # noqa: PLC0415 - imported before the clock starts

    return peers.theirs(Path(folder), json.loads(segments), kept=bool(kept))


def quantile(method: str, users: str) -> dict[str, Any]:
    """A quantile's effect."""
    from benchmarks import resample  # noqa: PLC0415 - imported before the clock starts

    return resample.speed(method, int(users))


def coverage(worlds: str) -> dict[str, Any]:
    """How often the intervals hold the truth."""
    from benchmarks import resample  # noqa: PLC0415 - imported before the clock starts

    return resample.coverage(int(worlds))


def voices(part: str, language: str, reviews: str) -> dict[str, Any]:
    """Reviews read for their words."""
    from benchmarks import voices as module  # noqa: PLC0415 - imported before the clock starts

    work = {"all": module.ours, "terms": module.terms, "theirs": module.theirs}[part]
    return work(language, int(reviews))


def topics(whose: str, reviews: str) -> dict[str, Any]:
    """Topics of reviews, with what was planted found again or not."""
    from benchmarks import topics as module  # noqa: PLC0415 - imported before the clock starts

    return {"ours": module.ours, "theirs": module.theirs}[whose](int(reviews))


JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    "review": review,
    "floor": floor,
    "each": each,
    "tea-ours": tea_ours,
    "tea-theirs": tea_theirs,
    "quantile": quantile,
    "coverage": coverage,
    "voices": voices,
    "topics": topics,
}

if __name__ == "__main__":
    job, *words = sys.argv[1:]
    measured(lambda: JOBS[job](*words))
