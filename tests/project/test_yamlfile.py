"""What a new user reads when a file is wrong: the messages themselves, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from octad.errors import FileError
from octad.model.base import Stored
from octad.model.plan import Launch, Project
from octad.project.yamlfile import validate
from tests.project.wallet import LAUNCH, PROJECT

SUCH_CHANGE = "Write 'at least 5%', 'no worse than -1%', 'at most 2%' or 'between -1% and 2%'."
SWITCH = (
    "which many readers of YAML take for true or false, not for an arm's name. Put it in quotes: "
)


def said(model: type[Stored], text: str) -> list[str]:
    """The lines of the one error, without the file's name."""
    path = Path("f.yml")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        validate(model, path)
    lines = [line.strip() for line in str(caught.value).split("\n")]
    if len(lines) > 1:
        assert lines[0] == f"{len(lines) - 1} things to mend in f.yml:"
        lines = lines[1:]
    return [line.removeprefix("f.yml:") for line in lines]


def test_the_designs_own_files_are_read(here: Path) -> None:
    for model, text in ((Project, PROJECT), (Launch, LAUNCH)):
        (here / "f.yml").write_text(text, encoding="utf-8")
        validate(model, here / "f.yml")


METRICS = {
    "{cuont: pay}": "'cuont' is not a kind of metric. Did you mean 'count'?",
    "{count: pay, windw: 14d}": "'windw' is not a key of metrics.m. Did you mean 'window'?",
    "{count: pay, cuont: pay}": "'cuont' is not a key of metrics.m. Did you mean 'count'?",
    "{count:pay}": (
        "'count:pay' has no space after its colon, so YAML reads all of it as a key. "
        "Write count: pay."
    ),
    "{count: pay, within: 3d}": (
        "'within' goes with funnel; metrics.m is of the kind count. Take it out."
    ),
    "{count: pay, any: pay}": (
        "metrics.m says both count: and any:, and a metric measures one thing. "
        "Keep one, or make two metrics of it."
    ),
    "{ratio: [crash]}": (
        "metrics.m.ratio wants 2 items, and has 1. Write it such as `ratio: [crash, open]`."
    ),
    "{ratio: crash}": (
        "metrics.m.ratio wants a list, and has 'crash'. Write it such as `ratio: [crash, open]`."
    ),
    "{count: 5}": ("metrics.m.count wants a list, and has the number 5. Write count: [5]."),
    "{count: []}": "metrics.m.count wants at least 1 item, and has 0.",
    "{funnel: [open]}": "metrics.m.funnel wants at least 2 items, and has 1.",
    "": "metrics.m has nothing after it. Write a value, or take the line out.",
    "pay": "metrics.m does not say what it measures. Write it such as `m: {count: pay}`.",
    "{window: 3d}": (
        "metrics.m does not say what it measures. Write one of count, sum, mean, any, returns, "
        "ratio, quantile, funnel, column, reviews; by its other keys, perhaps ratio."
    ),
    "{sum: value}": "metrics.m lacks 'of'. Write it such as `of: pay`.",
    "{returns: open, between: [28d, 21d]}": (
        "metrics.m.between must go from an earlier to a later time, such as [21d, 28d]."
    ),
    "{returns: open, between: 21d}": (
        "metrics.m.between wants a list, and has '21d'. Write it such as `between: [21d, 28d]`."
    ),
    "{quantile: 95%, of: wait_ms}": (
        "metrics.m.quantile wants a number, and has '95%'. Write it as a fraction: 0.95."
    ),
    "{quantile: 95, of: wait_ms}": (
        "metrics.m.quantile must be below 1, and is 95. Write it as a fraction: 0.95."
    ),
    '{quantile: "0,95", of: wait_ms}': (
        "metrics.m.quantile wants a number, and has '0,95'. Write it with a point: 0.95."
    ),
    "{count: pay, better: dwon}": (
        "metrics.m.better is 'dwon', which is not known. Did you mean 'down'?"
    ),
    "{count: pay, window: 14}": (
        "metrics.m.window: '14' is no length of time. "
        "Write a number and a unit, such as 14d, 6h or 30m."
    ),
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.usefixtures("here")
def test_a_metric_that_is_written_wrongly(metric: str) -> None:
    text = f"product: W\nsources: {{}}\nmetrics:\n  m: {metric}\n"
    assert said(Project, text) == [f"4: {METRICS[metric]}"]


PROJECTS = {
    "prodct: W\nsorces: {}\n": [
        "1: 'prodct' is not a known key. Did you mean 'product'?",
        "2: 'sorces' is not a known key. Did you mean 'sources'?",
    ],
    "product: 2048\nsources: []\nrivals: {a: 1}\nsimulated: maybe\nfoo: 1\n": [
        ('1: product wants text, and has the number 2048. Put it in quotes: "2048".'),
        (
            "2: sources wants keys with values, and has a list. "
            "Write it such as `sources: {events: {table: data/events.csv}}`."
        ),
        "3: rivals wants a list, and has keys below it. Write it such as `rivals: [OtherPay]`.",
        "4: simulated wants true or false, and has 'maybe'.",
        (
            "5: 'foo' is not a known key. "
            "Known: charter, connection, metrics, product, rivals, simulated, sources."
        ),
    ],
    "product: W\n": [
        "1: 'sources' is missing. Write it such as `sources: {events: {table: data/events.csv}}`."
    ],
    "product: W\nsources: {evnts: {table: x}, users: {tabel: x}}\n": [
        "2: 'tabel' is not a key of sources.users. Did you mean 'table'?",
        "2: 'evnts' is not a key of sources. Did you mean 'events'?",
    ],
    "product: W\nsources: {}\ncharter: {jobs: [pay], never: {a: true}}\n": [
        (
            "3: charter.jobs wants keys with values, and has a list. "
            "Write it such as `jobs: {pay: {events: [pay]}}`."
        ),
        (
            "3: charter.never.a wants text, and has true, which YAML reads as a switch. "
            'Put it in quotes: "true".'
        ),
    ],
    "product: ~\nsources:\n": [
        "1: product is ~, which YAML reads as nothing. Write a value, or take the line out.",
        "2: sources has nothing after it. Write a value, or take the line out.",
    ],
}


@pytest.mark.parametrize("text", PROJECTS)
@pytest.mark.usefixtures("here")
def test_a_project_that_is_written_wrongly(text: str) -> None:
    assert said(Project, text) == PROJECTS[text]


ARMS = 'launch: x\narms: {control: "off", treatment: "on"}\n'
LAUNCHES = {
    "launch: x\n": [
        '1: An experiment names its arms, such as arms: {control: "off", treatment: "on"}.'
    ],
    "launch: x\narms: {control: off, treatment: on}\n": [
        f'2: arms.control is a bare off, {SWITCH}"off".',
        f'2: arms.treatment is a bare on, {SWITCH}"on".',
    ],
    "launch: x\narms: {control: false, treatment: yes}\n": [
        f'2: arms.control is a bare false, {SWITCH}"false".',
        f'2: arms.treatment is a bare yes, {SWITCH}"yes".',
    ],
    "launch: x\narms: {control: 1.9, treatment: 1.10}\n": [
        '2: arms.treatment is 1.10, which YAML reads as the number 1.1. Put it in quotes: "1.10".',
    ],
    "launch: x\narms: {control: 010, treatment: 1e3}\n": [
        '2: arms.control is 010, which YAML reads as the number 10. Put it in quotes: "010".',
        '2: arms.treatment is 1e3, which YAML reads as the number 1000. Put it in quotes: "1e3".',
    ],
    "launch: x\narms: {treatment: b}\n": [
        '2: arms needs control and one other, such as {control: "off", treatment: "on"}.'
    ],
    ARMS + "starts: 2026-3-1\n": [
        "3: starts is no date that can be read: 2026-3-1. Write 2026-03-01."
    ],
    ARMS + "starts: 01/03/2026\n": [
        (
            "3: starts is no date that can be read: 01/03/2026. It may be 1 March or 3 January. "
            "Write the year first: 2026-03-01 or 2026-01-03."
        )
    ],
    ARMS + "starts: 31/03/2026\n": [
        "3: starts is no date that can be read: 31/03/2026. Write the year first: 2026-03-31."
    ],
    ARMS + "starts: 20260301\n": [
        "3: starts is no date that can be read: 20260301. Write 2026-03-01."
    ],
    ARMS + "starts: 2026-02-30\n": [
        (
            "3: starts is no date that can be read: 2026-02-30. "
            "There is no such day. Write year-month-day, such as 2026-03-01."
        )
    ],
    ARMS + "starts: 2026-03-01 12:00\n": [
        (
            "3: starts is no date that can be read: 2026-03-01 12:00. "
            "A plan's dates are whole days, without a time. Write 2026-03-01."
        )
    ],
    ARMS + "starts: March 1, 2026\n": [
        "3: starts is no date that can be read: March 1, 2026. Write 2026-03-01."
    ],
    ARMS + "starts: 2026年3月1日\n": [
        "3: starts is no date that can be read: 2026年3月1日. Write 2026-03-01."
    ],
    ARMS + "starts: [2026-03-01]\n": [
        "3: starts wants a date, and has a list. Write year-month-day, such as 2026-03-01."
    ],
    ARMS + "starts: soon\n": [
        "3: starts is no date that can be read: soon. Write year-month-day, such as 2026-03-01."
    ],
    ARMS + "kpi: a\nends: 2026-03-01\nstarts: 2026-03-02\n": [
        "5: starts (2026-03-02) is after ends (2026-03-01)."
    ],
    ARMS + "design: experimnet\n": [
        "3: design is 'experimnet', which is none Octad knows. Write design: experiment."
    ],
    ARMS + "design: everyone\n": [
        "3: design is 'everyone', which is none Octad knows. Write design: {everyone: 2026-03-01}."
    ],
    ARMS + "design: [a]\n": [
        (
            "3: design is a list, which is none Octad knows. Write experiment, "
            "{staged: region, dates: {…}}, {everyone: 2026-03-01} or {targeted: why}."
        )
    ],
    "launch: x\ndesign: {stagged: region}\n": [
        "2: design lacks 'dates'. Write it such as `dates: {north: 2026-03-01}`.",
        "2: 'stagged' is not a key of design. Did you mean 'staged'?",
    ],
    "launch: x\ndesign: {everyone: 2026-3-1}\n": [
        "2: design.everyone is no date that can be read: 2026-3-1. Write 2026-03-01."
    ],
    "launch: x\ndesign:\n  staged: region\n  dates: {north: 01/03/2026}\n": [
        (
            "4: design.dates.north is no date that can be read: 01/03/2026. It may be 1 March or "
            "3 January. Write the year first: 2026-03-01 or 2026-01-03."
        )
    ],
    ARMS + "expects:\n  - {metric: a, change: 5%, sure: 80}\n  - {metric: b, chnge: 5%}\n": [
        f"4: expects, item 1, change: '5%' is no change that can be scored. {SUCH_CHANGE}",
        "4: expects, item 1, sure: '80' without a per cent sign is 8000%. Write 80%.",
        "5: expects, item 2 lacks 'sure'. Write it such as `sure: 80%`.",
        "5: 'chnge' is not a key of expects, item 2. Did you mean 'change'?",
    ],
    ARMS + "results: [payments]\nguardrails: {crash: 1_000}\n": [
        (
            "3: results wants keys with values, and has a list. "
            "Write it such as `results: {payments: 1%}`."
        ),
        (
            "4: guardrails.crash: '1_000' is no margin. "
            "Write 1% (relative), 0.5pp (points) or a bare number."
        ),
    ],
    ARMS + "split: {control: 50%, treatment: 0.5}\nrules: {level: 95}\nread_first: ten\n": [
        "3: split.control wants a number, and has '50%'. Write it as a fraction: 0.5.",
        "4: rules.level must be below 1, and is 95. Write it as a fraction: 0.95.",
        "5: read_first wants a whole number, and has 'ten'.",
    ],
    ARMS + "kpi: ~\nwhat:\nhorizon: 90\n": [
        "3: kpi is ~, which YAML reads as nothing. Write a value, or take the line out.",
        "4: what has nothing after it. Write a value, or take the line out.",
        "5: horizon: '90' is no length of time. Write a number and a unit, such as 14d, 6h or 30m.",
    ],
}


@pytest.mark.parametrize("text", LAUNCHES)
@pytest.mark.usefixtures("here")
def test_a_launch_that_is_written_wrongly(text: str) -> None:
    assert said(Launch, text) == LAUNCHES[text]


@pytest.mark.usefixtures("here")
def test_arms_may_be_plain_words_and_plain_numbers() -> None:
    Path("f.yml").write_text("launch: x\narms: {control: 0, treatment: gate_40}\n")
    assert validate(Launch, Path("f.yml")).arms == {"control": "0", "treatment": "gate_40"}


@pytest.mark.usefixtures("here")
def test_many_problems_are_counted_and_not_all_listed() -> None:
    keys = "".join(f"k{i}: 1\n" for i in range(40))
    lines = said_raw(f"product: W\nsources: {{}}\n{keys}")
    assert lines[0] == "40 things to mend in f.yml:"
    assert lines[-1] == "  … and 20 more."
    assert len(lines) == 22


def said_raw(text: str) -> list[str]:
    Path("f.yml").write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as caught:
        validate(Project, Path("f.yml"))
    return str(caught.value).split("\n")


@pytest.mark.usefixtures("here")
def test_what_a_file_says_cannot_reach_the_terminal_as_an_order() -> None:
    lines = said(Project, 'product: W\nsources: {}\n"\\e[31m\\u202ex": 1\n')
    assert lines[0].startswith("3: '\\x1b[31m\\u202ex' is not a known key.")


@pytest.mark.usefixtures("here")
def test_a_value_of_a_page_is_cut() -> None:
    text = f"launch: x\nresults: {{a: {'long ' * 2000}}}\narms: {{control: a, treatment: b}}\n"
    assert len(said(Launch, text)[0]) < 800
