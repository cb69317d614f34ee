"""A YAML file as an instance of a model, or one error that lists all that is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from octad.model.base import Stored
from octad.project import traps
from octad.project.document import Document, read
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
    problems = traps.find(model, document)
    try:
        instance = model.model_validate(document.data)
    except ValidationError as error:
        said = {(problem.where.file, problem.where.line) for problem in problems}
        # A trap on a line is the cause; what pydantic then says of that line is its consequence.
        problems += [
            problem
            for problem in explain(model, error, document)
            if (problem.where.file, problem.where.line) not in said
        ]
        raise as_error(problems) from None
    if problems:
        raise as_error(problems)
    return instance
