"""What a new user gets wrong: one clear message, the right exit code, nothing half written.

Everything here goes through the command line, over a small product on disk.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from octad.faces.cli.app import app

USERS = 120
DAY_ONE = datetime(2026, 2, 1)  # noqa: DTZ001 - the files carry no zone, as most exports
LAUNCHED = datetime(2026, 3, 1)  # noqa: DTZ001

OCTAD = """\
product: Pantry
charter:
  purpose: Keep a shopping list and pay for groceries quickly.
  jobs:
    pay: {events: [pay], terms: [pay, payment], core: true}
    list: {events: [open], terms: [list]}
  never:
    shame: Show anybody something about a person that the person would hide.
sources:
  events: {table: data/events.csv, user: user_id, time: ts, event: name, value: amount}
  users: {table: data/users.csv, user: user_id, attributes: [region, age_band], staff: is_staff}
  exposures: {table: data/exposures.csv, user: user_id, time: ts, arm: arm, launch: launch}
  reviews: {table: data/reviews.csv, product: app, time: at, rating: score, text: content}
rivals: [CookMate]
metrics:
  opens: {count: open, window: 14d}
  payments: {count: pay, window: 14d}
  spend: {sum: value, of: pay, window: 14d, winsorize: 0.999}
  retained: {returns: open, between: [14d, 21d]}
  crash_rate: {ratio: [crash, open], better: down, window: 14d}
"""

LAUNCH = """\
launch: recipes
what: A feed of recipes on the home page.
arms: {control: "off", treatment: "on"}
starts: 2026-03-01
ends: 2026-04-01
kpi: opens
results: {payments: 2%, retained: 2%}
guardrails: {crash_rate: 5%}
horizon: 90d
jobs: [list]
never: {shame: Nobody sees the recipes of anybody else.}
expects:
  - {metric: opens, change: at least 5%, sure: 80%}
  - {metric: payments, change: no worse than -1%, sure: 90%}
signed: {product: Mei}
"""

VERDICTS = {0, 10, 20, 30}


def _table(header: str, rows: list[list[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header.split(","))
    writer.writerows(rows)
    return out.getvalue()


def _make(root: Path) -> None:
    """A product of 120 people over two months, and a launch in the second."""
    rng = np.random.default_rng(5)
    events: list[list[object]] = []
    users: list[list[object]] = []
    exposures: list[list[object]] = []
    for place in range(USERS):
        user = f"u{place:05d}"
        users.append(
            [user, rng.choice(["north", "south"]), rng.choice(["18-59", "60+"]), place % 60 == 0]
        )
        arm = str(rng.choice(["on", "off"]))
        exposures.append(
            [user, LAUNCHED + timedelta(minutes=int(rng.integers(14_000))), "recipes", arm]
        )
        for day in np.flatnonzero(rng.random(60) < rng.uniform(0.1, 0.7)):
            at = DAY_ONE + timedelta(days=int(day), minutes=int(rng.integers(1_300)))
            events.append([user, at, "open", ""])
            if rng.random() < 0.4:
                paid = f"{rng.lognormal(3, 1):.2f}"
                events.append([user, at + timedelta(minutes=2), "pay", paid])
            if rng.random() < 0.04:
                events.append([user, at + timedelta(minutes=1), "crash", ""])
    said = ["Good shopping list", "Paying for groceries is easy", "Crashes on my phone at times"]
    reviews: list[list[object]] = [
        [
            "CookMate" if place % 3 == 0 else "Pantry",
            DAY_ONE + timedelta(hours=12 * place),
            int(rng.integers(1, 6)),
            said[place % 3],
        ]
        for place in range(116)
    ]
    (root / "data").mkdir(parents=True)
    (root / "launches").mkdir()
    for name, header, rows in (
        ("events", "user_id,ts,name,amount", events),
        ("users", "user_id,region,age_band,is_staff", users),
        ("exposures", "user_id,ts,launch,arm", exposures),
        ("reviews", "app,at,score,content", reviews),
    ):
        (root / "data" / f"{name}.csv").write_text(_table(header, rows), encoding="utf-8")
    (root / "octad.yml").write_text(OCTAD, encoding="utf-8")
    (root / "launches" / "recipes.yml").write_text(LAUNCH, encoding="utf-8")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "pantry"
    _make(root)
    return root


@pytest.fixture
def pantry(made: Path, tmp_path: Path) -> Path:
    """A sound project of one's own, to break."""
    root = tmp_path / "pantry"
    shutil.copytree(made, root)
    return root


def _octad(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["-C", str(folder), *words])


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def _review(folder: Path, *words: str) -> Result:
    return _octad(folder, "review", "recipes", "-q", *words)


def _files(folder: Path) -> dict[str, bytes]:
    """Every file that a user would see, with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".octad" not in path.relative_to(folder).parts
    }


def _refused(result: Result, *says: str) -> None:
    """One clear message on stderr, exit code 2, and no traceback."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "fault of ours" not in result.stderr
    for words in says:
        assert words in result.stderr
    lines = [line for line in result.stderr.splitlines() if not re.match(r" *[\d.]+ s  ", line)]
    assert 1 <= len(lines) <= 5, lines


def _edit(path: Path, old: str, new: str) -> int:
    """Exchange a piece of text; the line it is on, from 1."""
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def _lines(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(change(lines)) + "\n", encoding="utf-8")


# The folder, and how the command is called


