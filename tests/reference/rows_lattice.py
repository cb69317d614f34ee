"""The slice search against the package of the paper, and against scoring every slice."""

from __future__ import annotations

import numpy as np

from octad.stats.lattice import worst_slices
from tests.reference.lattice_oracle import (
    ALPHAS,
    DEEPEST,
    FEWEST,
    KEEP,
    RECORDED,
    VERSION,
    data,
)
from tests.reference.lattice_worlds import everything, people
from tests.reference.row import Row, exact, worst

__all__ = ["harm", "sliceline"]


def sliceline() -> list[Row]:
    """The published score: the same slices, and their scores to the last digit."""
    codes, losses = data()
    rows = []
    for alpha in ALPHAS:
        ours = worst_slices(
            codes, [3] * 5, losses, alpha=alpha, fewest=FEWEST, keep=KEEP, deepest=DEEPEST
        )
        theirs = dict(RECORDED[alpha])
        same = len(set(ours.slices) & set(theirs))
        name = f"SliceLine, alpha {alpha}"
        source = f"package {VERSION}, recorded"
        rows += [
            exact(f"{name}: slices in common", same, len(theirs), source=source),
            worst(f"{name}: scores", ours.score, [v for _, v in RECORDED[alpha]], source=source),
        ]
    return rows


def harm() -> list[Row]:
    """Our score: the walk's best slices against those of scoring all of them one by one."""
    rng = np.random.default_rng(5)
    rows = []
    for what, share in (("spending", 1.0), ("rare events", 0.004)):
        world = people(rng, users=6000, sizes=(3, 4, 3, 3, 2), share=share)
        for rest in (False, True):
            found, brute = everything(world, fewest=30, keep=25, rest=rest)
            common = len(set(found.slices) & set(dict(brute)))
            name = f"harm of {what}" + (", against the rest" if rest else "")
            source = "every slice scored by itself, numpy"
            rows += [
                exact(f"{name}: slices in common", common, len(brute), source=source),
                worst(f"{name}: z", found.score, [z for _, z in brute], source=source),
            ]
    return rows
