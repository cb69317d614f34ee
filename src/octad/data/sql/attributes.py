"""What was known of users before exposure, as codes beside each user, in the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import numpy as np
from numpy.typing import NDArray

from octad.data.attributes import Attribute
from octad.data.bands import (
    MOST_VALUES,
    NUMERIC_BANDS,
    OTHER,
    TENURE,
    TENURES,
    UNKNOWN,
    USE,
    USE_LEVELS,
    WEEK,
    band_names,
    enough_use,
    few_words,
    number_names,
    use_names,
)
from octad.data.clock import micros
from octad.data.primitives import PRE_DAYS
from octad.data.sql.people import People
from octad.data.sql.ranks import linear_ranks, values_at
from octad.data.sql.seen import Seen
from octad.data.tape import Tape

__all__ = ["Known", "behaviour", "known_before"]

IntArray = NDArray[np.int64]
_NOBODY = np.zeros(0, dtype=np.int64)
_MOST_WORDS = 5_000


@dataclass(frozen=True, slots=True)
class Known:
    """An attribute: its name and values, and the code of each user as an expression.

    Attributes:
        attribute: Without codes, which stay in the engine.
        code: From a table with the attribute's columns to an expression.
    """

    attribute: Attribute
    code: Callable[[Any], Any]


def _quantiles(tape: Tape, what: str, t: ibis.Table, n: int, levels: Any) -> list[float]:
    """Quantiles of `t.value` as numpy's default defines them."""
    ranks = [linear_ranks(n, float(level)) for level in levels]
    counted = t.group_by(group=ibis.literal(0, "int32"), value=t.value).agg(
        times=lambda t: t.count()
    )
    found = values_at(tape, what, counted, [(0, r) for low, high, _ in ranks for r in (low, high)])
    return [float(np.quantile([found[0, low], found[0, high]], part)) for low, high, part in ranks]


def behaviour(tape: Tape, seen: Seen) -> tuple[ibis.Table, list[Known], bool]:
    """What use before exposure says of users: how long here, and how heavy.

    Returns:
        uid, first_day and before (events in the days before exposure) of users with any event;
        the attributes; and whether anybody was there before exposure.
    """
    days = seen.days
    actions = days.n.sum(where=(days.day >= -PRE_DAYS) & (days.day < 0)).fill_null(0.0)
    use = tape.step(
        "use_before",
        days.group_by("uid").agg(first_day=days.day.min(), before=actions),
    )
    rows, _ = tape.read("users with any use before", use.agg(used=use.count(where=use.before > 0)))
    used = int(rows["used"][0].as_py())
    if not enough_use(used, seen.people.n):
        return use, [], used > 0
    early = Known(
        Attribute(TENURE, TENURES, _NOBODY),
        lambda t: ibis.ifelse((t.first_day < -WEEK).fill_null(False), 1, 0),
    )
    some = use.filter(use.before > 0).select(value=use.before)
    half, top = _quantiles(tape, "use before exposure, ranked", some, used, USE_LEVELS)
    if not 0 < half < top:
        return use, [early], used > 0

    def band(t: Any) -> Any:
        return ibis.cases((t.before > top, 3), (t.before > half, 2), (t.before > 0, 1), else_=0)

    names = use_names(half, top, PRE_DAYS)
    return use, [early, Known(Attribute(USE, names, _NOBODY), band)], used > 0


def known_before(
    tape: Tape, people: People, users: ibis.Table, names: tuple[str, ...]
) -> tuple[ibis.Table, list[Known], dict[str, str]]:
    """Attributes of the users compared, from their table.

    Returns:
        uid and a column each; the attributes; and those refused with the reason.
    """
    who = people.table.select("uid", "user", "exposed")
    wanted = {name: users[name] for name in names}
    late = "known" in users.columns and users.known.type().is_timestamp()
    if late:
        wanted["known at"] = micros(users.known)
    plain = users.select("user", **{f"a{i}": _plain(v) for i, v in enumerate(wanted.values())})
    joined = who.left_join(plain, who.user == plain.user)
    if late:
        after = (joined[f"a{len(names)}"] > joined.exposed).fill_null(False)
        refused = _late_share(tape, people, joined, after, names)
        if refused:
            return who.select("uid"), [], refused
        joined = joined.mutate(
            **{
                f"a{i}": ibis.ifelse(after, ibis.null(joined[f"a{i}"].type()), joined[f"a{i}"])
                for i in range(len(names))
            }
        )
    shown = joined.select("uid", *(f"a{i}" for i in range(len(names))))
    kept = tape.step("attributes", shown)
    found = [_known(tape, kept, f"a{i}", name) for i, name in enumerate(names)]
    return kept, [k for k in found if len(k.attribute.values) > 1], {}


