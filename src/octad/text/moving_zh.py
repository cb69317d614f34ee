"""How people say in Chinese that they leave, in two strengths.

A plain word (卸载, uninstall) is taken back by a repair or a denial anywhere in the text. A vow
(再也不买, never again; 粉转黑, a fan no more) stands by itself, since whoever vows to go may well
have reinstalled before; what takes it back stands right beside it, and is in the pattern.
"""

from __future__ import annotations

import re

__all__ = ["PLAIN_LEAVE", "PLAIN_NOT_LEFT", "VOWS", "sought", "vows_to_leave"]


def sought(*rows: tuple[str, ...]) -> tuple[tuple[frozenset[str], re.Pattern[str]], ...]:
    """Compile patterns, for texts in lower case, behind the plain pieces that they want.

    Args:
        rows: The pieces, parted by spaces (``~`` is a space within one), then patterns; each match
            holds one of the pieces.
    """
    return tuple(
        (
            frozenset(piece.replace("~", " ") for piece in pieces.split()),
            re.compile("|".join(parts)),
        )
        for pieces, *parts in rows
    )


PLAIN_LEAVE = (
    ("卸 弃用 再也不用", r"卸载|弃用|再也不用了|再也不用(?=[。！!，,\s]|$|这|你们|它)"),
    ("不会再 不再 以后不会", r"不会再用|不再使用|以后不会再?用"),
    (
        "别的 其他 其它 另外 另一",
        r"(?:换|改用|用)(?:个|了)?别的(?:app|软件|牌子|银行)",
        r"(?<!不会)(?:换|转)(?:成|到|去)?(?:其他|其它|别的|另外|另一)(?!手机|账号|设备|号|网络|wifi)",
    ),
    ("换", r"换(?:一个|个|别家)(?:软件|app|牌子|平台|银行)"),
    ("删 卸", r"(?:已|己|果断|直接|马上)(?:经)?(?:删|卸)(?:了|掉|除)?"),
    ("再见", r"再见[!！。~👋]*\s*$|再见再见"),
    ("放弃 不考虑", r"放弃.{0,6}(?:吧|念头)|下个.{0,6}不考虑"),
)

PLAIN_NOT_LEFT = (
    r"卸载(?:了|后|掉|之后|过|以后)*[^。！!\n]{0,6}(?:重|再(?!也|见)|又|安装|下载|还是|也|都|才|就好|就行|解决|多次|无数|好几)",
    r"(?:不|别|没|未|无法|怎么|自动|重复|反复|强制|之前|以前|曾经?)[^。，,！!\n]{0,4}卸载|卸载不|卸不",
    r"卸载(?:重|从|吗|么|率|更换|更新)|卸载了?(?:两|三|几|好多|多)(?:遍|次)",
    r"(?:如果不是|要不是|要不)[^。\n]{0,30}卸|删(?:了|掉)[^。！!\n]{0,6}(?:重|再|又|今天|下载|装|从新)",
)

