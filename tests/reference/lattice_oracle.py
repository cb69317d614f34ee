"""What the package ``sliceline`` finds, written down: ``python -m tests.reference.lattice_oracle``.

Run where the package is installed, it prints `RECORDED` anew. The data are made by arithmetic
alone, so that they are the same with every version of numpy.
"""

from __future__ import annotations

import importlib
import importlib.util
from pprint import pprint
from typing import Any

import numpy as np
from numpy.typing import NDArray

from octad.stats.lattice_scan import Slice

__all__ = ["ALPHAS", "RECORDED", "VERSION", "data", "installed", "theirs"]

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Found = list[tuple[Slice, float]]

VERSION = "sliceline 0.3.0"
ALPHAS = (0.87, 0.9, 0.99)
KEEP, FEWEST, DEEPEST = 6, 12, 3


def data() -> tuple[IntArray, FloatArray]:
    """(5, 360) codes of three values each, and losses that are larger in a triple and a single."""
    i = np.arange(360, dtype=np.int64)
    steps = ((7, 3), (11, 5), (13, 7), (17, 11), (19, 13))
    codes = np.stack([((a * i + i * i // b) % 101) % 3 for a, b in steps])
    noise = ((7919 * i + 104729 * i * i) % 1009 + 1) / 1010
    triple = (codes[0] == 1) & (codes[1] == 2) & (codes[3] == 0)
    losses = noise * (1 + 4 * triple + 0.5 * (codes[4] == 2))
    return codes, losses


def installed() -> bool:
    """Whether the package is here."""
    return importlib.util.find_spec("sliceline") is not None


def theirs(
    codes: IntArray, losses: FloatArray, alpha: float, *, keep: int, fewest: int, deepest: int
) -> Found:
    """The package's best slices and their scores."""
    module: Any = importlib.import_module("sliceline.slicefinder")
    finder = module.Slicefinder(
        alpha=alpha, k=keep, max_l=deepest, min_sup=fewest, verbose=False
    ).fit(codes.T, losses)
    scores = [float(s["slice_score"]) for s in finder.top_slices_statistics_]
    named = [
        tuple((a, int(v)) for a, v in enumerate(found) if v is not None)
        for found in finder.top_slices_
    ]
    return list(zip(named, scores, strict=True))


RECORDED: dict[float, Found] = {
    0.87: [
        (((0, 1), (1, 2), (3, 0)), 0.3203605348326004),
        (((1, 2), (3, 0)), 0.12547868852552557),
        (((0, 1), (3, 0)), 0.06282293481825996),
        (((3, 0),), 0.045728061826506794),
        (((1, 2),), 0.013443421789543553),
    ],
    0.9: [
        (((0, 1), (1, 2), (3, 0)), 1.1245108981026912),
        (((1, 2), (3, 0)), 0.3908892836963569),
        (((0, 1), (3, 0)), 0.29462974181492796),
        (((0, 1), (1, 2)), 0.2580394648311406),
        (((3, 0),), 0.11134430041165735),
        (((1, 2),), 0.08034937661996522),
    ],
    0.99: [
        (((0, 1), (1, 2), (3, 0)), 3.5369619879129592),
        (((0, 1), (3, 0), (4, 2)), 2.2645481535018277),
        (((1, 2), (3, 0), (4, 2)), 1.7200752124387741),
        (((1, 2), (2, 1), (3, 0)), 1.3623607464656287),
        (((0, 1), (1, 2), (2, 0)), 1.3357502736408908),
        (((1, 2), (3, 0)), 1.1871210692088492),
    ],
}


def main() -> None:
    """Print what the package finds."""
    codes, losses = data()
    found = {a: theirs(codes, losses, a, keep=KEEP, fewest=FEWEST, deepest=DEEPEST) for a in ALPHAS}
    pprint(found, width=96, sort_dicts=False)  # noqa: T203


if __name__ == "__main__":
    main()