def _late_share(
    tape: Tape, people: People, joined: ibis.Table, after: Any, names: tuple[str, ...]
) -> dict[str, str]:
    """Attributes that were written down after exposure, with the reason to refuse them."""
    rows, _ = tape.read("attributes known too late", joined.agg(n=joined.count(where=after)))
    count = int(rows["n"][0].as_py())
    if count <= 0.01 * people.n:
        return {}
    why = (
        f"for {count:,} users it was written down after their exposure, so the launch "
        "itself may have moved it"
    )
    return dict.fromkeys(names, why)


def _plain(value: Any) -> Any:
    """A column as text or as a 64-bit number, by what it is."""
    kind = value.type()
    if isinstance(kind, dt.Boolean):
        return ibis.ifelse(value, "yes", "no").cast("string")
    return value.cast("float64" if isinstance(kind, dt.Numeric) else "string")


def _known(tape: Tape, t: ibis.Table, column: str, name: str) -> Known:
    if isinstance(t[column].type(), dt.String):
        return _words(tape, t, column, name)
    finite = t.filter(t[column].notnull() & ~t[column].isnan() & ~t[column].isinf())
    some = finite.select(value=finite[column])
    rows, _ = tape.read(
        f"how many numbers there are in {name}",
        t.agg(
            n=t.count(),
            known=t.count(where=t[column].notnull() & ~t[column].isnan() & ~t[column].isinf()),
        ),
    )
    n, known = int(rows["n"][0].as_py()), int(rows["known"][0].as_py())
    few, _ = tape.read(f"values of {name}", some.distinct().limit(MOST_VALUES + 1))
    values = sorted(few["value"].to_pylist())
    if len(values) <= MOST_VALUES:
        names = number_names(values, whole=known == n)
        return Known(Attribute(name, names, _NOBODY), _by_value(column, values))
    levels = np.linspace(0, 1, NUMERIC_BANDS + 1)[1:-1]
    found = _quantiles(tape, f"{name}, ranked", some, known, levels)
    edges = np.unique(found).tolist()
    return Known(Attribute(name, band_names(edges), _NOBODY), _by_band(column, edges))


def _by_value(column: str, values: list[Any]) -> Callable[[Any], Any]:
    def code(t: Any) -> Any:
        cases = [(t[column] == value, i) for i, value in enumerate(values)]
        return ibis.cases(*cases, else_=len(values)) if cases else ibis.literal(0)

    return code


def _by_band(column: str, edges: list[float]) -> Callable[[Any], Any]:
    def code(t: Any) -> Any:
        value = t[column]
        finite = (value.notnull() & ~value.isnan() & ~value.isinf()).fill_null(False)
        bands = [(value < edge, i) for i, edge in enumerate(edges)]
        return ibis.cases((~finite, len(edges) + 1), *bands, else_=len(edges))

    return code


def _words(tape: Tape, t: ibis.Table, column: str, name: str) -> Known:
    """The commonest texts; of a column with thousands of them, the commonest few thousand."""
    word = t[column].fill_null(UNKNOWN)
    counted = t.group_by(value=word).agg(n=lambda t: t.count())
    rows, _ = tape.read(
        f"values of {name}", counted.order_by(ibis.desc("n"), "value").limit(_MOST_WORDS)
    )
    values = rows["value"].to_pylist()
    names, code = few_words(values, rows["n"].to_numpy().astype(np.int64))
    other = names.index(OTHER) if OTHER in names else 0
    listed = [(value, int(c)) for value, c in zip(values, code, strict=True) if c != other]

    def coded(t: Any) -> Any:
        text = t[column].fill_null(UNKNOWN)
        cases = [(text == value, c) for value, c in listed]
        return ibis.cases(*cases, else_=other) if cases else ibis.literal(0)

    return Known(Attribute(name, names, _NOBODY), coded)
