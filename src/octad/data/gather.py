"""Turn the merged needs of all readings into as few queries as possible, once."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from octad.data.columns import column
from octad.data.connect import Engine
from octad.data.event_table import gather_events
from octad.data.gathering import Gathering, Locate
from octad.data.population import Frame, frame_of
from octad.data.reach import refuse_reach
from octad.data.sources import Tables, open_sources
from octad.data.tape import Progress, Tape
from octad.data.unit_table import gather_units
from octad.data.voices import read_releases, read_reviews
from octad.errors import UnknownNameError, nearest
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.plan import Plan, Staged

__all__ = ["gather"]

_STAGED = (
    "a launch staged by group needs an estimator that this version does not have; "
    "its numbers would be a guess"
)


def gather(
    engine: Engine,
    plan: Plan,
    needs: Needs,
    *,
    as_of: date | None = None,
    progress: Progress | None = None,
    where: Locate | None = None,
) -> Inputs:
    """Bring over what the readings asked for, and nothing that names a person.

    Args:
        engine: An open engine.
        plan: The plan and its project.
        needs: The readings' needs, merged.
        as_of: The last day to be seen; everything when absent.
        progress: Told what is being done.
        where: For errors that point into the plan.

    Raises:
        OctadError: When the data cannot serve the plan: an arm without users, a column or an
            event that is not there, a launch that has not begun.
    """
    tape = Tape(engine.backend, progress, engine.root)
    with tape.stage("opening the sources"):
        tables = open_sources(engine, plan.project, where=where)
    _count_looked_at(tape, tables)
    job = Gathering(plan, needs, tape, tables, engine, where)
    frame = _frame(job, as_of)
    if frame is not None:
        job.parts |= {"as_of": frame.as_of, "final": frame.final}
    if tables.events is None and tables.units is not None:
        gather_units(job, tables.units, frame)
        refuse_reach(job, "a table of one row a user")
    elif isinstance(plan.launch.design, Staged):
        _check_groups(job, plan.launch.design)
        job.lack(_STAGED)
    elif tables.events is not None:
        gather_events(job, frame)
    _gather_voices(job, frame, as_of)
    return job.inputs()


def _count_looked_at(tape: Tape, tables: Tables) -> None:
    """Count the rows of files that were read for their account: new ones, and changed ones."""
    rows = 0
    for filed in tables.files.values():
        for receipt, fresh in zip(filed.receipts, filed.fresh, strict=True):
            out = sum(reject.rows for reject in receipt.rejects)
            rows += fresh * (receipt.kept + out)
    if rows:
        stage, seconds, _ = tape.stages[-1]
        tape.stages[-1] = (stage, seconds, rows)
        tape.scanned += rows


def _check_groups(job: Gathering, design: Staged) -> None:
    """Refuse a staged launch whose groups no user is in: a slip would leave them out unseen.

    Raises:
        UnknownNameError: When the attribute or a group is not there; says what is near.
    """
    users = job.tables.users
    if users is None:
        return
    values = column(users, design.staged, where=job.place("design.staged"))
    groups = users.select(group=values.cast("string")).distinct().limit(10_000).to_pyarrow()
    known = [str(g) for g in groups["group"].to_pylist() if g is not None]
    for group in design.dates:
        if group not in known:
            raise UnknownNameError(
                f"no user's {design.staged} is '{group}'.",
                where=job.place(f"design.dates.{group}"),
                mend=nearest(group, known),
            )


def _frame(job: Gathering, as_of: date | None) -> Frame | None:
    """The review's today is the newest event; without events, the newest of what there is."""
    for name in ("events", "exposures", "units", "reviews"):
        intake = job.tables.intake.get(name)
        if intake is not None and intake.last is not None:
            return frame_of(job.plan, intake.last, as_of, job.place)
    return None


def _gather_voices(job: Gathering, frame: Frame | None, as_of: date | None) -> None:
    until: datetime | None = None
    if as_of is not None:
        until = datetime.combine(as_of + timedelta(days=1), datetime.min.time())
    elif frame is not None and job.tables.events is not None:
        until = frame.as_of + timedelta(microseconds=1)
    product = job.plan.project.product
    if job.needs.reviews and job.tables.reviews is not None:
        with job.tape.stage("reading reviews", job.tables.intake["reviews"].kept):
            job.parts["reviews"] = read_reviews(job.tape, job.tables.reviews, product, until)
    if job.needs.releases and job.tables.releases is not None:
        job.parts["releases"] = read_releases(job.tape, job.tables.releases, product, until)
