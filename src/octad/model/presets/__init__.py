"""Presets: how the exports of well-known tools are laid out. One small YAML file each."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationError
from ruamel.yaml import YAML

from octad.errors import UnknownNameError, Where, nearest
from octad.model.base import Stored

__all__ = ["Preset", "Role", "TablePreset", "load", "names"]


class Role(Stored):
    """Where a role's values are.

    Attributes:
        any_of: Columns or dotted paths; the first that the table has is used.
        coalesce: Whether to fall back to the later ones row by row, where the first is empty.
    """

    any_of: tuple[str, ...]
    coalesce: bool = False


def _role(value: Any) -> Any:
    if isinstance(value, str):
        return {"any_of": (value,)}
    if isinstance(value, list):
        return {"any_of": tuple(value)}
    if isinstance(value, dict) and set(value) == {"coalesce"}:
        return {"any_of": tuple(value["coalesce"]), "coalesce": True}
    return value


class TablePreset(Stored):
    """One table of an export.

    Attributes:
        roles: Our name (user, time, event …) to where it is.
        timezone: The zone of times that carry none.
        where: The rows that belong to this table.
        dedupe: Columns that together name a row once, as far as the file has them.
    """

    roles: dict[str, Annotated[Role, BeforeValidator(_role)]]
    timezone: str | None = None
    where: str | None = None
    dedupe: tuple[str, ...] = ()


class Preset(Stored):
    """A tool's export: what it is called, how to get it, and its tables by source name."""

    name: str
    title: str
    get: str
    notes: tuple[str, ...] = ()
    tables: dict[str, TablePreset]


@cache
def names() -> tuple[str, ...]:
    """The presets there are, in alphabetical order.

    >>> "plain" in names()
    True
    """
    folder = files(__package__)
    return tuple(sorted(f.name[:-4] for f in folder.iterdir() if f.name.endswith(".yml")))


@cache
def _read(name: str) -> Preset:
    text = (files(__package__) / f"{name}.yml").read_text(encoding="utf-8")
    try:
        return Preset.model_validate({"name": name, **YAML(typ="safe").load(text)})
    except ValidationError as error:
        msg = f"the preset '{name}' is not well formed: {error}"
        raise RuntimeError(msg) from error


def load(name: str, *, where: Where | None = None) -> Preset:
    """Read a preset.

    Raises:
        UnknownNameError: When there is none of that name; it says which is nearest.

    >>> load("plain").tables["units"].roles["arm"].any_of[0]
    'arm'
    """
    if name not in names():
        raise UnknownNameError(
            f"There is no preset '{name}'.", where=where, mend=nearest(name, names())
        )
    return _read(name)
