"""A store with a run that waits for ratings, and raters."""

from __future__ import annotations

import hashlib
import re
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import httpx
from tests.unit.book.made_store import MODEL, BookClient, add_run, client_of, rule_of

from penstock.book.access import Door, Tickets
from penstock.bundle.verdict_record import Outcome, RuleResult
from penstock.store.local import LocalStore
from penstock.store.store import Store

RUN = "run-3"
HOME = f"/rate/{MODEL}/{RUN}"


def token(rater: str) -> str:
    return f"{rater}-has-a-token-of-enough-characters"


def raters(*names: str) -> Door:
    return Door(tokens={hashlib.sha256(token(name).encode()).hexdigest(): name for name in names})


def waiting_rule(verdict: Outcome = "inconclusive") -> RuleResult:
    rule = rule_of(0.5, verdict=verdict, metric="preference", reason="0 of 40 ratings", better="higher", n=0)
    return rule.model_copy(update={"ratings_wanted": 40, "maximum": None, "minimum": 0.35, "candidate": None})


def rated_store(folder: Path) -> LocalStore:
    """Run-1 is released, run-3 was compared with it and waits for ratings."""
    store = LocalStore(folder / "store")
    put_rated(folder, store)
    return store


def put_rated(folder: Path, store: Store) -> None:
    """The same in any store."""
    add_run(folder, store, 1, 7.2)
    add_run(folder, store, 3, 7.1, baseline=("run-1", 7.2), verdict="inconclusive", rules=[waiting_rule()])


class RaterClient:
    """A rater at the book."""

    def __init__(self, store: Store, rater: str = "ann", *, tickets: Tickets | None = None) -> None:
        self.book: BookClient = client_of(store, raters=raters("ann", "bob"), tickets=tickets)
        self.headers = {"Authorization": f"Bearer {token(rater)}"}

    def get(self, address: str) -> httpx.Response:
        """GET."""
        return self.book.get(address, self.headers)

    def form(self) -> dict[str, str]:
        """The form of the rater's next pair; empty when all are answered."""
        text = self.get(HOME).text
        return {
            name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)
        }

    def send(self, fields: dict[str, str]) -> httpx.Response:
        """Send a form."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.book.request("POST", HOME, self.headers | kind, urlencode(fields).encode())

    def clips(self) -> list[str]:
        """The addresses of the two sides."""
        return [unescape(found) for found in re.findall(r'<video[^>]* src="([^"]*)"', self.get(HOME).text)]
