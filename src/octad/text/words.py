"""Closed lists: words that carry no topic, words that turn a meaning round, and small particles."""

from __future__ import annotations

__all__ = [
    "CHINESE_STOP",
    "ENGLISH_STOP",
    "GENERIC",
    "INDONESIAN_STOP",
    "NEGATORS",
    "NOT_INFLECTED",
    "PARTICLES",
    "SINGLE_HAN",
    "STOP",
]

_ENGLISH = """
a about actually after again all also always am an and any anyone anything are as at be
because been before being both but by can come comes could did do does doing done during
each else etc even ever every everything few for from further get gets getting go goes
going gone got had has have having he her here hers herself him himself his how however i
i'd i'll i'm i've if im into is it it'd it'll it's its itself ive just let let's like lol
lot lots made make makes many may me might mine more most much must my myself n need now of
ok okay on once one only or other our ours ourselves over own please pls put quite r rather
really same see she should since so some someone something still such than that that's thats
the their theirs them themselves then there there's these they they'll they're they've
thing things this those though through thru to too u under until ur us use used using very
via want wanted wants was way we we'd we'll we're we've well were what what's when where
which while who whom whose why will with would yeah yes yet you you'd you'll you're you've
your yours yourself
"""

_INDONESIAN = """
ada adalah admin agar aja akan aku anda antara apa apakah apalagi atas atau bagaimana bagi
bahkan bahwa bang banget banyak baru begini begitu bgt bisa bu buat cuma dalam dan dapat
dari daripada deh dengan dgn di dia dlm dong dpt dr dulu gimana gini gitu gue gw hanya
harus hingga ini itu jadi jd jdi jg jika juga kak kalau kali kalo kami kamu karena karna ke
kenapa kepada ketika kita klau klo klw kok krn lagi lah lain lalu lebih lg loh maka malah
mana masih mau melalui memang mereka min mohon mulu namun nih nya nye oleh orang org pada
padahal pak paling para pas per perlu pernah pun saat saja sama sampai sampe sana sangat
saya sblm sdh se seakan sebagai sebelum sebuah secara sedang seharusnya sehingga sekali
sekarang selalu selama seluruh semua seperti sering serta sesuai setelah setiap si sih sm
suatu sudah supaya tapi tau telah terlalu terus tetap tetapi the tiap tiba tolong tp tpi
trs tuh udah udh untuk utk waktu ya yah yaitu yang yg
"""

_CHINESE = """
一 一下 一个 一些 一样 一次 一点 一直 上 下 不是 不过 与 东西 两 两个 个 中 为 为什么 为啥
么 之 之前 之后 也 也是 了 事 于是 些 人 什么 今天 从 他 他们 以 以前 以及 以后 们 件 会 但
但是 位 你 你们 使用 做 光 全 全部 关于 其 其他 其它 再 几 几个 出 出来 刚 刚刚 别人 到
到底 前 即使 去 又 及 只 只是 只有 只能 可 可不可以 可以 可是 可能 各 各位 各种 同 后 向 吗
吧 呀 呢 呵呵 咋 和 咱们 哈 哈哈 哈哈哈 哎 哦 哪 哪怕 哪里 唉 啊 啥 啦 嗯 嘛 嘻嘻 嘿 回
因为 在 地 多 多少 大 大家 天 太 她 好 如何 如果 它 它们 完全 家 家里 对 对于 小 少 就 就是
就算 居然 已经 希望 干嘛 年 并 并且 应该 开 弄 很 得 必须 怎么 怎样 总是 想 感觉 我 我们 或
或者 所以 所有 才 把 按照 挺 搞 新 日 时 时候 明天 昨天 是 是不是 更 最 月 有 有些 有时
有时候 有没有 有点 本 来 果然 某 根本 次 款 正在 此 每 每个 每次 比 比较 点 然后 特别 现在
用 的 的时候 看 真 真是 真的 着 种 究竟 竟然 第一 第一次 等 等等 简直 终于 经常 给 老 而
而且 能 能不能 能够 自己 虽然 被 要 觉得 让 该 说 请 请问 谁 谢谢 起 起来 越 越来越 跟 过
过去 过来 还 还是 还有 这 这个 这么 这样 这种 这里 进 进去 通过 那 那个 那么 那就 那样 那种
那里 都 都是 里 里面 除了 需要 非常 额
"""

_CHINESE_NEGATORS = "不 没 没有 无法 不能 不会 不要 别 未 无 不想"
_NOT_INFLECTED = """
access address always anything bored bring business during evening everything feed hundred
indeed interesting ios king meaning morning need news nothing plus process rated red ring
seed something speed status string thing things this thus virus wing
"""

ENGLISH_STOP = frozenset(_ENGLISH.split())
INDONESIAN_STOP = frozenset(_INDONESIAN.split())
CHINESE_STOP = frozenset(_CHINESE.split())

NEGATORS = {
    **dict.fromkeys(("not", "no", "never", "without"), "not"),
    **dict.fromkeys(("can't", "cannot", "cant", "couldn't", "couldnt"), "can't"),
    **dict.fromkeys(("won't", "wont"), "won't"),
    **dict.fromkeys(
        (
            "don't",
            "dont",
            "doesn't",
            "doesnt",
            "didn't",
            "didnt",
            "isn't",
            "isnt",
            "aren't",
            "wasn't",
            "weren't",
            "hasn't",
            "haven't",
            "hadn't",
            "wouldn't",
            "shouldn't",
            "ain't",
        ),
        "not",
    ),
    **dict.fromkeys(
        (
            "tidak",
            "tdk",
            "tak",
            "gak",
            "ga",
            "gk",
            "nggak",
            "ngga",
            "ngak",
            "enggak",
            "ndak",
            "kagak",
            "ngk",
            "tdak",
            "gabisa",
        ),
        "tidak",
    ),
    **dict.fromkeys(("bukan",), "bukan"),
    **dict.fromkeys(("belum", "blm", "belom"), "belum"),
    **dict.fromkeys(("jangan", "jgn"), "jangan"),
    **{
        word: word
        for word in ("不", "没", "没有", "无法", "不能", "不会", "不要", "别", "未", "无", "不想")
    },
}
"""Words that turn the next content word round, each with the form it is shown in."""

PARTICLES = frozenset({"in", "out", "up", "down", "off", "back"})
"""They end a phrase (``log in``, ``shut down``) but are no term alone."""

_GENERIC = "app apps apk apl application applications aplikasi aplikasinya apknya 软件 应用 客户端"

SINGLE_HAN = frozenset("卡慢烂差退丑贵赞棒乱坑")
"""Single Chinese letters that are a word of judgement; all others are dropped."""

NOT_INFLECTED = frozenset(_NOT_INFLECTED.split())
"""Words whose ending only looks like an inflection."""

GENERIC = frozenset(_GENERIC.split())
"""Every review is about an app, so the word says nothing."""

STOP = {"en": ENGLISH_STOP | GENERIC, "id": INDONESIAN_STOP, "zh": CHINESE_STOP | GENERIC}