@pytest.mark.parametrize(
    "words", [["check"], ["review", "x"], ["plan", "x"], ["seal", "x"], ["verify"]]
)
def test_a_folder_without_a_project(tmp_path: Path, words: list[str]) -> None:
    _refused(_octad(tmp_path, *words), "octad.yml", "octad init")
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    _refused(_octad(tmp_path / "nowhere", "check"), "no folder")


@pytest.mark.parametrize("name", ["../x", "../../etc/passwd", "/etc/passwd", "", ".", ".."])
@pytest.mark.parametrize("command", ["review", "seal"])
def test_a_launch_is_a_name_and_no_path(pantry: Path, command: str, name: str) -> None:
    before = _files(pantry)
    _refused(_octad(pantry, command, name), "is no launch's name")
    assert _files(pantry) == before


def test_a_launch_that_is_not_there_is_answered_with_the_nearest(pantry: Path) -> None:
    _refused(_octad(pantry, "review", "recipe"), "Did you mean 'recipes'?")
    said = _octad(pantry, "review", "\x1b[31mrecipes\u202e").stderr
    assert "\x1b" not in said
    assert "\u202e" not in said


@pytest.mark.parametrize(
    "words",
    [
        ["rewiev", "recipes"],
        ["review"],
        ["review", "recipes", "--format", "pdf"],
        ["review", "recipes", "--as-of", "2026-13-01"],
        ["decide", "recipes", "ship"],
    ],
)
def test_a_command_called_wrongly(pantry: Path, words: list[str]) -> None:
    result = _octad(pantry, *words)
    assert result.exit_code == 2
    assert "Error:" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_new_project_does_not_write_over_an_old_one(pantry: Path) -> None:
    before = _files(pantry)
    _refused(_octad(pantry, "init"), "octad.yml", "already")
    _refused(_octad(pantry, "init", str(pantry / "octad.yml")), "not a directory")
    _refused(_octad(pantry, "init", str(pantry / "new"), "--preset", "posthgo"), "'posthog'?")
    assert _files(pantry) == before


def test_a_product_may_be_called_anything(tmp_path: Path) -> None:
    hostile = 'A "quoted": {x} \n- # é 圈子 !!python/name:os'
    made = _octad(tmp_path, "init", str(tmp_path / "new"), "--product", hostile)
    assert made.exit_code == 0
    _refused(_octad(tmp_path / "new", "check"), "octad.yml:", "data/events.csv")


# octad.yml and the launch


PROJECT_MISTAKES = [
    ("charter:", "chater:", "Did you mean 'charter'?"),
    ("time: ts, event", "tiem: ts, event", "Did you mean 'time'?"),
    ("better: down", "beter: down", "Did you mean 'better'?"),
    ("better: down", "better: sideways", "down, up"),
    ("window: 14d, winsorize", "window: 14, winsorize", "such as 14d"),
    ("window: 14d, winsorize", "window: -14d, winsorize", "such as 14d"),
    ("winsorize: 0.999", "winsorize: 99.9", "0.999"),
    ("[14d, 21d]", "[21d, 14d]", "between"),
    ("{count: open, window", "{count: open, sum: value, window", "sum"),
    ("{count: open, window: 14d}", "{window: 14d}", "does not say what it measures"),
    ("rivals: [CookMate]", "product: [CookMate]", "written twice"),
    ("rivals: [CookMate]", "rivals: [CookMate", "not closed"),
    ("product: Pantry", "product: !!python/object/apply:os.system [x]", "YAML tag"),
    ("product: Pantry", "product: &x Pantry", "anchor"),
    ("{table: data/events.csv,", "{timezone: Europe/Pariss, table: data/events.csv,", "Paris'?"),
    ("data/users.csv", "data/user.csv", "Did you mean 'data/users.csv'?"),
    ("user: user_id, time: ts, event", "user: userid, time: ts, event", "mean 'user_id'?"),
    ("product: Pantry", "connection: postgres://127.0.0.1:1/db\nproduct: Pantry", "not answer"),
    ("product: Pantry", "connection: duckdb://no.duckdb\nproduct: Pantry", "no.duckdb"),
]


@pytest.mark.parametrize(("right", "wrong", "says"), PROJECT_MISTAKES)
def test_a_mistake_in_octad_yml_is_named_with_its_line(
    pantry: Path, right: str, wrong: str, says: str
) -> None:
    line = _edit(pantry / "octad.yml", right, wrong)
    _refused(_octad(pantry, "check", "-q"), f"octad.yml:{line}: ", says)


