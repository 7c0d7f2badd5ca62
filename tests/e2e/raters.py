"""People who rate in the deployed book: each opens its pages with a token of their own, looks, and sends its forms."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from html import unescape

import httpx

from penstock.ratings.records import Answer
from penstock.ratings.turns import CATCHES_AT_LEAST

FIELD = re.compile(r'type="hidden" name="(\w+)" value="([^"]*)"')
CLIP = re.compile(r'<video [^>]*src="([^"]+)" aria-label="(left|right)"')
SOFT = re.compile(r'class="soft"><figcaption>(left|right)')
ALL_ANSWERED = "You have answered all pairs"
OTHER: dict[str, Answer] = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class Pair:
    """What a rater sees of one pair."""

    page: str
    form: dict[str, str]
    """Its hidden fields."""
    clips: dict[str, httpx.Response]
    """``left``, ``right``."""

    @property
    def soft(self) -> str:
        """The side that is blurred, or empty."""
        found = SOFT.search(self.page)
        return found[1] if found else ""

    @property
    def is_catch(self) -> bool:
        """Whether both sides show one clip."""
        return self.clips["left"].content == self.clips["right"].content


Look = Callable[[Pair], Answer]


def by_liking(liked: Collection[str]) -> Look:
    """Somebody careful, who prefers the clips with these SHA-256s, and sees a blur where there is one."""

    def look(pair: Pair) -> Answer:
        if pair.soft:
            return OTHER[pair.soft]
        if pair.is_catch:
            return "same"
        (side,) = (side for side, clip in pair.clips.items() if hashlib.sha256(clip.content).hexdigest() in liked)
        return OTHER[OTHER[side]]

    return look


def careless(_: Pair) -> Answer:
    """Somebody who does not look."""
    return "left"


@dataclass(frozen=True)
class Rater:
    """One of them."""

    name: str
    token: str = field(default_factory=lambda: secrets.token_hex(32), repr=False)

    @property
    def line(self) -> str:
        """Of ``raters.txt``."""
        return f"{self.name} sha256:{hashlib.sha256(self.token.encode()).hexdigest()}\n"

    def opened(self, book: str) -> httpx.Client:
        """A browser that gives the token as a password."""
        return httpx.Client(
            base_url=book, auth=("anybody", self.token), timeout=60, trust_env=False, follow_redirects=True
        )

    def rate(self, book: str, home: str, look: Look) -> list[Pair]:
        """Answer the pairs of a run one after the other, until these count: with the third catch pair.

        ``home``: the run's page, as the book's list of runs that wait links to it. Returns what was seen.
        """
        seen: list[Pair] = []
        with self.opened(book) as browser:
            page = browser.get(home)
            while sum(pair.is_catch for pair in seen) < CATCHES_AT_LEAST:
                pair = see(browser, page)
                seen.append(pair)
                page = browser.post(home, data=pair.form | {"answer": look(pair)})
                assert page.history, f"{self.name}: {page.status_code}: {page.text[:500]}"
        return seen


def see(browser: httpx.Client, page: httpx.Response) -> Pair:
    """Read a page, and load both clips."""
    assert page.status_code == 200, f"{page.status_code}: {page.text[:500]}"
    assert ALL_ANSWERED not in page.text
    clips = {side: browser.get(unescape(address)) for address, side in CLIP.findall(page.text)}
    assert {side: clip.status_code for side, clip in clips.items()} == {"left": 200, "right": 200}
    return Pair(page.text, {name: unescape(value) for name, value in FIELD.findall(page.text)}, clips)
