from __future__ import annotations

from pathlib import Path

import pytest

from octad.errors import FileError, UnknownNameError
from octad.project.load import find_root, list_launches, load_plan, load_project
from tests.project.wallet import LAUNCH, PROJECT, write


def test_a_plan_knows_the_line_of_each_of_its_keys(wallet: Path) -> None:
    loaded = load_plan(wallet, "circles")
    assert str(loaded.where("guardrails.crash_rate")) == "launches/circles.yml:9"
    assert str(loaded.where("expects.1.metric")) == "launches/circles.yml:16"
    assert str(loaded.where("guardrails.nowhere")) == "launches/circles.yml:9"
    assert str(loaded.where("nowhere")) == "launches/circles.yml"
    assert str(loaded.home.where("metrics.paid")) == "octad.yml:21"
    assert loaded.plan.launch.metrics == (
        "opens",
        "payments",
        "retained",
        "crash_rate",
        "pay_success",
    )
    assert loaded.root == wallet


def test_the_root_is_found_from_below(wallet: Path) -> None:
    (wallet / "launches" / "deep").mkdir()
    assert find_root(wallet / "launches" / "deep") == wallet


def test_a_folder_without_a_project_says_how_to_begin(here: Path) -> None:
    with pytest.raises(FileError) as caught:
        find_root(here)
    assert str(caught.value) == (
        f"There is no octad.yml in {here}, nor in any folder above it. "
        "Go to the project's folder, or begin one here with `octad init`."
    )


def test_octad_yaml_is_nearly_right(here: Path) -> None:
    (here / "octad.yaml").write_text("product: W\n")
    with pytest.raises(FileError, match=r"octad\.yaml: .* Rename it to octad\.yml\."):
        find_root(here)


def test_a_launch_may_be_named_by_its_file(wallet: Path) -> None:
    for name in ("circles", "circles.yml", "launches/circles.yml", "launches/circles"):
        assert load_plan(wallet, name).path == wallet / "launches" / "circles.yml"


@pytest.mark.parametrize("name", ["../circles", "", "..", "other/circles", "/etc/passwd"])
def test_a_path_elsewhere_is_no_launch(wallet: Path, name: str) -> None:
    with pytest.raises(FileError, match="is no launch's name"):
        load_plan(wallet, name)


def test_a_misspelt_launch_is_answered_with_the_nearest(wallet: Path) -> None:
    with pytest.raises(FileError) as caught:
        load_plan(wallet, "circels")
    assert str(caught.value) == (
        "There is no launch 'circels': no file launches/circels.yml. Did you mean 'circles'?"
    )


def test_the_first_launch_is_still_to_be_written(wallet: Path) -> None:
    (wallet / "launches" / "circles.yml").unlink()
    assert list_launches(wallet) == ()
    with pytest.raises(FileError, match=r"There are no launches yet; write launches/new\.yml\."):
        load_plan(wallet, "new")


def test_a_launch_in_yaml_is_nearly_right(wallet: Path) -> None:
    (wallet / "launches" / "new.yaml").write_text(LAUNCH)
    with pytest.raises(FileError, match=r"Rename it to new\.yml"):
        load_plan(wallet, "new")


def test_launches_are_listed(wallet: Path) -> None:
    write(wallet, name="another")
    assert list_launches(wallet) == ("another", "circles")


def said(root: Path, kind: type[FileError | UnknownNameError]) -> list[str]:
    with pytest.raises(kind) as caught:
        load_plan(root, "circles")
    lines = [line.strip() for line in str(caught.value).split("\n")]
    return lines if len(lines) == 1 else lines[1:]


DESIGN_FAULTS = {
    "  exposures: {table: data/exposures.parquet, user: user_id, time: ts, launch: launch, "
    "arm: arm}\n": (
        LAUNCH,
        (
            "4: arms: octad.yml names no table that says who was in which arm. "
            "Add `exposures: {table: …}` under sources (or `units`, with one row a user)."
        ),
    ),
    "  users:     {table: data/users.parquet, user: user_id, attributes: [region, age_band]}\n": (
        "launch: circles\ndesign: {staged: region, dates: {north: 2026-03-01}}\n",
        (
            "2: design.staged: octad.yml names no table that says which region a user is in. "
            "Add `users: {table: …}` under sources."
        ),
    ),
    "region, ": (
        "launch: circles\ndesign: {staged: age_bnd, dates: {old: 2026-03-01}}\n",
        "2: design.staged: octad.yml lists no attribute 'age_bnd'. Did you mean 'age_band'?",
    ),
    "nothing": (
        "launch: circles\ndesign:\n  staged: region\n  dates: {}\n",
        (
            "4: design.dates names no group, so nobody ever gets it. "
            "Write `dates: {north: 2026-03-01}`."
        ),
    ),
}


@pytest.mark.parametrize("taken_out", DESIGN_FAULTS)
def test_a_design_needs_the_table_that_says_who_got_what(here: Path, taken_out: str) -> None:
    launch, message = DESIGN_FAULTS[taken_out]
    root = write(here, project=PROJECT.replace(taken_out, ""), launch=launch)
    assert said(root, FileError) == [f"launches/circles.yml:{message}"]


