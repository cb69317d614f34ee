"""The next look reads what is new, and says what a look that knows nothing says."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from octad.data import kept, kept_merge, kept_store
from octad.data.kept_store import Slot
from octad.model.inputs import FilesRead
from tests.data.daily import Product
from tests.data.small import METRICS, START, World

DAY = timedelta(days=1)
FEW = ("opens", "spend_cut", "crash_rate", "back_odd", "through", "wait", "big")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Product:
    """Ten days and all that was before, looked at once."""
    made = small(tmp_path_factory.mktemp("made"))
    made.come(*range(-1, 10))
    made.look()
    return made


@pytest.fixture
def product(made: Product, tmp_path: Path) -> Product:
    """The same, to be changed."""
    root = tmp_path / "product"
    shutil.copytree(made.root, root)
    world = replace(made.world, exposures=list(made.world.exposures))
    return Product(root, world, dict(made.days), dict(made.launch), made.kind)


def small(root: Path, seed: int = 0, kind: str = "parquet") -> Product:
    made = Product.make(root, seed, kind=kind)
    made.world = replace(made.world, metrics={name: METRICS[name] for name in FEW})
    made.launch = {"kpi": "opens"}
    return made


def day(n: int) -> date:
    return (START + n * DAY).date()


def slots(product: Product) -> list[Path]:
    return sorted((product.root / ".octad" / "rollup").iterdir())


def exposed(product: Product, user: str, **changed: Any) -> None:
    """Change a user's first exposure: `at` later or earlier by so much, or the arm."""
    found = []
    for name, at, arm in product.world.exposures:
        mine = name == user
        found.append(
            (
                name,
                at + changed.get("by", timedelta(0)) if mine else at,
                changed.get("arm", arm) if mine else arm,
            )
        )
    product.world = replace(product.world, exposures=found)
    product.tables()


def someone(product: Product, before: int = 5) -> str:
    """A user who is compared, exposed within the first days."""
    arms = product.world.arms()
    return min(u for u, (_, at) in arms.items() if START + DAY < at < START + before * DAY)


def test_day_by_day(product: Product) -> None:
    for n in (10, 11):
        product.come(n)
        found = product.check()
        assert (found.files, found.read, found.kept_from) == (n + 2, 1, day(n - 1))
        assert found.new_users > 0
    assert product.check() == FilesRead(13, 0, day(11))


def test_nothing_new_leaves_what_is_kept_alone(product: Product) -> None:
    (slot,) = slots(product)
    before = sorted(path.name for path in slot.iterdir())
    assert product.look().files_read == FilesRead(11, 0, day(9))
    assert sorted(path.name for path in slot.iterdir()) == before


def test_late_rows_in_a_new_file_fall_on_their_days(product: Product) -> None:
    late = [e for e in product.rows(4) if e[2] == "open"]
    early = [e for e in product.rows(-1) if e[2] == "pay"][:40]
    product.write("late", [*late, *early, *product.rows(10)])
    assert product.check().read == 1


@pytest.mark.parametrize("how", ["replaced", "deleted", "renamed"])
def test_a_file_that_changed_has_all_read(product: Product, how: str) -> None:
    name = product.name(3)
    if how == "replaced":
        product.write(name, product.rows(3)[1:])
    elif how == "deleted":
        product.delete(name)
    else:
        rows = product.days[name]
        product.delete(name)
        product.write("other", rows)
    found = product.check()
    assert found.read == found.files
    assert found.why_all == "1 of 11 files have changed or are gone"


def test_a_file_replaced_within_a_tick_of_the_clock(product: Product) -> None:
    path = product.root / "data/events" / f"{product.name(3)}.parquet"
    stat, rows = path.stat(), product.days[product.name(3)]
    users = sorted({row[0] for row in rows if len(row[0]) == len(rows[0][0])})
    swap = {users[0]: users[1], users[1]: users[0]}
    product.write(product.name(3), [(swap.get(row[0], row[0]), *row[1:]) for row in rows])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert product.check().why_all


def test_who_is_compared_may_change(product: Product) -> None:
    user = someone(product)
    exposed(product, user, by=-timedelta(hours=20))
    product.look()
    exposed(product, user, by=timedelta(hours=49))
    assert product.check().new_users == 1
    at, arm = next((at, arm) for name, at, arm in product.world.exposures if name == user)
    other = "off" if arm != "off" else "on"
    product.world.exposures.append((user, at + timedelta(hours=1), other))
    product.tables()
    assert product.check().new_users == 0
    product.come(10)
    product.look()
    product.world.exposures.pop()
    product.tables()
    # Back again: whatever came meanwhile was not read for this user.
    assert product.check().new_users == 1


def test_the_arm_alone_changes_nothing_that_is_kept(product: Product) -> None:
    exposed(product, someone(product), arm="loud")
    assert product.check().new_users == 0


