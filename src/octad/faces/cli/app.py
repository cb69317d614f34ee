"""`octad`: its commands and options. What a command does lies in `work`, imported when it runs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from octad import __version__
from octad.faces.cli.errors import Safely, report_error, stop_on_terminate

__all__ = ["Format", "State", "app", "run"]


class Format(StrEnum):
    """How a review is written to stdout, or to ``--out``."""

    TERMINAL = "terminal"
    HTML = "html"
    MD = "md"
    JSON = "json"


class PlanFormat(StrEnum):
    """How a sized plan is written."""

    TERMINAL = "terminal"
    MD = "md"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class State:
    """What was said before the command."""

    folder: Path
    debug: bool


app = typer.Typer(
    cls=Safely,
    name="octad",
    help="Was this launch good for the product, or only for its KPI?",
    epilog="Start with: octad demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
)

LaunchName = Annotated[
    str, typer.Argument(metavar="LAUNCH", help="The launch's file in launches/, without .yml.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"octad {__version__}")
        raise typer.Exit


@app.callback()
def _before(
    ctx: typer.Context,
    folder: Annotated[
        Path, typer.Option("--folder", "-C", metavar="FOLDER", help="The project's folder.")
    ] = Path(),
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of a fault.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    del version  # its callback has answered already
    ctx.obj = State(folder=folder, debug=debug)


def _state(ctx: typer.Context) -> State:
    state: State = ctx.obj
    return state


@app.command()
def init(
    ctx: typer.Context,
    where: Annotated[
        Path | None, typer.Argument(metavar="[FOLDER]", help="The new project's folder.")
    ] = None,
    preset: Annotated[
        str, typer.Option(help="Whose export your data are, such as posthog; plain for your own.")
    ] = "plain",
    product: Annotated[str, typer.Option(help="What the product is called.")] = "My product",
) -> None:
    """Begin a project: a charter, sources, and an example launch."""
    from octad.faces.cli import work  # noqa: PLC0415 - heavy

    work.init(where or _state(ctx).folder, preset, product)


@app.command()
def check(ctx: typer.Context, quiet: Quiet = False) -> None:
    """Read every source; say what is odd and what is left out."""
    from octad.faces.cli import work  # noqa: PLC0415 - heavy

    raise typer.Exit(work.check(_state(ctx).folder, quiet=quiet))


@app.command()
def plan(
    ctx: typer.Context,
    launch: LaunchName,
    interview: Annotated[
        bool,
        typer.Option("--interview", "-i", help="Ask for the plan, and write it; never over one."),
    ] = False,
    style: Annotated[
        PlanFormat, typer.Option("--format", "-f", help="How to write it.")
    ] = PlanFormat.TERMINAL,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it there instead.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Plan a launch: what it would be able to see, and what not."""
    from octad.faces.cli import plan as planning  # noqa: PLC0415 - heavy

    folder = _state(ctx).folder
    planning.plan(folder, launch, style=style.value, out=out, asked=interview, quiet=quiet)


@app.command()
def seal(
    ctx: typer.Context,
    launch: LaunchName,
    witness: Annotated[
        str | None,
        typer.Option(
            metavar="git|FILE",
            help="Record who vouches for the seal: git, once ledger.jsonl is committed, or a "
            "time-stamping authority's answer (RFC 3161).",
        ),
    ] = None,
    authority: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The certificate to trust for that answer, as PEM."),
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write what such an authority is sent."),
    ] = None,
) -> None:
    """Freeze the plan, so that nobody can bend it to the numbers."""
    from octad.faces.cli import ledger  # noqa: PLC0415 - heavy

    folder = _state(ctx).folder
    if witness is not None:
        ledger.witness(folder, launch, witness, authority)
    else:
        ledger.seal(folder, launch, request)