def test_every_misspelt_name_is_said_at_once(here: Path) -> None:
    launch = (
        LAUNCH.replace("kpi: opens", "kpi: open")
        .replace("payments: 1%", "paymnets: 1%")
        .replace("[social]", "[socail]")
        .replace("{family", "{famly")
        .replace("metric: opens", "metric: opns")
    )
    file = "launches/circles.yml"
    assert said(write(here, launch=launch), UnknownNameError) == [
        f"{file}:7: kpi: octad.yml defines no metric 'open'. Did you mean 'opens'?",
        f"{file}:8: results: octad.yml defines no metric 'paymnets'. Did you mean 'payments'?",
        f"{file}:12: jobs: the charter has no job 'socail'. Did you mean 'social'?",
        f"{file}:13: never: the charter has no never-line 'famly'. Did you mean 'family'?",
        f"{file}:15: expects: octad.yml defines no metric 'opns'. Did you mean 'opens'?",
    ]


LAUNCH_FAULTS = {
    ("launch: circles", "launch: circle"): (
        "1: launch is 'circle', and the file is circles.yml. "
        "Write `launch: circles`, or rename the file to circle.yml."
    ),
    ("read_first: 10", "enrol_until: 2026-04-01"): (
        "17: enrol_until (2026-04-01) is after ends (2026-03-29). "
        "Enrolment closes on or before the last day."
    ),
    ("read_first: 10", "enrol_until: 2026-02-01"): (
        "17: enrol_until (2026-02-01) is before starts (2026-03-01). "
        "Enrolment closes on or after the first day."
    ),
    ('treatment: "on"', 'treatment: "off"'): (
        "4: arms: control and treatment are both 'off'. Each arm has its own name in the data."
    ),
    ("read_first: 10", "split: {control: 0.5, treatment: 0.6}"): (
        "17: split adds up to 1.1, not 1. Write the arms' planned shares as fractions of 1."
    ),
    ("read_first: 10", "split: {control: 0.5, treatmnt: 0.5}"): (
        "17: split: there is no arm 'treatmnt'. Did you mean 'treatment'?"
    ),
    ("read_first: 10", "split: {control: 1}"): (
        "17: split gives no share to treatment. Give every arm its planned share."
    ),
    ("read_first: 10", "split: {control: -1, treatment: 2}"): (
        "17: split.control is -1, and a share lies between 0 and 1. "
        "Write fractions that add up to 1, such as 0.5."
    ),
    ("{crash_rate: 2%,", "{payments: 2%,"): (
        "9: payments has two margins: 1% as a result, 2% as a guardrail. Keep it as one of the two."
    ),
    ("retained: 0.5%", "retained: 1"): (
        "8: results.retained is 1, which lets all of it be lost. "
        "Write the loss you could bear, such as 1%."
    ),
    ("payments: 1%", "payments: 100%"): (
        "8: results.payments is 100%, which lets all of it be lost. "
        "Write the loss you could bear, such as 1%."
    ),
    ("horizon: 90d", "horizon: 0d"): "11: horizon is no time at all. Write a span such as 90d.",
}


@pytest.mark.parametrize("change", LAUNCH_FAULTS)
def test_what_does_not_hold_together_in_a_launch(here: Path, change: tuple[str, str]) -> None:
    root = write(here, launch=LAUNCH.replace(*change))
    assert said(root, FileError)[0] == f"launches/circles.yml:{LAUNCH_FAULTS[change]}"


PROJECT_FAULTS = {
    ("rivals: [OtherPay]", "rivals: [Wallet]"): (
        "16: rivals names Wallet, which is the product itself. Take it out, or name the rival."
    ),
    ("rivals: [OtherPay]", "rivals: [A, A]"): "16: rivals names A twice. Keep one.",
    ("{any: pay}", "{column: paid}"): (
        "21: metrics.paid reads a column of a table with one row a user. "
        "Name that table under sources, as `units: {table: …}`; or count an event."
    ),
    ("time: ts, event: name", "time: ts, timezone: Asia/Jakrta, event: name"): (
        "12: 'Asia/Jakrta' is no time zone. Did you mean 'Asia/Jakarta'?"
    ),
    ("time: ts, event: name", "time: ts, timezone: WIB, event: name"): (
        "12: 'WIB' is no time zone. "
        "Write it as a place, such as Asia/Jakarta, or take it out for UTC."
    ),
    ("time: ts, event: name", "preset: plian, event: name"): (
        "12: There is no preset 'plian'. Did you mean 'plain'?"
    ),
    ("window: 14d", "window: 0d"): (
        "18: metrics.opens.window is no time at all. Write a span such as 14d."
    ),
}


@pytest.mark.parametrize("change", PROJECT_FAULTS)
def test_what_does_not_hold_together_in_a_project(here: Path, change: tuple[str, str]) -> None:
    root = write(here, project=PROJECT.replace(*change))
    with pytest.raises(FileError) as caught:
        load_project(root)
    assert str(caught.value) == f"octad.yml:{PROJECT_FAULTS[change]}"


def test_metrics_of_events_need_an_events_source(here: Path) -> None:
    project = (
        "product: Cats\nsources:\n  units: {table: cats.csv}\nmetrics:\n"
        "  rounds: {count: round}\n  day7: {column: retention_7}\n  stars: {reviews: stars}\n"
    )
    with pytest.raises(FileError) as caught:
        load_project(write(here, project=project))
    assert str(caught.value).split("\n")[1:] == [
        (
            "  octad.yml:5: metrics.rounds is made of events, and there are none under sources. "
            "Say which column it is: `rounds: {column: …}`; or add `events: {table: …}`."
        ),
        (
            "  octad.yml:7: metrics.stars reads reviews, and there are none under sources. "
            "Add `reviews: {table: …}` under sources."
        ),
    ]


def test_the_project_is_checked_before_the_launch(here: Path) -> None:
    root = write(here, project="product: W\nsorces: {}\n", launch="lunch: x\n")
    with pytest.raises(FileError, match=r"octad\.yml:2: 'sorces' is not a known key"):
        load_plan(root, "circles")
