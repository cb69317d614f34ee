"""Every row of the benchmarks works on few events, and its JSON has the form; nothing is timed."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import numpy as np
import pytest
from benchmarks.__main__ import main
from benchmarks.floor import run as floor
from benchmarks.jobs import review
from benchmarks.rows import ROWS, Bench, said
from benchmarks.table import Row, as_json, as_text

from benchmarks import per_query, plans, resample, same, world
from octad.model.inputs import Slice
from octad.project.load import load_plan

EVENTS = 30_000
KEYS = ["name", "ours", "theirs", "ratio", "target", "met"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("benchmarks")


@pytest.fixture(scope="module")
def reviewed(home: Path) -> tuple[world.World, Path, list[tuple[int, ...]]]:
    made = world.make(EVENTS, home=home)
    kept = home / "kept"
    found = review(str(made.copy(home / "project").folder), str(kept))
    return made, kept, [tuple(combo) for combo in found["combos"]]


@pytest.mark.parametrize("name", [n for n in ROWS if n not in ("floor", "each", "memory")])
def test_a_row_gives_the_form(name: str, home: Path) -> None:
    out = home / f"{name}.json"
    words = [name, "--events", str(EVENTS), "--repeats", "1", "--worlds", "4"]
    assert main([*words, "--home", str(home), "--out", str(out)]) == 0
    rows = json.loads(out.read_text())
    assert rows
    for row in rows:
        assert list(row) == KEYS
        assert isinstance(row["met"], bool)
        assert row["ours"] > 0
        assert row["theirs"] > 0


def test_the_floor_and_one_query_each_give_our_answers(
    reviewed: tuple[world.World, Path, list[tuple[int, ...]]],
) -> None:
    made, kept, combos = reviewed
    plan = load_plan(made.folder, "big").plan
    found = floor(made.folder, plan, combos)
    assert same.differences(found, plan, kept) == []
    assert per_query.run(made.folder, plan, kept, step=41)["wrong"] == []


def test_a_difference_is_seen(
    reviewed: tuple[world.World, Path, list[tuple[int, ...]]], tmp_path: Path
) -> None:
    made, kept, combos = reviewed
    plan = load_plan(made.folder, "big").plan
    for path in kept.glob("*.npz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    opens = dict(np.load(kept / "opens.npz"))
    opens["sums"][0, 1, 1, 0] += 1e-3
    second = Slice(ast.literal_eval(opens["slices"].tolist()[1]))
    np.savez(tmp_path / "opens.npz", **opens)
    rest = dict(np.load(kept / "rest.npz"))
    rest["volume users"] = rest["volume users"] + 1
    np.savez(tmp_path / "rest.npz", **rest)
    found = floor(made.folder, plan, combos)
    assert same.differences(found, plan, tmp_path) == [f"opens in {second}", "volume users"]


def test_the_project_has_forty_metrics_and_eight_attributes(home: Path) -> None:
    plan = load_plan(world.make(EVENTS, home=home).folder, "big").plan
    assert len(plan.launch.metrics) == len(world.METRICS) == 40
    assert len(world.ATTRIBUTES) == 8
    assert len(world.NAMES) == 30


def test_intervals_hold_the_truth_as_often() -> None:
    found = resample.coverage(40, users=400)
    # 40 launches: chance alone moves 95% by 7 points; fewer than 80% would be a broken interval.
    assert min(found["ours"], found["theirs"]) > 0.8


def test_ratios_read_as_their_targets() -> None:
    cheap = Row("a", 3.0, 2.0, 1.5, True, "note")
    quick = Row("b", 1.0, 9.0, 8, False, "note")
    assert (cheap.ratio, cheap.met, cheap.aim) == (1.5, True, "<= 1.5")
    assert (quick.ratio, quick.met, quick.aim) == (9.0, True, ">= 8")
    assert not Row("c", 1.0, 7.0, 8, False, "note").met
    rows = json.loads(as_json([cheap, quick]))
    assert [list(row) for row in rows] == [KEYS, KEYS]


def test_the_table_is_aligned_and_explains_each_row() -> None:
    text = as_text(
        [Row("a long name", 3.0, 2.0, 1.5, True, "What it is."), Row("b", 1, 9, 8, False, "")]
    )
    head, line, first, note, *_ = text.splitlines()
    assert len(head) == len(first)
    assert set(line) == {"-"}
    assert note.strip() == "What it is."


def test_an_unknown_row_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["only=flor"])
    assert stopped.value.code == 2
    assert "flor" in capsys.readouterr().err


def test_sizes_are_said() -> None:
    assert said(20_000_000) == "20 million"
    assert Bench(20_000_000).small == 1_000_000


def test_every_plan_can_be_run(home: Path) -> None:
    found = plans.measure(world.make(EVENTS, home=home), repeats=1)
    assert [title for title, _ in found][:-1] == [group.title for group in plans.PLANS]
    assert all(seconds > 0 for _, ways in found for _, seconds in ways)
