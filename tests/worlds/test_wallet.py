from __future__ import annotations

import numpy as np
import pytest
from ruamel.yaml import YAML

from octad.errors import UnknownNameError, UsageError
from octad.model.plan import Launch, Project
from octad.worlds import World, kinds, names, simulate
from octad.worlds.base import Categorical, Table

START = np.datetime64("2026-03-01T00:00:00", "us")


def _same(one: Table, two: Table) -> bool:
    def plain(column: object) -> np.ndarray:
        return column.texts() if isinstance(column, Categorical) else np.asarray(column)

    return list(one) == list(two) and all(
        np.array_equal(plain(one[c]), plain(two[c]), equal_nan=plain(one[c]).dtype.kind == "f")
        for c in one
    )


def test_the_same_seed_gives_the_same_world() -> None:
    one, two, other = (simulate(seed=seed, users=300) for seed in (7, 7, 8))
    assert all(_same(one.tables[name], two.tables[name]) for name in one.tables)
    assert one.truth == two.truth
    assert not _same(one.tables["events"], other.tables["events"])


def test_progress_goes_from_nothing_to_one() -> None:
    told: list[float] = []
    simulate(users=100, progress=lambda _what, share: told.append(share))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_an_unknown_world_and_an_empty_one_are_refused() -> None:
    assert names()[:3] == ("wallet", "quickpay", "icon")
    with pytest.raises(UnknownNameError, match="Did you mean 'wallet'"):
        simulate("walet")
    with pytest.raises(UsageError, match="too small"):
        simulate(users=10)


@pytest.mark.parametrize("name", ["wallet", "quickpay", "icon", "season", "staged_effect"])
def test_its_files_are_a_valid_project(name: str) -> None:
    wallet = simulate(name, users=100)
    yaml = YAML(typ="safe")
    project = Project.model_validate(yaml.load(wallet.files["octad.yml"]))
    stem = next(kind for kind in kinds() if kind.name == name).at("plain").launch
    launch = Launch.model_validate(yaml.load(wallet.files[f"launches/{stem}.yml"]))
    assert project.simulated
    assert launch.launch == stem
    exposed = wallet.tables["exposures"]["launch"]
    assert isinstance(exposed, Categorical)
    assert exposed.names == (stem,)
    assert set(launch.metrics) <= set(project.metrics)
    assert {e.metric for e in launch.expects} <= set(project.metrics)
    assert set(launch.never) <= set(project.charter.never)
    assert set(launch.jobs) <= set(project.charter.jobs)
    events = wallet.tables["events"]["name"]
    assert isinstance(events, Categorical)
    for job in project.charter.jobs.values():
        assert set(job.events) <= set(events.names)
    assert set(project.charter.errors) <= set(events.names)
    assert project.sources.users is not None
    assert set(launch.segments or ()) <= set(project.sources.users.attributes)
    assert set(project.sources.users.attributes) <= set(wallet.tables["users"])


def test_every_column_that_a_source_names_is_there(wallet: World) -> None:
    sources = Project.model_validate(YAML(typ="safe").load(wallet.files["octad.yml"])).sources
    for table in ("events", "users", "exposures", "reviews", "releases"):
        source = getattr(sources, table).model_dump(exclude_none=True)
        for role in set(source) - {"table", "dedupe", "attributes", "preset", "where"}:
            assert source[role] in wallet.tables[table]


def test_exposures_are_fair_and_windows_end(wallet: World) -> None:
    exposures, users = wallet.tables["exposures"], wallet.tables["users"]
    ids, at = np.asarray(exposures["user_id"]), np.asarray(exposures["ts"])
    assert len(np.unique(ids)) == len(ids)
    assert at.min() >= START
    assert at.max() < START + np.timedelta64(10, "D")
    events_end = np.asarray(wallet.tables["events"]["ts"]).max()
    assert events_end >= at.max() + np.timedelta64(28, "D")
    staff = np.asarray(users["user_id"])[np.asarray(users["is_staff"])]
    arm = exposures["arm"]
    assert isinstance(arm, Categorical)
    on = arm.is_("on")[~np.isin(ids, staff)]
    assert abs(on.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(on))


def test_a_plain_comparison_sees_what_it_can(wallet: World) -> None:
    events, exposures = wallet.tables["events"], wallet.tables["exposures"]
    name, arm = events["name"], exposures["arm"]
    assert isinstance(name, Categorical)
    assert isinstance(arm, Categorical)
    user, ts = np.asarray(events["user_id"]), np.asarray(events["ts"])
    ids = np.asarray(exposures["user_id"])
    order = np.argsort(ids)
    slot = order[np.clip(np.searchsorted(ids[order], user), 0, len(ids) - 1)]
    age = ts - np.asarray(exposures["ts"])[slot]
    after = (ids[slot] == user) & (age >= np.timedelta64(0)) & (age < np.timedelta64(14, "D"))
    before = (ids[slot] == user) & (age < np.timedelta64(0))
    opens, earlier = (
        np.bincount(slot[span & name.is_("open")], minlength=len(ids)).astype(float)
        for span in (after, before)
    )
    opens -= np.cov(opens, earlier)[0, 1] / earlier.var() * (earlier - earlier.mean())
    on, off = opens[arm.is_("on")], opens[arm.is_("off")]
    error = np.sqrt(on.var() / len(on) + off.var() / len(off))
    assert (on.mean() - off.mean()) / error > 3
    on, off = earlier[arm.is_("on")], earlier[arm.is_("off")]  # and before it, nothing
    assert abs(on.mean() - off.mean()) < 4 * np.sqrt(on.var() / len(on) + off.var() / len(off))


def test_the_team_met_less_than_its_users(wallet: World) -> None:
    users, events = wallet.tables["users"], wallet.tables["events"]
    name = events["name"]
    assert isinstance(name, Categorical)
    staff = np.asarray(users["user_id"])[np.asarray(users["is_staff"])]
    theirs = np.isin(np.asarray(events["user_id"]), staff)
    met = set(np.unique(name.codes[theirs]).tolist())
    missed = {n for code, n in enumerate(name.names) if code not in met}
    assert {"crash", "blank_feed", "pay_fail", "hide_me"} <= missed
