"""Projects with one row a user: arms of any type, missing figures, refused segments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from octad.data.connect import connect
from octad.data.gather import gather
from octad.errors import DataError, OctadError, UnknownNameError
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.plan import Launch, Plan, Project
from octad.stats.moments import Moments

METRICS: dict[str, dict[str, Any]] = {"rounds": {"column": "rounds"}, "kept": {"column": "kept"}}


def _gather(root: Path, rows: str, *, arms: tuple[str, str] = ("a", "b"), **launch: Any) -> Inputs:
    (root / "units.csv").write_text(rows, encoding="utf-8")
    source: dict[str, Any] = {"table": "units.csv", "user": "id", "arm": "arm"}
    source |= launch.pop("source", {})
    project = Project.model_validate(
        {"product": "P", "sources": {"units": source}, "metrics": launch.pop("metrics", METRICS)}
    )
    usual: dict[str, Any] = {"launch": "x", "arms": dict(zip(("control", "t"), arms, strict=True))}
    plan = Plan(project=project, launch=Launch.model_validate({**usual, **launch}))
    every = frozenset(project.metrics)
    needs = Needs(totals=every, sliced=every, tails=every, variants=every)
    with connect(project, root) as engine:
        return gather(engine, plan, needs)


def _table(values: list[tuple[Any, ...]], head: str = "id,arm,rounds,kept") -> str:
    return "\n".join([head, *(",".join(map(str, row)) for row in values)]) + "\n"


def test_cells_equal_the_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rows = [(f"u{i}", "ab"[i % 2], int(rng.poisson(9)), bool(i % 3)) for i in range(300)]
    inputs = _gather(tmp_path, _table(rows))
    assert inputs.final
    for a, arm in enumerate("ab"):
        for name, column in (("rounds", 2), ("kept", 3)):
            y = [[float(r[column]), 1.0, 0.0, 1.0] for r in rows if r[1] == arm]
            expected = Moments.from_rows(y)
            found = inputs.metrics[name].moments[0, a].total(0)
            assert found.n == expected.n
            np.testing.assert_allclose(found.mean, expected.mean)
            np.testing.assert_allclose(found.comoment, expected.comoment, atol=1e-9)
    assert inputs.tails["rounds"].top[0, 0] == max(r[2] for r in rows if r[1] == "a")
    assert set(inputs.variants) == {"rounds"}  # yes and no have no largest users to cut


def test_a_missing_figure_is_left_out_and_said(tmp_path: Path) -> None:
    rows = [("u1", "a", 1, "true"), ("u2", "b", "", "false"), ("u3", "b", 4, "true")]
    inputs = _gather(tmp_path, _table(rows))
    assert inputs.metrics["rounds"].moments.n[0, 1].sum() == 1
    assert inputs.metrics["rounds"].waiting == 0
    assert ("units", "no figure in 'rounds', so not counted in rounds", 1) in inputs.left_out


@pytest.mark.parametrize(
    ("arms", "texts"), [((1, 2), ("1", "2")), ((True, False), ("true", "false"))]
)
def test_arms_that_are_numbers_or_yes_and_no(
    tmp_path: Path, arms: tuple[Any, Any], texts: tuple[str, str]
) -> None:
    rows = [(f"u{i}", str(arms[i % 2]).lower(), i, "true") for i in range(10)]
    inputs = _gather(tmp_path, _table(rows), arms=texts)
    assert inputs.exposure is not None
    assert inputs.exposure.counts.tolist() == [5, 5]


def test_strange_arms_and_users_in_two_are_counted(tmp_path: Path) -> None:
    rows = [("u1", "a"), ("u2", "b"), ("u3", "c"), ("u4", "a"), ("u4", "b"), ("u5", "")]
    table = _table([(*row, 1, "true") for row in rows])
    inputs = _gather(tmp_path, table)
    assert inputs.exposure is not None
    assert inputs.exposure.counts.tolist() == [1, 1]
    assert inputs.exposure.strange_arms["c"] == 1
    assert sum(n for _, why, n in inputs.left_out if "two arms" in why) == 2


def test_staff_are_left_out_and_an_arm_of_staff_alone_is_refused(tmp_path: Path) -> None:
    rows = [
        ("u1", "a", 1, "true", "no"),
        ("u2", "b", 1, "true", "yes"),
        ("u3", "b", 1, "true", "no"),
    ]
    head = "id,arm,rounds,kept,crew"
    inputs = _gather(tmp_path, _table(rows, head), source={"staff": "crew"})
    assert inputs.exposure is not None
    assert (inputs.exposure.staff, inputs.exposure.counts.tolist()) == (1, [1, 1])
    with pytest.raises(DataError, match="nobody is left in the arm t"):
        _gather(tmp_path, _table(rows[:2], head), source={"staff": "crew"})


def test_only_declared_columns_are_segments(tmp_path: Path) -> None:
    rows = [(f"u{i}", "ab"[i % 2], i % 7, "true", "nw"[i // 2 % 2], i) for i in range(800)]
    head = "id,arm,rounds,kept,side,score"
    inputs = _gather(
        tmp_path,
        _table(rows, head),
        source={"attributes": ["side"]},
        segments=["side", "rounds", "score"],
    )
    assert {str(s) for s in inputs.metrics["rounds"].slices} == {"everyone", "side n", "side w"}
    assert "after assignment" in inputs.refused_segments["rounds"]
    assert "nothing says" in inputs.refused_segments["score"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"arms": ("a", "bb")}, "Did you mean 'b'?"),
        ({"metrics": {"m": {"column": "ruonds"}}}, "Did you mean 'rounds'?"),
        ({"segments": ["sied"]}, "no column 'sied'"),
    ],
)
def test_slips_are_refused_with_the_nearest_name(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    rows = [("u1", "a", 1, "true"), ("u2", "b", 1, "true")]
    with pytest.raises((DataError, UnknownNameError)) as error:
        _gather(tmp_path, _table(rows), **change)
    assert said in str(error.value)


def test_a_table_without_a_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OctadError):
        _gather(tmp_path, "id,arm,rounds,kept\n")


def test_a_column_of_words_measures_nothing(tmp_path: Path) -> None:
    rows = [("u1", "a", "x", "true"), ("u2", "b", "y", "true")]
    inputs = _gather(tmp_path, _table(rows), metrics={"rounds": {"column": "rounds"}})
    assert inputs.absent == {"rounds": "the column 'rounds' holds no number"}


def test_values_too_large_to_square_are_refused_by_name(tmp_path: Path) -> None:
    rows = [("u1", "a", "1e300", "true"), ("u2", "b", 1, "true"), ("u3", "a", 1, "true")]
    rows += [(f"u{i}", "a", f"-{i}e200", "true") for i in range(5, 2_000)]
    with pytest.raises(DataError, match="metric 'rounds'"):
        _gather(tmp_path, _table(rows))
