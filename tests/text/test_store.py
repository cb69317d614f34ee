from __future__ import annotations

import csv
from pathlib import Path

import pytest

from octad.text.store import marked_deleted, own_words


def test_a_reply_below_a_rule_of_dashes_is_not_the_reviewers() -> None:
    text = "没响应\n ---------- \n 开发者回复：用户您好，感谢您的建议。"
    assert own_words(text) == "没响应"


def test_a_reply_in_english_on_its_own_line_is_not_the_reviewers() -> None:
    assert own_words("It froze.\nDeveloper response: Sorry!") == "It froze."


def test_a_reviewer_may_speak_of_a_reply() -> None:
    text = "PS：下面开发者回复我也是醉了，都说闪退了"
    assert own_words(text) == text.replace("：", ":").replace("，", ",")


def test_deletion_notice() -> None:
    assert marked_deleted("（该条评论已经被删除）很好")
    assert not marked_deleted("我的数据被删除了")
    assert not marked_deleted(None)


@pytest.mark.real
def test_every_deleted_review_of_the_smart_home_apps_is_known_by_its_notice(
    shared_data: Path,
) -> None:
    with (shared_data / "smarthome_cn" / "reviews.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["deleted"] == "True" for row in rows) == 4277
    for row in rows:
        whole = row["title"] + "\n" + row["text"]
        assert marked_deleted(row["text"]) == (row["deleted"] == "True")
        assert "该条评论已经被删除" not in own_words(whole)
