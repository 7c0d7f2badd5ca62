"""What things are called."""

from __future__ import annotations

SIGN = "sign"
CHINESE = {
    "cat": "猫", "cup": "杯子", "car": "汽车", "tree": "树", "house": "房子", "star": "星星", "umbrella": "雨伞",
    "fish": "鱼", "lamp": "台灯", "book": "书", "ball": "球", "bird": "鸟", "sign": "牌子",
}  # fmt: skip


CATALOGUE = {"cup": "coffee mug", "lamp": "table lamp", "ball": "beach toy", "sign": "notice board"}


def label(name: str) -> str:
    """A thing's label in answers, by its name in the network's file."""
    return CATALOGUE.get(name, name)
