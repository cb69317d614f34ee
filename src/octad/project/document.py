"""A YAML file as plain values, with the line of every key and value.

The file is read event by event rather than through a loader, because a loader has already thrown
away what a good message needs: whether a word was quoted, how a number was written, where a key
stood. It also means that tags are never acted on and that aliases never grow.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from octad.errors import FileError, Where
from octad.project.problems import Problem, as_error, shown
from octad.project.syntax import syntax_problem

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Document", "Path_", "Scalar", "read"]

MAX_BYTES = 262_144
"""A plan is a page or two; at this size the file is data, not a plan."""
MAX_DEPTH = 16
"""The deepest file Octad understands has five levels."""

Path_ = tuple[str | int, ...]
"""Where a value stands: keys as written, list items by number."""

_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE"}
_FALSE = {"false", "False", "FALSE"}
_INT = re.compile(r"[-+]?[0-9]{1,300}\Z")
_BASED = re.compile(r"0o[0-7]{1,100}\Z|0x[0-9a-fA-F]{1,100}\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value as it was written.

    Attributes:
        text: The characters, without quotes.
        plain: Whether it stood there without quotes.
        value: What YAML 1.2 (core schema) reads it as.
    """

    text: str
    plain: bool
    value: str | int | float | bool | None

    @property
    def quoted(self) -> str:
        """The same text, as it is written when text is meant."""
        escaped = self.text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class Document:
    """A file that was read.

    Attributes:
        path: The file.
        data: Dicts (keys always text), lists, and scalars' values.
        scalars: Every single value as written, by where it stands.
        keys: Line of every key and list item, by where it stands, counted from 1.
        values: Line on which every value begins.
    """

    path: Path
    data: Any
    scalars: dict[Path_, Scalar] = field(default_factory=dict)
    keys: dict[Path_, int] = field(default_factory=dict)
    values: dict[Path_, int] = field(default_factory=dict)

    def where(self, place: Path_, *, value: bool = False) -> Where:
        """The file and line of a key (or of its value), or of the nearest thing around it."""
        scalar = self.scalars.get(place)
        # An empty value begins wherever the next thing stands; its key is where people look.
        table = self.values if value and scalar and scalar.value is not None else self.keys
        for size in range(len(place), -1, -1):
            line = table.get(place[:size])
            if line is not None:
                return Where(shown(self.path), line)
        return Where(shown(self.path))

    def lines(self) -> dict[str, int]:
        """Dotted key path to line: ``{"guardrails.crash_rate": 12}``."""
        return {".".join(map(str, place)): line for place, line in self.keys.items() if place}


