"""Close words for what a product must never do: how people would say that it did it.

A never-line is a sentence such as "Show a person's family something they would be ashamed of".
Nobody who was hurt writes that; they write "my wife saw it, so embarrassing". Each small family of
words here holds the ways to say one thing in English, Chinese and Indonesian; a word of the line
that is in none of them stands for itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from octad.text.mentions import terms_pattern
from octad.text.store import own_words
from octad.text.words import ENGLISH_STOP

__all__ = ["Concepts", "concepts_of", "speaks_of", "touches"]

_CLOSE = """
family, families, wife, husband, mother, father, mom, mum, dad, parent, parents, son,
  daughter, brother, sister, in-laws, relatives, spouse, girlfriend, boyfriend, partner, 家人,
  家里人, 老婆, 老公, 妻子, 丈夫, 父母, 爸妈, 爸爸, 妈妈, 我妈, 我爸, 女朋友, 男朋友, 亲戚,
  keluarga, istri, suami, orang tua, ibu saya, ayah, pacar
ashamed, ashame, shame, shameful, embarrass, embarrassed, embarrassing, embarrassment,
  humiliate, humiliated, humiliating, mortified, awkward, cringe, 丢人, 丢脸, 尴尬, 羞耻,
  羞愧, 难堪, 社死, 没面子, malu, memalukan
show, shows, shown, showed, see, sees, saw, seen, expose, exposed, exposing, reveal, revealed,
  visible, public, publicly, broadcast, leak, leaked, posted, share, shared, 看到, 看见, 公开,
  暴露, 曝光, 泄露, 显示给, 展示, 发现了, terlihat, kelihatan, dilihat, bocor, menampilkan
privacy, private, personal, secret, confidential, stalk, spying, spied, tracking, tracked,
  隐私, 私人, 个人信息, 监控, 偷看, privasi, pribadi, data pribadi
children, child, kid, kids, minor, minors, underage, teen, teenager, toddler, 孩子, 小孩,
  儿童, 未成年, 小朋友, 学生, anak, anak-anak, bocah
money, cash, funds, balance, savings, charge, charged, charges, deduct, deducted, 钱, 扣款,
  扣费, 余额, 乱扣, 盗刷, uang, saldo, dana, terpotong, potong
lose, lost, loss, losing, gone, vanish, vanished, disappear, disappeared, missing, stolen,
  steal, stole, theft, 丢失, 没了, 不见了, 消失, 被盗, 偷, hilang, raib, dicuri, lenyap
sell, sold, selling, third party, advertisers, 出售, 贩卖, 卖给, 第三方, dijual, menjual
data, information, details, contacts, 数据, 信息, 资料, 通讯录, informasi, kontak
trick, tricked, cheat, cheated, deceive, deceived, mislead, misleading, scam, scammed, fraud,
  fake, lie, lied, 骗, 欺骗, 诈骗, 误导, 忽悠, 套路, 骗子, tipu, menipu, penipuan, bohong
shut, shut out, locked out, can't open, cannot open, won't open, can't log in, cannot log in,
  打不开, 进不去, 登录不了, 登陆不了, 登录不上, 登陆不上, 登不上, 无法登录, 无法登陆, 闪退, 秒退,
  tidak bisa dibuka, tidak bisa buka, tidak bisa masuk, tidak bisa login, gak bisa dibuka,
  gak bisa masuk, gak bisa login, ga bisa dibuka, ga bisa masuk, ga bisa login
lock, locked, block, blocked, ban, banned, suspended, stuck, 锁定, 封号, 冻结,
  terblokir, diblokir, dibekukan, terkunci
hurt, harm, harmed, injure, injured, danger, dangerous, unsafe, 伤害, 危险, 受伤, 不安全,
  bahaya, berbahaya, celaka
addict, addicted, addictive, addiction, hooked, compulsive, 上瘾, 沉迷, kecanduan, ketagihan,
  candu
spam, spammed, nag, nagging, pester, harass, harassed, harassment, bother, 骚扰, 打扰, 推送,
  轰炸, 烦人, ganggu, mengganggu
discriminate, discriminated, discrimination, racist, racism, sexist, unfair, 歧视, 不公平,
  diskriminasi, rasis, tidak adil
debt, loan, loans, borrow, borrowed, lend, interest, 贷款, 借钱, 欠款, 高利贷, 网贷, utang,
  hutang, pinjaman, pinjol
gamble, gambling, bet, betting, casino, 赌博, 赌, 博彩, judi, slot
location, gps, whereabouts, address, 定位, 位置, 住址, lokasi, alamat
boss, colleague, colleagues, coworker, employer, workplace, 老板, 同事, 领导, 上司, bos,
  atasan, rekan kerja