LAUNCH_MISTAKES = [
    ("kpi: opens", "kpi: openz", "Did you mean 'opens'?"),
    ("{payments: 2%", "{paymnets: 2%", "Did you mean 'payments'?"),
    ("{payments: 2%", "{payments: lots", "no margin"),
    ('control: "off"', "control: off", 'Put it in quotes: "off"'),
    ('treatment: "on"', "treatment: on", 'Put it in quotes: "on"'),
    ('treatment: "on"', 'treatment: "off"', "both 'off'"),
    ('control: "off", ', "", "control and one other"),
    ("guardrails:", "gaurdrails:", "Did you mean 'guardrails'?"),
    ("2026-03-01", "2026-02-30", "no such day"),
    ("2026-03-01", "01/03/2026", "2026-03-01 or 2026-01-03"),
    ("2026-03-01", "yesterday", "year-month-day"),
    ("starts: 2026-03-01", "starts: 2026-05-01", "is after ends"),
    ("jobs: [list]", "jobs: [lst]", "Did you mean 'list'?"),
    ("never: {shame:", "never: {sham:", "Did you mean 'shame'?"),
    ("{metric: opens, change: at least 5%", "{metric: opens, change: atleast 5%", "at least 5%"),
    ("{metric: opens, change: at least 5%, sure: 80%}", "{metric: opens, sure: 80%}", "change"),
    ("horizon: 90d", "horizon: soon", "14d"),
    ("launch: recipes", "launch: recipe", "launch: recipes"),
    ("horizon: 90d", "enrol_until: 2026-05-01", "after ends"),
    ("horizon: 90d", "rules: {levl: 0.9}", "Did you mean 'level'?"),
    ("horizon: 90d", "rules: {level: 95}", "0.95"),
    ("horizon: 90d", "read_first: -1", "at least 0"),
    ("horizon: 90d", "design: experimnt", "experiment"),
    ("horizon: 90d", "design: everyone", "{everyone: "),
    ("horizon: 90d", "design: {staged: regin, dates: {north: 2026-03-05}}", "'region'?"),
    ("kpi: opens", "kpi: [opens, payments]", "kpi wants text"),
    ("what: A feed of recipes on the home page.", "what: 5", '"5"'),
]


@pytest.mark.parametrize(("right", "wrong", "says"), LAUNCH_MISTAKES)
def test_a_mistake_in_a_launch_is_named_with_its_line(
    pantry: Path, right: str, wrong: str, says: str
) -> None:
    line = _edit(pantry / "launches" / "recipes.yml", right, wrong)
    if "design: {staged" in wrong:
        line = _edit(pantry / "launches" / "recipes.yml", LAUNCH.splitlines()[2] + "\n", "") + 5
    before = _files(pantry)
    _refused(_review(pantry), f"launches/recipes.yml:{line}: ", says)
    _refused(_octad(pantry, "seal", "recipes"), f"launches/recipes.yml:{line}: ", says)
    assert _files(pantry) == before


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("value >", "missing at the end"),
        ("value > 1; drop table events", "';' means nothing"),
        ("valeu > 1", "Did you mean 'value'?"),
        ("__import__('os')", "cannot be read"),
        ("(select 1)", "cannot be read"),
        ('value > "a"', "its own kind"),
        ("name == pay", "A text goes in quotes"),
        ("(" * 200 + "1" + ")" * 200, "nested too deep"),
    ],
)
def test_a_condition_is_no_program(pantry: Path, where: str, says: str) -> None:
    quoted = where.replace("'", "''")
    line = _edit(pantry / "octad.yml", "{count: pay,", f"{{count: pay, where: '{quoted}',")
    result = _review(pantry)
    assert result.exit_code == 2
    assert f"octad.yml:{line}: " in result.stderr
    assert says in result.stderr
    assert "fault of ours" not in result.stderr


def test_an_event_that_is_not_in_the_data(pantry: Path) -> None:
    line = _edit(pantry / "octad.yml", "count: pay", "count: pays")
    _refused(_review(pantry), f"octad.yml:{line}: ", "Did you mean 'pay'?")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("octad.yml", b"", "empty"),
        ("octad.yml", "product: Caf\xe9\n".encode("latin-1"), "UTF-8"),
        ("octad.yml", b"product: Pantry\n\tfoo: 1\n", "tab"),
        ("octad.yml", b"product: " + b"[" * 5000 + b"]" * 5000, "deep"),
        ("octad.yml", bytes(range(256)), "UTF-8"),
        ("launches/recipes.yml", LAUNCH.encode("utf-16"), "UTF-16"),
        ("launches/recipes.yml", b"", "empty"),
    ],
)
def test_a_file_that_is_no_plan(pantry: Path, name: str, content: bytes, says: str) -> None:
    (pantry / name).write_bytes(content)
    _refused(_review(pantry), name, says)


# When the launch and the data do not fit


def test_a_launch_that_is_still_to_come(pantry: Path) -> None:
    launch = pantry / "launches" / "recipes.yml"
    _edit(launch, "starts: 2026-03-01", "starts: 2027-03-01")
    _edit(launch, "ends: 2026-04-01", "ends: 2027-04-01")
    before = _files(pantry)
    _refused(_review(pantry), "2027-03-01", "2026-04-01")
    assert _files(pantry) == before
    assert _octad(pantry, "seal", "recipes").exit_code == 0


def test_a_review_of_a_day_before_the_launch(pantry: Path) -> None:
    _refused(_review(pantry, "--as-of", "2026-02-10"), "2026-03-01", "2026-02-10")


def test_an_arm_with_nobody_in_it(pantry: Path) -> None:
    _edit(pantry / "launches" / "recipes.yml", '"on"', '"onn"')
    _refused(_review(pantry), "obody is in the arm treatment ('onn')", "Did you mean 'on'?")


def test_a_segment_that_no_user_has(pantry: Path) -> None:
    line = _edit(pantry / "launches" / "recipes.yml", "horizon: 90d", "segments: [regoin]")
    _refused(_review(pantry), f"launches/recipes.yml:{line}: ", "Did you mean 'region'?")


def test_everybody_in_one_arm(pantry: Path) -> None:
    _lines(pantry / "data" / "exposures.csv", lambda rows: [r.replace(",off", ",on") for r in rows])
    _refused(_review(pantry), "obody is in the arm control ('off')")


def test_another_launch_s_exposures(pantry: Path) -> None:
    exposures = pantry / "data" / "exposures.csv"
    _lines(exposures, lambda rows: [r.replace(",recipes,", ",recipez,") for r in rows])
    _refused(_review(pantry), "Did you mean 'recipez'?")


