"""From a push to the first finished case on a page: the release book beside the runs, and somebody who looks."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import yaml
from tests.e2e.api import TEKTON
from tests.e2e.gitea import Hosted
from tests.e2e.install import NAMESPACE, OVERLAY, apply, secret, store_keys
from tests.e2e.pulls import CONTEXT, until
from tests.e2e.run import Run, condition
from tests.e2e.served import page_blocks, services
from tests.e2e.session import Session

BOOK, DEPLOYMENT = "serve", "deployment/serve"
FOLDER = OVERLAY.with_name("book")
FILE_OF_A_CASE = re.compile(r'src="(/live/[^"/]+/files/[^"]+)"')
TIMEOUT_S = 600


@dataclass(frozen=True)
class Book:
    """``penstock serve --work``, deployed where the runs are."""

    url: str
    token: str = field(repr=False)

    def get(self, address: str) -> httpx.Response:
        """One page, as a reader's browser asks for it; a redirect is not followed. ``address``: whole, or a path."""
        whole = httpx.URL(self.url).join(address)
        return httpx.get(whole, headers={"Authorization": f"Bearer {self.token}"}, timeout=30, trust_env=False)


@contextmanager
def book_of(session: Session, store: str, *, raters: str = "") -> Iterator[Book]:
    """Switch the installed book on as docs/serve.md says, for a store and the claim of the runs; off again at the end.

    It is not waited for: see :func:`wait_until_open`. ``raters``: the file with their tokens; empty, there are none.
    """
    facts, token = session.cluster.facts, secrets.token_hex(32)
    tokens = f"mona sha256:{hashlib.sha256(token.encode()).hexdigest()}\n"
    given = {
        "penstock-book": {"tokens.txt": tokens, "book.key": secrets.token_hex(32)},
        "penstock-book-store": store_keys(facts),
    }
    given |= {"penstock-raters": {"raters.txt": raters}} if raters else {}
    apply(facts, [secret(name, content) for name, content in given.items()])
    (switch,) = page_blocks("serve.md", "yaml kustomization")
    patches = yaml.safe_load(switch.text)["patches"]
    for option in ("--work=", "--ratings=") if raters else ("--work=",):
        (block,) = (block for block in page_blocks("serve.md", "yaml patches") if option in block.text)
        patches += yaml.safe_load(block.text)
    text = yaml.safe_dump({"resources": ["../install"], "patches": patches}).replace("s3://releases/penstock", store)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "kustomization.yaml").write_text(text, encoding="utf-8")
    apply(facts, services(facts, FOLDER, BOOK))
    try:
        service = json.loads(facts.kubectl("get", "--namespace", NAMESPACE, f"service/{BOOK}", "--output=json"))["spec"]
        yield Book(f"http://{service['clusterIP']}:{service['ports'][0]['port']}", token)
    finally:
        apply(facts, services(facts, OVERLAY, BOOK))
        facts.kubectl("delete", "--namespace", NAMESPACE, "secret", *given)


def wait_until_open(session: Session) -> None:
    """Wait for the book's pod."""
    session.cluster.facts.kubectl("rollout", "status", "--namespace", NAMESPACE, DEPLOYMENT, "--timeout=180s")


@dataclass(frozen=True)
class Looked:
    """What somebody saw who looked at a commit from its push on. Times are seconds since the push."""

    link: str
    """Of the first status that had one."""
    told_s: float
    """The status with the link stood beside the commit."""
    first_page: httpx.Response
    """The page, when it was asked for at once."""
    answered_s: float
    page: httpx.Response
    """The first page with a finished case."""
    case_s: float
    going: bool
    """Whether the run was still going after that page had come."""
    video: httpx.Response
    """What that page shows of the case."""
    led: httpx.Response
    """The answer that led away from the page."""
    led_s: float
    report: httpx.Response
    """Where it led."""

    def times(self) -> dict[str, float]:
        """For people and for result files: what was there after how many seconds."""
        found = {"status with a link": self.told_s, "its page answers": self.answered_s}
        found |= {"first finished case": self.case_s, "the final report": self.led_s}
        return {name: round(seconds, 1) for name, seconds in found.items()}


def look(session: Session, hosted: Hosted, book: Book, commit: str, began: float) -> Looked:
    """Look at a commit that has been pushed: at its status until there is a link, at the page until it leads away.

    ``began``: the push, by the monotonic clock.
    """

    def timed(asked: Callable[[], httpx.Response | None], what: str) -> tuple[httpx.Response, float]:
        return until(asked, what, timeout_s=TIMEOUT_S), time.monotonic() - began

    link = until(lambda: _link(hosted, commit), f"a link beside {commit}", timeout_s=TIMEOUT_S)
    told_s = time.monotonic() - began
    first, answered_s = timed(lambda: book.get(link), "a page")
    page, case_s = timed(lambda: _if(FILE_OF_A_CASE.search, book.get(link)), f"a finished case on {link}")
    run = Run(session.cluster, link.rpartition("/")[2])
    api = session.cluster.api
    going = condition(api.get(f"{api.collection('pipelineruns', TEKTON)}/{run.name}") or {})["status"] == "Unknown"
    shown = FILE_OF_A_CASE.search(page.text)
    video = book.get(shown[1] if shown else "/")
    led, led_s = timed(lambda: _away(book.get(link)), f"{link} to lead to the report")
    report = book.get(led.headers["location"])
    return Looked(link, told_s, first, answered_s, page, case_s, going, video, led, led_s, report)


def _link(hosted: Hosted, commit: str) -> str | None:
    return next((str(one["target_url"]) for one in hosted.statuses(commit, CONTEXT) if one["target_url"]), None)


def _if(found: Callable[[str], object], page: httpx.Response) -> httpx.Response | None:
    return page if found(page.text) else None


def _away(page: httpx.Response) -> httpx.Response | None:
    return page if page.is_redirect else None
