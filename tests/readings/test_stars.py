from __future__ import annotations

import pytest

from octad.model.finding import Stance
from octad.model.inputs import Inputs
from octad.readings.stars import stars
from octad.readings.voices import Talk, listen
from tests.readings.voices_kit import Row, plan_of, reviews_of, spread

GOOD = [(5.0, "quick"), (5.0, "easy"), (4.0, "fine"), (4.0, "safe")]
POOR = [(1.0, "slow"), (2.0, "froze"), (1.0, "lost"), (2.0, "broken")]
SO_SO = [(3.0, "works"), (2.0, "hm"), (4.0, "not bad"), (3.0, "all right")]


def talk_of(*parts: list[Row]) -> Talk:
    rows = [row for part in parts for row in part]
    found = listen(
        plan_of(rivals=("Good", "Poor")),
        Inputs(reviews=reviews_of(rows, "Wallet")),
    )
    assert isinstance(found, Talk)
    return found


def test_a_rival_that_is_merely_reviewed_less_shifts_nothing() -> None:
    # Pooled, the rivals would fall from 4.2 to 1.8 stars, though neither changed.
    found = stars(
        talk_of(
            spread("Wallet", SO_SO, first=-28, last=0, times=30),
            spread("Wallet", SO_SO, first=0, last=28, times=30),
            spread("Good", GOOD, first=-28, last=0, times=90),
            spread("Good", GOOD, first=0, last=28, times=10),
            spread("Poor", POOR, first=-28, last=0, times=10),
            spread("Poor", POOR, first=0, last=28, times=90),
        )
    )
    assert found is not None
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(0, abs=1e-9)
    assert found.stance is Stance.MIXED
    assert "2 rivals each against its own past" in found.method


def test_rivals_that_move_apart_widen_the_error() -> None:
    ours = (
        spread("Wallet", GOOD, first=-28, last=0, times=60),
        spread("Wallet", SO_SO, first=0, last=28, times=60),
    )
    still = talk_of(
        *ours,
        spread("Good", SO_SO, first=-28, last=28, times=100),
        spread("Poor", SO_SO, first=-28, last=28, times=100),
    )
    apart = talk_of(
        *ours,
        spread("Good", SO_SO, first=-28, last=0, times=50),
        spread("Good", GOOD, first=0, last=28, times=50),
        spread("Poor", SO_SO, first=-28, last=0, times=50),
        spread("Poor", POOR, first=0, last=28, times=50),
    )
    one, two = (stars(talk) for talk in (still, apart))
    assert one is not None
    assert two is not None
    assert one.stance is Stance.AGAINST
    assert two.stance is Stance.MIXED
    assert one.estimate is not None
    assert two.estimate is not None
    assert (two.estimate.se or 0) > 5 * (one.estimate.se or 1)


def test_a_change_that_only_rivals_made_is_mixed() -> None:
    found = stars(
        talk_of(
            spread("Wallet", SO_SO, first=-28, last=28, times=100),
            spread("Good", SO_SO, first=-28, last=0, times=60),
            spread("Good", GOOD, first=0, last=28, times=60),
        )
    )
    assert found is not None
    assert found.estimate is not None
    assert (found.estimate.high or 0) < -1
    assert found.stance is Stance.MIXED


def test_a_rival_s_own_gain_warns_and_never_speaks_against() -> None:
    """Ours fall by a tenth and more by chance; the rival mends itself and gains a star and more."""
    ours = [*SO_SO, *SO_SO[:3]]  # 3.0 stars before
    found = stars(
        talk_of(
            spread("Wallet", ours, first=-28, last=0, times=8),
            spread("Wallet", [*ours, (1.0, "hm")], first=0, last=28, times=8),
            spread("Good", SO_SO, first=-28, last=0, times=60),
            spread("Good", GOOD, first=0, last=28, times=60),
        )
    )
    assert found is not None
    assert found.estimate is not None
    assert found.estimate.high is not None
    assert found.estimate.high < 0
    assert found.stance is Stance.MIXED
    assert "what moved is Good (+1.5)" in found.claim
