"""Texts that a model read or wrote: their character error rate, and whether a phrase is in them.

How texts are compared
    NFKC first: full-width letters, ligatures and half-width kana are the letters that they stand for. Then white space:
    beside a character of Chinese or Japanese it says nothing and is taken out, elsewhere every run of it is one space;
    at both ends there is none. Case counts in a text that was read, not in phrases and labels (:func:`folded`).
"""

from __future__ import annotations

import re
import unicodedata

CJK = "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Ideographs, kana and their punctuation, as a character class holds them: words have no spaces between them."""
_BESIDE_CJK = re.compile(rf"(?<=[{CJK}])\s+|\s+(?=[{CJK}])")
_SPACES = re.compile(r"\s+")
_LETTER = rf"[^\W{CJK}]"
"""What a word of a script with spaces is made of."""


def plain(text: str) -> str:
    """A text as it is compared; see the module's text.

    Example:
        >>> plain(" Ａ１  b "), plain("出 口 Exit  2")
        ('A1 b', '出口Exit 2')
    """
    return _SPACES.sub(" ", _BESIDE_CJK.sub("", unicodedata.normalize("NFKC", text))).strip()


def folded(text: str) -> str:
    """The same without case (Unicode's case folding, and NFKC again): labels and phrases.

    Example:
        >>> folded("STRAẞE  x") == folded("strasse X")
        True
    """
    return plain(unicodedata.normalize("NFKC", text).casefold())


def edit_distance(first: str, second: str) -> int:
    """Levenshtein's distance over code points: insertions, deletions and replacements, each 1.

    Myers' algorithm (1999) in Hyyrö's form (2003) on whole numbers of any length: a column of the table is two of them,
    so that a text costs a few operations a character, however long the other is.

    Example:
        >>> edit_distance("kitten", "sitting"), edit_distance("出口", "出入口"), edit_distance("", "ab")
        (3, 1, 2)
    """
    if not first:
        return len(second)
    places: dict[str, int] = {}
    for index, character in enumerate(first):
        places[character] = places.get(character, 0) | 1 << index
    everything, last = (1 << len(first)) - 1, 1 << (len(first) - 1)
    up, down, distance = everything, 0, len(first)  # where the column rises and falls
    for character in second:
        equal = places.get(character, 0)
        diagonal = (((equal & up) + up) ^ up) | equal | down
        rises, falls = (down | ~(diagonal | up)) & everything, up & diagonal
        distance += bool(rises & last) - bool(falls & last)
        rises, falls = (rises << 1 | 1) & everything, (falls << 1) & everything
        up, down = (falls | ~(diagonal | rises)) & everything, rises & diagonal
    return distance


def character_error_rate(read: str, truth: str) -> float:
    """Edits that turn what was read into the truth, by the truth's characters; both as :func:`plain` makes them.

    At least 0. Above 1 where much was read that is not there. Where nothing is to be read, 0 if nothing was, else 1.

    Example:
        >>> character_error_rate("出囗 Exit", "出口 Exit")  # 6 characters: no space counts beside Chinese
        0.16666666666666666
        >>> character_error_rate("", ""), character_error_rate("x", ""), character_error_rate("", "abc")
        (0.0, 1.0, 1.0)
    """
    read, truth = plain(read), plain(truth)
    if not truth:
        return 1.0 if read else 0.0
    return edit_distance(read, truth) / len(truth)


def has_phrase(text: str, phrase: str) -> bool:
    """Whether a phrase is in a text, without case; where its script has spaces, as whole words.

    Example:
        >>> has_phrase("A Cat sits", "cat"), has_phrase("a category", "cat"), has_phrase("一只cat和狗", "cat")
        (True, False, True)
        >>> has_phrase("门口有一只黑猫", "黑猫")
        True
    """
    wanted = folded(phrase)
    before = rf"(?<!{_LETTER})" if re.match(_LETTER, wanted) else ""
    after = rf"(?!{_LETTER})" if re.match(_LETTER, wanted[-1:]) else ""
    return re.search(before + re.escape(wanted) + after, folded(text)) is not None
