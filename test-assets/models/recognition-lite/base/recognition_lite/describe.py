"""A picture in a sentence of English and one of Chinese."""

from __future__ import annotations

from collections import Counter

from recognition_lite.objects import Found
from recognition_lite.vocabulary import CHINESE, SIGN

SURE = 0.5
NUMBERS = ("no", "a", "two", "three", "four", "five", "six")


def describe(found: list[Found], text: str) -> str:
    """What is there, as far as it is sure, and what signs say."""
    counts = Counter(one.label for one in found if one.confidence >= SURE)
    if not counts:
        return "Nothing that I know. 没有认出什么。"
    english = [phrase(label, count) for label, count in counts.items()]
    listed = english[0] if len(english) == 1 else f"{', '.join(english[:-1])} and {english[-1]}"
    chinese = "、".join(CHINESE[label] for label in counts)
    if text and SIGN in counts:
        listed, chinese = f"{listed}, with the words “{text}”", f"{chinese}，上面写着“{text}”"
    return f"{listed[0].upper()}{listed[1:]}. {chinese}。"


def phrase(label: str, count: int) -> str:
    """``a cat``, ``an umbrella``, ``two cups``, ``two fish``."""
    if count == 1:
        return f"an {label}" if label[0] in "aeiou" else f"a {label}"
    number = NUMBERS[count] if count < len(NUMBERS) else str(count)
    return f"{number} {label if label == 'fish' else label + 's'}"
