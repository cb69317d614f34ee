"""Making text of unknown origin harmless, wherever it is shown.

Reviews, event names and notes are written by strangers. `clean` takes out what a terminal or a
browser would obey instead of show: escape sequences, control characters, direction overrides,
invisible characters, stacks of combining marks. What is left is escaped by the face that shows
it: `html`, `markdown`, or `csv_cell`.
"""

from __future__ import annotations

import html as _html
import re

__all__ = ["LIMIT", "clean", "csv_cell", "html", "markdown"]

LIMIT = 2_000
"""Characters of one text that are shown; the rest is counted, not shown."""

# Whole sequences first, so that no "[31m" is left behind. An unterminated string sequence
# (OSC, DCS, APC, PM, SOS) loses only its introducer: what follows may be the text itself.
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]?"
)
_SPACE = re.compile(r"[\t\n\v\f\r\x1c-\x1f\x85\u00a0\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+")
_LINE = re.compile(r"[ ]*(?:\r\n|[\n\v\f\r\x85\u2028\u2029])")
_BLANK = re.compile(r"[\t\x1c-\x1f\u00a0\u2000-\u200a\u202f\u205f\u3000]+")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # C0 and C1 controls
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0e\ufeff\uffa0"
    r"\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff]"
)
# Joiners shape Persian, Indic scripts and emoji; between anything else they only hide.
_SHAPED = r"[\u0600-\U0001faff]"
_STRAY_JOINER = re.compile(rf"(?<!{_SHAPED})[\u200c\u200d]+|[\u200c\u200d]+(?!{_SHAPED})")
_MARK = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_MARKS = re.compile(rf"({_MARK}{{3}}){_MARK}+")
_RUN = re.compile(r" {2,}")
_INNER_RUN = re.compile(r"(?<=[^ \n]) {2,}")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_MARKDOWN = re.compile(r"([\\`*_\[\]|~$])")
_START = re.compile(r"^(\d{1,9})?([.)+-](?=\s|$)|#(?=[#\s]|$)|[=-](?=[=\s-]*$))")
_LINK = re.compile(r"(?i)\b(https?|ftp|www|mailto|xmpp)([:.])")


def clean(text: object, *, limit: int = LIMIT, lines: bool = False) -> str:
    r"""Take out all that would be obeyed instead of shown.

    Args:
        text: Anything; made a string first.
        limit: How many characters are kept. What is cut off a long one is counted
            in the text itself.
        lines: Whether line breaks stay; else they become spaces.

    Returns:
        Text without controls, direction overrides or invisible characters.

    >>> clean("\x1b[31mred\x1b[0m \u202eevil\u202c a\x00b")
    'red evil ab'
    >>> clean("one\ntwo"), clean("one\ntwo", lines=True)
    ('one two', 'one\ntwo')
    >>> clean("word " * 9, limit=10)
    'word word…'
    """
    raw = str(text)
    # Sequences and marks may be dropped from the front, so look a little further than the limit.
    out = _SEQUENCE.sub("", raw[: limit * 4 + 4096])
    out = _BLANK.sub(" ", _LINE.sub("\n", out)) if lines else _SPACE.sub(" ", out)
    out = _INVISIBLE.sub("", out)
    out = _MARKS.sub(r"\1", _STRAY_JOINER.sub("", out))
    out = _SURROGATE.sub("\ufffd", out)
    # Spaces at the start of a line may point at something in the line above.
    out = _INNER_RUN.sub(" ", out).strip("\n").rstrip() if lines else _RUN.sub(" ", out).strip()
    if len(out) > limit or len(raw) > limit * 4 + 4096:
        counted = f" ({len(raw):,} characters in all)" if limit >= 200 else ""
        return f"{out[:limit].rstrip()}…{counted}"
    return out


def html(text: object, *, limit: int = LIMIT) -> str:
    """Clean and escape for HTML, in text and in quoted attributes alike.

    >>> html('<script>alert("x")</script>')
    '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;'
    """
    return _html.escape(clean(text, limit=limit), quote=True)


def markdown(text: object, *, limit: int = LIMIT) -> str:
    r"""Clean and escape for one line or cell of Markdown: no markup, no HTML, no links.

    >>> markdown("[x](http://e.vil) <b> | 2*3")
    '\\[x\\](http\\://e.vil) &lt;b&gt; \\| 2\\*3'
    """
    out = clean(text, limit=limit).replace("&", "&amp;").replace("<", "\x00").replace(">", "\x01")
    out = _LINK.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", out))
    # What would begin a list or a heading, were it the first thing on a line.
    out = _START.sub(lambda match: f"{match[1] or ''}\\{match[2]}", out)
    return out.replace("\x00", "&lt;").replace("\x01", "&gt;").replace("@", "&#64;")


def csv_cell(value: object) -> object:
    """Keep a spreadsheet from running a cell; numbers stay numbers.

    >>> csv_cell("=cmd()"), csv_cell(-3.5), csv_cell("plain")
    ("'=cmd()", -3.5, 'plain')
    """
    if value is None or isinstance(value, int | float):
        return value
    out = clean(value)
    return f"'{out}" if out[:1] in {"=", "+", "-", "@", "|", "%"} else out
