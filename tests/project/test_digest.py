from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from octad.project.digest import canonical, differences, plan_digest, plan_record
from octad.project.load import load_plan
from tests.project.wallet import LAUNCH, PROJECT, write

# RFC 8785, appendix B: IEEE 754 bits, and how ECMAScript writes them.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize("bits", NUMBERS)
def test_numbers_are_written_as_the_rfc_says(bits: str) -> None:
    (number,) = struct.unpack(">d", bytes.fromhex(bits))
    assert canonical(number).decode() == NUMBERS[bits]


def test_keys_are_sorted_by_utf_16_as_the_rfc_says() -> None:
    # RFC 8785, section 3.2.3.
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = list(json.loads(canonical(dict.fromkeys(keys, 1))))
    assert ordered == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_strings_have_the_fewest_escapes() -> None:
    # RFC 8785, section 3.2.2.2 and its sample.
    assert canonical('€$\u000f\nA\'B"\\\\"/').decode() == '"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_comes_back(number: float) -> None:
    assert float(canonical(number)) == number


Json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(Json)
def test_canonical_json_is_json_and_is_stable(value: object) -> None:
    written = canonical(value)
    assert json.loads(written) == value
    assert canonical(json.loads(written)) == written


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53 + 1, "\ud800"])
def test_what_json_cannot_carry_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON|surrogates"):
        canonical(value)


@pytest.mark.parametrize("value", [{1: 2}, b"x", {"a": {1}}])
def test_what_json_does_not_know_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="canonical JSON has no"):
        canonical(value)


def digest(root: Path, project: str = PROJECT, launch: str = LAUNCH) -> str:
    return plan_digest(load_plan(write(root, project, launch), "circles").plan)


def test_how_a_file_is_written_does_not_matter(here: Path) -> None:
    same = LAUNCH.replace("payments: 1%, retained: 0.5%", "retained: 0.50%, payments: 1.0%")
    same = same.replace("horizon: 90d", "horizon: 2160h   # ninety days")
    first, *others = same.splitlines()
    assert digest(here) == digest(here, launch="\n".join(["# mine", first, *others]))


def test_where_the_data_lie_does_not_matter(here: Path) -> None:
    moved = PROJECT.replace("data/users.parquet", "elsewhere/users.parquet")
    assert digest(here) == digest(here, project=moved)


def test_a_metric_the_launch_does_not_name_does_not_matter(here: Path) -> None:
    assert digest(here) == digest(here, project=PROJECT.replace("winsorize: 0.999", "window: 7d"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("opens:       {count: open, window: 14d}", "opens: {count: open, window: 15d}"),
        ("core: true", "core: false"),
        ("something they would", "anything they would"),
    ],
)
def test_what_is_measured_and_promised_matters(here: Path, old: str, new: str) -> None:
    assert digest(here) != digest(here, project=PROJECT.replace(old, new))


def test_no_segments_is_not_all_segments(here: Path) -> None:
    none = digest(here, launch=LAUNCH.replace("[region, age_band]", "[]"))
    every = digest(here, launch=LAUNCH.replace("segments: [region, age_band]\n", ""))
    assert none != every


def test_differences_are_said_in_words(here: Path) -> None:
    before = plan_record(load_plan(write(here), "circles").plan)
    launch = (
        LAUNCH.replace("kpi: opens", "kpi: payments")
        .replace("payments: 1%", "payments: 2%")
        .replace("segments: [region, age_band]\n", "")
        .replace("read_first: 10", "rules: {looks: 3}")
    )
    project = PROJECT.replace("count: pay, window: 28d", "count: pay, window: 14d")
    after = plan_record(load_plan(write(here, project, launch), "circles").plan)
    assert sorted(deviation.what for deviation in differences(before, after)) == [
        "kpi: 'opens' when sealed, 'payments' now",
        "metrics.payments.window: '28d' when sealed, '14d' now",
        "read_first: '10' when sealed, '0' now",
        "results.payments: '1%' when sealed, '2%' now (looser)",
        "rules.looks: '1' when sealed, '3' now",
        "segments: 'region, age_band' when sealed, not set now",
    ]


def test_nothing_changed_is_no_difference(wallet: Path) -> None:
    record = plan_record(load_plan(wallet, "circles").plan)
    assert differences(json.loads(canonical(record)), record) == []
