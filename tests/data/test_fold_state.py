"""States add up, move and come back from disk as they were."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from octad.data.fold_state import (
    Form,
    Marks,
    Ordered,
    Reading,
    Readings,
    State,
    Tally,
    Values,
)

FORM = Form(
    events=("open", "付款"),
    conditions=("value > 1",),
    sums=(("value", ("付款",)),),
    readings=(Reading("wait", window=5), Reading("wait")),
    ordered=("open",),
    edges=(7,),
    sampled=100,
)


def state(seed: int, n: int = 40, rows: int = 300) -> State:
    """Random rows of random users out of a hundred."""
    rng = np.random.default_rng(seed)
    user = np.sort(rng.choice(np.arange(1, 101, dtype=np.uint64), n, replace=False))
    who = rng.integers(0, n, rows).astype(np.int32)
    slot = rng.integers(0, 20, rows).astype(np.int16)
    two = (("open", 0), ("付款", 1)) if seed % 2 else (("付款", 1), (None, 0))
    kind = rng.integers(0, 2, rows).astype(np.int16)
    bucket = (user % 50).astype(np.int16)
    total = np.bincount(who, minlength=n).astype(np.uint32)
    kept = bucket[who] < 30 + seed
    # In the order of ids, which is none of hashes.
    staff = np.array([200 + seed, 7], dtype=np.uint64)
    person = np.where(rng.random(rows) < 0.1, -1 - rng.integers(0, 2, rows), who)
    tally = Tally(
        two, np.array([0, 100, rows]), who, slot, rng.integers(1, 9, rows).astype(np.uint16)
    )
    return State(
        form=FORM,
        user=user,
        exposed=user.astype(np.int64) * 10,
        bucket=bucket,
        staff=staff,
        tally=tally,
        sums=(Values(two, kind, who, slot, rng.random(rows)),),
        readings=(
            Readings(who, rng.random(rows), total, 512),
            Readings(who[kept], rng.random(int(kept.sum())), total, 30 + seed),
        ),
        ordered=Ordered(two, kind, who, rng.integers(0, 99, rows)),
        marks=Marks(
            ("x", "open", str(seed)),
            rng.integers(0, 3, rows).astype(np.int32),
            person.astype(np.int32),
            rng.integers(0, 99, rows),
        ),
    )


def rows_of(one: State) -> dict[str, list[Any]]:
    """What a state says, user by user, whatever the order of its rows and users."""
    ids = one.user
    t = one.tally
    kind = np.repeat(np.arange(len(t.kinds)), np.diff(t.start))
    out: dict[str, list[Any]] = {
        "tally": [
            (repr(t.kinds[k]), int(ids[u]), int(s), int(c))
            for k, u, s, c in zip(kind, t.user, t.slot, t.count, strict=True)
        ],
        "sums": [
            (repr(v.kinds[k]), int(ids[u]), int(s), float(x))
            for v in one.sums
            for k, u, s, x in zip(v.kind, v.user, v.slot, v.value, strict=True)
        ],
        "readings": [
            (i, r.buckets, int(ids[u]), float(x))
            for i, r in enumerate(one.readings)
            for u, x in zip(r.user, r.value, strict=True)
        ],
        "totals": [
            (i, int(u), int(n))
            for i, r in enumerate(one.readings)
            for u, n in zip(ids, r.total, strict=True)
            if n
        ],
        "ordered": [
            (repr(one.ordered.kinds[k]), int(ids[u]), int(x))
            for k, u, x in zip(one.ordered.kind, one.ordered.user, one.ordered.since, strict=True)
        ],
        "marks": [
            (one.marks.names[e], int(ids[p]) if p >= 0 else -int(one.staff[-1 - p]), int(at))
            for e, p, at in zip(one.marks.event, one.marks.person, one.marks.at, strict=True)
        ],
        "users": [(int(u), int(e)) for u, e in zip(ids, one.exposed, strict=True)],
    }
    return {name: sorted(rows, key=repr) for name, rows in out.items()}


def same(one: Any, two: Any) -> bool:
    """Whether two trees of dataclasses and arrays are equal."""
    if is_dataclass(one):
        return all(same(getattr(one, f.name), getattr(two, f.name)) for f in fields(one))
    if isinstance(one, np.ndarray):
        return one.dtype == two.dtype and np.array_equal(one, two)
    if isinstance(one, tuple):
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two, strict=True))
    return bool(one == two)


def test_a_saved_state_comes_back_as_it_was(tmp_path: Path) -> None:
    for seed in (1, 2):
        state(seed).save(tmp_path / str(seed))
        assert same(State.load(tmp_path / str(seed)), state(seed))
    empty = state(3).take(np.zeros(40, dtype=bool))
    empty.save(tmp_path / "empty")
    assert same(State.load(tmp_path / "empty"), empty)


def test_what_was_cut_short_is_refused(tmp_path: Path) -> None:
    state(1).save(tmp_path)
    for name in ("tally.user.npy", "state.json"):
        whole = (tmp_path / name).read_bytes()
        for part in (whole[: len(whole) // 2], b""):
            (tmp_path / name).write_bytes(part)
            with pytest.raises(ValueError, match="cannot be read"):
                State.load(tmp_path)
        (tmp_path / name).write_bytes(whole)
    (tmp_path / "marks.at.npy").unlink()
    with pytest.raises(ValueError, match="cannot be read"):
        State.load(tmp_path)


def test_merging_adds_rows_and_does_not_mind_the_order() -> None:
    one, two, three = (state(seed) for seed in (1, 2, 3))
    there, back = rows_of(one.merge(two)), rows_of(two.merge(one))
    assert there == back
    assert rows_of(one.merge(two).merge(three)) == rows_of(one.merge(two.merge(three)))
    assert len(there["tally"]) == 600
    assert len(there["users"]) == len(set(one.user) | set(two.user))
    # Of readings that were thinned, both keep the buckets that the fewer of the two kept.
    assert {row[1] for row in there["readings"]} == {512, 31}


def test_halves_of_the_users_make_the_whole() -> None:
    whole = state(1)
    half = whole.user % 2 == 0
    parts = whole.take(half), whole.take(~half)
    made, expected = rows_of(parts[0].merge(parts[1])), rows_of(whole)
    # Staff's events go with either part.
    staff = [row for row in expected["marks"] if row[1] < 0]
    assert made.pop("marks") == sorted(expected.pop("marks") + staff, key=repr)
    assert made == expected


def test_a_sample_shrinks_to_the_smaller_of_two() -> None:
    one = replace(state(1), form=replace(FORM, sampled=20))
    both = one.merge(state(2))
    assert both.form.sampled == 20
    people = both.marks.person[both.marks.person >= 0]
    assert (both.bucket[people] < 20).all()


def test_two_forms_and_two_exposures_are_refused() -> None:
    with pytest.raises(ValueError, match="two forms"):
        state(1).merge(replace(state(2), form=replace(FORM, back=30)))
    with pytest.raises(ValueError, match="two exposures"):
        state(1).merge(replace(state(1), exposed=state(1).exposed + 1))
