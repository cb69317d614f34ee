"""The reading room: the lock, the choice, the tags, and what comes of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from octad.data.write import write_table
from octad.errors import DataError, UnknownNameError, UsageError
from octad.faces.cli.app import app
from octad.lifecycle.session import Session
from octad.model.finding import Finding, Table
from octad.model.records import Chosen, Tagged, Unlocked

NOW = datetime(2026, 4, 1, 9, tzinfo=UTC)
START = np.datetime64("2026-03-01T00:00:00")
MINUTE = np.timedelta64(60, "s")

PROJECT = """\
product: Wallet
charter:
  purpose: Pay in seconds.
  jobs: {pay: {events: [pay], core: true}}
  errors: [stuck_screen]
sources:
  events:    {table: data/events.parquet, user: user, time: at, event: name}
  exposures: {table: data/exposures.parquet, user: user, time: at, arm: arm}
  users:     {table: data/users.parquet, user: user, attributes: [device], staff: staff}
  reviews:   {table: data/reviews.parquet, time: at, rating: stars, text: text, author: who}
metrics:
  payments: {count: pay, window: 7d}
"""
LAUNCH = """\
launch: circles
what: A social feed.
arms: {control: "off", treatment: "on"}
starts: 2026-03-01
ends: 2026-03-29
kpi: payments
results: {payments: 2%}
read_first: 6
"""


def _write(root: Path, users: int = 600) -> None:
    """Everyone opens and pays; with the launch, half of them meet a screen that is stuck."""
    rng = np.random.default_rng(3)
    rows: list[tuple[str, np.datetime64, str]] = []
    for i in range(users):
        at = START + np.timedelta64(int(rng.integers(0, 5 * 86_400)), "s")
        for _ in range(int(rng.integers(2, 9))):
            at = at + np.timedelta64(int(rng.integers(3_600, 3 * 86_400)), "s")
            steps = ["open", "stuck_screen"] if i % 4 == 1 else ["open", "scan", "pay"]
            rows += [(f"user{i}@example.org", at + k * MINUTE, s) for k, s in enumerate(steps)]
    rows += [("boss@example.org", START + k * MINUTE, s) for k, s in enumerate(["open", "scan"])]
    write_table(
        {
            "user": np.array([r[0] for r in rows], dtype=object),
            "at": np.array([r[1] for r in rows]).astype("datetime64[us]"),
            "name": np.array([r[2] for r in rows], dtype=object),
        },
        root / "data" / "events.parquet",
    )
    names = np.array([f"user{i}@example.org" for i in range(users)], dtype=object)
    arm = np.where(np.arange(users) % 2 == 1, "on", "off").astype(object)
    when = np.full(users, START).astype("datetime64[us]")
    write_table({"user": names, "at": when, "arm": arm}, root / "data" / "exposures.parquet")
    everyone = np.append(names, "boss@example.org")
    write_table(
        {
            "user": everyone,
            "device": np.where(np.arange(users + 1) % 3 == 0, "old", "new").astype(object),
            "staff": everyone == "boss@example.org",
        },
        root / "data" / "users.parquet",
    )
    said = np.array(["user1@example.org", "user2@example.org"], dtype=object)
    write_table(
        {
            "at": np.array([START, START]).astype("datetime64[us]") + np.timedelta64(2, "D"),
            "stars": np.array([1.0, 5.0]),
            "text": np.array(["it hangs, call me on 0812 3456 7890", "fine"], dtype=object),
            "who": said,
        },
        root / "data" / "reviews.parquet",
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("seat")
    _write(root)
    return root / "data"


Made = Callable[[], Session]


@pytest.fixture
def made(tmp_path: Path, data: Path) -> Session:
    (tmp_path / "launches").mkdir()
    (tmp_path / "octad.yml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "launches" / "circles.yml").write_text(LAUNCH, encoding="utf-8")
    (tmp_path / "data").symlink_to(data)
    return Session.open(tmp_path)


def _read_all(session: Session, reader: str) -> None:
    room = session.room("circles", reader, now=NOW)
    for story in room.stories:
        failed = any(line.error for line in story.lines)
        room = session.tag(room, story.user, ["Stuck "] if failed else [], "", now=NOW)
    assert room.done


def _finding(session: Session, name: str) -> Finding:
    review = session.review("circles", now=NOW)
    return next(f for f in review.readings["user"].findings if f.id == name)


def test_the_numbers_are_locked_until_the_timelines_are_read(made: Session) -> None:
    with pytest.raises(UsageError, match=r"6 timelines of users to be read .* 0 have been"):
        made.review("circles", now=NOW)
    room = made.room("circles", "Lin", now=NOW)
    room = made.tag(room, room.stories[0].user, ["stuck"], "looked for pay", now=NOW)
    with pytest.raises(UsageError, match="1 have been"):
        made.review("circles", now=NOW)
    _read_all(made, "Lin")
    assert made.review("circles", now=NOW).launch == "circles"
    records = [e.record for e in made.entries()]
    assert sum(isinstance(r, Unlocked) for r in records) == 1
    assert sum(isinstance(r, Chosen) for r in records) == 1


def test_no_face_shows_a_number_while_the_lock_holds(made: Session) -> None:
    run = CliRunner()
    for style in ("terminal", "json", "html", "md"):
        line = ["-C", str(made.root), "review", "circles", "-q", "-f", style]
        found = run.invoke(app, line)
        assert found.exit_code == 2
        assert "%" not in found.stdout
    assert not (made.root / "reviews").exists()
    with pytest.raises(UsageError, match="to be read"):
        made.reflect("circles", now=NOW)


def test_unread_opens_the_numbers_and_is_a_deviation(made: Session) -> None:
    review = made.review("circles", unread=True, now=NOW)
    assert any(isinstance(e.record, Unlocked) and e.record.unread for e in made.entries())
    again = made.review("circles", now=NOW)
    assert review.verdict is again.verdict
    assert any("before the timelines were read" in w for w in review.warnings)
    assert any("before the timelines were read" in w for w in again.warnings)


def test_every_reader_finds_the_same_timelines_and_no_id_is_in_them(made: Session) -> None:
    one = made.room("circles", "Lin", now=NOW)
    two = made.room("circles", "Mei", now=NOW)
    assert [s.user for s in one.stories] == [s.user for s in two.stories]
    assert [s.lines for s in one.stories] == [s.lines for s in two.stories]
    assert {s.arm for s in one.stories} == {"control", "treatment"}
    told = "".join(s.model_dump_json() for s in one.stories)
    assert "@" not in told
    assert "0812" not in told


def test_a_complaint_is_read_where_its_author_is_a_user(made: Session) -> None:
    room = made.room("circles", "Lin", count=40, now=NOW)
    wrote = [s for s in room.stories if any(line.event == "wrote" for line in s.lines)]
    assert any("it hangs, call me on [number]" in line.note for s in wrote for line in s.lines)


def test_tags_become_a_finding_by_arm_with_agreement(made: Session) -> None:
    _read_all(made, "Lin")
    _read_all(made, "Mei")
    claim = _finding(made, "user.tags").claim
    assert "Lin and Mei read 6 timelines" in claim
    assert "“stuck”" in claim
    assert "agree well" in claim


def test_words_that_do_not_fit_are_refused(made: Session) -> None:
    room = made.room("circles", "Lin", now=NOW)
    user = room.stories[0].user
    with pytest.raises(UsageError, match="none of the timelines"):
        made.tag(room, "ffffffff", ["stuck"], now=NOW)
    with pytest.raises(UsageError, match="longer than 40"):
        made.tag(room, user, ["x" * 41], now=NOW)
    with pytest.raises(UsageError, match="note is longer"):
        made.tag(room, user, [], "x" * 501, now=NOW)
    with pytest.raises(UsageError, match="nobody is reading"):
        made.room("circles", " ", now=NOW)


def test_another_machines_key_is_noticed(made: Session) -> None:
    made.room("circles", "Lin", now=NOW)
    (made.root / ".octad" / "pseudonyms.key").unlink()
    with pytest.raises(UsageError, match="another key"):
        made.room("circles", "Lin", now=NOW)


def test_the_command_reads_lines_and_stops_where_they_end(made: Session) -> None:
    line = ["-C", str(made.root), "read", "circles", "--reader", "Lin", "-q"]
    some = CliRunner().invoke(app, line, input='s lost "where is pay?"\nb\nn\n\n')
    assert some.exit_code == 10
    assert "control" not in some.stdout
    assert "3 left" in some.stdout or "4 left" in some.stdout
    tags = [e.record for e in made.entries() if isinstance(e.record, Tagged)]
    assert tags[0].tags == ("stuck", "lost")
    assert tags[0].note == "where is pay?"
    rest = CliRunner().invoke(app, line, input="n\n" * 6)
    assert rest.exit_code == 0
    assert "control" in rest.stdout  # now they may know
    assert "octad review circles" in rest.stdout


def test_timelines_go_to_paper_and_tags_come_back_from_a_table(made: Session) -> None:
    base = ["-C", str(made.root), "read", "circles", "--reader", "Lin", "-q"]
    paper, table = made.root / "timelines.md", made.root / "tags.csv"
    assert CliRunner().invoke(app, [*base, "--out", str(paper)]).exit_code == 0
    text = paper.read_text(encoding="utf-8")
    assert "treatment" not in text
    users = [s.user for s in made.room("circles", "Lin", now=NOW).stories]
    assert all(user in text for user in users)
    table.write_text("user,tags,note\n" + "".join(f"{u},s,\n" for u in users), encoding="utf-8")
    assert CliRunner().invoke(app, [*base, "--tags", str(table)]).exit_code == 0
    table.write_text(f"user,tags\n{users[0]}\n", encoding="utf-8")
    bad = CliRunner().invoke(app, [*base, "--tags", str(table)])
    assert bad.exit_code == 2


def test_the_checklist_names_what_the_team_never_did_and_a_walk_covers_it(made: Session) -> None:
    before = made.to_walk("circles")
    assert before.team == 1
    assert ("open", "scan", "pay") in [row.steps for row in before.rows]
    assert before.by_events is not None
    with pytest.raises(UnknownNameError, match="holds the event 'scn'"):
        made.log_walk("circles", ("open", "scn"), who="Lin", now=NOW)
    with pytest.raises(UsageError, match="at least two steps"):
        made.log_walk("circles", ("open",), who="Lin", now=NOW)
    made.log_walk("circles", ("open", "scan", "pay"), who="Lin", now=NOW)
    after = made.to_walk("circles")
    assert after.with_walks is not None
    assert after.with_walks > before.by_events == after.by_events
    assert ("open", "scan", "pay") not in [row.steps for row in after.rows]


def test_the_review_knows_of_walks_too(made: Session) -> None:
    made.review("circles", unread=True, now=NOW)
    first = _finding(made, "user.walked")
    made.log_walk("circles", ("open", "scan", "pay"), who="Lin", now=NOW)
    second = _finding(made, "user.walked")
    assert first.estimate is not None
    assert second.estimate is not None
    assert second.estimate.value > first.estimate.value
    table = second.evidence[0]
    assert isinstance(table, Table)
    assert "open → scan → pay" not in [row[0] for row in table.rows]


def test_walk_by_the_command(made: Session) -> None:
    base = ["-C", str(made.root), "walk"]
    shown = CliRunner().invoke(app, [*base, "-q"])
    assert shown.exit_code == 0
    assert "open → scan → pay" in shown.stdout
    steps = "open > scan > pay"
    done = CliRunner().invoke(app, [*base, "circles", "--done", steps, "--by", "Lin", "-q"])
    assert done.exit_code == 0
    assert "with 1 logged walk" in CliRunner().invoke(app, [*base, "-q"]).stdout
    assert CliRunner().invoke(app, [*base, "circles", "--done", steps, "-q"]).exit_code == 2


def test_an_empty_room_is_said_to_be(made: Session) -> None:
    path = made.root / "launches" / "circles.yml"
    path.write_text(LAUNCH.replace("2026-03-01", "2026-03-20"), encoding="utf-8")
    with pytest.raises(DataError):
        made.room("circles", "Lin", now=NOW)
