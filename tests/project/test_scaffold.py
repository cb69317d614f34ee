from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from octad.errors import FileError, UnknownNameError, UsageError
from octad.model import presets
from octad.model.plan import Project
from octad.project.load import load_plan, load_project
from octad.project.scaffold import create
from octad.project.starter import project_text
from octad.project.yamlfile import validate


def files(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


@pytest.mark.parametrize("preset", presets.names())
def test_every_preset_begins_a_project_that_our_own_loader_reads(here: Path, preset: str) -> None:
    written = create(here / "new" / "wallet", preset, "Wallet")
    root = here / "new" / "wallet"
    assert files(root) == [".gitignore", "README.md", "launches/example.yml", "octad.yml"]
    assert sorted(path.relative_to(root).as_posix() for path in written) == files(root)
    loaded = load_plan(root, "example")
    assert loaded.plan.project.product == "Wallet"
    assert loaded.plan.launch.kpi in loaded.plan.project.metrics
    assert (root / ".gitignore").read_text().splitlines()[-1] == ".octad/"


@pytest.mark.parametrize("preset", presets.names())
def test_what_is_commented_out_is_valid_too(here: Path, preset: str) -> None:
    create(here, preset, "Wallet")
    text = (here / "octad.yml").read_text()
    opened = [
        line.replace("# ", "", 1) if line.startswith("  # ") and "table:" in line else line
        for line in text.splitlines()
    ]
    (here / "octad.yml").write_text("\n".join(opened))
    sources = load_project(here).project.sources
    assert all(getattr(sources, role) is not None for role in type(sources).model_fields)


@settings(max_examples=60, deadline=None)
@given(st.text(min_size=1, max_size=20))
def test_any_name_of_a_product_can_be_written(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    product = " ".join("".join(c if c.isprintable() else " " for c in name).split())
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_text(project_text(presets.load("plain"), product), encoding="utf-8")
    assert validate(Project, path).product == product


def test_a_name_with_a_colon_and_quotes(here: Path) -> None:
    create(here, "plain", ' My: "Wallet"\n # <b>\x07 ')
    assert load_project(here).project.product == 'My: "Wallet" # <b>'
    assert (
        (here / "README.md").read_text().startswith('# Launch reviews of My: "Wallet" \\# \\<b\\>')
    )


def test_nothing_is_written_over(here: Path) -> None:
    (here / "octad.yml").write_text("mine")
    with pytest.raises(FileError) as caught:
        create(here, "plain", "Wallet")
    assert str(caught.value) == (
        "octad.yml: There is octad.yml already, and nothing is written over. Choose another folder."
    )
    assert files(here) == ["octad.yml"]
    assert (here / "octad.yml").read_text() == "mine"


def test_a_readme_that_is_there_stays(here: Path) -> None:
    (here / "README.md").write_text("mine")
    written = create(here, "plain", "Wallet")
    assert (here / "README.md").read_text() == "mine"
    assert here / "README.md" not in written
    assert here / "octad.yml" in written


def test_an_unknown_preset_is_answered_with_the_nearest(here: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"Did you mean 'plain'\?"):
        create(here / "new", "plian", "Wallet")
    assert not (here / "new").exists()


def test_a_product_needs_a_name(here: Path) -> None:
    with pytest.raises(UsageError, match="The product has no name"):
        create(here / "new", "plain", " \n")


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", ["write_text", "hardlink_to"])
@pytest.mark.parametrize("after", [0, 2])
def test_all_or_nothing(
    here: Path, monkeypatch: pytest.MonkeyPatch, fault: BaseException, call: str, after: int
) -> None:
    real = getattr(Path, call)
    calls: list[Path] = []

    def failing(self: Path, *args: object, **kwargs: object) -> object:
        calls.append(self)
        if len(calls) > after:
            raise fault
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, call, failing)
    if call == "hardlink_to":
        monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises((FileError, KeyboardInterrupt)):
        create(here / "new" / "wallet", "plain", "Wallet")
    assert list(here.iterdir()) == []


def test_a_file_system_without_links_is_served(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    create(here, "plain", "Wallet")
    assert load_plan(here, "example").plan.launch.launch == "example"
    assert files(here) == [".gitignore", "README.md", "launches/example.yml", "octad.yml"]
