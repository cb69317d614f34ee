"""What is kept of events is enough for every primitive."""

from __future__ import annotations

import ibis
import numpy as np
import pyarrow as pa

from octad.data.clock import DAY
from octad.data.primitives import ACTIVE, Part, Primitive
from octad.data.sql.layout import Kind, Layout, spans

PRIMITIVES = [
    ACTIVE,
    Primitive(("open",)),
    Primitive(("pay",), "value"),
    Primitive(("pay",), "value", present=True),
    Primitive(("pay", "open"), where="value > 10"),
    Primitive(("open",), after=-3 * DAY // 2, before=DAY // 2),
    Primitive((), where="value > 3"),
]


def test_kinds_and_sums_make_every_primitive() -> None:
    rng = np.random.default_rng(3)
    n = 400
    names = np.array(["open", "pay", "else"])[rng.integers(0, 3, n)]
    value = np.where(rng.random(n) < 0.2, np.nan, rng.exponential(9.0, n))
    since = rng.integers(-3 * DAY, 3 * DAY, n)
    layout = Layout.of(PRIMITIVES)
    held = pa.array(value, from_pandas=True)
    events = ibis.memtable(pa.table({"event": names, "value": held, "since": since}))
    place = events.event.cases(*[(e, i) for i, e in enumerate(layout.names)], else_=-1)
    coded = events.mutate(
        name=place, **layout.masked(events, events.since), **layout.values(events)
    )
    rows = coded.group_by(*layout.keys).agg(**layout.added(coded)).to_pyarrow().to_pylist()
    given = ~np.isnan(value)
    big, some = given & (value > 10), given & (value > 3)
    opened, paid = names == "open", names == "pay"
    edge = (since >= -3 * DAY // 2) & (since < DAY // 2)
    expected = [
        n,
        opened.sum(),
        value[paid & given].sum(),
        (paid & given).sum(),
        ((opened | paid) & big).sum(),
        (opened & edge).sum(),
        some.sum(),
    ]
    for primitive, wanted in zip(PRIMITIVES, expected, strict=True):
        total = 0.0
        for row in rows:
            kind = Kind(row["name"], tuple(row[m] for m in layout.masks))
            if layout.counts(primitive, kind):
                total += row[layout.sums[layout.pick(primitive)]] or 0.0
        np.testing.assert_allclose(total, wanted, rtol=1e-12)


def test_more_flags_than_one_number_holds() -> None:
    many = [Primitive(("open",), where=f"value > {i}") for i in range(130)]
    layout = Layout.of(many)
    assert layout.masks == ("m0", "m1", "m2")
    events = ibis.memtable(pa.table({"event": ["open"], "value": [99.5], "since": [0]}))
    row = events.select(**layout.masked(events, events.since)).to_pyarrow().to_pylist()[0]
    kind = Kind(0, tuple(row[m] for m in layout.masks))
    assert [layout.counts(p, kind) for p in many] == [i < 99.5 for i in range(130)]


def test_the_others_are_what_is_not_named() -> None:
    layout = Layout.of([Primitive(("open", "pay"))])
    named = [layout.counts(Primitive(("open",)), kind, others=True) for kind in layout.kinds()]
    assert named == [True, False, True]


def test_runs_of_days_lie_within_or_without_each_part() -> None:
    parts = [Part(ACTIVE, -28, 0), Part(ACTIVE, 0, 14), Part(ACTIVE, 7, 30)]
    assert spans(parts) == [(-28, 0), (0, 7), (7, 14), (14, 30)]
