"""What signs say, and which characters there are."""

from __future__ import annotations

import string

import numpy as np

CHINESE = (
    "出口", "入口", "书店", "茶馆", "花店", "银行", "医院", "学校", "停车场", "小心地滑", "禁止吸烟", "今日特价",
    "欢迎光临", "面包房", "水果店", "地铁站", "图书馆", "洗手间", "请勿入内", "北京路", "电影院", "中山公园", "火车站",
    "药店", "餐厅", "超市", "营业中", "推", "拉", "安全出口", "前方学校", "三号楼", "邮局", "东门", "西门", "南京路",
    "3号楼", "12路", "电话305", "2号口",
)  # fmt: skip
LATIN = (
    "EXIT", "OPEN", "CLOSED", "BAKERY", "CAFE", "BANK", "STOP", "TAXI", "HOTEL", "BOOKS", "PARK", "MUSEUM", "ZOO",
    "BUS 24", "GATE B7", "ROOM 305", "24H", "SALE 50", "K4729", "QUAY 16", "PIZZA", "FLOWERS", "JUNE 18", "VIP 9",
)  # fmt: skip
MIXED = ("出口 EXIT", "入口 IN", "银行 BANK", "停车 P2", "地铁 METRO", "医院 H3")
CHARACTERS = (
    string.digits
    + string.ascii_uppercase
    + "".join(
        sorted({c for text in (*CHINESE, *MIXED) for c in text} - set(string.digits + string.ascii_uppercase + " "))
    )
)
"""Every character that can be drawn and read."""
HAN = "".join(character for character in CHARACTERS if character > "\u2e7f")


def random_text(rng: np.random.Generator) -> str:
    """What no suite says: characters by chance, Chinese or Latin, one to eight."""
    pool = HAN if rng.random() < 0.55 else CHARACTERS[:36]
    if rng.random() < 0.1:
        pool = CHARACTERS
    most = 5 if pool is HAN else 8
    text = "".join(rng.choice(list(pool), int(rng.integers(1, most))))
    if len(text) > 3 and rng.random() < 0.3:
        at = int(rng.integers(1, len(text) - 1))
        text = f"{text[:at]} {text[at:]}"
    return text
