"""How the errors of a launch's effects go together, kept for the launches that come after."""

from __future__ import annotations

import math
from collections.abc import Collection
from itertools import combinations

from octad.model.inputs import Inputs
from octad.stats.buckets import effects_together
from octad.stats.refusal import NotEstimable

__all__ = ["shared_errors"]


def shared_errors(inputs: Inputs, names: Collection[str]) -> tuple[tuple[str, str, float], ...]:
    """Covariance of the relative effects' errors of any two metrics, in the first treatment arm.

    Effects on two metrics of one launch are measured on the same users, so their noise goes
    together; whoever sets effects of many launches side by side must take that off first.

    Args:
        inputs: For the cells.
        names: The metrics; those without cells in both arms are passed over.

    Returns:
        ``(first, second, covariance)``, names in alphabetical order.
    """
    if len(inputs.arms) < 2:
        return ()
    found = []
    for one, two in combinations(sorted(names), 2):
        cells = [inputs.metrics.get(name) for name in (one, two)]
        pairs = [
            (c.moments[0, 0], c.moments[0, 1])
            for c in cells
            if c is not None and c.quantiles is None
        ]
        if len(pairs) < 2:
            continue
        try:
            covariance = float(effects_together(pairs).covariance[0, 1])
        except NotEstimable:
            continue
        if math.isfinite(covariance):
            found.append((one, two, covariance))
    return tuple(found)
