"""What a seal freezes, as canonical JSON, and how two such records differ, in words.

Canonical JSON follows RFC 8785: keys sorted by their UTF-16 code units, no spaces, UTF-8, strings
with the fewest escapes, numbers as ECMAScript writes them. Any other implementation of the RFC
makes the same bytes, so anyone can check a digest without Octad.
"""

from __future__ import annotations

import hashlib
import json
import math
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from octad.model.base import Margin, parse_margin
from octad.model.plan import Plan
from octad.model.review import Deviation

__all__ = ["canonical", "differences", "direction", "plan_digest", "plan_record", "sha256"]

_SAFE = 2**53


def canonical(value: Any) -> bytes:
    """Canonical JSON, by RFC 8785.

    Args:
        value: None, booleans, numbers, text, and lists and dicts (with text keys) of them.

    Raises:
        ValueError: For numbers that JSON cannot carry exactly (not finite, or whole and beyond
            2**53), and text that is not Unicode.
        TypeError: For anything else.

    >>> canonical({"b": [1.0, 1e21, 0.002], "a": "é"}).decode()
    '{"a":"é","b":[1,1e+21,0.002]}'
    """
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(_text(item) for item in value) + "]"
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_text(key)}:{_text(value[key])}" for key in keys) + "}"
    msg = f"canonical JSON has no {type(value).__name__}"
    raise TypeError(msg)


def _number(value: float) -> str:
    """A number as ECMAScript's Number::toString writes it (RFC 8785, section 3.2.2.3)."""
    if isinstance(value, int):
        if abs(value) > _SAFE:
            msg = f"{value} is beyond what JSON carries exactly"
            raise ValueError(msg)
        return str(value)
    if not math.isfinite(value):
        msg = f"{value} cannot stand in JSON"
        raise ValueError(msg)
    if value == 0:
        return "0"
    # repr gives the shortest digits that come back to the same double, as ECMAScript asks.
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    figures = "".join(map(str, digits)).rstrip("0")
    point = int(exponent) + len(digits)  # the value is 0.figures times ten to the point
    minus, count = "-" * sign, len(figures)
    if count <= point <= 21:
        return minus + figures + "0" * (point - count)
    if 0 < point <= 21:
        return f"{minus}{figures[:point]}.{figures[point:]}"
    if -6 < point <= 0:
        return f"{minus}0.{'0' * -point}{figures}"
    mantissa = figures if count == 1 else f"{figures[0]}.{figures[1:]}"
    return f"{minus}{mantissa}e{point - 1:+d}"


def sha256(content: bytes) -> str:
    """SHA-256, in hex."""
    return hashlib.sha256(content).hexdigest()


def plan_record(plan: Plan) -> dict[str, Any]:
    """What a seal freezes: the launch, the charter, and the metrics the launch names.

    Where the data lie is not part of it: a table may move. What is empty and may be empty is left
    out, so that a key added to Octad later does not break old seals.
    """
    launch = plan.launch
    named = (*launch.metrics, *launch.controls, *(said.metric for said in launch.expects))
    return {
        "launch": _dump(launch),
        "charter": _dump(plan.project.charter),
        "metrics": {name: _dump(plan.metric(name)) for name in sorted(set(named))},
    }


def _dump(model: BaseModel) -> dict[str, Any]:
    full = model.model_dump(mode="json", exclude_none=True)
    said = model.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return _without_empty(full, said)


def _without_empty(full: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for key, value in full.items():
        if key not in said and (value is False or value in ("", [], {})):
            continue
        inner = said.get(key)
        kept[key] = (
            _without_empty(value, inner if isinstance(inner, dict) else {})
            if isinstance(value, dict)
            else value
        )
    return kept


def plan_digest(plan: Plan) -> str:
    """SHA-256 over the canonical JSON of `plan_record`: 64 hex digits."""
    return sha256(canonical(plan_record(plan)))


def differences(sealed: dict[str, Any], now: dict[str, Any]) -> list[Deviation]:
    """What was changed after sealing, key by key, in words.

    Args:
        sealed: The record in the seal.
        now: `plan_record` of today's files.

    >>> found = differences({"launch": {"kpi": "opens"}}, {"launch": {"kpi": "visits"}})
    >>> found[0].what, found[0].before, found[0].after
    ("kpi: 'opens' when sealed, 'visits' now", 'opens', 'visits')
    """
    return _differences((), sealed, now)


def _differences(place: tuple[str, ...], before: Any, after: Any) -> list[Deviation]:
    if before == after and type(before) is type(after):
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            deviation
            for key in dict.fromkeys((*before, *after))
            for deviation in _differences((*place, key), before.get(key), after.get(key))
        ]
    if isinstance(before, int | float) and isinstance(after, int | float) and before == after:
        return []
    if place[:1] == ("metrics",) and len(place) == 2 and (before is None or after is None):
        return []  # a metric is sealed with the launch that names it, and that line says so
    towards = direction(place, before, after)
    # The launch's own keys are what people know; "launch." before each says nothing.
    name = ".".join(place[1:] if place[:1] == ("launch",) and len(place) > 1 else place)
    if before is None:
        what = f"{name}: not set when sealed, {_quoted(after)} now"
    elif after is None:
        what = f"{name}: {_quoted(before)} when sealed, not set now"
    else:
        what = f"{name}: {_quoted(before)} when sealed, {_quoted(after)} now"
    what += f" ({towards})" if towards else ""
    return [Deviation(what=what, before=_plain(before), after=_plain(after), direction=towards)]


_LOWER_IS_LOOSER = frozenset({"level", "segment_error", "ratio_fails"})
_HIGHER_IS_LOOSER = frozenset({"guardrail_error"})
"""Of the rules, which way asks less of a launch before it ships; the others go neither way."""


def direction(place: tuple[str, ...], before: Any, after: Any) -> Literal["looser", "stricter", ""]:
    """Whether a change asks less or more of the launch; empty where neither can be said.

    A result, a guardrail or a line of the charter that is gone asks less, and so does a wider
    margin. Margins of different kinds (per cent, points, units) are not compared.

    >>> direction(("launch", "guardrails", "crashes"), "2%", "20%")
    'looser'
    >>> direction(("launch", "guardrails", "crashes"), None, "2%")
    'stricter'
    """
    promised = place[:2] in (
        ("launch", "results"),
        ("launch", "guardrails"),
        ("charter", "never"),
    )
    if promised and len(place) == 3:
        if before is None or after is None:
            return "looser" if after is None else "stricter"
        return _margins(before, after) if place[0] == "launch" else ""
    if promised and len(place) == 2 and (before is None or after is None):
        return "looser" if after is None else "stricter"
    rule = place[2] if place[:2] == ("launch", "rules") and len(place) == 3 else ""
    if rule and isinstance(before, int | float) and isinstance(after, int | float):
        if rule in _HIGHER_IS_LOOSER:
            return "looser" if after > before else "stricter"
        if rule in _LOWER_IS_LOOSER:
            return "looser" if after < before else "stricter"
    return ""


def _margins(before: object, after: object) -> Literal["looser", "stricter", ""]:
    one, two = parse_margin(before), parse_margin(after)
    if not (isinstance(one, Margin) and isinstance(two, Margin)) or one.kind != two.kind:
        return ""
    return "looser" if two.value > one.value else "stricter"


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _quoted(value: Any) -> str:
    return f"'{_plain(value)}'"
