from __future__ import annotations

from typing import Any

import pytest

from octad.worlds.right import judge, seen


def _truth(**told: Any) -> dict[str, Any]:
    calm: dict[str, Any] = {
        "trust": "holds",
        "trust_visible": False,
        "randomised": True,
        "harm": [],
        "good": False,
        "gain": "none",
        "visible": False,
    }
    return calm | told


def _harm(power: float, by: str = "numbers") -> dict[str, Any]:
    return {"power": power, "by": by}


@pytest.mark.parametrize(
    ("told", "right", "ship", "back"),
    [
        ({}, ("hold",), "shipped what does nothing", "rolled back without harm"),
        ({"good": True, "gain": "result", "visible": True}, ("ship",), None, "good rolled back"),
        ({"good": True, "gain": "kpi", "visible": True}, ("ship", "hold"), None, "good rolled"),
        ({"good": True, "gain": "result"}, ("ship", "hold"), None, "good rolled back"),
        ({"harm": [_harm(0.9)]}, ("roll back",), "harm shipped", None),
        ({"harm": [_harm(0.9, "reading")]}, ("hold", "roll back"), "harm shipped", None),
        (
            {"harm": [_harm(0.9, "reading"), _harm(0.3)]},
            ("hold", "roll back"),
            "harm shipped",
            None,
        ),
        ({"harm": [_harm(0.3)]}, ("hold", "cannot tell", "roll back"), "harm shipped", None),
        ({"randomised": False}, ("cannot tell", "hold"), "believed", "rolled back without"),
        (
            {"randomised": False, "harm": [_harm(0.99)]},
            ("cannot tell", "hold"),
            "harm shipped",
            None,
        ),
        (
            {"trust": "fails", "trust_visible": True, "good": True, "visible": True},
            ("cannot tell",),
            "believed",
            "good rolled back",
        ),
        ({"trust": "fails", "good": True}, ("hold", "cannot tell"), None, "good rolled back"),
        ({"trust": "fails", "harm": [_harm(1.0)]}, ("hold", "cannot tell"), "harm shipped", None),
        ({"trust": "fails", "trust_visible": True}, ("cannot tell",), "believed", "rolled back"),
        ({"trust": "fails"}, ("hold", "cannot tell"), "shipped what", "rolled back without harm"),
    ],
)
def test_what_is_right_of_each_truth(
    told: dict[str, Any], right: tuple[str, ...], ship: str | None, back: str | None
) -> None:
    found = judge(_truth(**told))
    assert found.right == right
    assert found.why.endswith(".")
    for verdict, error in (("ship", ship), ("roll back", back)):
        if error is None:
            assert verdict not in found.errors
        else:
            assert found.errors[verdict].startswith(error)
    assert not set(found.errors) & set(found.right)
    assert not {"hold", "cannot tell"} & set(found.errors)


def test_a_harm_is_visible_from_a_power_of_four_fifths() -> None:
    assert seen(_harm(0.8))
    assert not seen(_harm(0.79))
