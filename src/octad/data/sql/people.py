"""Who is compared, counted in the engine: the users themselves stay there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from octad.data.clock import DAY
from octad.data.population import BUCKETS, Frame, bucket_hex
from octad.data.tape import Tape

__all__ = ["People", "bucket_of", "people_of"]

IntArray = NDArray[np.int64]
_DIGITS = "0123456789abcdef"


@dataclass(frozen=True, slots=True)
class People:
    """The users compared, of whom only counts have come over.

    Attributes:
        table: In the engine: uid, user, code (arm), bucket, exposed (microseconds); later also
            the codes of their attributes.
        arms: Names in the plan, control first.
        counts: (A, B) users by arm and bucket.
        earliest: The first moment of exposure, in microseconds.
        seen: (O,) whole days since exposure that users were observed; `seen_counts` (O, A, B) how
            many were.
    """

    table: ibis.Table
    arms: tuple[str, ...]
    frame: Frame
    counts: IntArray
    earliest: int
    seen: IntArray
    seen_counts: IntArray

    @property
    def n(self) -> int:
        """How many users are compared."""
        return int(self.counts.sum())

    def seen_quantile(self, level: float) -> float:
        """A quantile of the days that users were observed, as numpy's default defines it."""
        upto = self.seen_counts.sum(axis=(1, 2)).cumsum()
        at = level * (self.n - 1)
        low = int(at)
        first, second = (
            float(self.seen[np.searchsorted(upto, rank, side="right")])
            for rank in (low, min(low + 1, self.n - 1))
        )
        return float(np.quantile([first, second], at - low))

    def ended(self, tape: Tape, reaches: Iterable[int | None]) -> dict[int | None, IntArray]:
        """(A, B) users whose window of each length has ended."""
        asked = tuple(dict.fromkeys(reaches))
        spans = [reach for reach in asked if reach is not None]
        found: dict[int | None, IntArray] = {None: self.counts}
        if spans:
            t = self.table
            sums = {f"e{i}": t.count(where=self.has_ended(t, r)) for i, r in enumerate(spans)}
            rows, _ = tape.read(
                "users whose window has ended", t.group_by("code", "bucket").agg(**sums)
            )
            at = (rows["code"].to_numpy(), rows["bucket"].to_numpy())
            for i, reach in enumerate(spans):
                found[reach] = np.zeros_like(self.counts)
                found[reach][at] = rows[f"e{i}"].to_numpy()
        return {reach: found[reach] for reach in asked}

    def has_ended(self, table: ibis.Table, reach: Any) -> Any:
        """Whether a window of so many microseconds after `table.exposed` has ended."""
        return table.exposed + reach <= self.frame.until


def bucket_of(user: Any) -> Any:
    """The bucket of a user, worked out in the engine."""
    digits = bucket_hex(user).lower()
    one, two, three = (ibis.literal(_DIGITS).find(digits.substr(i, 1)) for i in range(3))
    return ((one * 256 + two * 16 + three) % BUCKETS).cast("int32")


def people_of(tape: Tape, table: ibis.Table, arms: tuple[str, ...], frame: Frame) -> People:
    """Count the users compared.

    Args:
        tape: Runs the queries.
        table: uid, user, code, exposed; one row a user.
        arms: Their names.
        frame: The time that is seen.
    """
    known = table.select("uid", "user", "code", "exposed", bucket=bucket_of(table.user))
    kept = tape.step("people", known)
    days = ((frame.until - kept.exposed) / float(DAY)).floor().cast("int32")
    counted = kept.mutate(seen=days).group_by("code", "bucket", "seen")
    rows, _ = tape.read(
        "users compared, by arm, bucket and days observed",
        counted.agg(users=lambda t: t.count(), earliest=lambda t: t.exposed.min()),
    )
    seen, index = np.unique(rows["seen"].to_numpy().astype(np.int64), return_inverse=True)
    by_seen = np.zeros((len(seen), len(arms), BUCKETS), dtype=np.int64)
    by_seen[index, rows["code"].to_numpy(), rows["bucket"].to_numpy()] = rows["users"].to_numpy()
    return People(
        table=kept,
        arms=arms,
        frame=frame,
        counts=by_seen.sum(axis=0),
        earliest=int(rows["earliest"].to_numpy().min()),
        seen=seen,
        seen_counts=by_seen,
    )