_FROM_NOW = r"(?:再也|以后|今后|往后|永远|这辈子|一辈子|此生|绝对|坚决|下次|下回|从此|从今|打死)"
_BUY = r"(?:买|购买|回购|光顾|碰|考虑|支持|信任?|相信|选)"
# 不用 alone is "need not": 再也不用找遥控器 is praise. It counts where something is named that is
# theirs, and no errand follows.
_THEIRS = r"(?:你们?|这|它|他们?家?|贵|该|华为|小米|米家|海尔|美的|格力)"
_NEVER = "再也 以后 今后 往后 永远 辈子 此生 绝对 坚决 下次 下回 从此 从今 打死"
VOWS = sought(
    (
        _NEVER,
        rf"{_FROM_NOW}[^。！!？?，,\n]{{0,5}}不(?:会|想|敢|要|能|打算)?再?{_BUY}(?!不到|到|错|晚|贵|亏)",
        rf"{_FROM_NOW}[^。！!？?，,\n]{{0,5}}不(?:会|想|敢)再?(?:使用|用|下载|玩|来|逛)",
        rf"{_FROM_NOW}[^。！!？?，,\n]{{0,5}}不(?:会|想|敢)再?在[^。！!？?，,\n]{{1,6}}(?:购物|买|下单)",
        rf"{_FROM_NOW}都?不用{_THEIRS}[^。！!？?，,\n]{{0,6}}(?:$|[。！!？?，,\n])",
    ),
    (
        "不会 不想 不敢 不再",
        r"不会再?(?:有)?(?:下次|回购|购买|光顾)|不会再(?:买|来|下载|选|用)|(?:不会|不想|不敢|不再)(?:再)?(?:买|用)(?:你们?|这个|这种|这家|了)",
    ),
    (
        "不买 不会买",
        r"(?:就是|我们|我还|坚决|还是)不(?:会)?买(?:你|了|！|!|。|，|$)|[,。！!\s]不买了\s*(?:[。！!\n]|$)",
    ),
    ("不想 不高兴 不愿 懒得", r"(?:不想|不高兴|不愿意?|懒得)(?:再)?用(?:了|这|你|它)"),
    (
        "粉转黑 路转黑 脱粉 取关 弃 退坑 告辞",
        r"粉转黑|路转黑|脱粉|取关|弃坑|退坑|(?<![放抛遗丢嫌舍])弃了|已弃|告辞",
    ),
    (
        "退货 退掉 退了",
        r"(?:过了|明天|今天|准备|打算|只能|只好|直接|果断|已经?|申请|立马|马上|决定|赶紧|立刻)[^。！!？?，,\n]{0,4}退(?:货|掉|了)(?!费|麻烦|换|流程|不)",
    ),
    (
        "告别 别过 拜拜 再见",
        r"(?:只能|只好|估计|就此|彻底|准备|打算|决定|我要|可以|从此|以后)[^。！!？?，,\n]{0,4}(?:告别(?!遥控|钥匙|繁|手动|传统|了?各种)|别过|拜拜|再见)",
    ),
    (
        "拜拜 再见 再也不见 bye",
        r"(?:^|[。！!\n])(?:拜拜|再见)了?[！!。，,~～]|(?:拜拜|再见)了?您|再也不见",
        r"say ?good ?bye|goodbye|\bbye ?bye",
    ),
    (
        "别的 其他 其它 另外",
        r"(?:换|改用?|转)(?:成|用|到|去)?了?(?:别的|其他|其它|另外的?)(?:的)?(?:品牌|牌子|家的|产品|路由|厂家|公司)",
    ),
    ("最后一", r"(?:最后一(?:次|个|台|款))[^。！!？?，,\n]{0,4}(?:买|用|购|你)|买的最后一"),
    (
        "卸 删",
        r"(?:app|软件|应用)?(?:已|果断|立马|马上|直接|赶紧|这就|准备|想|要)(?:经)?(?:卸|删)(?:载|了|掉|除)?(?=[了吧。！!，,…~～\s]|$)",
        r"(?:卸载|删除|删了|卸了)(?:了|吧|掉)?[！!。，,\s]*$",
        r"卸载就好了?(?:$|[。！!])|(?:大不了|全部|统统)[^。！!？?\n]{0,6}卸载",
    ),
    (
        "永不 一生黑 死心 从此 不再关注",
        r"永不(?:再?(?:用|买|碰)|考虑|下载)|一生黑|(?:彻底|已经?|真的?)死心|死心了|从此(?:无爱|路人|再无)|不再关注",
    ),
    (
        "拉黑 转黑 不用了 买其 买别的 买另外",
        r"(?:果断|直接|已|彻底)拉黑|(?:果断|直接|彻底|已)转黑|[，,。！!\s]不用了[。！!~\s]*$",
        r"(?:重新|改|去|准备|还是)买(?:其他|其它|别的|另外)[^。！!？?，,\n]{0,3}(?:品牌|牌子|家|产品)",
    ),
    (
        "秒删 秒卸 直接放弃 别了",
        r"秒(?:删|卸)(?:了|掉|除|给|载|[，。！!,\s]|$)|直接放弃了?(?:$|[。！!，,\n])|(?:^|[。！!\n])别了[，,。！!]",
    ),
    ("放弃", r"(?:只能|只好|准备|打算|决定|想要?)放弃(?:这|你|了|使用|它|该)"),
)
"""Vows behind the plain pieces that they want."""

# Right before a vow, these take it back: a wish that was not acted on, a question, someone else.
_TAKEN_BACK = re.compile(
    r"(?:如果不是|要不是|若不是|要不然?早|差点|本来|曾经?|之前|以前|原来|有人|别人|大家|他们|难道|如果|要是|万一)"
    r"[^。！!\n]{0,12}$"
)
_AFTER = re.compile(
    r"[^。！!？?\n]{0,8}(?:重装|重新|重下|再装|再下|又装|又下|今天|还是不行|依然|依旧|没用|多次|好几次|两次|几次|才好|解决)"
)


def vows_to_leave(words: str, held: frozenset[str] | None = None) -> bool:
    """Whether a Chinese text, in lower case, vows to leave, or has left for good.

    Args:
        words: The text.
        held: The plain pieces of `VOWS` that it holds, where they were looked for already.

    >>> vows_to_leave("以后再也不会买你们的东西"), vows_to_leave("再也不用找遥控器了")
    (True, False)
    """
    for pieces, pattern in VOWS:
        if held is not None and held.isdisjoint(pieces):
            continue
        for match in pattern.finditer(words):
            before = words[max(match.start() - 20, 0) : match.start()]
            if _TAKEN_BACK.search(before) is None and _AFTER.match(words, match.end()) is None:
                return True
    return False
