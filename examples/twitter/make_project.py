"""Lay out a year of review counts as a project: Twitter's new owner as the launch.

One CSV file is needed (`app`, `n`, `date`): reviews a day of Twitter and nine rivals, June 2022 to
June 2023. Only how many is known, so each counted review becomes a row without stars or words. The
file's `rating` is left out: a review without a score seems to be counted in it as zero stars.

    python make_project.py DATA FOLDER
    octad --folder FOLDER review owner
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAMES = {
    "com.twitter.android": "Twitter",
    "org.joinmastodon.android": "Mastodon",
    "org.hiveinc.TheHive.android": "Hive",
    "com.truthsocial.android.app": "Truth Social",
    "com.gettr.gettr": "Gettr",
    "com.mewe": "MeWe",
    "com.vkontakte.android": "VK",
    "com.minds.mobile": "Minds",
    "counter.social.android": "CounterSocial",
    "xyz.blueskyweb.app": "Bluesky",
}


def make(data: Path, folder: Path) -> Path:
    """Write reviews.csv, octad.yml and the plan.

    Args:
        data: The folder with panel_daily.csv.
        folder: Where to; made if need be.

    Returns:
        The folder.
    """
    (folder / "launches").mkdir(parents=True, exist_ok=True)
    with (
        (data / "panel_daily.csv").open(encoding="utf-8", newline="") as file,
        (folder / "reviews.csv").open("w", encoding="utf-8", newline="") as out,
    ):
        table = csv.writer(out)
        table.writerow(["app", "on"])
        for row in csv.DictReader(file):
            table.writerows([[NAMES[row["app"]], row["date"]]] * int(float(row["n"])))
    for name in ("octad.yml", "launches/owner.yml"):
        (folder / name).write_bytes((HERE / name).read_bytes())
    return folder


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Name the data and the folder to write: python make_project.py DATA FOLDER")
    try:
        sys.stdout.write(f"Written: {make(Path(sys.argv[1]), Path(sys.argv[2]))}\n")
    except (OSError, KeyError, ValueError) as error:
        sys.exit(f"{type(error).__name__}: {error}")
