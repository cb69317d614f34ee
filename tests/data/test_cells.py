"""From a user's numbers to cells: nothing lost, nothing cut twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octad.data.attributes import Attribute
from octad.data.cell_sums import Grouping
from octad.data.cells import UnitValues, cells_of, tail_of, variants_of, winsorized
from octad.data.population import BUCKETS
from octad.data.primitives import PRE_DAYS, recipe
from octad.data.segments import make_slices
from octad.errors import DataError
from octad.model.metric import CountMetric, ReturnsMetric
from octad.stats.moments import Moments

worlds = st.builds(
    lambda n, arms, seed: (np.random.default_rng(seed), n, arms),
    st.integers(1, 300),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
)


def _values(rng: np.random.Generator, n: int, scale: float = 1.0) -> UnitValues:
    y, d, x, w = (rng.gamma(0.4, 3.0, n) * scale for _ in range(4))
    return UnitValues("m", y, d, x, w, rng.random(n) < 0.8, paired=True)


@settings(max_examples=40, deadline=None)
@given(worlds)
def test_cells_add_up_to_the_rows_in_every_slice(
    world: tuple[np.random.Generator, int, int],
) -> None:
    rng, n, arms = world
    values = _values(rng, n)
    arm, bucket = rng.integers(0, arms, n), rng.integers(0, BUCKETS, n)
    attributes = [
        Attribute("a", ("x", "y", "(unknown)"), rng.integers(0, 3, n)),
        Attribute("b", ("p", "q"), rng.integers(0, 2, n)),
    ]
    slices = make_slices(attributes, arm, fewest=3)
    cells = cells_of(values, arm, bucket, arms, slices)
    assert cells.waiting == int((~values.ended).sum())
    for i, piece in enumerate(cells.slices):
        inside = values.ended.copy()
        for name, value in piece.values:
            attribute = next(a for a in attributes if a.name == name)
            inside &= attribute.codes == attribute.values.index(value)
        assert not any(value == "(unknown)" for _, value in piece.values)
        for a in range(arms):
            expected = Moments.from_rows(values.rows[inside & (arm == a)])
            found = cells.totals[i, a]
            assert found.n == expected.n
            np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-9, atol=1e-9)
            np.testing.assert_allclose(found.comoment, expected.comoment, rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(worlds)
def test_every_user_is_in_one_value_of_an_attribute_or_in_a_small_one(
    world: tuple[np.random.Generator, int, int],
) -> None:
    rng, n, arms = world
    arm = rng.integers(0, arms, n)
    attributes = [Attribute("a", ("x", "y"), rng.integers(0, 2, n))]
    slices = make_slices(attributes, arm, fewest=5)
    for number in range(1, len(slices.slices)):
        users = slices.numbers[0][1][attributes[0].codes] == number
        assert np.bincount(arm[users], minlength=int(arm.max()) + 1).min() >= 5
    assert len(slices.slices) - 1 + slices.small == len(np.unique(attributes[0].codes))


def test_one_cut_for_all_arms() -> None:
    rng = np.random.default_rng(3)
    values = _values(rng, 1_000)
    cut, edge = winsorized(values, 0.9)
    assert edge is not None
    assert edge == np.quantile(values.y[values.ended], 0.9, method="inverted_cdf")
    assert cut.y.max() == edge
    assert (cut.y[values.y <= edge] == values.y[values.y <= edge]).all()
    assert cut.x.max() == np.quantile(values.x[values.ended], 0.9, method="inverted_cdf")


def test_a_rare_metric_is_not_cut_to_nothing() -> None:
    y = np.zeros(10_000)
    y[:3] = 5.0
    one = np.ones(10_000)
    values = UnitValues("m", y, one, 0 * y, one, one > 0, paired=False)
    cut, edge = winsorized(values, 0.999)
    assert edge is None
    assert cut.y.sum() == 15


def test_values_that_cannot_be_squared_are_refused_by_the_metrics_name() -> None:
    values = _values(np.random.default_rng(1), 100, scale=1e200)
    with pytest.raises(DataError, match="'m'"):
        cells_of(values, np.zeros(100, dtype=int), np.zeros(100, dtype=int), 1)


def test_tails_of_an_arm_with_nobody() -> None:
    values = _values(np.random.default_rng(1), 10)
    tail = tail_of(values, np.zeros(10, dtype=np.int64), 2)
    assert tail.n[1] == 0
    assert tail.total[1] == 0
    assert np.isnan(tail.top[1]).all()


def test_variants_leave_out_the_planned_choice() -> None:
    values = _values(np.random.default_rng(1), 500)
    arm = np.arange(500) % 2
    users = Grouping.of(arm, arm, 2)
    assert set(variants_of(values, None, users)) == {"largest 0.1% cut", "largest 1% cut"}
    assert set(variants_of(values, 0.999, users)) == {"nothing cut", "largest 1% cut"}


def test_recipes_speak_of_exact_spans() -> None:
    whole = recipe(CountMetric.model_validate({"count": "e", "window": "14d"}), days=30)
    assert whole is not None
    assert whole.x is not None
    assert (whole.y.first, whole.y.last, whole.y.primitive.before) == (0, 14, None)
    assert (whole.x.first, whole.x.last) == (-PRE_DAYS, 0)
    odd = recipe(CountMetric.model_validate({"count": "e", "window": "36h"}), days=30, mirror=0)
    assert odd is not None
    assert odd.x is not None
    hours = 3_600 * 1_000_000
    assert (odd.y.last, odd.y.primitive.before) == (2, 36 * hours)
    assert (odd.x.first, odd.x.primitive.after) == (-2, -36 * hours)
    back = ReturnsMetric.model_validate({"returns": "e", "between": ["30h", "61h"]})
    made = recipe(back, days=30)
    assert made is not None
    y = made.y.primitive
    assert (y.after, y.before, made.window) == (30 * hours, 61 * hours, 61 * hours)
