"""Reviews and releases as arrays, up to the review's today."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np

from octad.data.connect import connect
from octad.data.gather import gather
from octad.model.inputs import Inputs
from octad.model.needs import Needs
from octad.model.plan import Launch, Plan, Project

REVIEWS = """\
app,at,score,head,body,who,gone
Wallet,2026-03-01 10:00,5,Good,"<script>x</script>",Ann,false
Wallet,2026-03-02,,,only a body,,
Other,2026-03-03,1,Only a title,,Bob,true
Wallet,2026-03-09,2,,later,Ann,false
"""
RELEASES = "app,at,v,notes\nWallet,2026-03-01,1.2,New\nOther,2026-03-09,7,Later\n"


def _gather(root: Path, as_of: date | None = None) -> Inputs:
    (root / "reviews.csv").write_text(REVIEWS, encoding="utf-8")
    (root / "releases.csv").write_text(RELEASES, encoding="utf-8")
    roles = {"product": "app", "time": "at"}
    words = {"rating": "score", "title": "head", "text": "body", "author": "who"}
    sources = {
        "reviews": {"table": "reviews.csv", **roles, **words, "deleted": "gone"},
        "releases": {"table": "releases.csv", **roles, "version": "v", "notes": "notes"},
    }
    project = Project.model_validate({"product": "Wallet", "sources": sources})
    launch = Launch.model_validate({"launch": "x", "design": {"everyone": "2026-03-01"}})
    with connect(project, root) as engine:
        needs = Needs(reviews=True, releases=True)
        return gather(engine, Plan(project=project, launch=launch), needs, as_of=as_of)


def test_reviews_are_read_whole_and_in_time(tmp_path: Path) -> None:
    reviews = _gather(tmp_path).reviews
    assert reviews is not None
    assert reviews.text.tolist() == [
        "Good\n<script>x</script>",
        "only a body",
        "Only a title",
        "later",
    ]
    assert reviews.ours.tolist() == [True, True, False, True]
    np.testing.assert_array_equal(reviews.rating, [5, np.nan, 1, 2])
    assert reviews.deleted.tolist() == [False, False, True, False]
    assert reviews.time[0] == np.datetime64("2026-03-01T10:00:00")


def test_authors_are_hashed_and_the_same_author_stays_the_same(tmp_path: Path) -> None:
    reviews = _gather(tmp_path).reviews
    assert reviews is not None
    ann, nobody, bob, again = reviews.author.tolist()
    assert ann == again != bob
    assert nobody == ""
    assert "Ann" not in ann


def test_as_of_hides_later_reviews_and_releases(tmp_path: Path) -> None:
    inputs = _gather(tmp_path, as_of=date(2026, 3, 3))
    assert inputs.reviews is not None
    assert inputs.releases is not None
    assert len(inputs.reviews.text) == 3
    assert inputs.releases.product.tolist() == ["Wallet"]
    assert inputs.releases.ours.tolist() == [True]
