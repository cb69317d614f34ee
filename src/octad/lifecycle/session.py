"""An open project: everything the command line, a notebook or a server can ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from octad.errors import OctadError
from octad.model.inputs import History, Inputs
from octad.model.planned import PlanReport
from octad.model.records import Decision, Look, Outcome, Record, Seal, Tagged, Walked, Witness
from octad.model.review import Deviation, Review
from octad.project.chain import Entry
from octad.project.digest import plan_record
from octad.project.ledger import Ledger, Verification
from octad.project.load import (
    LoadedProject,
    find_root,
    list_launches,
    load_plan,
    load_project,
)
from octad.project.sealed import judged

if TYPE_CHECKING:
    from octad.data.check import CheckReport
    from octad.data.tape import Progress
    from octad.lifecycle.reading_room import Room
    from octad.lifecycle.sealing import Vouched
    from octad.lifecycle.walking import Checklist
    from octad.model.explanation import Explanation

__all__ = ["Session"]


@dataclass(frozen=True, slots=True)
class Session:
    """A project folder.

    Attributes:
        root: The folder of `octad.yml`.
    """

    root: Path

    @classmethod
    def open(cls, folder: str | Path = ".") -> Session:
        """Find the project that a folder belongs to.

        Raises:
            FileError: When there is none.
        """
        return cls(find_root(Path(folder)))

    @property
    def launches(self) -> tuple[str, ...]:
        """The launches that have a plan."""
        return list_launches(self.root)

    def project(self) -> LoadedProject:
        """Read `octad.yml` again."""
        return load_project(self.root)

    def check(self, progress: Progress | None = None) -> CheckReport:
        """Read every source, and count what is sound and what is not.

        Raises:
            OctadError: When a file cannot be read at all.
        """
        from octad.data.check import check  # noqa: PLC0415 - opens an engine
        from octad.data.connect import connect  # noqa: PLC0415
        from octad.lifecycle.names import doubtful  # noqa: PLC0415

        loaded = self.project()
        if progress is not None:
            progress("reading every source", None)
        with connect(loaded.project, self.root, where=loaded.where("connection")) as engine:
            found = check(engine, loaded.project, where=loaded.where)
            return replace(found, doubts=(*doubtful(loaded, engine), *self._broken_plans()))

    def _broken_plans(self) -> list[OctadError]:
        """What does not hold in the launches' files."""
        found: list[OctadError] = []
        for launch in self.launches:
            try:
                load_plan(self.root, launch)
            except OctadError as error:
                found.append(error)
        return found

    def review(
        self,
        launch: str,
        *,
        as_of: date | None = None,
        progress: Progress | None = None,
        log_look: bool = True,
        unread: bool = False,
        now: datetime | None = None,
    ) -> Review:
        """Review a launch: the KPI, the eight readings, the verdict.

        A sealed launch is judged by what was sealed; see `octad.project.sealed`.

        Args:
            launch: The plan's name: its file's stem.
            as_of: The last day to be seen; all of the data when absent.
            progress: Told what is being done.
            log_look: Whether the look goes into the ledger, as it should when a person sees it.
            unread: Open the numbers although the plan's timelines were not read; it goes into the
                ledger as a deviation.
            now: The moment of the look.

        Raises:
            OctadError: When the files or the data do not hold together.
        """
        return self.review_with_inputs(
            launch, as_of=as_of, progress=progress, log_look=log_look, unread=unread, now=now
        )[0]

    def review_with_inputs(
        self,
        launch: str,
        *,
        as_of: date | None = None,
        progress: Progress | None = None,
        log_look: bool = True,
        unread: bool = False,
        now: datetime | None = None,
    ) -> tuple[Review, Inputs]:
        """Review a launch, and hand over what was read: for who asks more of the same numbers.

        Args and errors are those of `review`.
        """
        from octad.data.connect import connect  # noqa: PLC0415 - opens an engine
        from octad.lifecycle.logged import look_of, witnessed  # noqa: PLC0415
        from octad.lifecycle.review import look_at  # noqa: PLC0415

        written = load_plan(self.root, launch)
        ledger = Ledger.open(self.root)
        if log_look:
            ledger.must_be_writable()
        record = plan_record(written.plan)
        bound = judged(written, ledger)
        loaded = bound.loaded
        if loaded.plan.launch.read_first:
            from octad.lifecycle import reading_room  # noqa: PLC0415 - opens an engine

            reading_room.admit(ledger, loaded, unread=unread, now=now or datetime.now(UTC))

        def history_of(inputs: Inputs) -> tuple[History, tuple[Deviation, ...]]:
            found = ledger.history(launch, record=record, digest=bound.digest, as_of=inputs.as_of)
            return found, bound.changed

        place = loaded.home.where("connection")
        with connect(loaded.plan.project, self.root, where=place) as engine:
            review, inputs = look_at(
                loaded,
                engine,
                history_of,
                digest=bound.digest,
                as_of=as_of,
                named=frozenset(r.user for r in _records(ledger, launch) if isinstance(r, Tagged)),
                progress=progress,
            )
        review = review.model_copy(update={"witness": witnessed(bound.witness)})
        if log_look:
            ledger.append(look_of(loaded.plan, review, inputs), now=now or datetime.now(UTC))
        return review, inputs

    def explain(self, launch: str, *, as_of: date | None = None) -> Explanation:
        """Say what a review would read and ask, without reading it; no look is logged.

        Raises:
            OctadError: When the files do not hold together.
        """
        from octad.lifecycle.explaining import explained  # noqa: PLC0415 - opens an engine

        return explained(self.root, launch, as_of=as_of)

    def room(
        self,
        launch: str,
        reader: str,
        *,
        count: int | None = None,
        now: datetime | None = None,
        progress: Progress | None = None,
    ) -> Room:
        """Enter the reading room of a launch: its timelines, and what this reader has tagged.

        Raises:
            OctadError: Without a reader's name, or without a timeline to read.
        """
        from octad.lifecycle import reading_room  # noqa: PLC0415 - opens an engine

        ledger = Ledger.open(self.root)
        ledger.must_be_writable()
        loaded = judged(load_plan(self.root, launch), ledger).loaded
        moment = now or datetime.now(UTC)
        return reading_room.enter(
            loaded, ledger, reader, now=moment, count=count, progress=progress
        )

    def tag(
        self,
        room: Room,
        user: str,
        tags: Sequence[str],
        note: str = "",
        *,
        now: datetime | None = None,
    ) -> Room:
        """Keep what a reader saw in one timeline.

        Raises:
            UsageError: For a user who is not in the room, or too many or too long words.
        """
        from octad.lifecycle import reading_room  # noqa: PLC0415 - opens an engine

        ledger = Ledger.open(self.root)
        return reading_room.tag(ledger, room, user, tags, note, now=now or datetime.now(UTC))

    def to_walk(
        self, launch: str, *, most: int = 20, progress: Progress | None = None
    ) -> Checklist:
        """What a launch's users do that the team never did, where most users live first.

        Raises:
            DataError: When no user of the launch did anything yet.
        """
        from octad.lifecycle import walking  # noqa: PLC0415 - opens an engine

        loaded = load_plan(self.root, launch)
        return walking.to_walk(loaded, Ledger.open(self.root), most=most, progress=progress)

    def log_walk(
        self,
        launch: str,
        steps: tuple[str, ...],
        *,
        who: str,
        note: str = "",
        now: datetime | None = None,
        progress: Progress | None = None,
    ) -> Walked:
        """Keep that the team went a way on purpose.

        Raises:
            OctadError: Without a name, for fewer than two steps, or for an unknown event.
        """
        from octad.lifecycle import walking  # noqa: PLC0415 - opens an engine

        loaded, ledger = load_plan(self.root, launch), Ledger.open(self.root)
        moment = now or datetime.now(UTC)
        return walking.log_walk(
            loaded, ledger, steps, who=who, now=moment, note=note, progress=progress
        )

    def plan(self, launch: str, progress: Progress | None = None) -> PlanReport:
        """Size a launch: what it could see, and how long it would take.

        Raises:
            OctadError: When the files or the data do not hold together.
        """
        from octad.lifecycle.sizing import size  # noqa: PLC0415 - opens an engine

        return size(load_plan(self.root, launch), progress)

    def seal(
        self, launch: str, *, now: datetime | None = None, newest: datetime | None = None
    ) -> Seal:
        """Freeze the plan and the charter in the ledger.

        Args:
            launch: The plan's name.
            now: The moment of sealing.
            newest: The newest event there is; looked up when absent.

        Raises:
            UsageError: When the very same plan is sealed already.
            LedgerError: When the ledger cannot be added to.
        """
        from octad.lifecycle import sealing  # noqa: PLC0415 - opens an engine

        return sealing.seal(self.root, launch, now=now or datetime.now(UTC), newest=newest)

    def witness(
        self,
        launch: str,
        *,
        answer: Path | None = None,
        authority: Path | None = None,
        now: datetime | None = None,
    ) -> Witness:
        """Record that somebody else vouches for a launch's seal: git, or a time stamp.

        Args:
            launch: The launch.
            answer: A time-stamping authority's answer; the git history is asked when absent.
            authority: The certificate to trust for that answer, as PEM.
            now: The moment of recording it.

        Raises:
            UsageError: When it is not sealed, or nobody vouches for it.
            FileError: When the answer does not vouch for it.
        """
        from octad.lifecycle import sealing  # noqa: PLC0415 - opens an engine

        moment = now or datetime.now(UTC)
        return sealing.add_witness(
            self.root, launch, now=moment, answer=answer, authority=authority
        )

    def request_stamp(self, launch: str, path: Path) -> Entry:
        """Write what a time-stamping authority is sent for a launch's seal."""
        from octad.lifecycle import sealing  # noqa: PLC0415 - opens an engine

        return sealing.write_request(self.root, launch, path)

    def seals(self) -> tuple[Vouched, ...]:
        """Every seal of the ledger, with who vouches for it."""
        from octad.lifecycle import sealing  # noqa: PLC0415 - opens an engine

        return sealing.vouched(self.root)

    def join(self, other: Path, *, now: datetime | None = None) -> Entry:
        """Join another branch's ledger to this one; see `octad.project.ledger.Ledger.join`."""
        return Ledger.open(self.root).join(other, now=now or datetime.now(UTC))

    def decide(
        self,
        launch: str,
        what: str,
        *,
        who: str,
        why: str,
        against: tuple[str, ...] = (),
        now: datetime | None = None,
    ) -> Decision:
        """Record who decided what, why, and against which reading.

        Raises:
            UsageError: When a reading is not one of the eight.
        """
        from octad.lifecycle.deciding import decided  # noqa: PLC0415 - as the others here

        moment, last = now or datetime.now(UTC), self.last_look(launch)
        return decided(self.root, launch, last, what, who=who, why=why, against=against, now=moment)

    def last_look(self, launch: str) -> Look | None:
        """The last look at a launch's numbers that the ledger holds."""
        looks = [e.record for e in Ledger.open(self.root).looks(launch)]
        last = looks[-1] if looks else None
        return last if isinstance(last, Look) else None

    def reflect(
        self, launch: str, *, now: datetime | None = None, progress: Progress | None = None
    ) -> tuple[Outcome, ...]:
        """Score the forecasts against what happened, and keep the scores.

        Raises:
            UsageError: When the launch has not ended, or nothing was forecast.
        """
        from octad.lifecycle.logged import outcomes_of  # noqa: PLC0415 - reckons, so scipy

        review = self.review(launch, progress=progress, now=now)
        ledger = Ledger.open(self.root)
        # The sealed forecasts are scored, not those that a file may say by now.
        loaded = judged(load_plan(self.root, launch), ledger).loaded
        known = _records(ledger, launch)
        outcomes = outcomes_of(loaded.plan, review)
        for outcome in outcomes:
            if outcome not in known:
                ledger.append(outcome, now=now or datetime.now(UTC))
        return outcomes

    def verify(self) -> Verification:
        """Prove the ledger whole, or name its first bad line."""
        return Ledger.open(self.root).verify()

    def entries(self) -> list[Entry]:
        """Every record of the ledger."""
        return Ledger.open(self.root).entries()


def _records(ledger: Ledger, launch: str) -> list[Record]:
    return [entry.record for entry in ledger.of(launch)]