def test_two_launches_in_one_table(pantry: Path) -> None:
    def both(rows: list[str]) -> list[str]:
        return rows + [r.replace(",recipes,", ",second,") for r in rows[1:]]

    _lines(pantry / "data" / "exposures.csv", both)
    second = LAUNCH.replace("launch: recipes", "launch: second")
    (pantry / "launches" / "second.yml").write_text(second, encoding="utf-8")
    heads = []
    for name in ("recipes", "second"):
        made = json.loads(_octad(pantry, "review", name, "-q", "--format", "json").stdout)
        heads.append((made["launch"], made["kpi"]["findings"][0]["estimate"]["value"]))
    assert heads[0][0] == "recipes"
    assert heads[1] == ("second", heads[0][1])


def test_users_in_two_arms_are_left_out_and_counted(pantry: Path) -> None:
    def twice(rows: list[str]) -> list[str]:
        more = [f"u{i:05d},2026-03-15 00:00:00,recipes,{arm}" for i in (3, 4) for arm in "ab"]
        return rows + [m.replace(",a", ",on").replace(",b", ",off") for m in more]

    _lines(pantry / "data" / "exposures.csv", twice)
    result = _review(pantry, "--format", "json")
    assert result.exit_code in VERDICTS
    assert "2 users were seen in more than one arm" in result.stdout


# What a check, a plan and a seal already say


SLIPS = [
    ("octad.yml", "{count: pay,", "{count: pays,", "Did you mean 'pay'?"),
    ("octad.yml", "{sum: value, of: pay", "{sum: amont, of: pay", "Did you mean 'amount'?"),
    ("octad.yml", "{sum: value, of: pay", "{sum: value, of: payy", "Did you mean 'pay'?"),
    ("octad.yml", "{events: [pay]", "{events: [pya]", "Did you mean 'pay'?"),
    ("octad.yml", "product: Pantry", "product: Pantri", "Did you mean 'Pantry'?"),
    ("octad.yml", "rivals: [CookMate]", "rivals: [CookMat]", "Did you mean 'CookMate'?"),
    ("launches/recipes.yml", "kpi: opens", "kpi: openz", "Did you mean 'opens'?"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "says"), SLIPS)
def test_a_check_names_every_misspelt_name(
    pantry: Path, name: str, right: str, wrong: str, says: str
) -> None:
    """Also where no launch rests on it yet."""
    line = _edit(pantry / name, right, wrong)
    result = _octad(pantry, "check", "-q")
    assert result.exit_code == 2
    said = " ".join(result.output.split())
    assert f"{name}:{line}: " in said
    assert says in said


def test_a_misspelt_event_is_not_sealed(pantry: Path) -> None:
    line = _edit(pantry / "octad.yml", "{count: pay,", "{count: pays,")
    _refused(_octad(pantry, "seal", "recipes"), f"octad.yml:{line}: ", "Did you mean 'pay'?")
    assert not (pantry / "ledger.jsonl").exists()


def test_a_launch_of_the_past_is_sized(pantry: Path) -> None:
    result = _octad(pantry, "plan", "recipes", "-q")
    assert result.exit_code == 0
    assert "would see a change of" in result.stdout
    assert "cannot be sized" not in result.stdout


@pytest.mark.parametrize(
    ("name", "right", "wrong", "says"),
    [
        ("octad.yml", "window: 14d, winsorize", "window: 99999999999d, winsorize", "longer than"),
        ("launches/recipes.yml", "payments: 2%", "payments: -2%", "negative"),
        ("launches/recipes.yml", "crash_rate: 5%", "crash_rate: 500%", "all of it be lost"),
    ],
)
def test_numbers_that_cannot_be_meant(
    pantry: Path, name: str, right: str, wrong: str, says: str
) -> None:
    line = _edit(pantry / name, right, wrong)
    _refused(_review(pantry), f"{name}:{line}: ", says)


def test_a_connection_s_password_is_not_printed(pantry: Path) -> None:
    _edit(pantry / "octad.yml", "product:", "connection: postgres://me:hush@host/db\nproduct:")
    result = _octad(pantry, "check", "-q")
    _refused(result, "octad.yml:1: ", "postgres")
    assert "hush" not in result.output


def test_a_group_that_nobody_is_in(pantry: Path) -> None:
    launch = pantry / "launches" / "recipes.yml"
    staged = "design: {staged: region, dates: {nroth: 2026-03-05}}"
    line = _edit(launch, LAUNCH.splitlines()[2], staged)
    _refused(_review(pantry), f"launches/recipes.yml:{line}: ", "Did you mean 'north'?")


def test_exposures_with_a_header_alone(pantry: Path) -> None:
    (pantry / "data" / "exposures.csv").write_text("user_id,ts,launch,arm\n", encoding="utf-8")
    _refused(_review(pantry), "octad.yml:12: ", "no row that can be used")


def test_lines_that_end_in_two_ways(pantry: Path) -> None:
    """As when a script adds to an export of Windows."""
    path = pantry / "data" / "exposures.csv"
    text = path.read_text(encoding="utf-8").replace("\n", "\r\n")
    path.write_bytes((text + "z1,2026-03-02 00:00:00,recipes,on\n").encode("utf-8"))
    result = _octad(pantry, "check", "-q")
    assert result.exit_code == 0
    assert f"{USERS + 1} rows read, all kept" in result.stdout


