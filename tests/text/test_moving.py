from __future__ import annotations

import csv
import time
from pathlib import Path

import pytest

from octad.text.moving import find_moves
from tests.text.moving_labels import HELD_OUT, TUNED_ON

NAMES = {"Wallet": (), "OtherPay": ("other pay", "别付"), "BCA": ()}


@pytest.mark.parametrize(
    ("text", "leaving", "coming", "rival"),
    [
        ("Uninstalled. Waste of time", True, False, ""),
        ("I uninstalled and reinstalled it, same error", False, False, ""),
        ("tried uninstalling the app to see if it fixed it", False, False, ""),
        ("how to uninstall it", False, False, ""),
        ("I am going to delete this app", True, False, ""),
        ("please let me delete the messages", False, False, ""),
        ("Moving to OtherPay, goodbye", True, False, "OtherPay"),
        ("I will never switch to OtherPay", False, False, ""),
        ("switched back to Other Pay after the update", True, False, "OtherPay"),
        ("I switched from OtherPay and love it", False, True, "OtherPay"),
        ("switched to dark mode", False, False, ""),
        ("OtherPay is fine too", False, False, ""),
        ("果断卸载", True, False, ""),
        ("卸载重装还是闪退", False, False, ""),
        ("再也不用半夜起来找开关了", False, False, ""),
        ("已经换成别付了", True, False, "OtherPay"),
        ("从别付转过来的，好用", False, True, "OtherPay"),
        ("换成别付手机壳", False, False, ""),
        ("sering error, mending pake BCA", True, False, "BCA"),
        ("pindah bank aja", True, False, ""),
        ("sudah uninstal dan instal ulang tetap gagal", False, False, ""),
        ("", False, False, ""),
    ],
)
def test_direction_and_rival(text: str, leaving: bool, coming: bool, rival: str) -> None:
    found = find_moves([text], ["Wallet"], NAMES)
    assert (found.leaving[0], found.coming[0], found.rival[0]) == (leaving, coming, rival)


def test_it_is_seen_from_the_product_reviewed() -> None:
    texts = ["moving to OtherPay", "came from Wallet"]
    found = find_moves(texts, ["OtherPay", "OtherPay"], NAMES)
    assert found.leaving.tolist() == [False, False]
    assert found.rival.tolist() == ["", "Wallet"]


def test_hostile_texts_take_no_time() -> None:
    started = time.process_time()
    texts = [
        "uninstall " * 100_000,
        "mending pake " * 100_000,
        "卸载" * 500_000,
        "从" * 1_000_000,
        "switch to " * 100_000,
        "a " * 500_000,
    ]
    find_moves([*texts, None], ["Wallet"] * 7, NAMES)
    assert time.process_time() - started < 2  # generous: texts are cut at 2,000 characters


FILES = {
    "en": ("messaging_2024/reviews.csv", ("review",), "app_name"),
    "zh": ("smarthome_cn/reviews.csv", ("title", "text"), "app"),
    "id": ("bni_wondr/wondr_reviews.csv", ("content",), None),
}
PRODUCTS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "ChatGPT": ("chat gpt", "gpt"),
        "Google Gemini": ("gemini",),
        "Telegram": (),
        "Discord - Talk, Play, Hang Out": ("discord",),
        "WhatsApp": (),
        "Claude": (),
        "Copilot": (),
        "Google Assistant": ("assistant",),
    },
    "zh": dict.fromkeys(("米家", "小米商城", "美居", "海尔智家", "华为智能家居", "格力"), ()),
    "id": {
        "wondr": ("wonder",),
        "BNI Mobile": ("bni mobile banking", "mobile banking", "mbanking"),
    },
}


def score(folder: Path, labels: dict[str, str]) -> tuple[float, float, int]:
    """Precision, recall and the number of labels."""
    hits = marked = meant = total = 0
    for language, text in labels.items():
        file, columns, product = FILES[language]
        with (folder / file).open(encoding="utf-8") as handle:
            rows = list(csv.DictReader(handle))
        wanted = [(int(word.strip("+")), word.startswith("+")) for word in text.split()]
        found = find_moves(
            ["\n".join(rows[i][column] for column in columns) for i, _ in wanted],
            [rows[i][product] if product else "wondr" for i, _ in wanted],
            PRODUCTS[language],
        ).leaving
        truth = [yes for _, yes in wanted]
        hits += sum(f and t for f, t in zip(found, truth, strict=True))
        marked += int(found.sum())
        meant += sum(truth)
        total += len(truth)
    return hits / marked, hits / meant, total


@pytest.mark.real
def test_precision_and_recall_on_hand_labels(shared_data: Path) -> None:
    precision, recall, n = score(shared_data, HELD_OUT)
    assert n >= 120
    # Measured: precision .80 (28 of 35), recall .58 (28 of 48). Two fewer hits fail the test.
    assert precision >= 0.78
    assert recall >= 0.55
    # On the rows that the patterns were written from: .91 and .88; better, as it must be.
    precision, recall, n = score(shared_data, TUNED_ON)
    assert n >= 180
    assert precision >= 0.88
    assert recall >= 0.85
