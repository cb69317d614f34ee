"""Lay out a month of reviews of four apps as a project, ChatGPT's search as the launch.

One CSV file is needed (`app_name`, `review`, `score`, `at`), of 8 October to 6 November 2024.

    python make_project.py DATA FOLDER
    octad --folder FOLDER review search
"""

from __future__ import annotations

import csv
import sys
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent


def make(data: Path, folder: Path) -> Path:
    """Write reviews.csv, octad.yml, topics.yml and the plan.

    Args:
        data: The folder with reviews.csv.
        folder: Where to; made if need be.

    Returns:
        The folder.
    """
    (folder / "launches").mkdir(parents=True, exist_ok=True)
    with (
        (data / "reviews.csv").open(encoding="utf-8", newline="") as file,
        (folder / "reviews.csv").open("w", encoding="utf-8", newline="") as out,
    ):
        table = csv.writer(out)
        table.writerow(["app", "on", "stars", "text"])
        for row in csv.DictReader(file):
            # The store's own names carry a slogan: "Discord - Talk, Play, Hang Out".
            app = row["app_name"].split(" - ")[0]
            day = datetime.strptime(row["at"], "%b %d, %Y").date()  # noqa: DTZ007, a day alone
            table.writerow([app, day, row["score"], row["review"]])
    for name in ("octad.yml", "topics.yml", "launches/search.yml"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Name the data and the folder to write: python make_project.py DATA FOLDER")
    try:
        sys.stdout.write(f"Written: {make(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
    except (OSError, KeyError, ValueError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
