"""The examples' scripts, imported from where they lie."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def script(example: str, name: str) -> Any:
    """A script of an example, as a module."""
    known = f"examples_{example}_{name}"
    spec = importlib.util.spec_from_file_location(known, EXAMPLES / example / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[known] = module  # its dataclasses look their annotations up there
    spec.loader.exec_module(module)
    return module
