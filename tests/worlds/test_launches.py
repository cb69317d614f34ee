from __future__ import annotations

import pytest

from octad.worlds import simulate
from octad.worlds.launches import LAUNCHES


def test_quick_pay_helps_and_goes_on_helping() -> None:
    truth = simulate("quickpay", users=3000).truth
    effects = truth["relative_effects"]["everyone"]
    assert truth["verdict"] == "ship"
    assert 0.02 < effects["payments"] < 0.05
    assert effects["retained"] >= 0
    assert truth["later"]["day 364"]["payments"] > 0.02


def test_an_icon_does_nothing() -> None:
    truth = simulate("icon", users=1000).truth
    assert set(truth["relative_effects"]["everyone"].values()) == {0.0}
    assert set(truth["by_day"]["payments"]) == {0.0}


@pytest.mark.parametrize("name", list(LAUNCHES))
def test_each_launch_knows_its_verdict_and_its_reasons(name: str) -> None:
    launched = LAUNCHES[name]
    assert launched.verdict in {"ship", "hold", "roll back", "cannot tell"}
    assert launched.why
    assert f"\nlaunch: {launched.launch}" in launched.plan
