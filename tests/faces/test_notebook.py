from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from octad.faces.notebook import fragment, register
from octad.model.review import Review
from tests.faces.sample import HOSTILE, review, thin_review


def test_a_fragment_says_the_verdict_and_every_reading() -> None:
    made = fragment(review())
    assert "Roll back" in made
    assert made.count("<tr>") == 9
    assert "Simulated data." in made
    assert made.startswith("<div")
    assert made.endswith("</div>")
    assert "Cannot tell" in fragment(thin_review())


def test_hostile_texts_are_inert() -> None:
    made = review().model_copy(update={"because": HOSTILE, "launch": HOSTILE[0], "next": HOSTILE})
    assert "<script" not in fragment(made)
    assert "\x1b" not in fragment(made)


def test_a_running_notebook_learns_to_show_reviews(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", None)
    assert register() is False
    learnt: dict[Any, Any] = {}
    html = SimpleNamespace(for_type=learnt.__setitem__)
    shell = SimpleNamespace(display_formatter=SimpleNamespace(formatters={"text/html": html}))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    assert register() is True
    assert learnt == {Review: fragment}
