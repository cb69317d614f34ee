"""Files on disk: finding them, telling their kind, and their text as UTF-8."""

from __future__ import annotations

import codecs
import glob
import gzip
import os
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from octad.errors import DataError, UnknownNameError, Where, nearest

__all__ = [
    "Text",
    "find",
    "hint",
    "is_packed",
    "kind_of",
    "matches",
    "open_bytes",
    "sniff",
    "write_utf8",
]

_KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".tab": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".duckdb": "duckdb",
    ".ddb": "duckdb",
}
_PACKED = {".gz", ".zst", ".gzip"}


@dataclass(frozen=True, slots=True)
class Text:
    """What a text file is written in.

    Attributes:
        encoding: A Python codec's name.
        plain: Whether it is UTF-8 (with or without a byte-order mark), which engines read.
        note: What was found, in words; empty for plain UTF-8.
    """

    encoding: str
    plain: bool
    note: str = ""


def kind_of(path: Path) -> str | None:
    """``csv``, ``parquet``, ``json`` or ``duckdb``, by the name; None when the name says none.

    >>> kind_of(Path("a.jsonl.gz")), kind_of(Path("b.parquet.zst")), kind_of(Path("c"))
    ('json', 'parquet', None)
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    while suffixes and suffixes[-1] in _PACKED:
        suffixes.pop()
    return _KINDS.get(suffixes[-1]) if suffixes else None


def matches(root: Path, table: str) -> list[Path]:
    """The files a `table:` names: one path or a glob from the project's folder, sorted."""
    # glob and not Path.glob: a table may be absolute, and a folder may have brackets in its name.
    pattern = table if os.path.isabs(table) else os.path.join(glob.escape(str(root)), table)  # noqa: PTH117, PTH118
    plain = Path(table) if os.path.isabs(table) else root / table  # noqa: PTH117
    if plain.is_file():
        return [plain]
    if plain.is_dir():
        return sorted(p for p in plain.rglob("*") if p.is_file() and kind_of(p))
    return sorted(
        Path(found)
        for found in glob.glob(pattern, recursive=True)  # noqa: PTH207
        if Path(found).is_file()
    )


def hint(root: Path, table: str) -> str:
    """What files are near a path that was not found."""
    folder = root / Path(table).parent
    while not folder.is_dir() and folder not in {root, folder.parent}:
        folder = folder.parent
    if any(mark in str(folder) for mark in "*?["):
        folder = root
    if not folder.is_dir():
        return "The path starts at the folder of octad.yml."
    here = sorted(
        str(p.relative_to(root)) if p.is_relative_to(root) else str(p)
        for p in folder.iterdir()
        if p.is_file() and kind_of(p)
    )
    if not here:
        return f"There are no data files in {folder.name or folder}/."
    return nearest(table, here)


def find(root: Path, table: str, where: Where | None) -> list[Path]:
    """The files of a source.

    Raises:
        UnknownNameError: When there are none; says which files lie near.
    """
    found = matches(root, table)
    if not found:
        raise UnknownNameError(f"There is no file '{table}'.", where=where, mend=hint(root, table))
    return found


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", True),
    (codecs.BOM_UTF32_LE, "utf-32", False),
    (codecs.BOM_UTF16_LE, "utf-16", False),
    (codecs.BOM_UTF16_BE, "utf-16", False),
)
_BLOCK = 1 << 20


def is_packed(path: Path) -> bool:
    """Whether a file is gzipped, whatever its name says."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def open_bytes(path: Path) -> IO[bytes]:
    """A file's bytes, unpacked when it is gzipped."""
    return cast("IO[bytes]", gzip.open(path, "rb")) if is_packed(path) else path.open("rb")


def _check_packing(path: Path) -> None:
    """Refuse a packed file that was cut short or is none.

    Raises:
        DataError: When it cannot be unpacked to its end.
    """
    if not is_packed(path):
        return
    try:
        with open_bytes(path) as file:
            while file.read(1 << 22):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(
            f"{path.name} cannot be unpacked: it was cut short, or is not gzipped.",
            mend="Copy or export it again.",
        ) from error


