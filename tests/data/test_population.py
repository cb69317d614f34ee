"""Who is compared, and what is said of those who are not; every refusal is one clear error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from octad.data.gathering import FEWEST_IN_ARM
from octad.data.samples import pseudonym_key
from octad.errors import DataError, OctadError, UnknownNameError
from octad.model.inputs import Inputs, Ways
from octad.model.needs import Needs
from tests.data.small import DAY, ENDS, START, Event, World, gathered, plan_of, write_world

TICK = timedelta(microseconds=1)
OPENS: dict[str, dict[str, Any]] = {"opens": {"count": "open", "window": "7d"}}


def _event(user: str, at: datetime, name: str = "open", value: float | None = None) -> Event:
    return (user, at, name, value, None, None)


def _world(
    exposures: Sequence[tuple[str, datetime, str | None]],
    events: Sequence[Event] = (),
    users: Sequence[tuple[str, str | None, float | None, bool]] = (),
    **launch: Any,
) -> World:
    arms = {"control": "off", "treatment": "on"}
    last = _event("nobody", datetime(2026, 3, 29, 12, tzinfo=UTC))
    people = list(users) or [("nobody", None, None, False)]
    return World([*events, last], list(exposures), people, {"arms": arms, **launch}, dict(OPENS))


def _look(world: World, root: Path, **more: Any) -> Inputs:
    write_world(world, root)
    return gathered(root, plan_of(world), **more)


def _opens(inputs: Inputs, arm: int) -> tuple[float, float]:
    moments = inputs.metrics["opens"].moments[0, arm].total(0)
    return float(moments.n), float(moments.n * moments.mean[0])


TWO: list[tuple[str, datetime, str | None]] = [("a", START, "off"), ("b", START, "on")]


def test_the_moment_of_exposure_is_in_and_the_end_of_the_window_is_out(tmp_path: Path) -> None:
    times = [START - TICK, START, START + 7 * DAY - TICK, START + 7 * DAY]
    inputs = _look(_world(TWO, [_event("b", t) for t in times]), tmp_path)
    assert _opens(inputs, 1) == (1, 2)
    moments = inputs.metrics["opens"].moments[0, 1].total(0)
    assert moments.mean[2] == 1  # the moment before belongs to the pre-period


def test_the_past_is_28_days_or_as_long_as_a_longer_window(tmp_path: Path) -> None:
    times = [START - 30 * DAY - TICK, START - 30 * DAY, START - 28 * DAY - TICK, START - 28 * DAY]
    world = _world(TWO, [_event("b", t) for t in times], ends=date(2026, 4, 5))
    late = _event("nobody", datetime(2026, 4, 5, tzinfo=UTC))
    metrics = {
        "opens": {"count": "open", "window": "7d"},
        "month": {"count": "open", "window": "30d"},
    }
    inputs = _look(replace(world, events=[*world.events, late], metrics=metrics), tmp_path)
    before = {name: inputs.metrics[name].moments[0, 1].total(0).mean[2] for name in metrics}
    assert before == {"opens": 1, "month": 3}


def test_a_window_that_ends_with_the_data_is_counted_and_one_moment_later_waits(
    tmp_path: Path,
) -> None:
    end = datetime(2026, 3, 30, tzinfo=UTC)
    late = [("c", end - 7 * DAY, "on"), ("d", end - 7 * DAY + TICK, "on")]
    inputs = _look(_world([*TWO, *late]), tmp_path)
    assert _opens(inputs, 1)[0] == 2
    assert inputs.metrics["opens"].waiting == 1
    assert inputs.exposure is not None
    assert inputs.exposure.counts.tolist() == [1, 3]


def test_staff_two_arms_strange_arms_early_and_late_are_set_aside_and_counted(
    tmp_path: Path,
) -> None:
    exposures = [
        *TWO,
        ("staff", START, "on"),
        ("both", START, "on"),
        ("both", START + DAY, "off"),
        ("odd", START, "beta"),
        ("early", START - TICK, "on"),
        ("late", START + 10 * DAY, "on"),
        ("again", START, "on"),
        ("again", START + DAY, "on"),
        ("after", datetime(2026, 3, 30, tzinfo=UTC), "on"),
    ]
    world = _world(
        exposures,
        users=[("staff", None, None, True), ("a", None, None, False)],
        enrol_until=date(2026, 3, 10),
    )
    found = _look(world, tmp_path).exposure
    assert found is not None
    assert found.counts.tolist() == [1, 2]
    assert (found.both, found.staff, found.before) == (1, 1, 1)
    assert dict(found.strange_arms) == {"beta": 1}


def test_exposures_of_the_last_moment_of_enrolment_are_in(tmp_path: Path) -> None:
    edge = datetime(2026, 3, 11, tzinfo=UTC)
    world = _world(
        [*TWO, ("c", edge - TICK, "on"), ("d", edge, "on")], enrol_until=date(2026, 3, 10)
    )
    found = _look(world, tmp_path).exposure
    assert found is not None
    assert found.counts.tolist() == [1, 2]


def test_as_of_hides_everything_later(tmp_path: Path) -> None:
    late = [("c", START + 9 * DAY, "on")]
    events = [_event("b", START + DAY), _event("b", START + 8 * DAY)]
    world = replace(_world([*TWO, *late], events), metrics={"opens": {"count": "open"}})
    inputs = _look(world, tmp_path, as_of=date(2026, 3, 8))
    assert not inputs.final
    assert inputs.as_of == datetime(2026, 3, 8, 23, 59, 59, 999999)  # noqa: DTZ001
    assert _opens(inputs, 1) == (1, 1)


def test_events_after_the_last_day_do_not_count(tmp_path: Path) -> None:
    events = [_event("b", START + 28 * DAY), _event("b", START + 29 * DAY)]
    world = replace(_world(TWO, events), metrics={"opens": {"count": "open"}})
    inputs = _look(world, tmp_path)
    assert inputs.final
    assert _opens(inputs, 1) == (1, 1)


def test_several_arms_and_one_user_an_arm_do_not_fail(tmp_path: Path) -> None:
    world = _world(
        [*TWO, ("c", START, "loud")],
        [_event("c", START)],
        arms={"control": "off", "treatment": "on", "second": "loud"},
    )
    inputs = _look(world, tmp_path)
    assert inputs.arms == ("control", "treatment", "second")
    assert [_opens(inputs, a)[1] for a in range(3)] == [0, 0, 1]


@pytest.mark.parametrize(
    ("launch", "said", "mend"),
    [
        ({"arms": {"control": "off", "treatment": "onn"}}, "treatment ('onn')", "'on'"),
        ({"starts": date(2026, 3, 20)}, "nobody is left in the arm control", "starts"),
        ({"starts": date(2026, 6, 1), "ends": None}, "starts on 2026-06-01", "once there are"),
    ],
)
def test_arms_that_cannot_be_filled_are_refused(
    tmp_path: Path, launch: dict[str, Any], said: str, mend: str
) -> None:
    with pytest.raises(DataError) as error:
        _look(_world(TWO, **launch), tmp_path)
    assert said in str(error.value)
    assert mend in error.value.mend


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ({"count": "opne"}, "Did you mean 'open'?"),
        ({"sum": "valeu", "of": "open"}, "Did you mean 'value'?"),
        ({"quantile": 0.5, "of": "wiat"}, "Did you mean 'wait'?"),
        ({"count": "open", "where": "vlaue > 1"}, "Did you mean 'value'?"),
    ],
)
def test_misspelt_events_and_columns_are_refused(
    tmp_path: Path, metric: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnknownNameError) as error:
        _look(replace(_world(TWO), metrics={"m": metric}), tmp_path)
    assert said in str(error.value)


def test_an_unknown_segment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="no attribute 'regoin'"):
        _look(_world(TWO, segments=["regoin"]), tmp_path)


def test_an_unknown_launch_in_the_exposures_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    world = _world(TWO)
    write_world(world, tmp_path)
    path = tmp_path / "data" / "exposures.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("launch", pa.array(["y", "y"])), path)
    plan = plan_of(world)
    source = plan.project.sources.exposures
    assert source is not None
    named = source.model_copy(update={"launch": "launch"})
    sources = plan.project.sources.model_copy(update={"exposures": named})
    project = plan.project.model_copy(update={"sources": sources})
    with pytest.raises(DataError, match="no launch 'x'"):
        gathered(tmp_path, plan.model_copy(update={"project": project}))


def test_events_without_a_row_are_refused(tmp_path: Path) -> None:
    world = replace(_world(TWO), events=[])
    with pytest.raises(OctadError, match="no row"):
        _look(world, tmp_path)


def test_quotes_and_unicode_in_names_are_names(tmp_path: Path) -> None:
    users = ['a"b', "c'd; drop table x", "付款🙂"]
    exposures: list[tuple[str, datetime, str | None]] = [
        (user, START, ["off", "o\"n'", "o\"n'"][i]) for i, user in enumerate(users)
    ]
    events = [_event(u, START, 'it\'s "paid" 付') for u in users]
    world = replace(
        _world(exposures, events, arms={"control": "off", "treatment": "o\"n'"}),
        metrics={"opens": {"count": 'it\'s "paid" 付'}},
    )
    inputs = _look(world, tmp_path)
    assert _opens(inputs, 1) == (2, 2)


def _many(arm_of: Any, n: int = 4 * FEWEST_IN_ARM) -> list[tuple[str, datetime, str | None]]:
    return [(f"u{i}", START, arm_of(i)) for i in range(n)]


def test_attributes_numbers_nulls_and_yes_or_no_become_slices(tmp_path: Path) -> None:
    exposures = _many(lambda i: ["off", "on"][i % 2], 1_600)
    users = [
        (f"u{i}", "north" if i % 3 else None, None if i % 10 == 0 else float(i % 400), False)
        for i in range(1_600)
    ]
    inputs = _look(_world(exposures, users=users), tmp_path)
    values = {v for s in inputs.metrics["opens"].slices for _, v in s.values}
    assert "north" in values
    assert "(unknown)" not in values
    assert any(v.startswith("under ") for v in values)
    assert any(v.endswith(" and more") for v in values)


def test_attributes_written_down_after_exposure_are_refused_with_the_reason(
    tmp_path: Path,
) -> None:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    exposures = _many(lambda i: ["off", "on"][i % 2])
    users = [(u, "north", 1.0, False) for u, _, _ in exposures]
    world = _world(exposures, users=users)
    write_world(world, tmp_path)
    path = tmp_path / "data" / "users.parquet"
    table = pq.read_table(path)
    for late, refused in ((4, False), (200, True)):
        known = [START + DAY if i < late else START - DAY for i in range(len(users))]
        column = pa.array(known, type=pa.timestamp("us", tz="UTC"))
        pq.write_table(table.append_column("since", column), path)
        plan = plan_of(world)
        source = plan.project.sources.users
        assert source is not None
        sources = plan.project.sources.model_copy(
            update={"users": source.model_copy(update={"known": "since"})}
        )
        project = plan.project.model_copy(update={"sources": sources})
        inputs = gathered(tmp_path, plan.model_copy(update={"project": project}))
        assert ("region" in inputs.refused_segments) is refused
        sizes = {
            dict(s.values)["region"]: int(inputs.metrics["opens"].users[i])
            for i, s in enumerate(inputs.metrics["opens"].slices)
            if "region" in dict(s.values)
        }
        if not refused:  # the four of whom it was written too late are known of nothing
            assert sizes in ({}, {"north": len(users) - late})
        else:
            assert not sizes
            assert "after their exposure" in inputs.refused_segments["region"]


EVERYONE: dict[str, Any] = {"arms": None, "design": {"everyone": START.date()}, "ends": ENDS}


def test_a_launch_for_everyone_is_compared_with_as_long_a_past(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    events = [
        _event(f"u{int(rng.integers(0, 40))}", START + timedelta(days=float(d)))
        for d in rng.uniform(-40, 28.9, 3_000)
    ]
    metrics = {"opens": {"count": "open"}, "few": {"count": "open", "window": "36h"}}
    world = replace(_world([], events), metrics=metrics, launch=EVERYONE)
    inputs = _look(world, tmp_path)
    assert inputs.arms == ("everyone",)
    # `ends` is the last day observed, so it is observed to its end.
    spans = {"opens": timedelta(days=29), "few": timedelta(hours=36)}
    for name, span in spans.items():
        moments = inputs.metrics[name].moments[0, 0].total(0)
        assert inputs.metrics[name].paired
        everyone = [*world.events]
        after = sum(START <= e[1] < START + span for e in everyone)
        before = sum(START - span <= e[1] < START for e in everyone)
        assert float(moments.n * moments.mean[0]) == pytest.approx(after)
        assert float(moments.n * moments.mean[2]) == pytest.approx(before)


def test_newcomers_and_leavers_both_count_in_a_launch_for_everyone(tmp_path: Path) -> None:
    events = [_event("left", START - DAY), _event("came", START + DAY)]
    events += [_event("other", START - 40 * DAY)]
    world = replace(_world([], events), launch=EVERYONE, metrics={"opens": {"count": "open"}})
    moments = _look(world, tmp_path).metrics["opens"].moments[0, 0].total(0)
    assert float(moments.n) == 3  # with nobody, who was seen on the last day
    assert float(moments.mean[0] * 3) == 2
    assert float(moments.mean[2] * 3) == 1


def test_too_short_a_past_is_said_and_not_compared(tmp_path: Path) -> None:
    events = [_event("a", START + timedelta(days=d)) for d in range(-9, 28)]
    metrics = {"opens": {"count": "open"}, "few": {"count": "open", "window": "7d"}}
    world = replace(_world([], events), launch=EVERYONE, metrics=metrics)
    inputs = _look(world, tmp_path)
    assert set(inputs.metrics) == {"few"}
    assert "they begin on 2026-02-20" in inputs.absent["opens"]


def test_jobs_before_and_after_are_counted_over_as_many_days(tmp_path: Path) -> None:
    events = [_event("a", START + timedelta(days=d, hours=1)) for d in range(-35, 28)]
    charter = {"charter": {"jobs": {"open": {"events": ["open"], "core": True}}}}
    world = replace(_world([], events), launch=EVERYONE)
    write_world(world, tmp_path)
    plan = plan_of(world, project=charter)
    jobs = gathered(tmp_path, plan, Needs(jobs=True)).jobs
    assert jobs is not None
    before, after = jobs.events[0, 0].sum(), jobs.events[1, 0].sum()
    assert (before, after) == (29, 29)  # 28 of a user, and one of nobody on the last day


def test_a_window_nobody_has_finished_is_absent_with_the_day_it_ends(tmp_path: Path) -> None:
    inputs = _look(_world(TWO), tmp_path, as_of=date(2026, 3, 4))
    assert inputs.absent == {
        "opens": "nobody's window has ended yet; it needs data until 2026-03-08"
    }


def test_stories_name_users_by_keyed_hashes_alone(tmp_path: Path) -> None:
    exposures = _many(lambda i: ["off", "on"][i % 2], 40)
    events = [
        _event(
            f"u{i}", START + timedelta(minutes=10 * k), "crash" if i % 4 < 2 and k == 3 else "open"
        )
        for i in range(40)
        for k in range(5)
    ]
    world = _world(exposures, events)
    charter = {"charter": {"errors": ["crash"]}}
    write_world(world, tmp_path)
    needs = Needs(stories=4, walks=True)
    one, two = (gathered(tmp_path, plan_of(world, project=charter), needs) for _ in range(2))
    assert one.stories == two.stories
    assert len({s.user for s in one.stories}) == 4
    assert all(len(s.user) == 8 and not s.user.startswith("u") for s in one.stories)
    assert any(line.error for s in one.stories for line in s.lines)
    assert one.ways is not None
    times = np.bincount(one.ways.way, one.ways.often, len(one.ways.steps))
    both = zip(one.ways.kind, one.ways.steps, times.astype(int).tolist(), strict=True)
    assert {steps: n for kind, steps, n in both if kind == Ways.STEP and n} == {
        ("open", "open"): 40 * 4 - 20 * 2,
        ("open", "crash"): 20,
        ("crash", "open"): 20,
    }


def test_the_key_of_the_hashes_is_kept_where_it_can_be(tmp_path: Path) -> None:
    key = pseudonym_key(tmp_path / "hidden")
    assert pseudonym_key(tmp_path / "hidden") == key
    assert (tmp_path / "hidden" / "pseudonyms.key").stat().st_mode & 0o077 == 0
    (tmp_path / "file").write_text("no folder")
    assert pseudonym_key(tmp_path / "file" / "hidden") != key