@app.command()
def review(
    ctx: typer.Context,
    launch: LaunchName,
    *,
    style: Annotated[
        Format, typer.Option("--format", "-f", help="How to write it.")
    ] = Format.TERMINAL,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it there instead.")
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="Review as it stood on a day, such as 2026-03-15.",
        ),
    ] = None,
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Do not write reviews/LAUNCH.html.")
    ] = False,
    unread: Annotated[
        bool,
        typer.Option("--unread", help="See the numbers before the timelines; this is logged."),
    ] = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Only say what it would read and ask; no look is logged."),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Review a launch: the KPI, the eight readings, and the verdict.

    Exits with 0 for ship, 10 hold, 20 roll back, 30 cannot tell.
    """
    if explain:
        from octad.faces.cli import explained  # noqa: PLC0415 - heavy

        explained.explain(
            _state(ctx).folder,
            launch,
            style=style.value,
            out=out,
            as_of=as_of.date() if as_of else None,
        )
        return
    from octad.faces.cli import work  # noqa: PLC0415 - heavy

    code = work.review(
        _state(ctx).folder,
        launch,
        style=style.value,
        out=out,
        as_of=as_of.date() if as_of else None,
        report=not no_report,
        unread=unread,
        quiet=quiet,
    )
    raise typer.Exit(code)


@app.command()
def read(
    ctx: typer.Context,
    launch: LaunchName,
    reader: Annotated[
        str, typer.Option(metavar="NAME", help="Who reads.", envvar="OCTAD_READER", prompt=True)
    ],
    count: Annotated[
        int | None,
        typer.Option(min=1, max=200, help="How many timelines; the plan's 'read_first', or 10."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write them as Markdown, to be printed."),
    ] = None,
    tags: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Take what was seen from a CSV file: user,tags,note."),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Read timelines of real users, and say what you see.

    They are chosen fairly, and which arm each was in stays hidden until you are done.
    """
    from octad.faces.cli import room  # noqa: PLC0415 - heavy

    code = room.read(
        _state(ctx).folder, launch, reader=reader, count=count, out=out, tags=tags, quiet=quiet
    )
    raise typer.Exit(code)


@app.command()
def walk(
    ctx: typer.Context,
    launch: Annotated[
        str | None,
        typer.Argument(metavar="[LAUNCH]", help="Whose users; may be left out if there is one."),
    ] = None,
    done: Annotated[
        str, typer.Option(metavar="STEPS", help='Log a walk, such as "open > scan > pay".')
    ] = "",
    by: Annotated[str, typer.Option(metavar="NAME", help="Who walked it.")] = "",
    note: Annotated[str, typer.Option(metavar="TEXT", help="What was seen on the way.")] = "",
    most: Annotated[int, typer.Option(min=1, max=500, help="How many lines to show.")] = 20,
    quiet: Quiet = False,
) -> None:
    """List what users do that the team never did, worst first."""
    from octad.faces.cli import room  # noqa: PLC0415 - heavy

    room.walk(_state(ctx).folder, launch, done=done, by=by, note=note, most=most, quiet=quiet)


@app.command()
def decide(
    ctx: typer.Context,
    launch: LaunchName,
    decision: Annotated[
        str, typer.Argument(metavar="DECISION", help="ship, hold, roll back, or your own words.")
    ],
    by: Annotated[str, typer.Option(help="Who decided.")],
    why: Annotated[str, typer.Option(help="Why, in a sentence you will read again.")],
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="READING", help="A reading you decide against; may be repeated."),
    ] = None,
) -> None:
    """Record who decided what, why, and against which reading."""
    from octad.faces.cli import work  # noqa: PLC0415 - heavy

    work.decide(_state(ctx).folder, launch, decision, by=by, why=why, against=against or [])


@app.command()
def reflect(ctx: typer.Context, launch: LaunchName, quiet: Quiet = False) -> None:
    """Hold what was forecast against what happened."""
    from octad.faces.cli import work  # noqa: PLC0415 - heavy

    work.reflect(_state(ctx).folder, launch, quiet=quiet)


@app.command()
def verify(
    ctx: typer.Context,
    join: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="First join another branch's ledger to this one."),
    ] = None,
) -> None:
    """Check that no line of the ledger was changed or taken."""
    from octad.faces.cli import ledger  # noqa: PLC0415 - heavy

    raise typer.Exit(ledger.verify(_state(ctx).folder, join))


@app.command()
def demo(
    ctx: typer.Context,
    where: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Where the example is made.")
    ] = Path("demo"),
    world: Annotated[
        str, typer.Option(help="Which simulated product; --worlds lists them.")
    ] = "wallet",
    strength: Annotated[
        str, typer.Option(help="How strong the launch's effect is; --worlds lists them.")
    ] = "plain",
    users: Annotated[int, typer.Option(min=1000, help="How many simulated people.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Which of its endless variants.")] = 7,
    worlds: Annotated[bool, typer.Option("--worlds", help="List the worlds, and stop.")] = False,
    quiet: Quiet = False,
) -> None:
    """Make the worked example from nothing, and review it."""
    from octad.faces.cli import work  # noqa: PLC0415 - heavy

    if worlds:
        work.list_worlds()
        return
    folder = _state(ctx).folder / where
    work.demo(folder, world, strength=strength, users=users, seed=seed, quiet=quiet)


def run() -> None:
    """Run the app; nothing ends in a traceback, not even Ctrl-C at start-up."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever called us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # A terminal that cannot show a true minus shows a question mark, and goes on.
            stream.reconfigure(errors="replace")
    try:
        stop_on_terminate()
        app()
    except (KeyboardInterrupt, BrokenPipeError) as error:
        raise SystemExit(report_error(error, debug=False)) from error
