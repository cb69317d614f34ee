"""What YAML's scanner complains of, in a colleague's words."""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml.error import MarkedYAMLError

from octad.errors import Where
from octad.project.problems import Problem, shown

__all__ = ["syntax_problem"]

_SYNTAX = (
    (
        r"found character '\\t'|found a tab character",
        "A tab stands where YAML wants spaces.",
        "Indent with spaces, two a level.",
    ),
    (
        r"mapping values are not allowed",
        "A colon stands where YAML does not expect one.",
        "Put text that holds ': ' in quotes; check that the line is indented like its neighbours.",
    ),
    (
        r"found character '(?P<c>[@`%|>])'",
        "Text that begins with {c} must be in quotes.",
        'Such as "{c}…".',
    ),
    (
        r"while scanning a block scalar",
        "Text that begins with > or | must be in quotes.",
        'Such as "> 10".',
    ),
    (
        r"while scanning an (anchor|alias)",
        "Text that begins with & or * must be in quotes.",
        'Such as "*.csv".',
    ),
    (
        r"found incompatible YAML document|directive|<document start>",
        "A line that begins with % is an instruction to YAML.",
        "Put text that begins with % in quotes.",
    ),
    (
        r"while scanning a quoted scalar",
        "A quote is opened and not closed.",
        "Close it; inside double quotes a backslash is written twice.",
    ),
    (
        r"found unknown escape character|escape sequence",
        "A backslash in double quotes begins an escape that YAML does not know.",
        "Use single quotes: 'data\\events.csv'.",
    ),
    (
        r"while parsing a flow mapping|while parsing a flow node",
        "A { is not closed, or a comma is missing inside it.",
        "Write {key: value, key: value}.",
    ),
    (
        r"while parsing a flow sequence",
        "A [ is not closed, or a comma is missing inside it.",
        "Write [one, two].",
    ),
    (
        r"could not find expected ':'|while scanning a simple key",
        "A line here has no colon after its key.",
        "Write `key: value`, with a space after the colon.",
    ),
    (
        r"sequence entries are not allowed",
        "A list item (- ) stands where YAML does not expect one.",
        "Begin the list on the next line, or write [one, two].",
    ),
    (
        r"expected <block end>, but found .<(scalar|anchor|alias|tag)>|but found .[,}\]]",
        "YAML cannot tell where the value on this line begins and ends.",
        "Put the whole value in quotes; inside single quotes an apostrophe is written twice.",
    ),
    (
        r"expected <block end>|while parsing a block",
        "The indentation does not fit the lines above.",
        "Begin keys of one level in the same column, and each list item with '- '.",
    ),
)


def syntax_problem(error: MarkedYAMLError, path: Path, text: str) -> Problem:
    """A scanner's complaint, in a colleague's words."""
    mark = error.problem_mark or error.context_mark
    opened = any(word in str(error.context) for word in ("flow", "quoted", "simple key"))
    if opened and error.context_mark is not None:
        mark = error.context_mark
    line = None if mark is None else int(mark.line) + 1
    where = Where(shown(path), line)
    said = f"{error.context or ''} {error.problem or ''}"
    written = text.split("\n")[line - 1] if line and line <= text.count("\n") + 1 else ""
    if re.match(r" *\t", written) and "quoted" not in said:
        return Problem(_SYNTAX[0][1], where, _SYNTAX[0][2])
    for pattern, what, mend in _SYNTAX:
        match = re.search(pattern, said)
        if match is not None:
            sign = match.groupdict().get("c", "")
            return Problem(what.replace("{c}", sign), where, mend.replace("{c}", sign))
    return Problem(f"This is not YAML: {said.strip()}.", where)
