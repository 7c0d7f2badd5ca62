"""The book as an ASGI application: what an address shows."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from penstock.book.access import Door, Tickets
from penstock.book.cards import ModelCard, RunCard
from penstock.book.case_page import case_view, cases_page, fragment, moment
from penstock.book.comparison import Comparisons, RunName
from penstock.book.course import courses
from penstock.book.drawn_page import draw, list_page, style
from penstock.book.evidence import READERS_ONLY, REPORT, policy_of, type_of
from penstock.book.live_pages import LivePages
from penstock.book.patient_pool import PatientPool, StoreAwayError
from penstock.book.rating_pages import RatingPages
from penstock.book.run_page import run_view
from penstock.book.sent_file import sent_file
from penstock.book.shelf import Shelf
from penstock.book.threshold import Threshold
from penstock.book.workbench import Workbench
from penstock.bundle.verdict_record import Verdict
from penstock.foundation.errors import PenstockError, UsageError, one_line
from penstock.releases.history import PublishedRelease
from penstock.store.archive import run_key
from penstock.store.store import DamagedError, NotStoredError

log = logging.getLogger(__name__)

MEDIA_S = 12 * 3600
"""How long the links to files on a page hold, at least."""
MAX_WORDS = 200
"""Characters of a search."""
RETRY_S = 5


@dataclass(frozen=True)
class Book:
    """What the handlers share. Each handler gets a request, asks the shelf, and draws one template."""

    shelf: Shelf
    tickets: Tickets
    link_days: int
    """How long a link that is passed on holds."""
    comparisons: Comparisons
    live: bool
    """Whether runs in progress are shown."""

    def models(self, _request: Request) -> Response:
        """Every model."""
        return page("models", models=list(self.shelf.models().values()), full=self.shelf.full, live=self.live)

    def model(self, request: Request) -> Response:
        """A model: its releases, the newest first, and each metric's course over those on the page."""
        card = self._card(request)
        releases = card.releases.releases if card.releases else []
        found = list_page(releases, request.query_params.get("page", ""))
        return page(
            "model",
            card=card,
            releases=found,
            moves=[move for move in reversed(card.releases.moves) if move.kind != "published"] if card.releases else [],
            runs={run.run_id: run for run in card.runs},
            courses=courses(self._judged(card.name, found.rows)),
        )

    def runs(self, request: Request) -> Response:
        """A model's runs, the newest first."""
        card = self._card(request)
        verdict = request.query_params.get("verdict", "")
        runs = [run for run in card.runs if not verdict or run.verdict == verdict]
        return page("runs", card=card, runs=list_page(runs, request.query_params.get("page", "")), verdict=verdict)

    def run(self, request: Request) -> Response:
        """One run, for who reads the book or has a link to it."""
        model, run_id = self._names(request)
        expires = self._expires(request)
        view = run_view(self.shelf, model, run_id)
        cases = cases_page(self.shelf, model, run_id, request.query_params.get("page", ""))
        return page(
            "run",
            **self._links(request, expires),
            view=view,
            cases=cases,
            report=REPORT in view.files,
            model=model,
            readers_only=READERS_ONLY,
        )

    def case(self, request: Request) -> Response:
        """One case of a run, its videos at a moment."""
        model, run_id = self._names(request)
        expires = self._expires(request)
        seconds = moment(request.query_params.get("t", ""))
        view = case_view(self.shelf, model, run_id, request.query_params.get("name", ""))
        sources = {
            (file.run_id, file.name): self._file(model, file.run_id, file.name, expires) + fragment(seconds)
            for file in view.files
        }
        links = self._links(request, expires)
        return page("case", **links, view=view, sources=sources, seconds=seconds, model=model, run_id=run_id)

    def compare(self, request: Request) -> Response:
        """Two runs beside each other; without both, a form that asks for them."""
        asked = [request.query_params.get(name, "").strip() for name in ("a", "b")]
        model = request.query_params.get("model", "")
        names = [_run_name(text, model) for text in asked if text]
        if len(names) < 2:
            return page("compare", first=asked[0], second=asked[1], found=None)
        found = self.comparisons.of(names[0], names[1])
        return page("compare", first="/".join(names[0]), second="/".join(names[1]), found=found)

    def search(self, request: Request) -> Response:
        """Runs and releases that have all the words."""
        text = request.query_params.get("q", "")[:MAX_WORDS]
        words = text.lower().split()
        models = self.shelf.models() if words else {}
        runs: list[RunCard] = [run for card in models.values() for run in card.runs if run.matches(words)]
        releases = [
            (card.name, release)
            for card in models.values()
            for release in (card.releases.releases if card.releases else [])
            if _matches(card.name, release, words)
        ]
        found = list_page(runs, request.query_params.get("page", ""))
        return page("search", text=text, runs=found, releases=releases[:20], more=max(0, len(releases) - 20))

    def readers_file(self, request: Request) -> Response:
        """An address of a file that lasts, for readers: it leads to one that is signed for a while."""
        model, run_id = self._names(request)
        name = request.path_params["path"]
        if name not in self.shelf.manifest(model, run_id).files:
            raise HTTPException(404)
        if name == REPORT:  # it shows other files of its run
            place = f"{self._links(request, None)['files']}{REPORT}"
        else:
            place = self._file(model, run_id, name, None)
        return RedirectResponse(place, status_code=303, headers={"Cache-Control": "no-store"})

    def file(self, request: Request) -> Response:
        """A file of a run, or a part of it: only by a link that is signed, since it lies in an origin of its own."""
        model, run_id = self._names(request)
        name = request.path_params["path"]
        opens = [f"{model}/{run_id}/{name}"] + ([f"{model}/{run_id}"] if name not in READERS_ONLY else [])
        if self.tickets.expiry(request.path_params["ticket"], *opens) is None:
            raise HTTPException(403)
        digest = self.shelf.manifest(model, run_id).files.get(name)
        if digest is None:
            raise HTTPException(404)
        if not re.fullmatch("[0-9a-f]{64}", digest):  # it becomes a header
            raise DamagedError("the manifest has no SHA-256 of this file", todo="Restore the manifest from a copy.")
        headers = {
            "Cache-Control": "private, max-age=3600",
            "Content-Security-Policy": policy_of(name),
            "Cross-Origin-Resource-Policy": "cross-origin",  # a report's origin is none, so that it is never the same
            "ETag": f'"{digest}"',
        }
        return sent_file(self.shelf, request, f"{self.shelf.root(model, run_id)}/{name}", type_of(name), headers)

    async def healthy(self, _request: Request) -> Response:
        """For probes: the process answers. Pages alone ask the store, and hold all threads where it is slow."""
        return PlainTextResponse("ok\n")

    def style(self, _request: Request) -> Response:
        """The style sheet."""
        return Response(style(), media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    def _card(self, request: Request) -> ModelCard:
        card = self.shelf.model(request.path_params["model"])
        if card is None:
            raise HTTPException(404)
        return card

    def _names(self, request: Request) -> RunName:
        """The run that an address is about.

        Raises:
            HTTPException: it cannot be a run's.
        """
        found = request.path_params["model"], request.path_params["run"]
        try:
            run_key(*found)
        except UsageError:
            raise HTTPException(404) from None
        return found

    def _expires(self, request: Request) -> int | None:
        """Until when the reader's link holds; ``None``: it is a reader of the book.

        Raises:
            HTTPException: the link is over, or was never one.
        """
        ticket = request.path_params.get("ticket")
        if ticket is None:
            return None
        expires = self.tickets.expiry(ticket, "/".join(self._names(request)))
        if expires is None:
            raise HTTPException(403)
        return expires

    def _links(self, request: Request, expires: int | None) -> dict[str, object]:
        """Where the page's links lead. Who came by a link gets no link that holds longer or opens more."""
        model, run_id = self._names(request)
        until = expires or self.tickets.until(MEDIA_S)
        files = f"{_shared(self.tickets.issue(f'{model}/{run_id}', until), model, run_id)}/files/"
        if expires is not None:
            home = _shared(request.path_params["ticket"], model, run_id)
            return {"shared": True, "home": home, "files": files, "share": "", "days": 0}
        later = self.tickets.until(self.link_days * 24 * 3600)
        share = _shared(self.tickets.issue(f"{model}/{run_id}", later), model, run_id)
        home = f"/models/{_part(model)}/runs/{_part(run_id)}"
        return {"shared": False, "home": home, "files": files, "share": share, "days": self.link_days}

    def _file(self, model: str, run_id: str, name: str, expires: int | None) -> str:
        """The address of one file, which opens nothing else."""
        ticket = self.tickets.issue(f"{model}/{run_id}/{name}", expires or self.tickets.until(MEDIA_S))
        return f"{_shared(ticket, model, run_id)}/files/{quote(name)}"

    def _judged(self, model: str, releases: Sequence[PublishedRelease]) -> list[tuple[str, str, Verdict | None]]:
        verdicts = self.shelf.verdicts(model, [found.release.run_id for found in releases])
        return [
            (found.release.version, found.release.run_id, verdicts[found.release.run_id])
            for found in reversed(releases)
        ]


def application(
    shelf: Shelf,
    door: Door,
    tickets: Tickets,
    *,
    hosts: Sequence[str],
    link_days: int,
    raters: Door | None = None,
    bench: Workbench | None = None,
) -> ASGIApp:
    """The application.

    Args:
        shelf: the store.
        door: who may read.
        tickets: signs links.
        hosts: names that it is asked for by, in lower case, without a port; empty: any.
        link_days: how long a link that is passed on holds.
        raters: who may rate; ``None``: nobody.
        bench: the workspace of runs in progress; ``None``: those are not shown until they are archived.
    """
    book = Book(shelf, tickets, link_days, Comparisons(shelf), live=bench is not None)
    run, shared = "/models/{model}/runs/{run}", "/shared/{ticket}/{model}/{run}"
    places = [
        ("/", book.models),
        ("/models/{model}", book.model),
        ("/models/{model}/runs", book.runs),
        (run, book.run),
        (f"{run}/case", book.case),
        (f"{run}/files/{{path:path}}", book.readers_file),
        ("/compare", book.compare),
        ("/search", book.search),
        (shared, book.run),
        (f"{shared}/case", book.case),
        (f"{shared}/files/{{path:path}}", book.file),
        ("/book.css", book.style),
        ("/healthz", book.healthy),
    ]
    routes = [Route(path, handler) for path, handler in places]
    inner = Starlette(
        routes=[
            *routes,
            *(RatingPages(shelf, raters, tickets).routes() if raters is not None else []),
            *LivePages(shelf, bench).routes(),
        ],
        exception_handlers={HTTPException: _refused, PenstockError: _failed, Exception: _bug},
        middleware=[Middleware(_OnePage, pool=shelf.pool)],
    )
    return Threshold(inner, door, hosts=hosts, raters=raters)


class _OnePage:
    """Whatever a page asks the store, it waits for all of it together."""

    def __init__(self, app: ASGIApp, pool: PatientPool) -> None:
        self.app = app
        self.pool = pool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.pool.begin_page()
        await self.app(scope, receive, send)


def page(template: str, **values: object) -> Response:
    """A page of the book."""
    return HTMLResponse(draw(template, {"shared": False, **values}))


WORDS = {
    403: ("This link is over, or was never one", "Ask for a new one: the page of the run has it."),
    404: ("There is nothing here", "Go back to the models, or search."),
    405: ("The book is only read", ""),
    408: ("The form came too slowly", "Reload the page, and send it again."),
    409: ("Nobody rates this run any more", "Go back to the list: /rate"),
    413: ("The form is too large", "A reason has at most 500 characters."),
    422: ("This is not an answer", "Reload the page, and answer by its buttons."),
}
FORM_WORDS = ("This form is over, or is not yours", "Open the pair again: /rate")


def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    what, todo = WORDS.get(status, ("This cannot be shown", ""))
    if status == 403 and request.method == "POST":
        what, todo = FORM_WORDS
    return _said(request, status, what, todo)


def _failed(request: Request, error: Exception) -> Response:
    """The library's own errors: the store is away (503), has no such thing (404), holds something damaged (502), or
    what was asked for makes no sense (422).
    """
    if isinstance(error, StoreAwayError):
        log.warning("the store is away: %s", error.what)
        # where the store lies, and what it said in full, is for the log
        todo = "Nothing is lost. Reload the page in some seconds."
        if request.method == "POST":
            todo = "Reload the page in some seconds, and let the browser send your answer again: it counts once."
        answer = _said(request, 503, "The store does not answer", todo)
        answer.headers["Retry-After"] = str(RETRY_S)
        return answer
    if isinstance(error, NotStoredError):
        return _said(request, 404, *WORDS[404])
    if not isinstance(error, PenstockError):
        return _bug(request, error)
    status = 422 if isinstance(error, UsageError) else 502
    return _said(request, status, one_line(error.what)[:500], one_line(error.todo)[:500])


def _bug(request: Request, error: Exception) -> Response:
    return _said(request, 500, "This is a bug of Penstock's own", f"Report it: {type(error).__name__}.")


def _said(request: Request, status: int, what: str, todo: str) -> Response:
    shared = request.url.path.startswith(("/shared/", "/rate"))
    return HTMLResponse(draw("said", {"shared": shared, "what": what, "todo": todo}), status_code=status)


def _run_name(text: str, model: str) -> RunName:
    """``MODEL/RUN``, or a run of the model that is named.

    Raises:
        UsageError: it is neither.
    """
    named, slash, run_id = text.rpartition("/")
    run_key(named if slash else model, run_id)
    return (named if slash else model, run_id)


def _matches(model: str, found: PublishedRelease, words: list[str]) -> bool:
    release, entry = found.release, found.published
    fields = (
        model,
        release.version,
        release.commit,
        release.run_id,
        release.notes,
        release.url,
        entry.by if entry else "",
    )
    text = "\n".join(fields).lower()
    return all(word in text for word in words)


def _shared(ticket: str, model: str, run_id: str) -> str:
    return f"/shared/{ticket}/{_part(model)}/{_part(run_id)}"


def _part(text: str) -> str:
    return quote(text, safe="")
