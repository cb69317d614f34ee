"""``python -m benchmarks.verdicts``: review worlds of known truth, and print how often it is right.

Worlds are kept in .worlds/, a file for each version of the code: a run that was stopped goes on
where it was, and several calls add up. The table counts the worlds that the call asks for.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import islice
from pathlib import Path

from benchmarks.verdicts.book import HOME, Book
from benchmarks.verdicts.page import write_page
from benchmarks.verdicts.run import Case, Run, run
from benchmarks.verdicts.show import text
from benchmarks.verdicts.tally import count
from octad import worlds
from octad.errors import UsageError, nearest
from octad.worlds.launches import STRENGTHS

KINDS = {kind.name: kind for kind in worlds.kinds()}
FIRST = 101
"""The readings were developed on variants 1 to 20; what is reported are others."""


def _words(said: str) -> list[str]:
    return [word for part in said.split(",") if (word := part.strip())]


def parser() -> argparse.ArgumentParser:
    """What a call may say."""
    made = argparse.ArgumentParser(prog="make worlds ARGS='…'", description=__doc__)
    made.add_argument("--kinds", type=_words, default=list(KINDS), help="comma between")
    made.add_argument("--strengths", type=_words, default=[], help="all where none is named")
    made.add_argument("--users", type=_words, default=["20000"], help="sizes, comma between")
    made.add_argument("--seeds", type=int, default=2, help="how many variants of each")
    made.add_argument("--first", type=int, default=FIRST, help="the number of the first of them")
    made.add_argument("--looks", action="store_true", help="look every week too: days till right")
    made.add_argument("--only-wrong", action="store_true", help="print only the wrong ones")
    made.add_argument("--json", action="store_true", help="print the same figures as JSON")
    made.add_argument("--page", action="store_true", help="write docs/worlds.md from the figures")
    made.add_argument("--note", default="", help="a sentence for the page: in what company it ran")
    made.add_argument("--minutes", type=float, help="begin no world after so many minutes")
    made.add_argument("--processes", type=int, default=2, help="worlds at a time")
    made.add_argument("--home", type=Path, default=HOME, help="where the worlds' books lie")
    return made


def asked_for(asked: argparse.Namespace) -> list[Case]:
    """The worlds of a call, variant by variant, so that a call cut short has seen every kind.

    Raises:
        UsageError: For a kind or a strength that there is none of.
    """
    for name in asked.kinds:
        if name not in KINDS:
            raise UsageError(f"there is no world '{name}'.", mend=nearest(name, KINDS))
    for strength in asked.strengths:
        if strength not in STRENGTHS:
            mend = nearest(strength, STRENGTHS)
            raise UsageError(f"there is no strength '{strength}'.", mend=mend)
    return [
        Case.variant(name, strength, int(users), number)
        for number in range(asked.first, asked.first + asked.seeds)
        for users in asked.users
        for strength in asked.strengths or STRENGTHS
        for name in asked.kinds
        if strength in KINDS[name].strengths
    ]


def measure(
    cases: Sequence[Case], book: Book, *, looks: bool, processes: int, minutes: float | None
) -> None:
    """Run what the book lacks, and tell of each on standard error."""
    lacking = [case for case in cases if book.lacks(case, looks=looks)]
    began = time.monotonic()
    for i, made in enumerate(_made(lacking, looks, processes, began, minutes), 1):
        book.add(made)
        word = "right" if made.is_right else f"WRONG, right is {' or '.join(made.right)}"
        world = f"{made.case.kind} {made.case.strength} {made.case.users} #{made.case.number}"
        told = f"{i}/{len(lacking)} {time.monotonic() - began:4.0f} s  {world}: {made.verdict}"
        print(f"{told} ({word})", file=sys.stderr, flush=True)


def _made(
    cases: Sequence[Case], looks: bool, processes: int, began: float, minutes: float | None
) -> Iterable[Run]:
    """Run worlds, a few at a time, until they are done or the time is up."""

    def late() -> bool:
        return minutes is not None and time.monotonic() - began > 60 * minutes

    if processes <= 1 or len(cases) <= 1:
        for case in cases:
            if late():
                return
            yield run(case, looks=looks)
        return
    # Each world is a process's whole work, so its libraries need no threads of their own.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        todo = iter(cases)
        running = {pool.submit(run, case, looks=looks) for case in islice(todo, processes)}
        while running:
            done = next(as_completed(running))
            running.discard(done)
            following = None if late() else next(todo, None)
            if following is not None:
                running.add(pool.submit(run, following, looks=looks))
            yield done.result()


def main(words: list[str] | None = None) -> int:
    """Run it.

    Returns:
        0, whether or not targets are met: the table says that. 2 for an unknown kind or strength.
    """
    asked = parser().parse_args(words)
    try:
        cases = asked_for(asked)
    except UsageError as error:
        parser().error(str(error))
    book = Book.open(asked.home)
    measure(cases, book, looks=asked.looks, processes=asked.processes, minutes=asked.minutes)
    runs = [book.runs[case] for case in cases if case in book.runs]
    if not runs:
        print("No world was run.", file=sys.stderr)
        return 0
    tally = count(sorted(runs, key=lambda r: asked.kinds.index(r.case.kind)))
    if asked.page:
        write_page(tally, runs, asked.note)
    if asked.json:
        print(json.dumps(tally.as_dict(), indent=2, ensure_ascii=False))
    else:
        print(text(tally, only_wrong=asked.only_wrong))
    return 0


if __name__ == "__main__":
    sys.exit(main())
