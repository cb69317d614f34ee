"""Demands that people have of almost any product, each with the words they ask for it in.

Written from real reviews, in English, Chinese and Indonesian. A list is no taxonomy of the world:
it gives a name a person would give to what is said everywhere, so that only what is particular to
a product has to be found and named from its own words.
"""

from __future__ import annotations

__all__ = ["JUDGEMENTS", "KNOWN"]

_KNOWN = """
crashing and freezing: crash, freeze, froze, frozen, hang, force close, force stop, shut down,
  black screen, white screen, blank screen, 闪退, 崩溃, 死机, 黑屏, 白屏, 卡死, 打不开,
  无法打开, keluar sendiri, ngeblank, blank, macet, freezing, stuck, ngehang, mental
speed: slow, slowly, lag, laggy, loading, fast, faster, speed, quick, quickly, 卡顿, 很慢, 太慢,
  慢, 卡, 加载, 流畅, 速度, 反应慢, lemot, lambat, lelet, cepat, lama banget, ngelag, lancar
signing in: login, log in, sign in, signin, password, otp, verification, verify, captcha,
  passcode, 登录, 登陆, 密码, 验证码, 注册, 账号, 帐号, masuk, verifikasi, aktivasi, kata sandi,
  sandi, log out, logout, daftar, registrasi, face recognition, biometrik, fingerprint
connection: connect, connection, connected, disconnect, network, wifi, wi-fi, bluetooth,
  offline, server, internet, pairing, 连接, 连不上, 无法连接, 网络, 断线, 掉线, 离线, 蓝牙,
  配网, 联网, 路由器, koneksi, jaringan, sinyal, gangguan, 服务器, error jaringan
updates: update, upgrade, version, 更新, 升级, 新版, 版本, 新版本, 旧版, versi, pembaruan,
  terupdate, memperbarui, diupdate
adverts: ads, ad, advert, advertisement, adverts, popup, pop-up, sponsored, 广告, 弹窗, iklan,
  推广
notifications: notification, notify, alert, reminder, push, 推送, 通知, 提醒, 消息提醒,
  notifikasi, notif
price and payment: price, pricing, expensive, cheap, subscription, subscribe, premium, paid,
  refund, free trial, charge, fee, 价格, 收费, 付费, 会员, 太贵, 退款, 便宜, 充值, 手续费,
  biaya, mahal, murah, gratis, berbayar, potongan, admin fee
moving money: transfer, payment, pay, withdraw, deposit, balance, transaction, qris, top up,
  转账, 付款, 支付, 余额, 到账, transaksi, saldo, bayar, pembayaran, tarik tunai, kirim uang,
  topup, mutasi
support: support, customer service, service, help desk, helpline, response, agent, call center,
  客服, 售后, 投诉, 服务, 处理, cs, layanan, komplain, pelayanan, pengaduan, keluhan
privacy and safety: privacy, private, security, secure, safe, hack, hacked, scam, scammer, spam,
  fraud, permission, 隐私, 权限, 安全, 诈骗, 骗, 盗号, 泄露, 定位, aman, keamanan, penipuan,
  data pribadi, izin
look and layout: design, ui, interface, layout, theme, dark mode, icon, colour, color, font,
  screen, 界面, 设计, 美观, 好看, 颜值, 图标, 布局, ui设计, tampilan, desain, warna, tema, 页面
ease of use: easy, simple, intuitive, user friendly, complicated, confusing, difficult, 方便,
  简单, 易用, 复杂, 麻烦, 操作, 便捷, 上手, mudah, simpel, praktis, ribet, susah, rumit, sulit,
  memudahkan, gampang
sound and calls: call, voice, audio, sound, mic, microphone, speaker, 声音, 语音, 音质, 通话,
  音量, suara, telepon
pictures and video: photo, picture, image, video, camera, gallery, 图片, 照片, 视频, 摄像头,
  摄像机, 画面, 监控, foto, gambar
messages and chats: message, chat, group, channel, sticker, emoji, 聊天, 群, 消息, 表情, pesan,
  obrolan
search and answers: search, answer, question, prompt, information, knowledge, accurate,
  wrong answer, 搜索, 查找, 回答, 问题答案, pencarian, jawaban
storage and battery: storage, memory, battery, cache, space, drain, 内存, 电量, 耗电, 占用,
  发热, 流量, baterai, memori, penyimpanan, boros
language: language, translate, translation, english, chinese, 语言, 翻译, 汉化, 中文, 英文,
  bahasa, terjemahan
delivery and goods: delivery, shipping, parcel, courier, order, stock, 发货, 快递, 物流, 送货,
  订单, 下单, 抢购, 预约, 缺货, 没货, pengiriman, pesanan, kurir
devices: device, lamp, plug, sensor, air conditioner, fridge, washer, 设备, 空调, 冰箱, 洗衣机,
  热水器, 灯, 插座, 音箱, 扫地机, 净化器, 门锁, 遥控, 网关, perangkat
bans and accounts lost: ban, banned, suspended, blocked, block, disabled, deleted my account,
  封号, 冻结, terblokir, diblokir, blokir, dibekukan
"""

