from __future__ import annotations

import re

from octad.faces.markdown import markdown
from tests.faces.sample import review, thin_review


def test_it_says_the_verdict_first() -> None:
    lines = markdown(review()).splitlines()
    assert lines[0] == "# circles: roll back"
    assert "Opens rose, payments fell" in markdown(review())[:300]


def test_every_table_row_has_its_columns() -> None:
    width = None
    for line in markdown(review()).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line))
        if line.startswith("|"):
            assert width in (None, cells), line
            width = cells
        else:
            width = None


def test_rows_that_only_a_note_tells_apart_are_told_apart() -> None:
    assert re.search(r"^\| .+ \(confirmed\) \|", markdown(review()), flags=re.M)


def test_hostile_texts_are_inert() -> None:
    made = markdown(review())
    outside = re.sub(r"```sql\n.*?\n```", "", made, flags=re.S)
    assert "<script" not in outside
    assert "<img" not in outside
    assert re.search(r"(?<!\\)\]\(", outside) is None
    assert "\x1b" not in made
    assert "\u202e" not in made
    assert len(made) < 60_000


def test_a_query_cannot_close_its_fence() -> None:
    made = review()
    query = made.queries["q1"].model_copy(update={"sql": "SELECT 1\n```\n# out\n````"})
    text = markdown(made.model_copy(update={"queries": {"q": query}}))
    assert "`````sql" in text


def test_the_least_review_can_be_written() -> None:
    assert "# empty: cannot tell" in markdown(thin_review())
