from __future__ import annotations

import time

import pytest

from octad.text.moving import find_moves

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
        ("I deleted Wallet yesterday", True, False, ""),
        ("deleted the Wallet app and load it again", False, False, ""),
        ("deleted wallet messages", False, False, ""),
        ("I won't be using it anymore", True, False, ""),
        ("Wallet? will never use this program again", True, False, ""),
        ("will never use cash again, thanks to this app", False, False, ""),
        ("I'm unsubscribing from this", True, False, ""),
        ("better off using anything else", True, False, ""),
        ("以后一生黑，永不再买", True, False, ""),
        ("永不更新", False, False, ""),
        ("广告太多，果断拉黑", True, False, ""),
        ("找人不用了，自己就行", False, False, ""),
        ("再也不想在这里购物", True, False, ""),
        ("mending bank yang lama", True, False, ""),
        ("mending aplikasi BCA aja", True, False, "BCA"),
        ("mending BCA nya di maksimalin", False, False, ""),
        ("pindah aja ke otherpay", True, False, "OtherPay"),
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


@pytest.mark.parametrize(
    ("text", "leaving"),
    [
        ("以后再也不会买你们的东西", True),
        ("下次绝对不再购买", True),
        ("再也不用你们的产品了", True),
        ("再也不用找遥控器了，太方便", False),
        ("再也不用担心没电", False),
        ("成功粉转黑", True),
        ("换其他的牌子了", True),
        ("不会换成别的", False),
        ("过了今晚就退货", True),
        ("退货很麻烦，还有运费", False),
        ("如果不是网购的肯定退货了", False),
        ("拜拜！垃圾公司", True),
        ("告别遥控器，太爽了", False),
        ("卸载重装还是闪退，再见，再也不见！", True),
        ("之前卸载过，现在又下载了", False),
        ("体重秤的功能被抛弃了", False),
        ("爱卖不卖，我还不买了。", True),
        ("再也买不到了", False),
    ],
)
def test_vows_in_chinese(text: str, leaving: bool) -> None:
    assert find_moves([text], ["Wallet"], NAMES).leaving.tolist() == [leaving]