def test_the_team_may_change(product: Product) -> None:
    user = someone(product)
    world = product.world
    people = [(n, r, a, crew or n == user) for n, r, a, crew in world.users]
    product.world = replace(world, users=people)
    product.tables()
    assert product.check().new_users == 1
    product.world = replace(world, users=[(n, r, a, False) for n, r, a, _ in world.users])
    product.tables()
    product.come(10)
    product.look()
    product.world = world
    product.tables()
    assert product.check().new_users > 1


def test_new_users_whose_past_lies_in_old_files(product: Product) -> None:
    known = {name for name, _, _ in product.world.exposures}
    events = [(f"new {n}", START - (n % 20) * DAY, "open", 1.0, 5.0, None) for n in range(60)]
    product.write("past", events)
    product.check()
    assert not any(f"new {n}" in known for n in range(60))
    for n in range(60):
        at = START + DAY + n * timedelta(hours=1)
        product.world.exposures.append((f"new {n}", at, "on"))
    product.tables()
    assert product.check().new_users == 60


def test_when_most_are_new_all_is_read(product: Product) -> None:
    for name, at, arm in list(product.world.exposures):
        product.world.exposures.append((f"{name}+", at, arm))
    product.tables()
    found = product.check()
    assert found.why_all == "most of the users compared are new"


def test_a_look_into_the_past_leaves_the_present_in_place(product: Product) -> None:
    found = product.check(as_of=day(4))
    assert found.why_all == "it sees less than the look before"
    product.come(10)
    found = product.check()
    assert (found.read, found.kept_from) == (1, day(9))


def test_looks_that_follow_the_days_over_files_that_are_all_there(tmp_path: Path) -> None:
    product = small(tmp_path)
    product.write("all", [e for n in range(-1, 12) for e in product.rows(n)])
    product.look(as_of=day(5))
    found = product.look(as_of=day(6)).files_read
    assert found is not None
    assert (found.read, found.why_all) == (0, "")
    assert product.check().read == 0


def test_the_last_day_passes(tmp_path: Path) -> None:
    product = small(tmp_path)
    product.launch |= {"ends": day(9)}
    product.come(*range(-1, 8))
    product.look()
    for n in (8, 9):
        product.come(n)
        product.look()
    product.come(10, 12)
    assert product.check().read == 2
    # Rows after the last day lie in files that are kept; they are not looked through again.
    again = product.look().cost
    assert not [name for name, _, _ in again[1] if name.startswith("reading what has come")]


def test_another_plan_and_another_launch_have_looks_of_their_own(product: Product) -> None:
    first = product.world.metrics
    product.world = replace(
        product.world,
        metrics={
            **first,
            "paid": METRICS["paid"],
        },
    )
    product.look()
    product.launch |= {"launch": "y"}
    product.look()
    assert len(slots(product)) == 2 + (len({p.name for p in slots(product)}) == 3)
    product.launch |= {"launch": "x"}
    product.world = replace(product.world, metrics=first)
    assert product.check() == FilesRead(11, 0, day(9))


def test_the_same_launch_under_other_roles_is_another(product: Product) -> None:
    plan = product.plan
    events = plan.project.sources.events
    assert events is not None
    assert product.check().read == 0
    product.launch |= {"project": {"metrics": {"opens": {"count": "open", "window": "5d"}}}}
    assert product.plan.project.metrics.keys() == {"opens"}
    assert product.check().read == 11


def test_clocks_that_run_ahead_are_let_in_when_time_has_come(tmp_path: Path) -> None:
    product = small(tmp_path)
    product.write("past", [e for n in range(-1, 21) for e in product.rows(n)])
    ahead = ("u'1-é付", START + 70 * DAY, "open", 1.0, 1.0, None)
    product.write(product.name(21), [*product.rows(21), ahead])
    first = product.look()
    assert any("ahead" in why for _, why, _ in first.left_out)
    product.come(22)
    assert product.check().read == 1
    days = [START + n * DAY for n in range(23, 75)]
    product.write("later", [("nobody", at, "open", 1.0, 1.0, None) for at in days])
    found = product.check()
    assert not any("ahead" in why for _, why, _ in product.look().left_out)
    assert found.read == 1


def test_copies_across_files_are_read_whole_and_the_cost_says_why(product: Product) -> None:
    plan = product.plan
    events = plan.project.sources.events
    assert events is not None

    def deduped(self: Product) -> Any:
        sources = plan.project.sources.model_copy(
            update={"events": events.model_copy(update={"dedupe": ("user", "ts", "name")})}
        )
        project = plan.project.model_copy(update={"sources": sources})
        return plan.model_copy(update={"project": project})

    patch = pytest.MonkeyPatch()
    patch.setattr(Product, "plan", property(deduped))
    try:
        product.write("again", product.rows(3))
        found = product.look().files_read
        assert found is not None
        assert found.read == 12
        assert "a copy may be in any file" in found.why_all
    finally:
        patch.undo()


def test_what_is_kept_may_vanish_or_be_damaged(product: Product) -> None:
    shutil.rmtree(product.root / ".octad")
    product.come(10)
    assert product.check().kept_from is None
    (slot,) = slots(product)
    for name, cut in (("tally.user.npy", 200), ("state.json", 5), ("user.npy", 0)):
        for path in slot.rglob(name):
            path.write_bytes(path.read_bytes()[:cut])
        found = product.look().files_read
        assert found is not None
        assert found.why_all == "what was kept could not be read"
    (slot / "look.json").write_text("{}")
    assert product.check().kept_from is None


