"""`octad read` and `octad walk`: the reading room, and what the team has not walked."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from octad.errors import FileError, UsageError, Where
from octad.faces.cli.progress import progress
from octad.faces.numbers import plain
from octad.faces.safe import clean, markdown
from octad.faces.terminal import hanging, make_console
from octad.lifecycle.reading_room import TAGS, Room
from octad.lifecycle.session import Session
from octad.lifecycle.walking import Checklist
from octad.model.finding import Story, StoryLine
from octad.project.atomic import write_text

__all__ = ["read", "walk"]

_KEYS = {tag[0]: tag for tag in TAGS}
_NOTHING = "n"
_QUIT = "q"
_BACK = "b"


def _now() -> datetime:
    return datetime.now(UTC)


def read(
    folder: Path,
    launch: str,
    *,
    reader: str,
    count: int | None,
    out: Path | None,
    tags: Path | None,
    quiet: bool,
) -> int:
    """Show timelines one by one and keep what is said of them.

    Returns:
        0 when this reader has read them all; 10 when some are left.
    """
    session = Session.open(folder)
    with progress(quiet=quiet) as report:
        room = session.room(launch, reader, count=count, now=_now(), progress=report)
    console = make_console()
    if out is not None:
        write_text(out, _paper(room))
        console.print(Text(f"Written: {clean(out)}, {len(room.stories)} timelines, no arms."))
        return 0
    if tags is not None:
        for user, said, note in _from_file(tags):
            room = session.tag(room, user, said, note, now=_now())
    else:
        room = _sit(session, room, console)
    _leave(room, console)
    return 0 if room.done else 10


def _sit(session: Session, room: Room, console: Console) -> Room:
    """Read with somebody at the keyboard."""
    _welcome(room, console)
    order = [s.user for s in room.stories]
    place = next((i for i, user in enumerate(order) if user not in room.tags), len(order))
    while place < len(order):
        story = room.stories[place]
        _show(story, place + 1, len(order), console)
        answer = _ask()
        if answer is None or answer == _QUIT:
            break
        if answer == _BACK:
            place = max(0, place - 1)
            continue
        said, note = understood(answer)
        room = session.tag(room, story.user, said, note, now=_now())
        place += 1
    return room


def _welcome(room: Room, console: Console) -> None:
    console.print(Text(f"The reading room · {clean(room.launch)}", "bold"))
    hanging(
        console,
        Text(),
        f"{len(room.stories)} real users, chosen fairly. Which arm each was in stays hidden until "
        "you are done. Read slowly; imagine it is your own day.",
        0,
    )
    keys = " · ".join(f"{key} {tag}" for key, tag in _KEYS.items())
    hanging(console, Text(), f"Say what you see: {keys} · {_NOTHING} nothing of note.", 0)
    hanging(
        console,
        Text(),
        'Several with spaces between; a note of your own in quotes: s c "looked for pay twice". '
        f"{_BACK} goes back, {_QUIT} stops; what you have said is kept.",
        0,
    )


def _show(story: Story, number: int, of: int, console: Console) -> None:
    console.print()
    head = Text(f"{number} of {of}", "bold").append(f" · {clean(story.user)} · ", "bright_black")
    hanging(console, head, clean(story.title), 2)
    for line in story.lines:
        hanging(console, _when(line), _what(line), 15, "red" if line.error else "")


def _when(line: StoryLine) -> Text:
    return Text(f"  day {line.day:<4}").append(f"{line.time:<6}", "bright_black")


def _what(line: StoryLine) -> str:
    event, note = clean(line.event), clean(line.note)
    if event and note:
        return f"{event}  ({note})" if event != "wrote" else f"wrote {note}"
    return event or f"— {note} —"


def _ask() -> str | None:
    """A line from the keyboard or a pipe; None at its end."""
    sys.stdout.write("  What do you see? ")
    sys.stdout.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stdout.write("\n")
        return None
    return line.strip()


def understood(answer: str) -> tuple[tuple[str, ...], str]:
    """Tags and a note from what was typed.

    One letter stands for a usual tag; a longer word is a tag of its own; what is in quotes is a
    note.

    >>> understood('s lost "could not find pay"')
    (('stuck', 'lost'), 'could not find pay')
    >>> understood("n")
    ((), '')
    """
    parts = answer.replace("“", '"').replace("”", '"').split('"')
    note = " ".join(p.strip() for p in parts[1::2] if p.strip())
    words = " ".join(parts[0::2]).replace(",", " ").split()
    tags = [_KEYS.get(w.lower(), w.lower()) for w in words if w.lower() != _NOTHING]
    return tuple(tags), note


def _leave(room: Room, console: Console) -> None:
    console.print()
    if not room.done:
        left = len(room.left)
        console.print(Text(f"{left} left. Come back with the same command.", "bold"))
        return
    console.print(Text("You have read them all. Now you may know whose they were:", "bold"))
    for story in room.stories:
        said, note = room.tags[story.user]
        words = ", ".join(said) or "nothing of note"
        words += f" “{note}”" if note else ""
        head = Text(f"  {clean(story.user)}  {clean(story.arm):<12}")
        why = f"  ({story.chosen})" if story.chosen else ""
        hanging(console, head, f"{clean(words)}{why}", 24)
    hanging(
        console,
        Text(),
        "The numbers are open: "
        f"octad review {clean(room.launch)}. A second reader makes it worth more.",
        0,
    )


def _paper(room: Room) -> str:
    """The timelines as Markdown, to be printed and read away from a screen."""
    made = [f"# {markdown(room.launch)}: {len(room.stories)} users", ""]
    for number, story in enumerate(room.stories, 1):
        made += [f"## {number}. {story.user}", "", markdown(clean(story.title)), ""]
        made += ["| day | time | |", "|---:|---|---|"]
        made += [f"| {line.day} | {line.time} | {markdown(_what(line))} |" for line in story.lines]
        made += ["", "What I see: ______________________________", ""]
    return "\n".join(made)


def _from_file(path: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Rows of a CSV file: user, tags (spaces between), note."""
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileError(
            f"the tags cannot be read: {error}.",
            where=Where(str(path)),
            mend="Write a CSV file in UTF-8: user, tags, note.",
        ) from error
    for number, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells[0].lower() == "user"):
            continue
        if len(cells) < 2:
            raise FileError(
                "a line has a user and no tags.",
                where=Where(str(path), number),
                mend="Write user,tags,note; n for nothing of note.",
            )
        said, note = understood(cells[1])
        yield cells[0], said, cells[2] if len(cells) > 2 else note


