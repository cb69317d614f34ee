"""Every preset is well formed, and says what a user needs to know."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest

from octad.errors import UnknownNameError, Where
from octad.model import presets
from octad.model.expression import parse
from octad.model.plan import Sources

OURS = {
    name: set(field.annotation.__args__[0].model_fields)  # type: ignore[union-attr]
    for name, field in Sources.model_fields.items()
}


@pytest.mark.parametrize("name", presets.names())
def test_a_preset(name: str) -> None:
    preset = presets.load(name)
    assert preset.title
    assert preset.get
    assert not re.search(r"https?://", preset.model_dump_json())
    assert preset.tables
    for source, table in preset.tables.items():
        assert source in OURS
        assert set(table.roles) <= OURS[source]
        if table.where:
            parse(table.where)
        if table.timezone:
            ZoneInfo(table.timezone)


def test_the_promised_ones_are_there() -> None:
    assert {"plain", "posthog", "ga4", "google_play"} <= set(presets.names())


def test_an_unknown_preset_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError) as caught:
        presets.load("posthgo", where=Where("octad.yml", 3))
    assert "Did you mean 'posthog'?" in str(caught.value)
    assert str(caught.value).startswith("octad.yml:3: ")
