"""What a model expects at a place in a file: which keys, which kind of value."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from octad.model.metric import METRIC_KINDS

__all__ = ["best", "choices", "fields", "inner", "is_metric", "models", "resolve"]

Model = type[BaseModel]


def choices(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of an annotation, with `Annotated` and `None` taken off.

    >>> choices(Annotated[int | str | None, "…"])
    (<class 'int'>, <class 'str'>)
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        return choices(get_args(annotation)[0])
    if origin in (Union, UnionType):
        found = (choice for part in get_args(annotation) for choice in choices(part))
        return tuple(dict.fromkeys(found))
    return () if annotation in (None, NoneType) else (annotation,)


def models(annotation: Any) -> tuple[Model, ...]:
    """The models among an annotation's alternatives."""
    return tuple(c for c in choices(annotation) if isinstance(c, type) and issubclass(c, BaseModel))


def fields(model: Model) -> dict[str, Any]:
    """Key to annotation."""
    return {name: info.annotation for name, info in model.model_fields.items()}


def is_metric(model: Model) -> bool:
    """Whether a model is one of the kinds of metric."""
    return model in METRIC_KINDS.values()


def best(candidates: Iterable[Model], data: Any) -> Model | None:
    """The model that a mapping was meant to be, judged by its keys, misspelt ones included."""
    keys = [str(key) for key in data] if isinstance(data, dict) else []

    def fit(model: Model) -> tuple[int, int, float]:
        wanted = {name for name, info in model.model_fields.items() if info.is_required()}
        known = set(model.model_fields)
        likeness = [
            difflib.SequenceMatcher(None, key.lower(), name).ratio()
            for key in keys
            for name in wanted
        ]
        return (
            len(wanted.intersection(keys)),
            len(known.intersection(keys)),
            max(likeness, default=0.0),
        )

    return max(candidates, key=fit, default=None)


def inner(annotation: Any, step: str | int, data: Any) -> Any:
    """What is expected one step further in: under a key, or at a place in a list.

    Returns:
        An annotation, or None where the model expects nothing.
    """
    found = models(annotation)
    model = best(found, data) if len(found) > 1 else next(iter(found), None)
    if model is not None:
        return fields(model).get(str(step))
    for choice in choices(annotation):
        origin, arguments = get_origin(choice), get_args(choice)
        if origin is dict:
            return arguments[1]
        if origin in (tuple, list):
            if arguments[-1] is Ellipsis or len(arguments) == 1:
                return arguments[0]
            if isinstance(step, int) and step < len(arguments):
                return arguments[step]
    return None


def resolve(
    model: Model, loc: tuple[str | int, ...], data: Any
) -> tuple[tuple[str | int, ...], Model | None, str]:
    """Turn pydantic's location into a place in the file.

    Pydantic puts the name of a union's member between the keys; the file has no such step.

    Returns:
        The place; the model whose key the last step is, if it is one; and the union's member that
        the last step is in, or an empty text.
    """
    place: tuple[str | int, ...] = ()
    annotation: Any = model
    parent: Model | None = None
    member, value = "", data
    for step in loc:
        found = models(annotation)
        names = {m.__name__: m for m in found}
        if len(choices(annotation)) > 1 and found:
            if is_metric(found[0]):
                names = {k: m for k, m in METRIC_KINDS.items() if m in found}
            if step in names or str(step).startswith("literal["):
                member = str(step)
                annotation = names.get(member, Literal["experiment"])
                continue
        parent = found[0] if found else None
        annotation = inner(annotation, step, value)
        place = (*place, step)
        value = _at(value, step)
    return place, parent, member


def _at(value: Any, step: str | int) -> Any:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None