_JUDGEMENTS = """
good great best better bad worst worse nice love loved lovely excellent amazing awesome perfect
cool fantastic wonderful super like liked useful useless helpful help helped recommend
recommended recommendation terrible horrible awful poor garbage trash rubbish stupid suck sucks
hate hated disappointing disappointed annoying frustrating happy glad satisfied satisfying thank
thanks wow bravo five star stars rate rating review reviews people time times day days year
years month week hour minute work works working worked problem problems issue issues fix fixed
bug bugs error user users experience life easy phone mobile android ios iphone start started
stop stopped say tell know think feel find found give keep look try tried ask back open close
long big small old new first last able way right wrong full real whole uses knew moved finally
asked said saying takes took somebody stays jumps switched perfectly already nothing sometimes
take send team trying option add hope two three four many little bit soon possible whenever
needs world 好用 不错 喜欢 垃圾 太差 差 烂 很好 好 棒 赞 差评 好评 满意 失望 无语 恶心 坑 丑
问题 软件 手机 东西 产品 功能 体验 解决 支持 推荐 希望 加油 牛 给力 完美 优秀 厉害 一星 五星
打开 修复 改进 优化 很多 不到 不上 老是 好好 知道 不知道 生活 继续 时间 公司 超级 开始 看到 这是
以为 内容 确实 评论 品牌 直接 还要 真心 最近 建议 强制 用户 根本 智能 小米 苹果 打 无法 实用
不好用 强大 值得 信赖 发现 结果 每天 选择 情况 原因 突然 更好 期待 原来 本来 bagus mantap mantab
keren baik terbaik buruk jelek suka puas kecewa parah ok oke membantu terimakasih kasih terima
makasih bintang semoga sukses sekali tolong perbaiki diperbaiki masalah kendala tidak gak ngga
pengguna nasabah hp handphone jam hari bulan tahun menit coba dicoba buka dibuka pakai pake
dipakai digunakan menggunakan gunakan trus kluar lgi knp skrg butuh kan awal kembali luar biasa
beberapa muncul maaf meningkatkan set sat saran proses akhir lama semenjak terbaru tetep berkali
kayak emang suruh minta lewat cepet selesai bangett kurang lengkap top job joss jos doang cuman
menjadi membuat segala hal pokoknya segera terjadi melakukan ingin tulisan 这款 一款
"""


def _read() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for line in _KNOWN.strip().replace("\n  ", " ").splitlines():
        name, _, terms = line.partition(":")
        found[name] = tuple(dict.fromkeys(term.strip() for term in terms.split(",")))
    return found


KNOWN = _read()
"""Name to terms, lower case."""

JUDGEMENTS = frozenset(_JUDGEMENTS.split())
"""Words that judge, or that stand in any review: they name nothing that could be served."""