friend, friends, stranger, strangers, neighbour, neighbor, ex, 朋友, 陌生人, 邻居, 前任,
  teman, orang asing, tetangga, mantan
surveil, listen, listening, microphone, eavesdrop, camera, recorded, recording, 窃听, 监听,
  偷听, 录音, 摄像头, menyadap, merekam
"""
_FAMILIES = tuple(
    tuple(term.strip() for term in family.split(","))
    for family in _CLOSE.strip().replace("\n  ", " ").splitlines()
)
_VAGUE_WORDS = """
anything cause customer customers ever give given kind know knowing let make makes must never
not one's own people person person's put should somebody someone something such their them
thing things user users way without would
"""
_VAGUE = frozenset(_VAGUE_WORDS.split())
_PART = re.compile(r"[A-Z]?[^\W_A-Z]+|[A-Z]+(?![^\W_A-Z])|[\u4e00-\u9fff]+")
_LONGEST_WORD = 4
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]{2,}|[\u4e00-\u9fff]{2,}")


@dataclass(frozen=True, slots=True)
class Concepts:
    """A never-line as patterns.

    Attributes:
        named: Patterns of the concepts in its name; at least one must be met when there are any.
        others: Patterns of the further concepts in its sentence.
        words: The words it was made of, for showing.
    """

    named: tuple[re.Pattern[str], ...]
    others: tuple[re.Pattern[str], ...]
    words: tuple[str, ...]


def _families_in(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Each content word of a text with its close words, each family once."""
    found: dict[int | str, tuple[str, tuple[str, ...]]] = {}
    for word in _WORD.findall(text.lower().replace("_", " ").replace("’", "'")):
        bare = word.removesuffix("'s")
        if bare in _VAGUE or bare in ENGLISH_STOP:
            continue
        for i, family in enumerate(_FAMILIES):
            if bare in family or any(term[0] >= "\u4e00" and term in word for term in family):
                found.setdefault(i, (bare, family))
                break
        else:
            # A clause of Chinese is no word: nobody writes it just so.
            if bare[0] < "\u4e00" or len(bare) <= _LONGEST_WORD:
                found.setdefault(bare, (bare, (bare,)))
    return list(found.values())


def concepts_of(name: str, line: str) -> Concepts:
    """Read a never-line.

    Args:
        name: Its name in the charter, such as ``family``.
        line: Its sentence.

    >>> concepts_of("family", "Show a person's family something they would be ashamed of.").words
    ('family', 'show', 'ashamed')
    """
    named = _families_in(name)
    known = {family for _, family in named}
    others = [entry for entry in _families_in(line) if entry[1] not in known]

    def patterns(entries: list[tuple[str, tuple[str, ...]]]) -> tuple[re.Pattern[str], ...]:
        made = (terms_pattern(family) for _, family in entries)
        return tuple(pattern for pattern in made if pattern is not None)

    return Concepts(patterns(named), patterns(others), tuple(word for word, _ in (*named, *others)))


def speaks_of(
    texts: Sequence[object] | NDArray[np.object_], concepts: Concepts
) -> NDArray[np.bool_]:
    """Mark the texts that may tell of a crossed line; shape (N,).

    A text must touch the name (any of its concepts), and one further concept of the sentence
    when there is one: "my wife likes it" is no crossed line, "my wife saw it" may be.

    >>> line = concepts_of("family", "Show a person's family something they would be ashamed of.")
    >>> speaks_of(["My wife saw my gift, so embarrassing", "My wife loves it"], line).tolist()
    [True, False]
    """
    marked = np.zeros(len(texts), dtype=bool)
    if not concepts.named and not concepts.others:
        return marked
    for i, text in enumerate(texts):
        words = own_words(text)
        if concepts.named:
            if not any(pattern.search(words) for pattern in concepts.named):
                continue
            needed = 1 if concepts.others else 0
        else:
            needed = min(2, len(concepts.others))
        marked[i] = sum(p.search(words) is not None for p in concepts.others) >= needed
    return marked


def touches(name: str, concepts: Concepts) -> bool:
    """Whether an event's name touches a never-line: its name, or two concepts of its sentence.

    A name is a word or two, so less is asked of it than of a text.

    >>> line = concepts_of("money", "Lose a person's money.")
    >>> touches("balance_wrong", line), touches("page_timeout", line)
    (True, False)
    """
    words = " ".join(_PART.findall(name)).lower()
    if any(pattern.search(words) for pattern in concepts.named):
        return True
    return sum(pattern.search(words) is not None for pattern in concepts.others) >= 2
