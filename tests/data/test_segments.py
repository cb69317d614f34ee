"""Slices of users: every value, every pair, and the triples that look harmed on one half."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from octad.data.attributes import Attribute
from octad.data.bands import UNKNOWN
from octad.data.cells import UnitValues, cells_of
from octad.data.population import BUCKETS
from octad.data.segments import Sought, deepen, make_slices
from octad.model.inputs import Slice
from octad.stats.moments import Moments
from octad.stats.segments import find_harm, halves

N, SEED = 16_000, 5
HARMED = (("a", "1"), ("b", "2"), ("c", "0"))


def _attributes(rng: np.random.Generator, sizes: dict[str, int]) -> list[Attribute]:
    return [
        Attribute(name, tuple(map(str, range(size))), rng.integers(0, size, N))
        for name, size in sizes.items()
    ]


def _world(
    loss: float = 0.0,
) -> tuple[list[Attribute], NDArray[np.int64], NDArray[np.int64], Sought]:
    rng = np.random.default_rng(3)
    known = _attributes(rng, {"a": 2, "b": 3, "c": 2, "d": 2})
    arm, bucket = rng.integers(0, 2, N), rng.integers(0, BUCKETS, N)
    inside = (known[0].codes == 1) & (known[1].codes == 2) & (known[2].codes == 0)
    y = 3 + rng.exponential(1.0, N) - loss * arm * inside
    one = np.ones(N)
    rows = np.stack([y, one, 0 * one, one], axis=1)
    return known, arm, bucket, Sought(tuple(rows.T), rng.random(N) < 0.9, "up")


def test_every_value_and_every_pair_is_there() -> None:
    known, arm, _, _ = _world()
    made = make_slices(known, arm, fewest=100)
    singles, pairs = 2 + 3 + 2 + 2, 2 * 3 + 2 * 2 * 3 + 3 * 2 * 2
    assert made.whole
    assert len(made.slices) == 1 + singles + pairs


def test_of_too_many_pairs_the_largest_are_kept() -> None:
    rng = np.random.default_rng(1)
    known = _attributes(rng, {f"k{i}": 12 for i in range(5)})
    arm = rng.integers(0, 2, N)
    made = make_slices(known, arm, fewest=5)
    assert not made.whole
    assert len(made.slices) <= 400
    assert {len(s.values) for s in made.slices} == {0, 1, 2}
    sizes = [
        int(((known[0].codes == i) & (known[1].codes == j)).sum())
        for i in range(12)
        for j in range(12)
    ]
    kept = {s.values for s in made.slices}
    largest = int(np.argmax(sizes))
    assert (("k0", str(largest // 12)), ("k1", str(largest % 12))) in kept


def test_a_harmed_triple_becomes_a_slice_and_its_cells_are_its_users() -> None:
    known, arm, bucket, sought = _world(1.5)
    made = deepen(make_slices(known, arm, fewest=100), known, [sought], arm, bucket, seed=SEED)
    assert Slice(HARMED) in made.slices
    assert made.searched > len(made.deep)
    place = made.slices.index(Slice(HARMED))
    y, d, x, w = sought.columns
    rows = np.stack(sought.columns, axis=1)
    values = UnitValues("m", y, d, x, w, sought.ended, paired=False)
    cells = cells_of(values, arm, bucket, 2, made, halving=SEED)
    assert cells.parts is not None
    inside = (known[0].codes == 1) & (known[1].codes == 2) & (known[2].codes == 0) & sought.ended
    by_hand = Moments.from_rows(rows[inside], arm[inside] * BUCKETS + bucket[inside], 2 * BUCKETS)
    np.testing.assert_array_equal(cells.parts.n[place].ravel(), by_hand.n)
    for column, total in zip(cells.parts.sums, (by_hand.n[:, None] * by_hand.mean).T, strict=True):
        np.testing.assert_allclose(column[place].ravel(), total)
    early = halves(BUCKETS, SEED)[bucket]
    for i, half in enumerate((early, ~early)):
        for a in (0, 1):
            own = Moments.from_rows(rows[inside & half & (arm == a)])
            found = cells.parts.halves[place, a, i]
            assert found.n == own.n
            np.testing.assert_allclose(found.mean, own.mean)
            np.testing.assert_allclose(found.comoment, own.comoment)
    assert find_harm(cells.parts, seed=SEED).confirmed[place]


def test_the_confirming_half_is_not_looked_at() -> None:
    known, arm, bucket, sought = _world()
    plain = deepen(make_slices(known, arm, fewest=100), known, [sought], arm, bucket, seed=SEED)
    late = ~halves(BUCKETS, SEED)[bucket]
    y = np.where(late, -1e6 * arm, sought.columns[0])
    spoilt = Sought((y, *sought.columns[1:]), sought.ended, "up")
    other = deepen(make_slices(known, arm, fewest=100), known, [spoilt], arm, bucket, seed=SEED)
    assert plain.slices == other.slices


def test_what_is_unknown_makes_no_slice() -> None:
    known, arm, bucket, sought = _world(1.5)
    known[1] = Attribute("b", ("0", "1", UNKNOWN), known[1].codes)
    made = deepen(make_slices(known, arm, fewest=100), known, [sought], arm, bucket, seed=SEED)
    assert not [s for s in made.slices if (("b", UNKNOWN)) in s.values]


def test_too_few_users_or_attributes_add_nothing() -> None:
    known, arm, bucket, sought = _world()
    two = make_slices(known[:2], arm, fewest=100)
    assert deepen(two, known[:2], [sought], arm, bucket, seed=1) is two
    few = Sought(sought.columns, np.arange(N) < 40, "up")
    made = make_slices(known, arm, fewest=100)
    assert deepen(made, known, [few], arm, bucket, seed=1).deep == ()
