"""What readers saw, held against what SciPy and a loop would say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from octad.model.finding import Story
from octad.model.inputs import History
from octad.readings.user_tags import _fisher, tagged
from tests.readings.made import inputs

NAMED = {
    f"u{i}": Story(title="", user=f"u{i}", lines=(), arm="treatment" if i % 2 else "control")
    for i in range(20)
}


def _tags(odd: tuple[str, ...], even: tuple[str, ...], reader: str = "Lin") -> tuple[
    tuple[str, str, tuple[str, ...]], ...
]:  # fmt: skip
    return tuple((f"u{i}", reader, odd if i % 2 else even) for i in range(20))


@pytest.mark.parametrize("table", [(3, 10, 0, 10), (8, 10, 1, 10), (0, 5, 0, 5), (2, 7, 6, 9)])
def test_fishers_test_is_scipys(table: tuple[int, int, int, int]) -> None:
    a, n, b, m = table
    wanted = stats.fisher_exact(np.array([[a, n - a], [b, m - b]]))[1]
    assert _fisher(a, n, b, m) == pytest.approx(wanted, rel=1e-9)


def test_the_tag_on_which_the_arms_part_is_named() -> None:
    seen = inputs(named=NAMED, history=History(tags=_tags(("stuck",), ())))
    found = tagged(seen)
    assert found is not None
    assert "“stuck”: 10 of 10 with it, 0 of 10 without (p < .0001)" in found.claim
    assert found.stance is None


def test_a_difference_that_chance_could_make_is_said_to_be_one() -> None:
    tags = tuple((f"u{i}", "Lin", ("stuck",) if i in (1, 3, 4) else ()) for i in range(20))
    found = tagged(inputs(named=NAMED, history=History(tags=tags)))
    assert found is not None
    assert "cannot tell from chance" in found.claim


def test_readers_who_agree_are_said_to() -> None:
    tags = _tags(("stuck",), ()) + _tags(("stuck",), (), "Mei")
    found = tagged(inputs(named=NAMED, history=History(tags=tags)))
    assert found is not None
    assert "Lin and Mei read 20 timelines" in found.claim
    assert "agree well (alpha 1.00" in found.claim


def test_readers_who_do_not_agree_are_too() -> None:
    tags = _tags(("stuck",), ()) + _tags((), ("stuck",), "Mei")
    found = tagged(inputs(named=NAMED, history=History(tags=tags)))
    assert found is not None
    assert "agree little" in found.claim


def test_tags_of_users_who_are_not_in_the_data_say_nothing() -> None:
    assert tagged(inputs(named={}, history=History(tags=_tags(("stuck",), ())))) is None
    assert tagged(inputs(named=NAMED)) is None
