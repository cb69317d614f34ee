from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.faces import numbers
from octad.model.finding import Number


def _made(value: float, low: float | None, high: float | None, **more: object) -> Number:
    return Number.model_validate({"value": value, "low": low, "high": high, **more})


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (_made(0.068, 0.059, 0.077, relative=True), "+6.8% [+5.9, +7.7]"),
        (_made(-0.031, -0.04, -0.022, relative=True), "−3.1% [−4.0, −2.2]"),
        (_made(-0.11, -0.15, -0.07, relative=True), "−11.0% [−15.0, −7.0]"),
        # Gate 40's day-7 retention in the Cookie Cats data: 8502 of 44,700 against 8279 of 45,489.
        (_made(-0.0082, -0.0133, -0.0031, unit="share", z=-3.16), "−0.8 points [−1.3, −0.3]"),
        (_made(0.52, 0.51, 0.53, unit="share"), "52.0% [51.0, 53.0]"),
        (_made(-1.4, -1.9, -0.9, unit="stars"), "−1.4 stars [−1.9, −0.9]"),
        (_made(1234.5, 1200.0, 1269.0, unit="rounds"), "1,234 rounds [1,200, 1,269]"),
        (_made(3.0, None, None), "3.00"),
        (_made(3.0, 0.97, 15.2, unit="times", control=0.03), "3.00 times [0.97, 15.20]"),
        (_made(20.6, 5.1, 94.2, unit="times"), "20.6 times [5.1, 94.2]"),
    ],
)
def test_an_estimate_reads_right(number: Number, text: str) -> None:
    assert numbers.estimate(number).text == text


def test_a_bound_near_zero_keeps_its_side() -> None:
    made = numbers.estimate(_made(-0.034, -0.07, 0.0002, relative=True))
    assert made.interval == "[−7.00, +0.02]"


def test_the_spoken_form_says_plus_and_minus() -> None:
    made = numbers.estimate(_made(-0.031, -0.04, 0.022, relative=True, level=0.95))
    assert made.spoken == "minus 3.1%, 95% interval minus 4.0 to plus 2.2%"


def test_one_sided_intervals_say_infinity() -> None:
    assert numbers.estimate(_made(0.01, -0.02, None, relative=True)).interval.endswith(", ∞]")


@given(st.floats(-1e9, 1e9), st.floats(1e-9, 1e9))
def test_an_interval_never_shows_the_wrong_side_of_zero(value: float, half: float) -> None:
    text = numbers.estimate(_made(value, value - half, value + half, relative=True)).interval
    low, high = text.strip("[]").split(", ")
    if value - half > 1e-4:
        assert low.startswith("+")
    if value + half < -1e-4:
        assert high.startswith("−")


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_can_be_written(value: float) -> None:
    assert numbers.estimate(Number(value=value)).value
    assert "-" not in numbers.estimate(Number(value=value)).value


def test_days() -> None:
    assert numbers.day(date(2026, 3, 1), beside=date(2025, 3, 1)) == "1 Mar 2026"


@pytest.mark.parametrize(
    ("values", "digits"),
    [([58.0, 6.0], 0), ([0.2, 4.1], 1), ([], 0), ([0.0], 0), ([float("nan"), 2.0], 1)],
)
def test_a_column_shares_its_decimals(values: list[float], digits: int) -> None:
    assert numbers.common(values) == digits
