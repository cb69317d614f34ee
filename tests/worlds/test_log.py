from __future__ import annotations

import numpy as np

from octad.worlds import World
from octad.worlds.base import Categorical
from octad.worlds.log import EVENTS

SOCIAL = ("feed_view", "like", "post", "blank_feed", "hide_me")


def _text(column: object) -> Categorical:
    assert isinstance(column, Categorical)
    return column


def test_the_log_is_in_the_order_of_time_and_columns_agree(wallet: World) -> None:
    events = wallet.tables["events"]
    ts = events["ts"]
    assert isinstance(ts, np.ndarray)
    assert ts.dtype == np.dtype("datetime64[us]")
    assert (np.diff(ts) >= np.timedelta64(0)).all()
    assert {len(column) for column in events.values()} == {len(ts)}
    assert _text(events["name"]).names == EVENTS
    assert set(np.unique(_text(events["name"]).codes)) == set(range(len(EVENTS)))


def test_amounts_and_waits_stand_where_they_mean_something(wallet: World) -> None:
    events = wallet.tables["events"]
    name = _text(events["name"])
    money = name.is_("pay", "pay_ok", "pay_fail", "transfer")
    assert np.array_equal(np.isfinite(np.asarray(events["amount"])), money)
    assert np.nanmin(np.asarray(events["amount"])) > 0
    waits = name.is_("open", "feed_view", "blank_feed")
    assert np.array_equal(np.isfinite(np.asarray(events["wait_ms"])), waits)


def test_every_payment_ends_well_or_badly(wallet: World) -> None:
    name = _text(wallet.tables["events"]["name"])
    pays = name.is_("pay").sum()
    assert pays == name.is_("pay_ok").sum() + name.is_("pay_fail").sum()


def test_nothing_of_the_feed_before_exposure_or_in_control(wallet: World) -> None:
    events, exposures = wallet.tables["events"], wallet.tables["exposures"]
    name, user = _text(events["name"]), np.asarray(events["user_id"])
    ids = np.asarray(exposures["user_id"])
    order = np.argsort(ids)
    slot = order[np.clip(np.searchsorted(ids[order], user), 0, len(ids) - 1)]
    known = ids[slot] == user
    on = known & _text(exposures["arm"]).is_("on")[slot]
    since = np.asarray(exposures["ts"])[slot]
    social = name.is_(*SOCIAL)
    assert social.any()
    assert on[social].all()
    assert (np.asarray(events["ts"])[social] >= since[social]).all()


def test_who_is_exposed_holds_the_version_that_has_the_launch(wallet: World) -> None:
    events = wallet.tables["events"]
    social = _text(events["name"]).is_(*SOCIAL)
    assert set(_text(events["app_version"]).texts()[social]) <= {"8.4", "8.4.1"}
