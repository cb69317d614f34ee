"""Things worked on at once come in order, and a failure is not lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from octad.data.turns import in_turn


def _slowly(item: int) -> int:
    time.sleep(0.01 * (item % 3))
    return item * 2


def test_results_come_in_order() -> None:
    assert list(in_turn(_slowly, range(20))) == [2 * i for i in range(20)]


def test_few_are_taken_ahead() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for i in range(100):
            taken.append(i)
            yield i

    made = in_turn(_slowly, items())
    next(made)
    made.close()  # type: ignore[attr-defined]
    assert len(taken) < 10


def test_a_failure_is_raised_where_it_is_waited_for() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_turn(lambda i: 1 // i, [2, 1, 0, 3]))


def test_one_processor_needs_no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    here = threading.get_ident()
    assert set(in_turn(lambda _: threading.get_ident(), range(3))) == {here}
