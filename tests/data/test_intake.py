"""The account of what was read."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from octad.data.intake import Example, Intake, Reject, gaps, merge_rejects, plausible_end, shorten

DAY = date(2026, 3, 1)


def days(*counts: int, first: date = DAY) -> dict[date, int]:
    return {first + timedelta(days=n): count for n, count in enumerate(counts) if count}


def test_gaps() -> None:
    assert gaps(days(5, 0, 0, 2, 1, 0, 9)) == (
        (date(2026, 3, 2), date(2026, 3, 3)),
        (date(2026, 3, 6), date(2026, 3, 6)),
    )
    assert gaps([]) == ()


def test_a_quiet_last_day_is_no_skew() -> None:
    assert plausible_end(days(*[5000] * 20, 3), dense=True) == datetime(2026, 3, 21, 14)  # noqa: DTZ001
    assert plausible_end(days(*[5000] * 20, 300), dense=True) is None


def test_a_thin_tail_of_clocks_that_run_ahead() -> None:
    found = plausible_end(days(*[5000] * 20, 3, 1, 2, 0, 1), dense=True)
    assert found == datetime(2026, 3, 21, 14)  # noqa: DTZ001
    assert plausible_end(days(*[5000] * 20, 3, 1, 2), dense=False) is None


def test_one_row_years_later() -> None:
    by_day = days(*[50] * 40) | {date(2051, 1, 1): 1}
    for dense in (True, False):
        assert plausible_end(by_day, dense=dense) == datetime(2026, 4, 10, 14)  # noqa: DTZ001


def test_a_small_table_tells_nothing_and_a_pause_is_no_end() -> None:
    assert plausible_end(days(5, 5) | {date(2030, 1, 1): 1}, dense=True) is None
    assert plausible_end(days(*[50] * 40) | {date(2026, 8, 1): 400}, dense=True) is None


def test_a_launch_that_fades_keeps_its_tail() -> None:
    fading = [int(20_000 * 0.8**n) for n in range(30)]
    assert plausible_end(days(*fading), dense=True) is None


def test_rejects_of_one_reason_come_together() -> None:
    one, two = Example(1, "a"), Example(2, "b")
    merged = merge_rejects([Reject("x", 2, (one,)), Reject("y", 9), Reject("x", 3, (two,))])
    assert merged == (Reject("y", 9), Reject("x", 5, (one, two)))


def test_a_cell_in_a_message_is_one_short_harmless_line() -> None:
    assert shorten("a\x1b[31m\n\u202eb") == "a [31m  b"
    assert len(shorten("x" * 10**6)) == 120
    assert shorten(None) == ""


def test_a_warning_is_said_once() -> None:
    intake = Intake("events", "e.csv", 1, 1, warnings=("a",)).with_warnings("a", "b")
    assert intake.warnings == ("a", "b")