def walk(
    folder: Path,
    launch: str | None,
    *,
    done: str,
    by: str,
    note: str,
    most: int,
    quiet: bool,
) -> None:
    """Show what users do and the team never did, or log a walk."""
    session = Session.open(folder)
    name = launch or _only(session)
    console = make_console()
    if done:
        steps = tuple(s.strip() for s in done.replace("→", ">").split(">") if s.strip())
        with progress(quiet=quiet) as report:
            session.log_walk(name, steps, who=by, note=note, now=_now(), progress=report)
        console.print(Text(f"Logged: {clean(' → '.join(steps))}, walked by {clean(by)}.", "bold"))
        return
    with progress(quiet=quiet) as report:
        found = session.to_walk(name, most=most, progress=report)
    _checklist(found, console)


def _only(session: Session) -> str:
    launches = session.launches
    if len(launches) != 1:
        raise UsageError(
            "which launch's users shall the team be held against?",
            mend="Name one: " + (", ".join(launches) or "there is no launch yet") + ".",
        )
    return launches[0]


def _checklist(found: Checklist, console: Console) -> None:
    console.print(Text(f"To walk · {clean(found.launch)}", "bold"))
    if not found.team:
        hanging(
            console,
            Text(),
            "No member of the team was seen in the events: mark them with 'staff:' in the users "
            "source. Until then everything is still to walk.",
            0,
        )
    elif found.by_events is not None:
        said = f"The team's own events cover {found.by_events:.0%} of what users do"
        if found.logged and found.with_walks is not None:
            walks = (
                "1 logged walk" if len(found.logged) == 1 else f"{len(found.logged)} logged walks"
            )
            said += f"; with {walks}, {found.with_walks:.0%}"
        hanging(console, Text(), f"{said} ({found.sampled:,} users sampled).", 0)
    console.print()
    for row in found.rows:
        share = f"{plain(100 * row.share, 0)}%" if row.share >= 0.005 else "<1%"
        head = Text(f"  [ ] {share:>4} of users  ")
        kind = "" if " in a row" in row.kind else f"  (a way to {clean(row.kind)})"
        hanging(console, head, clean(" → ".join(row.steps)) + kind, 24)
    if not found.rows:
        console.print(Text("  Nothing: the team has gone every way that sampled users go."))
    console.print()
    for finding in found.findings:
        hanging(console, Text(), clean(finding.claim), 0)
    if found.rows:
        steps = " > ".join(found.rows[0].steps)
        words = f'Walked one? octad walk {found.launch} --done "{steps}" --by NAME'
        hanging(console, Text(), clean(words), 0, "bright_black")
