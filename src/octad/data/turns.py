"""Work on several things at once, and take them in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_turn"]

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")
_MOST = 4
"""More would hold more users' columns at a time than they would save."""


def in_turn(work: Callable[[_Item], _Made], items: Iterable[_Item]) -> Iterator[_Made]:
    """What `work` makes of each item, in order, while the next are being worked on.

    Numpy and scipy let go of the interpreter while they add up, so threads share the processors.
    Items are taken one at a time, and only few ahead: neither they nor what is made pile up.

    Args:
        work: Called in other threads; it must not change what other calls read.
        items: Taken in the caller's thread.

    >>> list(in_turn(abs, [-3, 2, -1]))
    [3, 2, 1]
    """
    threads = min(_MOST, os.cpu_count() or 1)
    if threads < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[Future[_Made]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) > threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
