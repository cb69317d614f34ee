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
goodgreatbestbetterbadworstworsenicelovelovedlovelyexcellentamazingawesomeperfectcoolfantastic
wonderfulsuperlikelikedusefuluselesshelpfulhelphelpedrecommendrecommendedrecommendationterrible
horribleawfulpoorgarbagetrashrubbishstupidsucksuckshatehateddisappointingdisappointedannoying
frustratinghappygladsatisfiedsatisfyingthankthankswowbravofivestarstarsrateratingreviewreviews
peopletimetimesdaydaysyearyearsmonthweekhourminuteworkworksworkingworkedproblemproblemsissue
issuesfixfixedbugbugserroruserusersexperiencelifeeasyphonemobileandroidiosiphonestartstarted
stopstoppedsaytellknowthinkfeelfindfoundgivekeeplooktrytriedaskbackopencloselongbigsmalloldnew
firstlastablewayrightwrongfullreal好用不错喜欢垃圾太差差烂很好好棒赞差评好评满意失望无语恶心坑
丑问题软件手机东西产品功能体验解决支持推荐希望加油牛给力完美优秀厉害一星五星打开修复改进优化
很多不到不上老是好好知道不知道生活继续时间公司超级开始看到这是以为内容确实评论品牌直接还要真心
最近建议强制用户根本智能小米苹果打无法实用不好用强大值得信赖bagusmantapmantabkerenbaikterbaik
burukjeleksukapuaskecewaparahokokemembantuterimakasihkasihterimamakasihbintangsemogasukses
sekalitolongperbaikidiperbaikimasalahkendalatidakgaknggapenggunanasabahhphandphonejamharibulan
tahunmenitcobadicobabukadibukapakaipakedipakaidigunakanmenggunakangunakantruskluarlgiknpskrg
butuhkanawalkembaliluarbiasabeberapamunculmaafmeningkatkansetsatsaranprosesakhirlamasemenjak
terbarutetepberkalikayakemangsuruhmintalewatcepetselesaibangettkuranglengkapnothingalready
sometimestakesendteamtryingoptionaddhopetopjobjossjosthe
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
