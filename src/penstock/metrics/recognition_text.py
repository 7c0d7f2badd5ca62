"""Texts that a model read or wrote: their character error rate, and whether a phrase is in them.

How texts are compared
    NFKC first: full-width letters, ligatures and half-width kana are the letters that they stand for. Then white space:
    beside a character of Chinese or Japanese it says nothing and is taken out, elsewhere every run of it is one space;
    at both ends there is none. Case counts in a text that was read, not in phrases and labels (:func:`folded`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set

CJK = "\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Ideographs, kana and their punctuation, as a character class holds them: words have no spaces between them."""
MOST_MARKS = 30
"""Combining marks in a row, as in Unicode's stream-safe text (UAX 15): putting them in order takes a time that grows
with the square of their number."""
MAX_VECTORS = 64 << 20
"""Bytes of the bit vectors that an edit distance keeps."""
_BESIDE_CJK = re.compile(rf"(?<=[{CJK}]) | (?=[{CJK}])")
_SPACES = re.compile(r"\s+")
_UNSEEN_SIGNS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
"""Joiners, fillers and variation selectors: letters and marks by their category, and nothing to be seen."""
_LETTER = rf"[^\W{CJK}]"
"""What a word of a script with spaces is made of."""


def plain(text: str) -> str:
    """A text as it is compared; see the module's text.

    Example:
        >>> plain(" Ａ１  b "), plain("出 口 Exit  2")
        ('A1 b', '出口Exit 2')
    """
    one_space = _SPACES.sub(" ", unicodedata.normalize("NFKC", text))  # first: a search beside CJK would be quadratic
    return _BESIDE_CJK.sub("", one_space).strip()


def folded(text: str) -> str:
    """The same without case (Unicode's case folding, and NFKC again): labels and phrases.

    Example:
        >>> folded("STRAẞE  x") == folded("strasse X")
        True
    """
    return plain(unicodedata.normalize("NFKC", text).casefold())


def is_blank(text: str) -> bool:
    """Whether nothing of a text is to be seen: white space, controls, and what has no width.

    Example:
        >>> is_blank(" \u200b\u202e"), is_blank("-")
        (True, False)
    """
    return all(
        unicodedata.category(character) in ("Cc", "Cf", "Zs", "Zl", "Zp") or _UNSEEN_SIGNS.match(character)
        for character in text
    )


def has_too_many_marks(text: str) -> bool:
    """Whether more than :data:`MOST_MARKS` combining marks follow one another, so that :func:`plain` would take long.

    Example:
        >>> has_too_many_marks("e" + "\u0301" * 30), has_too_many_marks("e" + "\u0301" * 31)
        (False, True)
    """
    marks = "".join(re.escape(character) for character in set(text) if _is_mark(character))
    return bool(marks) and re.search(f"[{marks}]{{{MOST_MARKS + 1}}}", text) is not None


def _is_mark(character: str) -> bool:
    """Whether NFKC has nothing of it to begin with: some that are no marks themselves are made of marks alone."""
    return all(map(unicodedata.combining, unicodedata.normalize("NFKD", character)))


def edit_distance(first: str, second: str) -> int:
    """Levenshtein's distance over code points: insertions, deletions and replacements, each 1.

    Myers' algorithm (1999) in Hyyrö's form (2003) on whole numbers of any length: a column of the table is two of them,
    so that a text costs a few operations a character, however long the other is. Where each character of a text stands
    is such a number too: there are as many of them as :data:`MAX_VECTORS` holds, of the characters that are there most
    often; of the others, which stand in few places, it is made when it is wanted. Memory is linear in the texts.

    Example:
        >>> edit_distance("kitten", "sitting"), edit_distance("出口", "出入口"), edit_distance("", "ab")
        (3, 1, 2)
    """
    first, second = sorted((first, second), key=len)
    if not first:
        return len(second)
    places = _Places(first, set(second))
    everything, last = (1 << len(first)) - 1, 1 << (len(first) - 1)
    up, down, distance = everything, 0, len(first)  # where the column rises and falls
    for character in second:
        equal = places.vector(character)
        diagonal = (((equal & up) + up) ^ up) | equal | down
        rises, falls = (down | ~(diagonal | up)) & everything, up & diagonal
        distance += bool(rises & last) - bool(falls & last)
        rises, falls = (rises << 1 | 1) & everything, (falls << 1) & everything
        up, down = (falls | ~(diagonal | rises)) & everything, rises & diagonal
    return distance


class _Places:
    """Where each character of a text stands, as a number whose bit i is that of place i."""

    def __init__(self, text: str, wanted: Set[str]) -> None:
        """Keep the numbers of some, and the places of the others; characters that are not wanted have none."""
        self._bytes = len(text) // 8 + 1
        self._places: dict[str, list[int]] = {}
        for place, character in enumerate(text):
            if character in wanted:
                self._places.setdefault(character, []).append(place)
        often = sorted(self._places, key=lambda character: -len(self._places[character]))
        self._kept = {character: self._made(character) for character in often[: MAX_VECTORS // self._bytes]}

    def vector(self, character: str) -> int:
        """The number of a character; 0: it is nowhere."""
        if character not in self._places:
            return 0
        kept = self._kept.get(character)
        return self._made(character) if kept is None else kept

    def _made(self, character: str) -> int:
        bits = bytearray(self._bytes)
        for place in self._places[character]:
            bits[place >> 3] |= 1 << (place & 7)
        return int.from_bytes(bits, "little")


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
