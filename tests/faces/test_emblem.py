from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from octad.faces.emblem import emblem, side_mark, stance_mark
from octad.model.finding import Stance
from octad.model.review import READINGS, Verdict


@pytest.mark.parametrize("verdict", [v.value for v in Verdict])
@pytest.mark.parametrize("labels", [True, False])
def test_it_is_one_well_formed_picture(verdict: str, labels: bool) -> None:
    drawn = ET.fromstring(emblem(verdict, ["for", "against", "mixed", "silent"] * 2, labels=labels))  # noqa: S314 - our own
    assert drawn.tag == "svg"
    assert drawn.get("role") == "img"
    assert verdict in str(drawn.get("aria-label"))
    assert sum(child.tag == "g" for child in drawn) == 8


def test_each_stance_has_its_own_shape() -> None:
    shapes = set()
    for stance in Stance:
        svg = stance_mark(stance.value)
        for colour in ("--for", "--against", "--mixed", "--silent"):
            svg = svg.replace(colour, "")
        shapes.add(svg)
    assert len(shapes) == 4


def test_it_is_said_in_words() -> None:
    said = emblem("hold", ["silent"] * 7 + ["for"])
    assert 'aria-label="Verdict: hold. For: reflection. Silent: results,' in said


def test_labels_name_all_eight() -> None:
    drawn = emblem("hold", ["for"] * 8)
    assert all(f">{name}</text>" in drawn for name in READINGS)


def test_a_side_mark_shows_its_side() -> None:
    assert side_mark("against", 2) != side_mark("against", 3)
