"""Lay out a bank's two apps as a project: what people wrote of the new one, beside the old one.

Two CSV files are needed, as `google-play-scraper` writes them (`content`, `score`, `at`):
`wondr_reviews.csv` and `bni_mobile_reviews.csv`. The two write dates differently.

    python make_project.py DATA FOLDER
    octad --folder FOLDER review nov25
"""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = {"wondr": "wondr_reviews.csv", "BNI Mobile Banking": "bni_mobile_reviews.csv"}


def when(text: str) -> datetime:
    """A time as either file writes it: `2024-11-25 21:51:33` or `11/25/2024 21:51`."""
    form = "%m/%d/%Y %H:%M" if "/" in text else "%Y-%m-%d %H:%M:%S"
    return datetime.strptime(text, form)  # noqa: DTZ007, the source names the zone


def make(data: Path, folder: Path) -> Path:
    """Write reviews.csv of both apps, octad.yml and the plan.

    Args:
        data: The folder with the two files.
        folder: Where to; made if need be.

    Returns:
        The folder.
    """
    (folder / "launches").mkdir(parents=True, exist_ok=True)
    with (folder / "reviews.csv").open("w", encoding="utf-8", newline="") as out:
        table = csv.writer(out)
        table.writerow(["app", "at", "stars", "text"])
        for app, name in FILES.items():
            with (data / name).open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    table.writerow([app, when(row["at"]), row["score"], row["content"]])
    for name in ("octad.yml", "launches/nov25.yml"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Name the data and the folder to write: python make_project.py DATA FOLDER")
    try:
        sys.stdout.write(f"Written: {make(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
    except (OSError, KeyError, ValueError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