def test_a_folder_that_cannot_be_written(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("octad.data.connect._can_write", lambda _root: False)
    product.come(10)
    assert product.check().read == 12


@pytest.mark.parametrize("name", ["_write_folder", "_write_look"])
def test_a_full_disk_costs_the_next_look_only(
    product: Product, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    before = {path.name for path in slots(product)[0].iterdir()}
    product.come(10)
    with monkeypatch.context() as patch:
        patch.setattr(kept_store, name, full)
        product.check()
    assert {path.name for path in slots(product)[0].iterdir()} == before
    assert product.check().kept_from == day(9)


def test_a_file_that_changes_while_it_is_read_is_not_kept(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    product.come(10)
    path = product.root / "data/events" / f"{product.name(10)}.parquet"
    whole: Callable[..., Any] = kept._keep

    def meanwhile(*words: Any) -> None:
        path.touch()
        whole(*words)

    with monkeypatch.context() as patch:
        patch.setattr(kept, "_keep", meanwhile)
        product.look()
    found = product.check()
    assert (found.read, found.kept_from) == (1, day(9))


def test_two_looks_at_once(product: Product) -> None:
    product.come(10)
    done: list[Any] = []

    def one() -> None:
        done.append(product.look())

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 2
    product.come(11)
    found = product.check()
    assert (found.read, found.kept_from) == (1, day(10))


def test_many_looks_are_put_together_now_and_then(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "_MOST_PARTS", 3)
    sizes = []
    for n in range(10, 14):
        product.come(n)
        product.look()
        slot = Slot(slots(product)[0])
        look = slot.look()
        assert look is not None
        sizes.append(len(look.parts))
    assert sizes[:2] == [2, 3]
    assert 1 in sizes
    product.come(14)
    assert product.check().read == 1


def test_values_are_thinned_as_one_read_thins_them(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("octad.data.fold_rows.MOST_VALUES", 40)
    monkeypatch.setattr(kept_merge, "MOST_VALUES", 40)
    product.launch |= {"launch": "thin"}
    product.look()
    product.come(10)
    assert product.check().read == 1


def test_the_looks_of_launches_long_past_go(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_store, "_MOST_SLOTS", 2)
    old = slots(product)[0]
    for n in range(2):
        product.launch |= {"launch": f"l{n}"}
        product.look()
        if n == 0:
            os.utime(old, (1, 1))
    assert not old.exists()
    assert len(slots(product)) == 2


def test_text_files_too(tmp_path: Path) -> None:
    product = small(tmp_path, kind="csv")
    product.come(*range(-1, 5))
    product.look()
    product.come(5)
    assert product.check().read == 1
    product.write(product.name(2), product.rows(2)[1:])
    assert product.check().why_all


_STEPS = st.lists(
    st.sampled_from(["day", "late", "replace", "delete", "user", "exposure", "staff", "past"]),
    min_size=2,
    max_size=5,
)


@settings(max_examples=2, suppress_health_check=[HealthCheck.too_slow])
@given(steps=_STEPS, seed=st.integers(0, 10**6))
def test_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], seed: int
) -> None:
    product = small(tmp_path_factory.mktemp("p"), seed % 5)
    product.come(*range(-1, 6))
    product.look()
    rng = np.random.default_rng(seed)
    coming = 6
    for step in steps:
        coming += happen(product, step, rng, coming)
        product.check(as_of=day(int(rng.integers(2, coming))) if rng.random() < 0.2 else None)


def happen(product: Product, step: str, rng: np.random.Generator, coming: int) -> int:
    """One thing that may happen between two looks; how many days have come."""
    world: World = product.world
    names = sorted(product.days)
    name = names[int(rng.integers(len(names)))]
    users = sorted({user for user, _, _ in world.exposures})
    user = users[int(rng.integers(len(users)))]
    if step == "day":
        product.come(coming)
        return 1
    if step == "late":
        some = [e for e in world.events if e[0] == user and e[1] < START + coming * DAY]
        product.write(f"late {rng.integers(10**9)}", some)
    elif step == "replace":
        product.write(name, product.days[name][:: int(rng.integers(1, 3))])
    elif step == "delete" and len(names) > 3:
        product.delete(name)
    elif step == "user":
        at = START + DAY * float(rng.uniform(0, coming))
        product.world.exposures.append((f"new {rng.integers(10**9)}", at, "on"))
        product.world.exposures.append(("nobody", at, "off"))
        product.tables()
    elif step == "exposure":
        exposed(product, user, by=timedelta(hours=float(rng.uniform(-40, 40))))
    elif step == "staff":
        people = [(n, r, a, (n == user) != crew) for n, r, a, crew in world.users]
        product.world = replace(world, users=people)
        product.tables()
    elif step == "past":
        product.world.exposures[:] = [e for e in world.exposures if e[0] != user]
        product.tables()
    return 0
