from __future__ import annotations

import csv
import time
from pathlib import Path

import numpy as np
import pytest

from octad.text.copies import near_copies

PRAISE = "Bayar pakai QRIS di wondr cepat banget cuma tiga langkah langsung selesai"


def test_changed_a_little_is_still_a_copy() -> None:
    texts = [
        PRAISE,
        "Mantap! " + PRAISE.upper() + " 👍👍",
        PRAISE.replace("tiga", "3"),
        "Aplikasi sering gangguan dan tidak bisa masuk dari kemarin malam, tolong diperbaiki",
    ]
    assert near_copies(texts).tolist() == [0, 0, 0, -1]


def test_chinese_padding_is_found() -> None:
    padded = "客死他乡是真的吗我想这样应该还是可以的一杯酒欠一句再见欠一场歇斯底里的痛哭为你送行"
    other = "一打开就闪退，更新之后设备全部离线，气死我了真的很差"
    texts = [padded, "很好用" + " ".join(padded), other]
    found = near_copies(texts)
    assert found[0] == found[1] >= 0
    assert found[2] == -1


def test_short_texts_are_nobodys_copies() -> None:
    assert near_copies(["very good app", "very good app", "很好用", "很好用"]).tolist() == [-1] * 4


def test_common_turns_of_phrase_do_not_make_copies() -> None:
    texts = [
        "This is the best app that I have ever used for chatting with my friends abroad",
        "This is the best app for students, it answered every question of my exam",
        "I can not log in since the last update, it says something went wrong again",
    ]
    assert near_copies(texts).tolist() == [-1, -1, -1]


def test_nothing_and_hostile_texts() -> None:
    assert near_copies([]).tolist() == []
    started = time.process_time()
    found = near_copies(["a" * 1_000_000, "\u202e" * 1_000_000, "\ud800" * 90, None, "!" * 90_000])
    assert found.tolist() == [-1] * 5
    assert time.process_time() - started < 1  # generous: texts are cut first


@pytest.mark.real
def test_bought_praise_of_wondr_is_one_group(shared_data: Path) -> None:
    with (shared_data / "bni_wondr" / "wondr_reviews.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    group = near_copies([row["content"] for row in rows])
    size = np.bincount(group[group >= 0])
    largest = [rows[i] for i in np.flatnonzero(group == int(size.argmax()))]
    # Which of the shortest join depends on the hashes drawn: 16 to 52 over twenty draws.
    assert len(largest) >= 40
    assert {row["score"] for row in largest} == {"5"}
    # One campaign's three sentences: bills by QRIS, bills for electricity (PLN), how it looks.
    words = [row["content"].lower() for row in largest]
    assert all("qris" in text or "pln" in text or "tampilan" in text for text in words)
    assert sum("qris" in text for text in words) >= 0.5 * len(words)