def test_a_packed_table_cut_in_half(pantry: Path) -> None:
    path = pantry / "data" / "events.csv"
    packed = gzip.compress(path.read_bytes())
    (pantry / "data" / "events.csv.gz").write_bytes(packed[: len(packed) // 2])
    _edit(pantry / "octad.yml", "data/events.csv", "data/events.csv.gz")
    _refused(_octad(pantry, "check", "-q"), "vents.csv.gz", "cut short")


def test_a_plan_without_a_kpi_claims_nothing_of_one(pantry: Path) -> None:
    launch = pantry / "launches" / "recipes.yml"
    _edit(launch, "kpi: opens\n", "")
    made = json.loads(_review(pantry, "--format", "json").stdout)
    assert made["kpi"]["stance"] == "silent"
    assert not any(re.match(r"\W*(rose|fell)\b", said, re.IGNORECASE) for said in made["because"])


def test_an_event_that_vanished_is_no_verdict(pantry: Path) -> None:
    """Nobody paid after the launch, in either arm: the logging is lost, and nothing is known."""

    def lost(rows: list[str]) -> list[str]:
        return [r for r in rows if ",pay," not in r or r.split(",")[1] < "2026-03"]

    _lines(pantry / "data" / "events.csv", lost)
    result = _review(pantry)
    assert result.exit_code == 30
    assert "logging" in result.stdout


def test_forecasts_that_are_too_close_are_not_scored(pantry: Path) -> None:
    before = _review(pantry).stdout
    assert "too close to call" in before
    assert _octad(pantry, "reflect", "recipes", "-q").exit_code == 0
    assert _octad(pantry, "reflect", "recipes", "-q").exit_code == 0
    scored = (pantry / "ledger.jsonl").read_text(encoding="utf-8").count('"kind":"outcome"')
    assert scored <= 2 - before.count("too close to call")


def test_a_launch_that_has_not_ended_is_not_scored(pantry: Path) -> None:
    _edit(pantry / "launches" / "recipes.yml", "ends: 2026-04-01", "ends: 2026-06-01")
    result = _octad(pantry, "reflect", "recipes", "-q")
    assert result.exit_code == 2
    assert "2026-06-01" in result.stderr


def test_an_empty_decision_is_not_recorded(pantry: Path) -> None:
    for words in (["", "--by", "a", "--why", "b"], ["ship", "--by", " ", "--why", "b"]):
        _refused(_octad(pantry, "decide", "recipes", *words))
    assert not (pantry / "ledger.jsonl").exists()


def test_a_ledger_cut_short_is_not_whole(pantry: Path) -> None:
    assert _octad(pantry, "seal", "recipes").exit_code == 0
    ledger = pantry / "ledger.jsonl"
    whole = ledger.read_bytes()
    for content in (whole + whole[:100], whole[:-30], b"\x00\xff" * 20):
        ledger.write_bytes(content)
        _refused(_octad(pantry, "verify"), "ledger.jsonl:", "not complete")


def test_a_name_longer_than_a_file_s_may_be(pantry: Path) -> None:
    _refused(_octad(pantry, "review", "x" * 300), "launch")


@pytest.mark.skipif(os.name == "nt", reason="pipes with a name are of POSIX")
def test_what_is_no_file_is_written_to_and_stays(pantry: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert _review(pantry, "--out", str(pipe)).exit_code in VERDICTS
        assert b"recipes" in os.read(reader, 1 << 16)
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    shown = _review(pantry, "--format", "md", "--out", "-")
    assert shown.stdout.startswith("# recipes")


# Designs and kinds of project


DESIGNS = {
    "nothing named": ("", 30),
    "a KPI alone": ("kpi: opens\n", 10),
    "chosen users": (
        'design: {targeted: "big spenders"}\nkpi: opens\nresults: {payments: 2%}\n',
        10,
    ),
}


@pytest.mark.parametrize("name", sorted(DESIGNS))
def test_a_kpi_alone_and_chosen_users_never_ship(pantry: Path, name: str) -> None:
    more, code = DESIGNS[name]
    head = "".join(line + "\n" for line in LAUNCH.splitlines()[:5])
    (pantry / "launches" / "recipes.yml").write_text(head + more, encoding="utf-8")
    assert _octad(pantry, "plan", "recipes", "-q").exit_code == 0
    assert _octad(pantry, "seal", "recipes").exit_code == 0
    assert _review(pantry).exit_code == code
    _refused(_octad(pantry, "reflect", "recipes", "-q"), "expects:")


@pytest.mark.parametrize(
    "design",
    [
        "design: {everyone: 2026-03-05}",
        "design: {staged: region, dates: {north: 2026-03-05, south: 2026-03-12}}",
    ],
)
def test_a_launch_without_a_control_is_never_shipped_nor_rolled_back(
    pantry: Path, design: str
) -> None:
    launch = pantry / "launches" / "recipes.yml"
    _edit(launch, LAUNCH.splitlines()[2], design)
    assert _octad(pantry, "plan", "recipes", "-q").exit_code == 0
    assert _review(pantry).exit_code in {10, 30}
    _edit(launch, design, f"{design}\n{LAUNCH.splitlines()[2]}")
    _refused(_review(pantry), "has no arms")


def test_reviews_alone_are_a_project(pantry: Path) -> None:
    kept = [line for line in OCTAD.splitlines() if "events:" not in line or "table" not in line]
    kept = [line for line in kept if not re.match(r"  (users|exposures):", line)]
    text = "\n".join(kept).split("metrics:")[0].replace("    list: {events: [open],", "    list: {")
    text = text.replace("    pay: {events: [pay],", "    pay: {")
    (pantry / "octad.yml").write_text(text, encoding="utf-8")
    head = "launch: recipes\nwhat: x\ndesign: {everyone: 2026-03-01}\n"
    (pantry / "launches" / "recipes.yml").write_text(
        head + "starts: 2026-03-01\nends: 2026-04-01\n", encoding="utf-8"
    )
    assert _octad(pantry, "check", "-q").exit_code == 0
    assert _octad(pantry, "plan", "recipes", "-q").exit_code == 0
    assert _review(pantry).exit_code == 30


def test_one_row_a_user_with_bad_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    rows: list[list[object]] = [
        [i + 1, ("30", "40")[i % 2], int(rng.random() < 0.3), f"{rng.exponential(50):.1f}"]
        for i in range(400)
    ]
    rows += [["", "30", 1, 3], ["x1", "40", 1, "NaN"], ["x2", "40", 0, "inf"], ["7", "40", 1, 1]]
    (tmp_path / "launches").mkdir()
    (tmp_path / "units.csv").write_text(_table("userid,version,day7,rounds", rows), "utf-8")
    (tmp_path / "octad.yml").write_text(
        "product: P\nsources:\n  units: {table: units.csv, user: userid, arm: version}\n"
        "metrics:\n  day7: {column: day7}\n  rounds: {column: rounds}\n",
        "utf-8",
    )
    launch = tmp_path / "launches" / "gate.yml"
    launch.write_text(
        'launch: gate\nwhat: x\narms: {control: "30", treatment: "40"}\n'
        "kpi: rounds\nresults: {day7: 1pp}\n",
        "utf-8",
    )
    checked = _octad(tmp_path, "check", "-q")
    assert checked.exit_code == 0
    assert "no user" in checked.stdout
    assert _octad(tmp_path, "review", "gate", "-q").exit_code in {10, 30}
    line = _edit(tmp_path / "octad.yml", "column: day7", "column: day77")
    _refused(
        _octad(tmp_path, "review", "gate", "-q"), f"octad.yml:{line}: ", "Did you mean 'day7'?"
    )


# Files that hold what they should not


def test_rows_that_cannot_be_read_are_counted_and_kept_aside(pantry: Path) -> None:
    """A broken quote, too many and too few cells, and a time that is none; the review goes on."""

    def broken(rows: list[str]) -> list[str]:
        rows = list(rows)
        rows[5] = '"' + rows[5]
        rows[10] += ",x,y"
        rows[15] = rows[15].split(",")[0]
        user, _, rest = rows[20].split(",", 2)
        rows[20] = f"{user},not a date,{rest}"
        rows[25] = "," + rows[25].split(",", 1)[1]
        return rows

    _lines(pantry / "data" / "events.csv", broken)
    checked = _octad(pantry, "check", "-q")
    assert checked.exit_code == 0
    for said in ("quote", "too many columns", "too few columns", "not a date", "no user"):
        assert said in checked.stdout
    rejects = _rows(pantry / ".octad" / "rejects" / "events.csv")
    assert sorted(int(row["line"]) for row in rejects) == [6, 11, 16, 21, 26]
    result = _review(pantry)
    assert result.exit_code in VERDICTS
    assert "Left out" in result.stdout


def _as_latin(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"Good shopping", b"Caf\xe9 shopping"))


def _as_utf16(path: Path) -> None:
    path.write_bytes(path.read_text(encoding="utf-8").encode("utf-16"))


def _as_bom(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())


@pytest.mark.parametrize("change", [_as_latin, _as_utf16, _as_bom])
def test_every_encoding_is_read(pantry: Path, change: Callable[[Path], None]) -> None:
    rows = (pantry / "data" / "reviews.csv").read_text(encoding="utf-8").count("\n") - 1
    change(pantry / "data" / "reviews.csv")
    result = _octad(pantry, "check", "-q")
    assert result.exit_code == 0
    assert f"{rows} rows read, all kept" in result.stdout


def test_numbers_and_dates_as_people_write_them(pantry: Path) -> None:
    """Thousands separators, and day-first dates among others; nothing is lost."""

    def rewritten(rows: list[str]) -> list[str]:
        made = [rows[0]]
        for place, row in enumerate(rows[1:]):
            user, at, name, amount = row.split(",")
            if place % 7 == 0:
                at = f"{at[8:10]}/{at[5:7]}/{at[:4]}{at[10:]}"
            paid = f'"1,{int(float(amount)):03d}.50"' if amount else ""
            made.append(f"{user},{at},{name},{paid}")
        return made

    _lines(pantry / "data" / "events.csv", rewritten)
    said = _octad(pantry, "check", "-q").stdout
    events = said[: said.index("users  ")]
    assert "all kept" in events
    assert "thousands separators" in events
    assert "day-first" in events
    assert "1 Feb to 1 Apr 2026" in events


def _parquet(pantry: Path) -> Path:
    path = pantry / "data" / "events.parquet"
    pq.write_table(pc.read_csv(pantry / "data" / "events.csv"), path)
    _edit(pantry / "octad.yml", "data/events.csv", "data/events.parquet")
    return path


def test_a_parquet_file_cut_in_half(pantry: Path) -> None:
    path = _parquet(pantry)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    for result in (_octad(pantry, "check", "-q"), _review(pantry)):
        _refused(result, "octad.yml:10: ", "events.parquet", "cut short")


def test_a_parquet_file_damaged_in_the_middle(pantry: Path) -> None:
    path = _parquet(pantry)
    content = bytearray(path.read_bytes())
    content[1000:3000] = os.urandom(2000)
    path.write_bytes(content)
    _refused(_octad(pantry, "check", "-q"), "octad.yml:10: ", "events.parquet")


def test_json_lines_with_broken_ones(pantry: Path) -> None:
    rows = _rows(pantry / "data" / "events.csv")
    lines = [json.dumps(row) for row in rows]
    lines[10], lines[20], lines[30] = lines[10][:20], "[]", "null"
    (pantry / "data" / "events.jsonl").write_text("\n".join(lines), encoding="utf-8")
    _edit(pantry / "octad.yml", "data/events.csv", "data/events.jsonl")
    result = _octad(pantry, "check", "-q")
    assert result.exit_code == 0
    assert "3 rows: a line that is no JSON object" in result.stdout
    assert "line 11: " in result.stdout


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"PK\x03\x04\x00\x00" * 500, "no text"),
        (b"user_id,ts\n", "o column 'name'"),
    ],
)
def test_a_table_that_is_none(pantry: Path, content: bytes, says: str) -> None:
    (pantry / "data" / "events.csv").write_bytes(content)
    for result in (_octad(pantry, "check", "-q"), _review(pantry)):
        _refused(result, says)


