"""What a review cost, in one line, on every face."""

from __future__ import annotations

from datetime import date

from octad.faces.cost import cost_text, stage_rows
from octad.model.review import Cost, Stage

STAGES = (
    Stage(name="reading the events once", seconds=2.25, rows=20_412_233),
    Stage(name="adding up users", seconds=0.5),
    Stage(name="a trifle", seconds=0.001),
)


def test_rows_time_and_engine() -> None:
    cost = Cost(rows_scanned=20_412_233, engine="duckdb 1.5.6", stages=STAGES)
    assert cost_text(cost) == "20,412,233 rows read in 2.8 s by DuckDB 1.5.6"


def test_what_was_kept_is_said() -> None:
    cost = Cost(
        rows_scanned=350, stages=STAGES, files=57, files_read=1, kept_from=date(2026, 3, 28)
    )
    said = "; 1 of 57 files was new, the others kept from the look at 2026-03-28"
    assert cost_text(cost).endswith(said)
    none = cost.model_copy(update={"files_read": 0, "new_users": 12})
    assert cost_text(none).endswith("2026-03-28 and read again for 12 new users")
    assert "no file of events was new, all was kept from the look at" in cost_text(none)


def test_why_all_is_read_again_is_said() -> None:
    cost = Cost(rows_scanned=1, files=3, files_read=3, why_all="2 of 3 files have changed")
    assert cost_text(cost).endswith("; all 3 files were read again: 2 of 3 files have changed")
    one = cost.model_copy(update={"files": 1})
    assert "; its one file was read again: " in cost_text(one)


def test_nothing_known_is_nothing_said() -> None:
    assert cost_text(Cost()) == ""


def test_hostile_text_is_cleaned() -> None:
    cost = Cost(
        rows_scanned=1, engine="\x1b[31mduck 1\x1b[0m", files=1, files_read=1, why_all="\x07"
    )
    assert "\x1b" not in cost_text(cost)
    assert "\x07" not in cost_text(cost)


def test_stages_that_take_no_time_and_read_nothing_are_left_out() -> None:
    assert [row[0] for row in stage_rows(Cost(stages=STAGES))] == [
        "reading the events once",
        "adding up users",
    ]
    assert stage_rows(Cost(stages=STAGES))[0] == ("reading the events once", "2.2 s", "20,412,233")
