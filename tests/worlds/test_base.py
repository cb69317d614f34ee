from __future__ import annotations

import numpy as np
import pytest

from octad.worlds.base import Categorical, Random, pick, poisson


def test_a_draw_depends_on_its_key_and_counters_alone() -> None:
    one, two = Random(7), Random(7)
    two.uniform("another mechanism", np.arange(1000))  # must not reshuffle the rest
    who = np.arange(100)
    assert np.array_equal(one.uniform("need", who, 3, 1), two.uniform("need", who, 3, 1))
    assert np.array_equal(one.uniform("need", who, 3)[:10], one.uniform("need", who[:10], 3))


@pytest.mark.parametrize(
    "other",
    [
        Random(8).uniform("need", np.arange(5000), 3, 1),
        Random(7).uniform("want", np.arange(5000), 3, 1),
        Random(7).uniform("need", np.arange(5000), 4, 1),
        Random(7).uniform("need", np.arange(5000), 3, 2),
        Random(7).uniform("need", np.arange(1, 5001), 3, 1),
    ],
    ids=["seed", "name", "day", "turn", "unit"],
)
def test_draws_under_another_key_or_counter_are_unrelated(other: np.ndarray) -> None:
    draw = Random(7).uniform("need", np.arange(5000), 3, 1)
    # four standard errors of a correlation of independent draws
    assert abs(np.corrcoef(draw, other)[0, 1]) < 4 / np.sqrt(5000)


def test_uniforms_are_uniform_and_normals_normal() -> None:
    random = Random(1)
    u = np.concatenate([random.uniform("u", np.arange(2000), day) for day in range(50)])
    assert 0 < u.min() < u.max() < 1
    share = np.histogram(u, bins=20, range=(0, 1))[0] / len(u)
    assert np.abs(share - 0.05).max() < 4 * np.sqrt(0.05 * 0.95 / len(u))
    z = random.normal("z", np.arange(100_000))
    assert abs(z.mean()) < 4 / np.sqrt(len(z))
    assert z.std() == pytest.approx(1, abs=4 / np.sqrt(2 * len(z)))


def test_negative_days_are_days_too() -> None:
    random = Random(1)
    assert not np.array_equal(random.uniform("u", 1, -1), random.uniform("u", 1, 1))


def test_poisson_counts_have_their_rate_and_rise_with_it() -> None:
    u = Random(2).uniform("u", np.arange(200_000))
    few, more = poisson(u, np.full(len(u), 0.3)), poisson(u, np.full(len(u), 0.5))
    assert np.all(few <= more)  # common random numbers: more of the same, never less
    for count, rate in ((few, 0.3), (more, 0.5)):
        assert count.mean() == pytest.approx(rate, abs=4 * np.sqrt(rate / len(u)))
        assert count.var() == pytest.approx(rate, rel=0.03)
    assert not poisson(u, np.zeros(len(u))).any()
    assert poisson(np.array([0.999999]), np.array([50.0]), most=12)[0] == 12


def test_pick_follows_shares_for_all_or_for_each() -> None:
    u = (np.arange(1000) + 0.5) / 1000
    assert np.bincount(pick(u, [2, 1, 1])).tolist() == [500, 250, 250]
    each = np.tile([[0.0, 1.0], [1.0, 0.0]], (500, 1))
    assert pick(u, each).tolist() == [1, 0] * 500


def test_a_categorical_gives_back_its_texts() -> None:
    column = Categorical(np.array([1, 0, -1], dtype=np.int32), ("a", "b"))
    assert len(column) == 3
    assert column.texts().tolist() == ["b", "a", None]
    assert column.is_("a").tolist() == [False, True, False]
