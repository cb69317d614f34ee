"""The docs say what the code does: every key, every row of the table, every command."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from octad.data.patterns import PATTERNS
from octad.lifecycle.verdict import table_markdown
from octad.model.metric import METRIC_KINDS
from octad.model.plan import (
    Charter,
    EventSource,
    ExposureSource,
    Job,
    Launch,
    Project,
    ReleaseSource,
    ReviewSource,
    Rules,
    Sources,
    UnitSource,
    UserSource,
)
from octad.model.topics import Topics

ROOT = Path(__file__).resolve().parents[2]


def _page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_verdict_page_shows_the_table_of_the_code() -> None:
    assert table_markdown() in _page("docs/verdict.md")


def _keys() -> set[str]:
    models: list[type[BaseModel]] = [Project, Charter, Job, Launch, Rules, *METRIC_KINDS.values()]
    models += [
        EventSource,
        ExposureSource,
        ReleaseSource,
        ReviewSource,
        Topics,
        UnitSource,
        UserSource,
    ]
    return {key for model in models for key in model.model_fields} | set(Sources.model_fields)


@pytest.mark.parametrize("key", sorted(_keys()))
def test_the_page_of_files_names_every_key(key: str) -> None:
    page = _page("docs/files.md")
    assert re.search(rf"`[^`\n]*\b{key}\b[^`\n]*`", page), f"docs/files.md does not name '{key}'"


def test_the_pages_that_the_readme_points_to_are_there() -> None:
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", _page("README.md")):
        assert (ROOT / link).exists(), link


def test_the_page_of_the_users_seat_has_every_sign_with_its_rule() -> None:
    page = _page("docs/user.md")
    for name, rule in PATTERNS.items():
        assert f"| {name} | {rule} |" in page
