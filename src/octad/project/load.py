"""A project's files, loaded and checked against one another (never against the data)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from octad.errors import FileError, UnknownNameError, Where, nearest
from octad.model.plan import Launch, Plan, Project
from octad.model.topics import Topics
from octad.project.checks import launch_problems, project_problems
from octad.project.document import Document, read
from octad.project.problems import as_error, shown, tidy
from octad.project.yamlfile import validate_document

__all__ = [
    "LAUNCHES",
    "PROJECT_FILE",
    "TOPICS_FILE",
    "LoadedPlan",
    "LoadedProject",
    "find_root",
    "list_launches",
    "load_plan",
    "load_project",
]

PROJECT_FILE = "octad.yml"
LAUNCHES = "launches"
TOPICS_FILE = "topics.yml"


_LONGEST_NAME = 200
"""Bytes of a launch's name; file systems take 255, ending included."""


def _where(lines: dict[str, int], path: Path, key: str) -> Where:
    while key:
        if key in lines:
            return Where(shown(path), lines[key])
        key = key.rpartition(".")[0]
    return Where(shown(path))


@dataclass(frozen=True, slots=True)
class LoadedProject:
    """`octad.yml`, with the line of each of its keys.

    Attributes:
        root: The folder it lies in; paths in `sources` count from here.
        lines: Dotted key path to line, such as ``{"metrics.opens": 14}``.
        topics: What `topics.yml` says, if the project has one. It is no part of a plan: names of
            demands may be mended at any time, and no verdict rests on them.
    """

    project: Project
    path: Path
    lines: dict[str, int] = field(default_factory=dict, repr=False)
    topics: Topics = field(default_factory=Topics, repr=False)

    @property
    def root(self) -> Path:
        """The folder it lies in; paths in `sources` count from here."""
        return self.path.parent

    def where(self, key: str) -> Where:
        """File and line of a dotted key, or of the nearest key around it that is written."""
        return _where(self.lines, self.path, key)


@dataclass(frozen=True, slots=True)
class LoadedPlan:
    """A launch file and its project, with the line of each key.

    Attributes:
        plan: The launch with the project it belongs to.
        path: The launch's file; `lines` and `where` speak of it.
        home: The project, which has lines and a `where` of its own.
    """

    plan: Plan
    path: Path
    home: LoadedProject
    lines: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.home.root

    def where(self, key: str) -> Where:
        """File and line of a dotted key, or of the nearest key around it that is written."""
        return _where(self.lines, self.path, key)


def find_root(start: Path) -> Path:
    """The folder that holds `octad.yml`: `start`, or the nearest one above it.

    Raises:
        FileError: When there is none; it says how to begin.
    """
    here = start.resolve()
    if not here.exists():
        raise FileError(f"There is no folder {shown(start)}.", mend="Check how it is spelt.")
    for folder in (here, *here.parents):
        if (folder / PROJECT_FILE).is_file():
            return folder
        other = folder / "octad.yaml"
        if other.is_file():
            what = "Octad's project file is called octad.yml, and this one octad.yaml."
            raise FileError(what, where=Where(shown(other)), mend="Rename it to octad.yml.")
    what = f"There is no octad.yml in {here}, nor in any folder above it."
    raise FileError(what, mend="Go to the project's folder, or begin one here with `octad init`.")


def list_launches(root: Path) -> tuple[str, ...]:
    """The names of a project's launches, in the order of the alphabet."""
    return tuple(sorted(path.stem for path in (root / LAUNCHES).glob("*.yml") if path.is_file()))


def load_project(root: Path) -> LoadedProject:
    """Read `octad.yml`.

    Args:
        root: The folder it lies in.

    Raises:
        FileError: One, listing everything that is wrong with it.
    """
    document = read(root / PROJECT_FILE)
    project = validate_document(Project, document)
    problems = project_problems(project, document)
    if problems:
        raise as_error(problems)
    return LoadedProject(project, document.path, document.lines(), _topics(root))


def _topics(root: Path) -> Topics:
    path = root / TOPICS_FILE
    if path.is_file():
        return validate_document(Topics, read(path))
    other = path.with_suffix(".yaml")
    if other.is_file():
        what = "The file of demands is called topics.yml, and this one topics.yaml."
        raise FileError(what, where=Where(shown(other)), mend="Rename it to topics.yml.")
    return Topics()


def load_plan(root: Path, name: str) -> LoadedPlan:
    """Read a launch and the project it belongs to, and check each against the other.

    Args:
        root: The folder that holds `octad.yml`.
        name: The launch's name; its file, ``launches/NAME.yml``, is understood too.

    Raises:
        FileError: When a file is missing or wrong: one error that lists everything.
        UnknownNameError: When the launch names a metric, job or line that the project does not
            have: one error that lists them all, each with the nearest name.
    """
    home = load_project(root)
    document = _launch_document(root, name)
    launch = validate_document(Launch, document)
    unknown, problems = launch_problems(launch, home.project, document)
    if unknown and not problems:
        raise as_error(unknown, UnknownNameError)
    if problems:
        raise as_error([*unknown, *problems])
    plan = Plan(project=home.project, launch=launch)
    return LoadedPlan(plan, document.path, home, document.lines())


def _launch_document(root: Path, name: str) -> Document:
    given = Path(name)
    inside = given.parent == Path() or given.parent.parts[-1:] == (LAUNCHES,)
    stem = given.stem if given.suffix in (".yml", ".yaml") else given.name
    if not inside or stem in ("", ".", "..") or len(stem.encode()) > _LONGEST_NAME:
        what = f"'{tidy(name)}' is no launch's name."
        mend = "Name the file in launches/ without its ending, such as circles."
        raise FileError(what, mend=mend)
    path = root / LAUNCHES / f"{stem}.yml"
    if path.is_file():
        return read(path)
    other = path.with_suffix(".yaml")
    if other.is_file():
        what = "A launch's file ends in .yml, and this one in .yaml."
        raise FileError(what, where=Where(shown(other)), mend=f"Rename it to {stem}.yml.")
    launches = list_launches(root)
    stem = tidy(stem)
    what = f"There is no launch '{stem}': no file {shown(path)}."
    if not launches:
        mend = f"There are no launches yet; write {LAUNCHES}/{stem}.yml."
        raise FileError(what, mend=mend)
    raise FileError(what, mend=nearest(stem, launches))