def test_a_table_with_a_header_alone(pantry: Path) -> None:
    events = pantry / "data" / "events.csv"
    events.write_text("user_id,ts,name,amount\n", encoding="utf-8")
    _refused(_review(pantry), "octad.yml:10: ", "no row that can be used")


def test_a_thousand_columns(pantry: Path) -> None:
    def wide(rows: list[str]) -> list[str]:
        names = ",".join(f"c{i}" for i in range(1000))
        return [f"{rows[0]},{names}", *(row + ",1" * 1000 for row in rows[1:])]

    _lines(pantry / "data" / "users.csv", wide)
    assert _octad(pantry, "check", "-q").exit_code == 0
    assert _review(pantry).exit_code in VERDICTS


def test_a_clock_that_runs_ahead_does_not_end_the_launch(pantry: Path) -> None:
    def early(rows: list[str]) -> list[str]:
        kept = [r for r in rows if r.startswith("user_id") or r.split(",")[1] < "2026-03-12"]
        return [*kept, "u00003,2036-01-01 00:00:00,open,"]

    _lines(pantry / "data" / "events.csv", early)
    result = _review(pantry)
    assert result.exit_code == 30
    assert "early look" in result.stdout
    assert "a clock that runs ahead" in result.stdout


def test_a_metric_that_is_constant(pantry: Path) -> None:
    rows: list[list[object]] = [
        [f"u{i:05d}", f"2026-{month}-{day} 10:00:00", name, 5]
        for i in range(USERS)
        for month in ("02", "03")
        for day in range(10, 31 if month == "03" else 28)
        for name in ("open", "pay")
    ]
    text = _table("user_id,ts,name,amount", [*rows, ["u00001", "2026-02-02 10:00:00", "crash", 1]])
    (pantry / "data" / "events.csv").write_text(text, encoding="utf-8")
    result = _review(pantry, "--format", "json")
    assert result.exit_code in VERDICTS - {0}
    assert "NaN" not in result.stdout
    assert "Infinity" not in result.stdout
    json.loads(result.stdout)


