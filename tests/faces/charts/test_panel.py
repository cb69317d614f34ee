"""A panel draws rows by columns, says its numbers, and escapes what it is told."""

from __future__ import annotations

from octad.faces.charts import chart
from octad.faces.markdown import _evidence
from octad.model.finding import Interval, Panel, PanelRow, Stance


def _cell(value: float, half: float, stance: Stance | None = None) -> Interval:
    return Interval(label="", value=value, low=value - half, high=value + half, stance=stance)


PANEL = Panel(
    title="Who gains and who pays",
    x_label="change against control",
    columns=("opens", "payments"),
    rows=(
        PanelRow(label="everyone", cells=(_cell(0.06, 0.01, Stance.FOR), _cell(-0.03, 0.01))),
        PanelRow(
            label="region: <script>",
            note="9 users",
            cells=(_cell(0.01, 5.0), _cell(-0.12, 0.03, Stance.AGAINST)),
        ),
        PanelRow(label="region: south", cells=(None, _cell(0.0, 0.02))),
    ),
    percent=True,
)


def test_every_cell_says_its_numbers() -> None:
    drawn = chart(PANEL)
    assert drawn.count("<td") == 6
    assert "−12.0%" in drawn
    assert "[−15.0, −9.0]" in drawn
    assert drawn.count("too few") == 1
    assert 'class="dot s-against"' in drawn
    assert "each column has its own scale" in drawn


def test_hostile_labels_are_escaped() -> None:
    assert "<script>" not in chart(PANEL)
    assert "&lt;script&gt;" in chart(PANEL)


def test_one_wild_row_does_not_flatten_the_others() -> None:
    steady = PANEL.model_copy(
        update={
            "rows": tuple(
                PanelRow(label=str(i), cells=(_cell(0.06, h), None))
                for i, h in enumerate((0.01, 0.01, 0.01, 5.0))
            )
        }
    )
    # The scale reaches six times as far as the middle row does, not as far as the last.
    assert 'x1="55.' in chart(steady)


def test_in_markdown_it_is_a_table() -> None:
    lines = list(_evidence(PANEL))
    assert any("opens" in line and "payments" in line for line in lines)
    assert any("−12.0%" in line for line in lines)
    assert any("–" in line for line in lines)