def sniff(path: Path) -> Text:
    """Tell a text file's encoding: by its mark, else UTF-8, GB 18030 or Windows Latin.

    The whole file is decoded, for a single Latin byte may be its last. A file that is UTF-8 but
    for a few bytes stays UTF-8: those bytes alone are read as Windows Latin.

    Raises:
        DataError: When it holds zero bytes as no text does.
    """
    _check_packing(path)
    with open_bytes(path) as file:
        head = file.read(4)
    for mark, encoding, plain in _MARKS:
        if head.startswith(mark):
            note = "" if plain else f"{path.name} is {encoding.upper()}; read as such"
            return Text(encoding, plain, note)
    seen = _census(path)
    if seen.zeros:
        raise DataError(
            f"{path.name} is no text: it holds zero bytes.",
            mend="Was it packed, renamed, or cut short while it was copied? Export it as UTF-8.",
        )
    if not seen.bad:
        return Text("utf-8", plain=True)
    if seen.bad * 4 < seen.good:
        note = f"{path.name} is UTF-8 but for {seen.bad} bytes, which are read as Windows Latin"
        return Text("octad-mixed", plain=False, note=note)
    if seen.paired > 0.6 * seen.bad and _decodes(path, "gb18030"):
        return Text("gb18030", plain=False, note=f"{path.name} is GB 18030 (Chinese); read as such")
    if not seen.good:
        return Text("cp1252", plain=False, note=f"{path.name} is Windows Latin; read as such")
    note = f"{path.name} mixes UTF-8 and Windows Latin ({seen.bad} bytes); both are read"
    return Text("octad-mixed", plain=False, note=note)


@dataclass(slots=True)
class _Census:
    """Bytes above ASCII that are UTF-8, that are not, of these in pairs; and zero bytes."""

    good: int = 0
    bad: int = 0
    paired: int = 0
    zeros: int = 0


_HIGH = bytes(range(128, 256))
_LOST = re.compile("[\udc80-\udcff]+")


def _census(path: Path) -> _Census:
    seen = _Census()
    pending = b""
    with open_bytes(path) as file:
        while block := file.read(_BLOCK):
            seen.zeros += block.count(0)
            data = pending + block
            pending = b""
            if data.isascii():
                continue
            tail = _unfinished(data)
            if tail:
                data, pending = data[:-tail], data[-tail:]
            high = len(data) - len(data.translate(None, delete=_HIGH))
            try:
                data.decode("utf-8")
                lost: list[str] = []
            except UnicodeDecodeError:
                lost = _LOST.findall(data.decode("utf-8", "surrogateescape"))
            bad = sum(map(len, lost))
            seen.bad += bad
            seen.good += high - bad
            seen.paired += sum(len(run) for run in lost if len(run) > 1)
    seen.bad += len(pending)
    return seen


def _unfinished(data: bytes) -> int:
    """How many bytes at the end begin a UTF-8 character that is not all there."""
    for back in (1, 2, 3):
        byte = data[-back] if back <= len(data) else 0
        if byte >= 0xC0:
            size = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if size > back else 0
        if byte < 0x80:
            return 0
    return 0


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with open_bytes(path) as file:
            while block := file.read(_BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _mend(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    lost = error.object[error.start : error.end]
    return lost.decode("cp1252", "replace"), error.end


codecs.register_error("octad-cp1252", _mend)


def write_utf8(path: Path, text: Text, target: Path) -> None:
    """Write a text file anew as UTF-8, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    mixed = text.encoding == "octad-mixed"
    encoding = "utf-8" if mixed else text.encoding
    decoder = codecs.getincrementaldecoder(encoding)("octad-cp1252" if mixed else "replace")
    try:
        with open_bytes(path) as source, partial.open("wb") as sink:
            while block := source.read(_BLOCK):
                sink.write(decoder.decode(block).encode("utf-8", "replace"))
            sink.write(decoder.decode(b"", final=True).encode("utf-8", "replace"))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
