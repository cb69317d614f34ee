"""A review as JSON, and the schema that is promised for it."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

from octad.model.review import Review

__all__ = ["committed_schema", "json_text", "schema", "schema_text"]

# JSON escapes the C0 controls itself; these would still be obeyed by a terminal that shows it.
_OBEYED = re.compile(r"[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def json_text(review: Review) -> str:
    """Write a review as one JSON object.

    Keys come in the order of `octad.model.review.Review`, absent values are null, and numbers are
    not rounded. Characters that a terminal would obey are written as escapes, so that a program
    reads exactly what was stored and a person sees nothing odd.
    """
    text = review.model_dump_json(indent=2)
    return _OBEYED.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def schema() -> dict[str, Any]:
    """The JSON schema of a review, as the model has it now."""
    made = Review.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def schema_text() -> str:
    """The schema as it is committed in `schema/review.schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def committed_schema() -> str:
    """The committed schema's text."""
    return files("octad.faces").joinpath("schema/review.schema.json").read_text("utf-8")
