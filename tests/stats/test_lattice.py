"""The slice search: exactly what scoring every slice gives, and no false alarm after it."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octad.stats.lattice import candidates, finding_half, members, outcomes, worst_slices
from octad.stats.lattice_grid import Grid
from octad.stats.lattice_scan import scan
from octad.stats.lattice_scores import HarmScore
from octad.stats.refusal import NotEstimable
from octad.stats.segments import find_harm
from tests.reference import lattice_oracle
from tests.reference.calibrate_lattice import confirmed
from tests.reference.lattice_worlds import (
    BUCKETS,
    everything,
    inside,
    people,
    slice_moments,
    tightest,
)

SIZES = (3, 2, 4, 3, 2)
HARMED = ((0, 1), (2, 2), (3, 0))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    share=st.sampled_from([1.0, 0.3, 0.01]),
    keep=st.integers(1, 30),
    rest=st.booleans(),
    distinct=st.booleans(),
)
def test_the_walk_gives_what_scoring_every_slice_gives(
    seed: int, share: float, keep: int, rest: bool, distinct: bool
) -> None:
    rng = np.random.default_rng(seed)
    world = people(rng, users=900, sizes=SIZES, share=share, harmed=HARMED, harm=0.5)
    found, brute = everything(world, fewest=10, keep=keep, rest=rest, distinct=distinct)
    assert found.slices == tuple(s for s, _ in brute)
    np.testing.assert_allclose(found.score, [z for _, z in brute], rtol=1e-9)


def test_what_is_rare_is_pruned_by_bounds_and_nothing_is_lost() -> None:
    rng = np.random.default_rng(3)
    world = people(rng, users=40_000, sizes=(8,) * 6, share=0.002)
    found, brute = everything(world, fewest=10, keep=5)
    assert found.slices == tuple(s for s, _ in brute)
    assert found.levels[2].pruned > 0.2 * 20 * 8**3
    totals = [level.looked + level.pruned + level.small for level in found.levels]
    assert totals == [48, 15 * 64, 20 * 512]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), fewest=st.integers(2, 40))
def test_the_bound_holds_for_the_worst_users_that_anyone_could_choose(
    seed: int, fewest: int
) -> None:
    rng = np.random.default_rng(seed)
    world = people(rng, users=400, sizes=(2, 2), share=float(rng.choice([1.0, 0.05])))
    score = HarmScore.of(-world.rows[:, 0], world.arm, fewest, rest=False)
    table = Grid(list(world.codes), world.sizes, world.arm, 2).table((0,), score.columns())
    limits = score.limits(table)
    for value in (0, 1):
        these = world.codes[0] == value
        centre = np.mean([score.h[these & (world.arm == a)].mean() for a in (0, 1)])
        attained = tightest(world, score.h, these, fewest, float(centre))
        assert attained <= limits[1, value] * (1 + 1e-9)


@pytest.mark.parametrize("rest", [False, True])
def test_the_ceiling_is_nearly_reached_by_a_slice_that_holds_all_the_harm(rest: bool) -> None:
    # Everybody in one pair of values loses the same; nobody else does anything.
    n = np.arange(8000)
    codes = [n % 2, n // 2 % 40]
    arm = n // 80 % 2
    h = np.where((codes[0] == 1) & (codes[1] == 3), np.where(arm == 1, 1.0, -1.0), 0.0)
    score = HarmScore.of(h, arm, 20, rest=rest)
    grid = Grid(codes, (2, 40), arm, 2)
    tables = {g: grid.table(g, score.columns()) for g in ((0,), (1,), (0, 1))}
    score.judge((0,), tables[0,])
    score.judge((1,), tables[1,])
    z, large, _ = score.judge((0, 1), tables[0, 1])
    assert large.all()
    ceilings = [score.ceiling(score.limits(tables[group])) for group in ((0,), (1,))]
    for (ceiling, able), around in zip(ceilings, (z, z.T), strict=True):
        assert able.all()
        assert (around <= ceiling[:, None] * (1 + 1e-9)).all()
    # The rest of one of forty values is nearly everyone, so there it is sharp in both questions.
    assert z[1, 3] > 0.9 * ceilings[1][0][3]


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), alpha=st.sampled_from([0.5, 0.85, 0.95, 1.0]))
def test_sliceline_itself_finds_the_same(seed: int, alpha: float) -> None:
    if not lattice_oracle.installed():
        if os.environ.get("CI"):
            pytest.fail("the package sliceline is missing; CI needs it as an oracle")
        pytest.skip("the package sliceline is not installed; its recorded results are compared")
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, size, 400) for size in SIZES])
    losses = rng.exponential(size=400) * (1 + 2 * inside(codes, HARMED))
    found = worst_slices(codes, SIZES, losses, alpha=alpha, keep=8, fewest=12)
    theirs = lattice_oracle.theirs(codes, losses, alpha, keep=8, fewest=12, deepest=3)
    # The package keeps ties with the last one; ours stop at eight.
    np.testing.assert_allclose(found.score, [v for _, v in theirs][:8], rtol=1e-9)
    assert set(found.slices) <= {s for s, _ in theirs}


def test_its_recorded_results_are_ours() -> None:
    codes, losses = lattice_oracle.data()
    for alpha, recorded in lattice_oracle.RECORDED.items():
        found = worst_slices(
            codes,
            [3] * 5,
            losses,
            alpha=alpha,
            keep=lattice_oracle.KEEP,
            fewest=lattice_oracle.FEWEST,
        )
        assert found.slices == tuple(s for s, _ in recorded)
        np.testing.assert_allclose(found.score, [v for _, v in recorded], rtol=1e-9)
        assert sum(level.pruned for level in found.levels) > 0


def test_the_finding_half_is_that_of_find_harm() -> None:
    world = people(np.random.default_rng(0), users=30_000, sizes=(2,))
    early = finding_half(np.ones(BUCKETS), seed=11)
    rows = world.rows.copy()
    rows[:, 0] -= 2.0 * (world.arm * early[world.bucket] * (world.codes[0] == 1))
    cells = slice_moments(
        type(world)(world.codes, world.sizes, world.arm, world.bucket, rows), [(), ((0, 1),)]
    )
    harmed_where_found = find_harm(cells, seed=11)
    assert harmed_where_found.found[1]
    assert not harmed_where_found.confirmed[1]
    assert abs(harmed_where_found.value[1]) < 3 * harmed_where_found.se[1]


def test_the_halves_do_not_hang_on_who_is_there() -> None:
    held = np.arange(BUCKETS) % 5 != 0
    early = finding_half(held, seed=4)
    np.testing.assert_array_equal(early, held & finding_half(np.ones(BUCKETS), seed=4))
    with pytest.raises(NotEstimable, match="too few groups"):
        finding_half(np.arange(100) < 60, seed=4)


def test_the_other_half_is_never_looked_at() -> None:
    world = people(np.random.default_rng(1), users=20_000, sizes=SIZES)
    late = ~finding_half(np.ones(BUCKETS), seed=2)[world.bucket]
    rows = world.rows.copy()
    rows[late, 0] = 1e6 * (world.arm[late] == 0)
    spoilt = type(world)(world.codes, world.sizes, world.arm, world.bucket, rows)
    one, two = world.search(2), spoilt.search(2)
    assert one.slices == two.slices
    np.testing.assert_array_equal(one.score, two.score)


def test_a_harm_of_three_attributes_is_found_and_confirmed() -> None:
    world = people(np.random.default_rng(6), users=40_000, sizes=(4,) * 5, harmed=HARMED, harm=0.8)
    found = world.search(3)
    assert found.slices[0] == HARMED
    slices = [(), *found.slices]
    search = find_harm(slice_moments(world, slices), seed=3)
    assert search.confirmed[1]
    # One slice says it: those inside and those around that look no worse are left out.
    assert sum(set(s) >= set(HARMED) for s in found.slices) == 1


def test_no_harm_is_confirmed_where_there_is_none() -> None:
    alarms = sum(confirmed(np.random.default_rng(run), seed=run) for run in range(12))
    # With 5% each, three alarms or more in twelve come once in fifty times.
    assert alarms <= 2


def test_directions_and_slices_that_may_not_be_made() -> None:
    rng = np.random.default_rng(7)
    world = people(rng, users=30_000, sizes=SIZES, harmed=HARMED, harm=-1.0)
    assert HARMED in world.search(1, better="down").slices
    assert HARMED not in world.search(1, better="up").slices
    codes = world.codes.copy()
    codes[3][codes[3] == 0] = -1
    hidden = type(world)(codes, world.sizes, world.arm, world.bucket, world.rows)
    found = hidden.search(1, better="down")
    assert found.slices[0] == HARMED[:2]
    assert all(value >= 0 for s in found.slices for _, value in s)
    third = world.search(1, better="down", shallowest=3)
    assert third.slices[0] == HARMED
    assert all(len(s) == 3 for s in third.slices)


def test_a_third_arm_is_left_out() -> None:
    world = people(np.random.default_rng(8), users=20_000, sizes=SIZES)
    more = np.random.default_rng(9).random(20_000) < 0.3
    arm = np.where(more, 2, world.arm)
    given_all = type(world)(world.codes, world.sizes, arm, world.bucket, world.rows).search(1)
    kept = type(world)(
        world.codes[:, ~more], world.sizes, arm[~more], world.bucket[~more], world.rows[~more]
    ).search(1)
    assert given_all.slices == kept.slices


def test_outcomes_are_those_of_the_ratio_adjusted() -> None:
    rng = np.random.default_rng(10)
    d, x = rng.poisson(3, 5000) + 1.0, rng.exponential(size=5000)
    arm = rng.integers(0, 2, 5000)
    rows = np.stack([2 * d + 3 * (x - x.mean()), d, x, np.ones(5000)], axis=1)
    # What the past explains wholly is gone, but for what the ratio's own error leaves.
    assert np.abs(outcomes(rows, arm)).max() < 0.2
    rows[:, 2] = 1.0
    plain = rows[:, 0] - rows[:, 0].sum() / d.sum() * d
    np.testing.assert_allclose(outcomes(rows, arm), plain)


@pytest.mark.parametrize("scale", [0.0, 1e-12, 1.0, 1e150])
@pytest.mark.parametrize("shift", [0.0, 1e9])
def test_odd_outcomes_give_an_answer_without_a_warning(scale: float, shift: float) -> None:
    world = people(np.random.default_rng(11), users=4000, sizes=(2, 3, 2))
    rows = world.rows.copy()
    rows[:, 0] = shift + scale * rows[:, 0]
    found = type(world)(world.codes, world.sizes, world.arm, world.bucket, rows).search(1)
    assert np.isfinite(found.score).all()
    if scale == 0:
        assert not found.slices


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e200])
@pytest.mark.parametrize("column", [0, 2])
def test_values_that_cannot_be_reckoned_with_are_refused_or_harmless(
    bad: float, column: int
) -> None:
    world = people(np.random.default_rng(13), users=4000, sizes=(2, 3))
    early = finding_half(np.ones(BUCKETS), seed=1)[world.bucket]
    world.rows[np.flatnonzero(early)[:2], column] = bad
    if bad == 1e200:
        assert np.isfinite(world.search(1).score).all()
    else:
        with pytest.raises(ValueError, match="finite"):
            world.search(1)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_users(n: int) -> None:
    rows = np.ones((n, 4))
    nobody = np.zeros(n, dtype=np.int64)
    with pytest.raises(NotEstimable):
        candidates(nobody[None], [1], rows, nobody, nobody, buckets=BUCKETS, seed=1)
    assert worst_slices(nobody[None], [1], np.ones(n), fewest=1).slices == ()
    score = HarmScore.of(np.ones(n), nobody, 2, rest=True)
    assert scan(Grid([nobody], (1,), nobody, 2), score, keep=1, deepest=1, least=0.0).slices == ()


def test_what_cannot_be_meant_is_refused() -> None:
    codes = np.array([[0, 1, 2]])
    with pytest.raises(ValueError, match="codes from 0"):
        worst_slices(codes, [2], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="not below 0"):
        worst_slices(codes, [3], [1.0, -2.0, 3.0])
    three = np.zeros(3, dtype=np.int64)
    with pytest.raises(ValueError, match="one entry for every user"):
        candidates(codes, [3], np.ones((2, 4)), three, three, buckets=BUCKETS, seed=1)
    with pytest.raises(ValueError, match="finite"):
        HarmScore.of(np.array([1.0, np.nan]), np.array([0, 1]), 2, rest=False)


def test_members_are_those_whose_values_hold() -> None:
    world = people(np.random.default_rng(12), users=20_000, sizes=SIZES)
    found = world.search(5)
    for who, piece in zip(members(world.codes, found.slices), found.slices, strict=True):
        np.testing.assert_array_equal(who, np.flatnonzero(inside(world.codes, piece)))
    assert [len(who) for who in members(world.codes, [()])] == [20_000]
