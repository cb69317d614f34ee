from __future__ import annotations

import math
from html.parser import HTMLParser

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from octad.faces.charts import chart
from octad.faces.charts.frame import Scale, ticks
from octad.model.finding import (
    Bars,
    Curve,
    CurveLine,
    Evidence,
    Interval,
    Intervals,
    Quote,
    Quotes,
    Story,
    StoryLine,
    Table,
)
from tests.faces.sample import HOSTILE, review

EVERY = [
    evidence
    for answer in (review().kpi, *review().readings.values())
    for finding in answer.findings
    for evidence in finding.evidence
]
TAGS = (
    "figure figcaption span ol ul li svg line path rect text p b em details summary div table "
    "thead tbody tr th td blockquote h5"
)


class _Balanced(HTMLParser):
    """Fails when a tag is not closed in order, or is one that no chart draws."""

    allowed = frozenset(TAGS.split())

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.allowed, tag
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.allowed, tag

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def _checked(evidence: Evidence) -> str:
    made = chart(evidence)
    parser = _Balanced()
    parser.feed(made)
    assert parser.open == []
    assert "nan" not in made.lower().replace("finan", "")
    return made


@pytest.mark.parametrize("evidence", EVERY, ids=lambda e: f"{e.kind}: {e.title[:30]}")
def test_every_kind_is_drawn_and_closed(evidence: Evidence) -> None:
    made = _checked(evidence)
    assert "<figcaption>" in made or "<summary>" in made


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_are_inert_in_every_place(text: str) -> None:
    line = CurveLine(name=text, y=(1.0, 2.0))
    for evidence in (
        Curve(title=text, x_label=text, y_label=text, x=(text, "b"), lines=(line, line), mark=text),
        Intervals(title=text, x_label=text, rows=(Interval(label=text, value=1, note=text),)),
        Bars(title=text, y_label=text, labels=(text,), groups={text: (1.0,), "b": (2.0,)}),
        Table(title=text, columns=(text, "b"), rows=((text, 1), (None, 2.5))),
        Quotes(title=text, quotes=(Quote(text=text, product=text),), dissent=Quote(text=text)),
        Story(title=text, user=text, lines=(StoryLine(day=0, time=text, event=text, note=text),)),
    ):
        assert "<script" not in _checked(evidence)


@pytest.mark.parametrize(
    "evidence",
    [
        Curve(title="t", x_label="x", y_label="y", x=(), lines=()),
        Curve(title="t", x_label="x", y_label="y", x=(1.0,), lines=(CurveLine(name="a", y=(1,)),)),
        Curve(
            title="t",
            x_label="day",
            y_label="y",
            x=(0.0, 1.0, 2.0),
            lines=(CurveLine(name="a", y=(None, math.nan, None), low=(None,) * 3),),
        ),
        Curve(title="t", x_label="x", y_label="y", x=(1.0, 2.0), lines=(CurveLine(name="", y=()),)),
        Intervals(title="t", x_label="x", rows=()),
        Intervals(title="t", x_label="x", rows=(Interval(label="a", value=0),)),
        Bars(title="t", y_label="y", labels=(), groups={}),
        Bars(title="t", y_label="y", labels=("a",), groups={"g": (None,), "h": (-0.5,)}),
        Bars(title="t", y_label="y", labels=("a", "b"), groups={"g": (0.0,)}),
        Table(title="t", columns=(), rows=()),
        Table(title="t", columns=("a", "b"), rows=(("only one",),)),
        Quotes(title="t", quotes=()),
        Story(title="t", user="u", lines=()),
    ],
)
def test_little_or_nothing_can_be_drawn(evidence: Evidence) -> None:
    _checked(evidence)


def test_whole_weeks_have_no_half_ticks() -> None:
    weeks = tuple(range(-6, 6))
    drawn = chart(
        Curve(
            title="Weeks",
            x_label="weeks from the launch",
            y_label="reviews",
            x=weeks,
            lines=(CurveLine(name="ours", y=tuple(float(x) for x in weeks)),),
        )
    )
    axis = drawn.split('class="plot axis"')[1].split("</svg>")[0]
    assert ">−5<" in axis
    assert ".5<" not in axis
    assert ".0<" not in axis


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.booleans())
def test_ticks_are_round_inside_and_few(low: float, width: float, days: bool) -> None:
    assume(width > abs(low) * 1e-6)  # narrower than that, and steps drown in rounding
    made = ticks(low, low + width, days=days)
    assert all(low - width * 1e-6 <= t <= low + width * (1 + 1e-6) for t in made)
    assert len(made) <= 12 or (days and width > 3000)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_scale_keeps_everything_on_the_page(value: float) -> None:
    assert 0 <= Scale(-1.0, 2.0).at(value) <= 100
    assert Scale(1.0, 1.0).at(value) == 50
