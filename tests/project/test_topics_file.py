from __future__ import annotations

from pathlib import Path

import pytest

from octad.errors import FileError
from octad.model.topics import Topics
from octad.project.load import load_project


def load(folder: Path, text: str | None, name: str = "topics.yml") -> Topics:
    (folder / "octad.yml").write_text("product: Wallet\nsources: {}\n", encoding="utf-8")
    if text is not None:
        (folder / name).write_text(text, encoding="utf-8")
    return load_project(folder).topics


def test_it_is_optional(tmp_path: Path) -> None:
    assert load(tmp_path, None) == Topics()


def test_a_person_pins_renames_and_merges(tmp_path: Path) -> None:
    text = "pin:\n  bills: [bill, 账单]\nrename:\n  speed: waits\nmerge:\n  a: signing in\n"
    assert load(tmp_path, text) == Topics(
        pin={"bills": ("bill", "账单")}, rename={"speed": "waits"}, merge={"a": ("signing in",)}
    )


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("pin:\n  a: [x]\n  b: []\n", 3, "'b' needs a name and at least one word"),
        ("pin:\n  a: [x]\nmrge: {}\n", 3, "Did you mean 'merge'?"),
        ("merge:\n  a: [x, y]\n  b: x\n", 1, "'x' is merged into two demands"),
        ("rename:\n  x: a\n  y: a\n", 1, "demands are renamed to 'a'"),
        ("rename:\n  a: 3\n", 2, "wants text"),
        ("pin: [a]\n", 1, "pin"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, text: str, line: int, says: str
) -> None:
    with pytest.raises(FileError) as caught:
        load(tmp_path, text)
    assert f"topics.yml:{line}" in str(caught.value)
    assert says in str(caught.value)


def test_another_ending_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"Rename it to topics\.yml"):
        load(tmp_path, "pin: {}\n", "topics.yaml")
