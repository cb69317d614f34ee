"""Replay 78 online experiments look by look: how often would somebody who peeks have been fooled?

The public table (78 experiments of a fashion retailer, four unnamed metrics, running counts, means
and variances at each look) is not kept here. Run it with the file:

    python examples/asos/replay.py ../shared/data/asos/experiments.csv
"""

from __future__ import annotations

import csv
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from octad.stats.sequential import anytime_multiplier

Floats = NDArray[np.float64]

FEWEST = 100
"""Users an arm before a look counts: below, a normal interval means little."""
NULLS = 2_000
"""Worlds without any effect that are drawn for each comparison's own schedule of looks."""
FIXED = float(ndtri(0.975))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One comparison over its looks.

    Attributes:
        n: (L,) users so far, both arms.
        z: (L,) difference over its standard error.
        information: (L,) one over the squared standard error, as a share of the last look's.
    """

    n: Floats
    z: Floats
    information: Floats


def read(file: Path) -> list[Comparison]:
    """Every experiment, variant and metric with at least two looks that can be used."""
    rows: dict[tuple[str, str, str], list[tuple[float, ...]]] = defaultdict(list)
    with file.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            key = row["experiment_id"], row["variant_id"], row["metric_id"]
            names = ("time_since_start", "count_c", "count_t", "mean_c", "mean_t")
            values = [float(row[name] or "nan") for name in (*names, "variance_c", "variance_t")]
            rows[key].append(tuple(values))
    found = []
    for looks in rows.values():
        usable = [r for r in sorted(looks) if min(r[1:3]) >= FEWEST and min(r[5:7]) > 0]
        if len(usable) < 2:
            continue
        _, n_c, n_t, mean_c, mean_t, var_c, var_t = np.array(usable).T
        squared = var_c / n_c + var_t / n_t
        z = (mean_t - mean_c) / np.sqrt(squared)
        # Information never falls; where a running variance grew faster than the count, it waits.
        information = np.maximum.accumulate(squared[-1] / squared)
        found.append(Comparison(n_c + n_t, z, information / information[-1]))
    return found


def reaches(path: Comparison) -> tuple[Floats, Floats]:
    """How many standard errors each interval reaches at each look: fixed, anytime.

    The size at the last look is taken for the planned one, as a plan would have named it.
    """
    anytime = anytime_multiplier(path.n, planned_n=float(path.n[-1]))
    return np.full(len(path.n), FIXED), anytime


def replay(paths: list[Comparison]) -> dict[str, int]:
    """What was called when, with the real data.

    A call is `unsaid` when the last look's own fixed interval no longer bears it out: it covers
    zero, or lies on the other side.
    """
    counts = dict.fromkeys(
        ("comparisons", "at the end", "peeking", "peeking unsaid", "anytime", "anytime unsaid"), 0
    )
    for path in paths:
        fixed, anytime = reaches(path)
        at_end = int(np.sign(path.z[-1])) if abs(path.z[-1]) > FIXED else 0
        counts["comparisons"] += 1
        counts["at the end"] += at_end != 0
        for name, reach in (("peeking", fixed), ("anytime", anytime)):
            called = np.flatnonzero(np.abs(path.z) > reach)
            if len(called):
                counts[name] += 1
                counts[f"{name} unsaid"] += int(np.sign(path.z[called[0]])) != at_end
    return counts


def without_effect(paths: list[Comparison], seed: int = 1) -> dict[str, float]:
    """The share of comparisons called at any look if nothing had any effect, on the same looks.

    The running difference is then a Brownian motion in information, so each comparison's own
    schedule is drawn anew without an effect.
    """
    rng = np.random.default_rng(seed)
    called = {"fixed, once at the end": 0.0, "fixed, at every look": 0.0, "anytime": 0.0}
    for path in paths:
        steps = np.sqrt(np.diff(path.information, prepend=0.0))
        walk = (rng.standard_normal((NULLS, len(steps))) * steps).cumsum(axis=1)
        z = np.abs(walk / np.sqrt(path.information))
        fixed, anytime = reaches(path)
        called["fixed, once at the end"] += float((z[:, -1] > FIXED).mean())
        called["fixed, at every look"] += float((z > fixed).any(axis=1).mean())
        called["anytime"] += float((z > anytime).any(axis=1).mean())
    return {name: share / len(paths) for name, share in called.items()}


def main(file: Path) -> None:
    """Print the figures."""
    paths = read(file)
    looks = np.array([len(path.n) for path in paths])
    out = sys.stdout.write
    out(
        f"{len(paths)} comparisons with {looks.sum():,} looks, {np.median(looks):g} in the middle\n"
    )
    found = replay(paths)
    out(f"significant at the last look, fixed interval:  {found['at the end']}\n")
    for name in ("peeking", "anytime"):
        unsaid = found[f"{name} unsaid"]
        out(f"called at some look, {name:<8}: {found[name]}, {unsaid} of them unsaid at the end\n")
    out("if nothing had any effect, called wrongly:\n")
    for name, share in without_effect(paths).items():
        out(f"  {name:<24} {share:.1%}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name the file: python replay.py experiments.csv")
    main(Path(sys.argv[1]))