# Texts that mean harm


HOSTILE = [
    "<script>alert(1)</script> feed",
    "\u202e\u202eevil feed list",
    "\x1b[31mred\x1b]0;title\x07 feed",
    "=cmd|' /C calc'!A0 feed list",
    "feed " * 200_000,
    "a\nb\r\n## feed list",
    "![x](http://evil.example/p.png) feed",
    "mail me at joe.bloggs@example.com about the feed",
    "{{7*7}} {% raw %} feed",
]


def _hostile(pantry: Path) -> None:
    rows: list[list[object]] = [
        [
            "Pantry",
            f"2026-03-{2 + place % 28:02d} 10:00:00",
            1,
            HOSTILE[place % len(HOSTILE)] if place < len(HOSTILE) else f"the feed is bad {place}",
        ]
        for place in range(60)
    ]
    with (pantry / "data" / "reviews.csv").open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def test_hostile_reviews_are_shown_as_text(pantry: Path) -> None:
    """In every face; and nobody's id, nor an address that a review gives away."""
    _hostile(pantry)
    shown = {}
    for style in ("terminal", "md", "json"):
        result = _review(pantry, "--format", style)
        assert result.exit_code in VERDICTS
        shown[style] = result.stdout
    shown["html"] = (pantry / "reviews" / "recipes.html").read_text(encoding="utf-8")
    for style, text in shown.items():
        odd = {c for c in text if unicodedata.category(c) in {"Cc", "Cf"} and c not in "\n\t\r"}
        assert not odd, style
        assert "joe.bloggs" not in text, style
        assert "![x](http" not in text, style
        assert not re.search(r"\bu0\d{4}\b", text), style
        assert len(text) < 1_000_000, style
    assert "<script>alert" not in shown["html"] + shown["md"]
    assert "evil.example/p.png" not in shown["html"]


