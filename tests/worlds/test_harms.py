from __future__ import annotations

import numpy as np
import pytest

from octad.worlds.base import Floats
from octad.worlds.harms import Futures, gained, harms, measured, shown_within
from octad.worlds.launches import Aims

N = 4_000
AIMS = Aims("opens", {"payments": 0.03}, {"crash_rate": 0.1}, ("region",))


def _sums(
    *, opens: float = 1.0, payments: float = 1.0, north: float = 1.0, first: float = 1.0
) -> dict[str, Floats]:
    """Figures of people who differ, with effects as factors on them; the north is every fourth."""
    rng = np.random.default_rng(0)
    habit = rng.gamma(4.0, 1.0, N)
    pays = rng.gamma(3.0, 1.0, N) * payments
    pays[::4] *= north
    figures = {
        "opens": habit * opens,
        "all_opens": habit * opens,
        "payments": pays,
        "good": pays,
        "spend": pays,
        "transfers": np.ones(N),
        "retained": np.ones(N),
        "crashes": np.full(N, 0.1) * opens,
        "blanks": np.zeros(N),
    }
    for week, factor in (("first", first), ("fourth", 1.0)):
        figures[f"{week} opens"] = habit * factor
    return figures


def _futures(off: dict[str, Floats], on: dict[str, Floats]) -> Futures:
    every = np.ones(N, dtype=np.bool_)
    north = np.arange(N) % 4 == 0
    groups = {
        "everyone": every,
        "region=north": north,
        "region=south": ~north,
        "heavy users": np.arange(N) % 10 == 0,
    }
    return Futures(off, on, groups)


def test_nothing_harms_nobody() -> None:
    same = _futures(_sums(), _sums())
    assert harms(AIMS, {}, same, same) == []
    assert gained(AIMS, same) == "none"


def test_a_result_worse_over_the_year_is_harm_and_seen_by_what_the_window_shows() -> None:
    year = _futures(_sums(), _sums(payments=0.9))
    for now, seen in ((0.9, True), (1.0, False)):
        window = _futures(_sums(), _sums(payments=now))
        found = harms(AIMS, {}, window, year)
        assert [h["what"] for h in found] == ["result worse"]
        assert found[0]["by"] == "numbers"
        assert found[0]["year"] == pytest.approx(-0.1)
        assert (found[0]["power"] > 0.8) is seen


def test_a_loss_within_its_margin_is_no_harm() -> None:
    both = _futures(_sums(), _sums(payments=0.98))
    assert harms(AIMS, {}, both, both) == []


def test_a_segment_is_harmed_where_all_are_not() -> None:
    both = _futures(_sums(), _sums(payments=1.05, north=0.8))
    found = harms(AIMS, {}, both, both)
    assert ("segment harmed", "region=north") in {(h["what"], h["who"]) for h in found}
    assert "result worse" not in {h["what"] for h in found}


def test_a_gain_that_is_gone_over_the_year_fades() -> None:
    window = _futures(_sums(), _sums(opens=1.1, first=1.2))
    year = _futures(_sums(), _sums(opens=1.001))
    found = harms(AIMS, {}, window, year)
    assert [(h["what"], h["by"]) for h in found] == [("gain fades", "reading")]
    assert found[0]["power"] > 0.8


def test_a_core_job_is_displaced_only_where_something_took_its_place() -> None:
    off, on = _sums(), _sums()
    on["transfers"] = on["transfers"] * 0.8
    both = _futures(off, on)
    assert harms(AIMS, {}, both, both) == []
    found = harms(AIMS, {"transfer": "transfers"}, both, both)
    assert [h["what"] for h in found] == ["core job displaced"]


def test_what_is_better_is_a_result_before_the_kpi() -> None:
    better = _futures(_sums(), _sums(opens=1.1, payments=1.05))
    assert gained(AIMS, better) == "result"
    assert gained(AIMS, _futures(_sums(), _sums(opens=1.1))) == "kpi"


def test_a_gain_is_shown_within_margins_by_enough_users() -> None:
    plain = _futures(_sums(), _sums(opens=1.2, payments=1.2))
    assert shown_within(AIMS, plain) > 0.9
    assert shown_within(AIMS, _futures(_sums(), _sums())) < 0.1


def test_all_groups_are_measured() -> None:
    both = _futures(_sums(), _sums(payments=0.9))
    told = measured(both, both)
    assert told["year"]["region=north"]["payments"] == pytest.approx(-0.1)
    assert told["se"]["region=north"]["payments"] > told["se"]["everyone"]["payments"] > 0