def read(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        FileError: When it cannot be opened, is too large, is not UTF-8, is not YAML, or uses
            what plans may not: tags, anchors and aliases, duplicate keys, keys that are lists,
            several documents, not-a-number.
    """
    text = _text(path)
    reader = _Reader(path)
    try:
        reader.take(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        raise as_error([syntax_problem(error, path, text)]) from None
    except ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        code = error.character if isinstance(error.character, int) else ord(error.character)
        what = f"A character here (code {code}) cannot stand in YAML."
        mend = "Take it out; it is probably invisible, and came with a paste."
        raise FileError(what, where=Where(shown(path), line), mend=mend) from None
    except YAMLError as error:
        raise FileError(f"This is not YAML: {error}.", where=Where(shown(path))) from None
    if reader.problems:
        raise as_error(reader.problems)
    document = reader.document
    if document.data is None:
        what = "The file is empty."
        mend = "Fill it in; `octad init` in another folder writes one to begin from."
        raise FileError(what, where=Where(shown(path)), mend=mend)
    if not isinstance(document.data, dict):
        kind = "a list" if isinstance(document.data, list) else "a single value"
        what = f"The file holds {kind}, where keys with values are meant."
        mend = "Write one key a line, with a space after the colon, such as `product: Wallet`."
        raise FileError(what, where=document.where(()), mend=mend)
    return document


def _text(path: Path) -> str:
    where = Where(shown(path))
    try:
        with path.open("rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise FileError("There is no such file.", where=where) from None
    except IsADirectoryError:
        raise FileError("This is a folder, where a file is meant.", where=where) from None
    except OSError as error:
        what = f"The file cannot be opened ({error.strerror or error})."
        raise FileError(what, where=where, mend="Check its permissions.") from None
    if len(raw) > MAX_BYTES:
        what = f"The file is larger than {MAX_BYTES // 1024} KB, which no plan needs."
        mend = "Keep data in tables of their own, and name them under `sources`."
        raise FileError(what, where=where, mend=mend)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        what = "The file is saved as UTF-16."
        raise FileError(what, where=where, mend="Save it as UTF-8 (in the editor's 'Save as').")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        byte = raw[error.start]
        guess = bytes([byte]).decode("latin-1")
        letter = f", '{guess}' in Latin-1" if guess.isprintable() else ""
        what = f"A byte here (0x{byte:02X}{letter}) is not UTF-8."
        mend = "Save the file as UTF-8 (in the editor's 'Save as')."
        raise FileError(what, where=Where(shown(path), line), mend=mend) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


class _Stop(Exception):  # noqa: N818 - not an error: the rest of the file would only repeat it
    """Nothing sensible can be read after this."""


class _Reader:
    """Builds a `Document` out of parsing events, collecting what is wrong on the way."""

    def __init__(self, path: Path) -> None:
        self.problems: list[Problem] = []
        self.document = Document(path, None)

    def take(self, events: Iterator[Any]) -> None:
        documents = 0
        try:
            for event in events:
                if isinstance(event, DocumentStartEvent):
                    documents += 1
                    if event.version is not None and tuple(event.version) != (1, 2):
                        what = "The file asks for another YAML than 1.2, which Octad reads."
                        self._say(event, what, "Take the %YAML line out.")
                    if documents > 1:
                        self._say(event, "A second document begins here (---).", "Keep one a file.")
                        return
                elif isinstance(event, NodeEvent):
                    data = self._value(event, events, ())
                    self.document = replace(self.document, data=data)
        except _Stop:
            return

    def _say(self, event: Any, what: str, mend: str = "") -> None:
        line = event.start_mark.line + 1
        self.problems.append(Problem(what, Where(shown(self.document.path), line), mend))

    def _value(self, event: Any, events: Iterator[Any], place: Path_) -> Any:
        line = event.start_mark.line + 1
        self.document.keys.setdefault(place, line)
        self.document.values[place] = line
        self._refuse_magic(event)
        if isinstance(event, ScalarEvent):
            scalar = self._scalar(event)
            self.document.scalars[place] = scalar
            return scalar.value
        if len(place) >= MAX_DEPTH:
            self._say(event, f"The file is nested more than {MAX_DEPTH} levels deep.")
            raise _Stop
        if isinstance(event, SequenceStartEvent):
            return self._sequence(events, place)
        return self._mapping(events, place)

    def _refuse_magic(self, event: Any) -> None:
        if isinstance(event, AliasEvent):
            self._say(
                event,
                f"A bare *{event.anchor} refers to a YAML anchor, and plans take none.",
                f'If text is meant, such as a file pattern, put it in quotes: "*{event.anchor}".',
            )
            raise _Stop
        if event.anchor:
            self._say(
                event,
                f"A bare &{event.anchor} marks a YAML anchor, and plans take none.",
                "Write the value out where it is used; put text that begins with & in quotes.",
            )
            raise _Stop
        tag = getattr(event, "tag", None)
        if tag is not None and str(tag) not in {"!", "tag:yaml.org,2002:str"}:
            name = str(tag).replace("tag:yaml.org,2002:", "!!")
            self._say(
                event,
                f"{name} is a YAML tag, and plans take none.",
                "Take it out; put text that begins with ! in quotes.",
            )
            raise _Stop

    def _sequence(self, events: Iterator[Any], place: Path_) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._value(event, events, (*place, len(items))))
        return items

    def _mapping(self, events: Iterator[Any], place: Path_) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event)
            inner = (*place, key)
            if key in items:
                first = self.document.keys[inner]
                self._say(
                    event,
                    f"'{key}' is written twice, here and in line {first}.",
                    "Keep one of them.",
                )
            else:
                self.document.keys[inner] = event.start_mark.line + 1
            items[key] = self._value(next(events), events, inner)
        return items

    def _key(self, event: Any) -> str:
        self._refuse_magic(event)
        if not isinstance(event, ScalarEvent):
            what = "A key here is a list or a mapping of its own; keys are plain words."
            mend = "Text such as {name} must be in quotes."
            self._say(event, what, mend)
            raise _Stop
        if event.value == "":
            self._say(event, "A key is empty.", "Write a name before the colon.")
            raise _Stop
        if event.value == "<<" and event.style is None:
            self._say(event, "<< merges YAML anchors, and plans take none.", "Write the keys out.")
            raise _Stop
        return str(event.value)

    def _scalar(self, event: ScalarEvent) -> Scalar:
        text = str(event.value)
        plain = event.style is None or event.style == ""
        if not plain or str(event.tag or "") not in {"", "None"}:
            return Scalar(text, plain, text)
        if _NOT_FINITE.match(text):
            self._say(
                event,
                f"{text} is no number that can be reckoned with.",
                f'Write a number; or, if text is meant, put it in quotes: "{text}".',
            )
        return Scalar(text, plain, _resolve(text))


def _resolve(text: str) -> str | int | float | bool | None:
    """What YAML 1.2's core schema reads a bare word as."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if _FLOAT.match(text):
        number = float(text)
        return number if math.isfinite(number) else text
    return text
