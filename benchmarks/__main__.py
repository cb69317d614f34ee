"""``python -m benchmarks``: measure, print one table, write benchmarks/latest.json."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.rows import ROWS, Bench
from benchmarks.table import Row, as_text, write
from benchmarks.world import HOME

LATEST = Path(__file__).resolve().parent / "latest.json"


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "only",
        nargs="*",
        metavar="ROW",
        help=f"the rows to measure, of {', '.join(ROWS)}; all when none is named",
    )
    events = int(os.environ.get("BENCH_EVENTS", "20000000"))
    parser.add_argument("--events", type=int, default=events, help="how many (BENCH_EVENTS)")
    parser.add_argument("--repeats", type=int, default=3, help="of what takes under a minute")
    parser.add_argument("--worlds", type=int, default=300, help="simulated launches for coverage")
    parser.add_argument("--home", type=Path, default=HOME, help="the folder of the data")
    parser.add_argument("--out", type=Path, default=LATEST, help="where the JSON goes")
    return parser


def main(words: list[str] | None = None) -> int:
    """Run it.

    Returns:
        0, whether or not targets are met: the table says that. 2 for an unknown row.
    """
    parser = _arguments()
    asked = parser.parse_args(words)
    # make hands over `only=NAME` as people write it there.
    only = [name.removeprefix("only=") for name in asked.only]
    unknown = [name for name in only if name not in ROWS]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(ROWS)}")
    bench = Bench(asked.events, home=asked.home, repeats=asked.repeats, worlds=asked.worlds)
    rows: list[Row] = []
    try:
        for name, make in ROWS.items():
            if not only or name in only:
                rows += make(bench)
    finally:
        bench.close()
    print(as_text(rows))
    write(rows, asked.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
