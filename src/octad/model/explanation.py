"""What a review will cost, before anything is read."""

from __future__ import annotations

from octad.model.base import Stored
from octad.model.review import QueryRecord

__all__ = ["Explanation", "SourcePlan", "StagePlan"]


class SourcePlan(Stored):
    """One source, as its files' own account describes it.

    Attributes:
        table: As `octad.yml` names it.
        kind: ``parquet``, ``csv``, ``json`` or ``table``.
        files: How many files; 0 for a table.
        files_kept: Of these, how many a look has read already that are as they were.
        rows: Rows that are left to read; None where only reading them would tell.
        rows_all: Rows in all files; None likewise.
        bytes: Expected bytes of the columns used, in the files left to read; of text, all of them.
        columns: The columns used.
        exact: Whether rows and bytes are the files' own account, and no estimate.
    """

    name: str
    table: str
    kind: str
    files: int = 0
    files_kept: int = 0
    rows: int | None = None
    rows_all: int | None = None
    bytes: int | None = None
    columns: tuple[str, ...] = ()
    exact: bool = True


class StagePlan(Stored):
    """One stage of the review to come.

    Attributes:
        rows: Rows it will read; None when it reads none, or nobody knows how many.
        of: The source it reads, when it reads one.
    """

    name: str
    rows: int | None = None
    of: str = ""


class Explanation(Stored):
    """A review that has not been made: its sources, stages and queries.

    Attributes:
        engine: What the data are read through.
        kept_from: The last day of the look that is kept; None without one.
        rows: Rows that will be read by all stages, as the review will report them; None when a
            source does not tell.
        queries: Digest to query; digests differ from the review's where a moment is written in.
        notes: What is not known, in sentences.
    """

    octad: str
    launch: str
    engine: str
    kept_from: str | None = None
    rows: int | None = None
    sources: tuple[SourcePlan, ...] = ()
    stages: tuple[StagePlan, ...] = ()
    queries: dict[str, QueryRecord] = {}
    notes: tuple[str, ...] = ()
