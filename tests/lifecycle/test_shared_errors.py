"""What a look keeps of how its effects' errors go together."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from octad.lifecycle.shared_errors import shared_errors
from octad.model.inputs import Inputs
from octad.readings.measure import measure
from tests.readings.made import cells, four, inputs, plan


def _seen() -> Inputs:
    rng = np.random.default_rng(1)
    made: dict[str, list[NDArray[np.float64]]] = {"opens": [], "payments": []}
    for _ in range(2):
        keen = rng.gamma(2, 1, 4000)
        made["opens"].append(four(rng.poisson(5 * keen)))
        made["payments"].append(four(rng.poisson(keen)))
    return inputs(*(cells(name, *arms) for name, arms in made.items()))


def test_every_two_metrics_have_their_covariance() -> None:
    seen = _seen()
    ((one, two, shared),) = shared_errors(seen, ["payments", "opens", "unknown"])
    assert (one, two) == ("opens", "payments")
    se = [m.best.se for name in (one, two) if (m := measure(plan(), seen, name)) is not None]
    # Both are Poisson draws of one keenness: cov 5·2/√((10 + 50)(2 + 2)) of the users' own.
    assert shared / (se[0] * se[1]) == pytest.approx(10 / np.sqrt(60 * 4), abs=0.12)


def test_without_a_comparison_there_is_nothing() -> None:
    assert shared_errors(Inputs(), ["opens"]) == ()
