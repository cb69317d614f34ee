"""What the ledger holds: one record for each thing that was promised, seen, decided or learnt.

Unlike a plan, a record tolerates keys it does not know: a ledger outlives the version of Octad
that wrote it, and an older one must still read what a newer one has added. The line itself is
never rewritten, so nothing is lost by it.
"""

from __future__ import annotations

import math
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, field_validator

__all__ = [
    "Chosen",
    "Decision",
    "Joined",
    "Lesson",
    "Look",
    "Outcome",
    "Record",
    "RecordBase",
    "Seal",
    "Tagged",
    "Unknown",
    "Unlocked",
    "Walked",
    "Witness",
    "read_record",
    "record_body",
]


class RecordBase(BaseModel):
    """A record: frozen, about one launch; unknown keys are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    launch: str


class Seal(RecordBase):
    """A plan was frozen.

    Attributes:
        plan_digest: SHA-256 over the canonical JSON of `record`.
        record: The launch, the charter and the metrics, as `plan_record` gives them.
        before_data: Whether no outcome of the launch was there yet; None when that is not known.
        newest: The newest event at sealing, if there were any.
        witness: What vouched for the moment when it was written, if anything did; what came later
            is a `Witness` of its own.
    """

    kind: Literal["seal"] = "seal"
    plan_digest: str
    record: dict[str, Any]
    before_data: bool | None = None
    newest: datetime | None = None
    signed: dict[str, str] = {}
    witness: str = ""


class Look(RecordBase):
    """The numbers were looked at.

    Attributes:
        as_of: The review's today; looking twice at the same data is one look.
        users: Users compared, over all arms.
        effects: Metric to its relative effect and standard error, such as ``(-0.031, 0.004)``.
        joint: Two metrics in alphabetical order and the covariance of their effects' errors, which
            come of the same users.
        deviations: What the review was done otherwise than sealed, in words.
        against: The readings that spoke against the launch.
        unread: The numbers were opened before the timelines were read.
    """

    kind: Literal["look"] = "look"
    plan_digest: str
    verdict: str
    as_of: datetime | None = None
    final: bool = False
    grade: str = ""
    users: int = 0
    kpi: str = ""
    effects: dict[str, tuple[float, float]] = {}
    joint: tuple[tuple[str, str, float], ...] = ()
    deviations: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    unread: bool = False

    @field_validator("effects", mode="after")
    @classmethod
    def _finite(cls, effects: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        # An effect that could not be reckoned teaches nothing later, and JSON has no NaN.
        return {name: e for name, e in effects.items() if all(map(math.isfinite, e))}


class Decision(RecordBase):
    """Somebody decided.

    Attributes:
        what: Such as ``ship`` or ``roll back``; free, because people decide what they decide.
        who: Role to name, or just names.
        verdict: What the review had said.
        against: The readings that the decision goes against, by name.
    """

    kind: Literal["decision"] = "decision"
    what: str
    who: str
    why: str
    verdict: str = ""
    against: tuple[str, ...] = ()


class Outcome(RecordBase):
    """A sealed forecast was scored.

    Attributes:
        sure: How sure the team was that it would come true.
        happened: 1.0 came true, 0.0 did not; between, when only a share of the interval says so.
        change: The forecast as it was written; `value` what was measured, relative.
    """

    kind: Literal["outcome"] = "outcome"
    metric: str
    sure: float = Field(ge=0, le=1)
    happened: float = Field(ge=0, le=1)
    change: str = ""
    value: float | None = None


class Chosen(RecordBase):
    """The timelines to be read, chosen before anybody read one: every reader reads the same.

    Attributes:
        users: Keyed hashes, in the order of reading.
        key: The first digits of a hash of the key, so that another machine's key is noticed.
    """

    kind: Literal["chosen"] = "chosen"
    users: tuple[str, ...]
    key: str = ""


class Tagged(RecordBase):
    """A timeline was read, and tagged. The user stands there only as a keyed hash."""

    kind: Literal["tag"] = "tag"
    user: str
    reader: str
    tags: tuple[str, ...] = ()
    note: str = ""


class Unlocked(RecordBase):
    """The numbers were unlocked: by reading, or without it (a deviation)."""

    kind: Literal["unlocked"] = "unlocked"
    read: int = 0
    unread: bool = False
    who: str = ""


class Walked(RecordBase):
    """The team went a way that its users go."""

    kind: Literal["walked"] = "walked"
    step: tuple[str, ...]
    who: str
    note: str = ""


class Lesson(RecordBase):
    """What a launch taught, for the next one that resembles it."""

    kind: Literal["lesson"] = "lesson"
    text: str
    who: str = ""
    on: date | None = None


class Witness(RecordBase):
    """Somebody else's word that a seal was there at a moment.

    Attributes:
        of: SHA-256 of the seal's line.
        how: ``git``: a commit that holds the line; ``rfc3161``: a time-stamping authority's token.
        at: The moment that is vouched for.
        by: The commit, or the authority as its certificate names it.
        token: The authority's answer, base64; `root` the certificate that was trusted, as PEM.
    """

    kind: Literal["witness"] = "witness"
    of: str
    how: Literal["git", "rfc3161"]
    at: datetime
    by: str
    token: str = ""
    root: str = ""


class Joined(RecordBase):
    """Another branch's lines were joined to this ledger, each as it was written.

    This record's own hash covers both heads: the line before it, and `head`.

    Attributes:
        base: SHA-256 of the last line that both have, 64 zeros when they have none; `seq` its
            number.
        head: SHA-256 of the other branch's last line.
        lines: The other branch's lines after `base`.
        name: Where they were read, such as the file's name.
    """

    launch: str = ""
    kind: Literal["joined"] = "joined"
    base: str
    seq: int
    head: str
    lines: tuple[str, ...]
    name: str = ""


class Unknown(RecordBase):
    """A record of a kind that this version does not know; its body is kept as it was."""

    launch: str = ""
    kind: str
    body: dict[str, Any] = {}


KINDS = {
    model.model_fields["kind"].default: model
    for model in (
        Seal,
        Look,
        Decision,
        Outcome,
        Chosen,
        Tagged,
        Unlocked,
        Walked,
        Lesson,
        Witness,
        Joined,
    )
}

Record = (
    Seal
    | Look
    | Decision
    | Outcome
    | Chosen
    | Tagged
    | Unlocked
    | Walked
    | Lesson
    | Witness
    | Joined
    | Unknown
)


def _kind(value: Any) -> str:
    kind = str(value["kind"] if isinstance(value, dict) else value.kind)
    return kind if kind in KINDS else "unknown"


_ADAPTER: TypeAdapter[Record] = TypeAdapter(
    Annotated[
        Annotated[Seal, Tag("seal")]
        | Annotated[Look, Tag("look")]
        | Annotated[Decision, Tag("decision")]
        | Annotated[Outcome, Tag("outcome")]
        | Annotated[Chosen, Tag("chosen")]
        | Annotated[Tagged, Tag("tag")]
        | Annotated[Unlocked, Tag("unlocked")]
        | Annotated[Walked, Tag("walked")]
        | Annotated[Lesson, Tag("lesson")]
        | Annotated[Witness, Tag("witness")]
        | Annotated[Joined, Tag("joined")]
        | Annotated[Unknown, Tag("unknown")],
        Discriminator(_kind),
    ]
)


def read_record(kind: str, body: dict[str, Any]) -> Record:
    """A record from a ledger's line.

    Raises:
        pydantic.ValidationError: When it is of a known kind and lacks what that kind needs.

    >>> read_record("hologram", {"launch": "circles", "x": 1}).kind
    'hologram'
    """
    if kind not in KINDS:
        launch = body.get("launch", "")
        return Unknown(kind=kind, launch=launch if isinstance(launch, str) else "", body=body)
    return _ADAPTER.validate_python({**body, "kind": kind})


def record_body(record: Record) -> dict[str, Any]:
    """What a ledger's line says of a record: everything but its kind."""
    if isinstance(record, Unknown):
        return record.body
    return record.model_dump(mode="json", exclude={"kind"}, exclude_none=True)
