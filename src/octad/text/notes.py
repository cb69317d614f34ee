"""How alike release notes read: by line, by what they are about, and without what all of them say.

A note is a list of unlike things, so its closest line counts, not the whole; "bug fixes and
improvements" stands in most, and says nothing; and a thing goes by many names (``feed``,
``stories``, ``动态``), so close words, in English, Chinese and Indonesian, are one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.text.mentions import terms_pattern
from octad.text.store import own_words
from octad.text.tokens import term_matrix

__all__ = ["Likeness", "likeness"]

_FEATURES = """
social feed: social, feed, timeline, story, stories, moments, followers, follow, likes, comments,
  like and comment, community, 动态, 社区, 朋友圈, 点赞, 评论, linimasa, komentar
home page: home page, homepage, home screen, start page, first page, front page, 首页, 主页,
  beranda, halaman utama, halaman depan
look: redesign, redesigned, new look, new design, layout, interface, ui, 界面, 改版, 设计, 布局,
  tampilan, desain
dark mode: dark mode, dark theme, night mode, 深色模式, 夜间模式, 暗黑模式, mode gelap
signing in: sign in, sign-in, log in, login, password, passkey, fingerprint, face id, otp,
  face recognition, two-factor, verification code, 登录, 登陆, 密码, 指纹, 人脸, 验证码,
  masuk, kata sandi, sidik jari, verifikasi wajah
notifications: notification, push, reminder, quiet hours, 通知, 推送, 提醒, 免打扰, notifikasi,
  pengingat
price: subscription, subscribe, premium, paid plan, free trial, price, pricing, fee, 会员,
  收费, 订阅, 价格, 手续费, 付费, berlangganan, biaya
adverts: ads, advert, advertisement, ad-free, sponsored, 广告, iklan
assistant: ai, assistant, chatbot, 智能助手, 助手, 人工智能, asisten
messages: chat, message, messaging, sticker, 聊天, 消息, 群聊, 表情, pesan, obrolan, stiker
calls and sound: voice, call, audio, 语音, 通话, panggilan
pictures and video: photo, video, camera, reels, clips, 短视频, 视频, 照片, 摄像, foto
search: search, 搜索, pencarian
recommendations: for you, recommended, recommendation, suggestions, personalised, personalized,
  推荐, 猜你喜欢, 个性化, rekomendasi
rewards: reward, points, coupon, voucher, cashback, badge, streak, 积分, 优惠券, 红包, 签到,
  勋章, poin, kupon, hadiah
sending money: send money, transfer, 转账, 汇款, kirim uang
shopping: shop, store, cart, checkout, 商城, 购物, 下单, belanja, keranjang
widgets: widget, 小组件
joining: onboarding, welcome tour, sign up, register, registration, 注册, 新手引导, daftar,
  pendaftaran
privacy: privacy, permission, encryption, encrypted, 隐私, 权限, 加密, privasi
speed: faster, startup, loading, 启动, 加载, 提速, 更快, lebih cepat
crashes: crash, freeze, 闪退, 卡死, 崩溃
keeping copies: sync, backup, cloud, 同步, 备份, 云端, sinkronisasi, cadangan
devices: pairing, add device, 配网, 添加设备
"""
_FILLER_WORDS = """
new now app update version bug bugs fix fixes fixed repair repairs repaired improve improved
improvement improvements performance stability various minor small other general issue issues
problem problems thanks thank feedback week weeks month regularly better best good great enhance
enhanced enhancement enhancements optimise optimised optimize optimized feature features
introducing add added adds support supports supported experience user users ready available meet
ask listened listen big back easy easier simple simpler clean cleaner whole work works change
changes changed release
新增 全新 上线 优化 修复 已知 问题 体验 用户 性能 提升 改进 部分 机型 更新 版本 细节 若干 功能
简洁 方便 操作 告别 代替 支持
perbaikan peningkatan performa baru fitur pengalaman pengguna versi memperbaiki simpel
"""
_FILLER = frozenset(_FILLER_WORDS.split())
_LINE = re.compile(r"[\n•●▪·*!?。！？；;]+|\.(?=\s|$)|\s[-–—]\s|^\d+[.、)]\s?", re.MULTILINE)
_THING = "\n"  # begins a thing's name among words: no word holds one
_WORTH = 3.0  # a thing that goes by many names says what a few words do

_PATTERNS = tuple(
    (name.strip(), pattern)
    for name, _, words in (
        line.partition(":") for line in _FEATURES.strip().replace("\n  ", " ").splitlines()
    )
    if (pattern := terms_pattern(words.split(","))) is not None
)


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """How alike notes are to one.

    Attributes:
        alike: (N,) share of the closest line that is the one's too, rare words weighing more; 0
            where they share neither a thing nor two words.
        words: What each rests on, what weighs most first.
        lines: The closest line of each.
    """

    alike: NDArray[np.float64]
    words: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]


def _things(line: str) -> tuple[frozenset[str], str]:
    """The features that a line speaks of, and the line without their names."""
    found = []
    for name, pattern in _PATTERNS:
        line, often = pattern.subn(" ; ", line)
        if often:
            found.append(name)
    return frozenset(found), line


def likeness(notes: Sequence[object], one: str, also: str = "") -> Likeness | None:
    """Tell how alike release notes are to one.

    Args:
        notes: (N,) notes.
        one: What they are held against.
        also: Further words that go with it; a thing named only here says no more than a word.

    Returns:
        None when `one` says nothing but what all notes say.

    >>> found = likeness(["Stories: share with friends", "Bug fixes"], "A social feed")
    >>> found.alike.round(1).tolist(), found.words
    ([0.5, 0.0], (('social feed',), ()))
    """
    lines, owner, said = [], [], []
    n = len(notes)
    for i, note in enumerate([*notes, one, also]):
        for line in _LINE.split(own_words(note)):
            if line.strip():
                said.append(line.strip())
                lines.append(_things(line))
                owner.append(i)
    table = term_matrix([rest for _, rest in lines], min_docs=1, phrases=False)
    held: list[frozenset[str]] = []
    for row, (things, _) in enumerate(lines):
        words = {table.terms[k] for k in table.presence[[row]].indices} - _FILLER
        held.append(frozenset(words | {f"{_THING}{name}" for name in things}))
    asked, wanted, documents = set[str](), set[str](), dict[str, set[int]]()
    for row, items in zip(owner, held, strict=True):
        wanted |= items if row >= n else set()
        asked |= items if row == n else set()
        for item in items:
            documents.setdefault(item, set()).add(min(row, n))
    if not asked:
        return None
    weight = {
        item: float(np.log1p((n + 1) / len(rows))) * (_WORTH if item[0] == _THING else 1.0)
        for item, rows in documents.items()
    }
    alike = np.zeros(n)
    why: list[tuple[str, ...]] = [()] * n
    closest = [""] * n
    for row, items, line in zip(owner, held, said, strict=True):
        common = items & wanted
        if row >= n or (len(common) < 2 and not any(item[0] == _THING for item in common & asked)):
            continue
        score = sum(weight[item] for item in common) / sum(weight[item] for item in items)
        if score > alike[row]:
            alike[row], closest[row] = score, line
            order = sorted(common, key=lambda item: (-weight[item], item))
            why[row] = tuple(item.lstrip(_THING) for item in order)
    return Likeness(alike, tuple(why), tuple(closest))
