"""A YAML file as an instance of a model, or one error that lists all that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from octad.model.base import Stored
from octad.project import traps
from octad.project.document import Document, Path_, read
from octad.project.explain import explain
from octad.project.problems import as_error

__all__ = ["Model", "validate", "validate_document"]

Model = TypeVar("Model", bound=Stored)


def validate(model: type[Model], path: Path) -> Model:
    """Read a YAML file as a model.

    Args:
        model: A frozen model that forbids unknown keys.
        path: The file.

    Raises:
        FileError: One, listing everything that is wrong: each with file, line and mend.
    """
    return validate_document(model, read(path))


def validate_document(model: type[Model], document: Document) -> Model:
    """The same, for a document that was read already.

    Raises:
        FileError: One, listing everything that is wrong: each with file, line and mend.
    """
    trapped = traps.find(model, document)
    try:
        instance = model.model_validate(document.data)
    except ValidationError as error:
        others = explain(model, error, document)
        # A trap is the cause; what pydantic says of the same place is its consequence.
        found = [problem for place, problem in others.items() if not _touches(place, trapped)]
        raise as_error([*trapped.values(), *found]) from None
    if trapped:
        raise as_error(list(trapped.values()))
    return instance


def _touches(place: Path_, trapped: Iterable[Path_]) -> bool:
    """Whether a place is one of those, or around one; the file as a whole is around none."""
    return bool(place) and any(trap[: len(place)] == place for trap in trapped)