def test_hostile_names_are_names(pantry: Path) -> None:
    """An event like SQL, a metric like HTML and Markdown, a column in Chinese with an emoji."""
    event, metric = "'; DROP TABLE events; --", "<img src=x onerror=alert(1)>|`*[x](javascript:1)"
    for name in ("events", "users"):
        path = pantry / "data" / f"{name}.csv"
        text = path.read_text(encoding="utf-8").replace(",open,", f",{event},")
        path.write_text(text.replace("region", 'ré🍕"gion', 1), encoding="utf-8")
    users = pantry / "data" / "users.csv"
    users.write_text(
        users.read_text(encoding="utf-8").replace('ré🍕"gion', '"ré🍕""gion"', 1), encoding="utf-8"
    )
    octad = OCTAD.replace("open,", f'"{event}",').replace("[open]", f'["{event}"]')
    octad = octad.replace("crash, open", f'crash, "{event}"').replace("  opens:", f"  '{metric}':")
    octad = octad.replace("[region,", "['ré🍕\"gion',")
    (pantry / "octad.yml").write_text(octad, encoding="utf-8")
    launch = LAUNCH.replace("kpi: opens", f"kpi: '{metric}'")
    launch = launch.replace("metric: opens", f"metric: '{metric}'")
    (pantry / "launches" / "recipes.yml").write_text(launch, encoding="utf-8")
    result = _review(pantry, "--format", "html")
    assert result.exit_code in VERDICTS
    assert "<img src=x" not in result.stdout
    assert "onerror=alert(1)&gt;" in result.stdout


# What is written, and what is not


def test_the_ledger_is_guarded(pantry: Path) -> None:
    assert _octad(pantry, "seal", "recipes").exit_code == 0
    _refused(_octad(pantry, "seal", "recipes"), "sealed already")
    ledger = pantry / "ledger.jsonl"
    whole = ledger.read_bytes()
    for content in (
        whole.replace(b"payments", b"paymints", 1),
        b"garbage\n" + whole,
        b"<<<<<<< HEAD\n" + whole,
    ):
        ledger.write_bytes(content)
        words: list[list[str]] = [["verify"], ["seal", "recipes"], ["review", "recipes", "-q"]]
        for command in [*words, ["decide", "recipes", "ship", "--by", "a", "--why", "b"]]:
            _refused(_octad(pantry, *command), "not whole", "git")
            assert ledger.read_bytes() == content
    ledger.write_bytes(whole)
    assert _octad(pantry, "verify").exit_code == 0


def test_a_plan_bent_after_it_was_sealed_is_shown(pantry: Path) -> None:
    assert _octad(pantry, "seal", "recipes").exit_code == 0
    _edit(pantry / "launches" / "recipes.yml", "payments: 2%", "payments: 20%")
    deviations = json.loads(_review(pantry, "--format", "json").stdout)["deviations"]
    assert any("payments" in json.dumps(d) and "20%" in json.dumps(d) for d in deviations)


def test_decisions_name_readings_and_launches_that_exist(pantry: Path) -> None:
    before = _files(pantry)
    by = ["--by", "Mei", "--why", "because"]
    _refused(_octad(pantry, "decide", "nope", "ship", *by), "no launch 'nope'")
    _refused(_octad(pantry, "decide", "recipes", "ship", *by, "--against", "doubts"), "doubt")
    assert _files(pantry) == before
    hostile = _octad(pantry, "decide", "recipes", 'ship\x1b[2J\n{"a":1}', *by)
    assert hostile.exit_code == 0
    assert "\x1b" not in hostile.stdout
    assert _octad(pantry, "verify").exit_code == 0
    assert (pantry / "ledger.jsonl").read_text(encoding="utf-8").count("\n") == 1


def test_places_that_cannot_be_written(pantry: Path) -> None:
    (pantry / "reviews").write_text("a file where a folder should be", encoding="utf-8")
    result = _review(pantry)
    assert result.exit_code in VERDICTS
    assert "could not be written" in result.stderr
    _refused(
        _review(pantry, "--no-report", "--format", "md", "--out", str(pantry / "data")), "data"
    )
    assert not list(pantry.rglob("*.tmp"))


def test_a_ledger_that_cannot_be_written(pantry: Path) -> None:
    (pantry / "ledger.jsonl").mkdir()
    for words in (["seal", "recipes"], ["verify"]):
        _refused(_octad(pantry, *words), "ledger.jsonl")
    assert not list((pantry / "ledger.jsonl").iterdir())


# Stopped by hand


def _started(pantry: Path, until: str) -> subprocess.Popen[str]:
    """A review in a process of its own, as far as it says that it is at `until`."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from octad.faces.cli.app import run; run()", "review", "recipes"],
        cwd=pantry,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if until in line:
            break
    return process


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_killed_outright_the_next_review_is_as_ever(pantry: Path) -> None:
    expected = _review(pantry, "--format", "json").stdout
    (pantry / "ledger.jsonl").unlink()
    shutil.rmtree(pantry / ".octad" / "cache")
    process = _started(pantry, "adding up days")
    process.kill()
    process.communicate(timeout=30)
    time.sleep(0.05)
    assert _octad(pantry, "verify").exit_code == 0
    again = _review(pantry, "--format", "json")
    assert again.exit_code in VERDICTS
    ours, theirs = json.loads(again.stdout), json.loads(expected)
    assert ours["kpi"] == theirs["kpi"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("number", "until"),
    [
        (signal.SIGINT, "adding up days"),
        (signal.SIGTERM, "reading the events once"),
    ],
)
def test_stopped_by_hand_nothing_is_half_written(pantry: Path, number: int, until: str) -> None:
    before = _files(pantry)
    process = _started(pantry, until)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert "Stopped." in err
    assert _files(pantry) == before
    assert not [path for path in pantry.rglob("*.tmp*") if path.is_file()]
