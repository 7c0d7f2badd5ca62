"""The pages of raters: which runs wait, one pair after the other, and the form that comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from typing import get_args
from urllib.parse import parse_qs, quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from penstock.book.access import Door, Tickets
from penstock.book.drawn_page import draw
from penstock.book.evidence import NOTHING_RUNS, type_of
from penstock.book.rating_desk import RatingDesk
from penstock.book.sent_file import sent_file
from penstock.book.shelf import Shelf
from penstock.book.threshold import HEADERS
from penstock.foundation.errors import UsageError, one_line
from penstock.ratings.records import MAX_REASON, Answer
from penstock.ratings.turns import SIDES
from penstock.store.archive import run_key
from penstock.store.store import NotStoredError

FORM_S = 4 * 3600
"""How long a form may be sent, and its clips be seen, at least."""
MAX_FORM_BYTES = 16 << 10
MAX_FIELDS = 8
FORM_WAIT_S = 10
"""A form must have come within so many seconds."""
ANSWERS: dict[str, Answer] = {answer: answer for answer in get_args(Answer)}
WITH_SCRIPT = {"Content-Security-Policy": HEADERS["Content-Security-Policy"] + "; script-src 'self'"}
SAID = {"before": "You have answered that pair before: the first answer stays."}


@dataclass(frozen=True)
class RatingPages:
    """The handlers. :class:`penstock.book.threshold.Threshold` lets nobody but raters in."""

    shelf: Shelf
    raters: Door
    tickets: Tickets

    @cached_property
    def desk(self) -> RatingDesk:
        """What they are given."""
        return RatingDesk(self.shelf)

    def routes(self) -> list[Route]:
        """Their addresses."""
        run = "/rate/{model}/{run}"
        return [
            Route("/rate", self.waiting),
            Route("/rate/step.js", self.script),
            Route(run, self.pair, methods=["GET"]),
            Route(run, self.answer, methods=["POST"]),
            Route(f"{run}/{{position}}/{{side}}/{{ticket}}", self.clip),
        ]

    def waiting(self, request: Request) -> Response:
        """The runs that wait."""
        rater = self._rater(request)
        return HTMLResponse(draw("rate", {"shared": True, "rater": rater, "runs": self.desk.waiting(rater)}))

    def pair(self, request: Request) -> Response:
        """The rater's next pair of a run."""
        rater, (model, run_id) = self._rater(request), _names(request)
        found = self.desk.next_pair(model, run_id, rater)
        values: dict[str, object] = {
            "shared": True,
            "rater": rater,
            "model": model,
            "home": _home(model, run_id),
            "found": found,
            "said": SAID.get(request.query_params.get("said", ""), ""),
            "max_reason": MAX_REASON,
        }
        if found is not None:
            until = self.tickets.until(FORM_S)
            place = (model, run_id, rater, str(found.position))
            values["form"] = self.tickets.issue(_opens("form", *place), until)
            values["clips"] = {
                side: f"{_home(model, run_id)}/{found.position}/{side}/"
                f"{self.tickets.issue(_opens('clip', *place, side), until)}"
                for side in SIDES
            }
        return HTMLResponse(draw("rate_pair", values), headers=WITH_SCRIPT)

    async def answer(self, request: Request) -> Response:
        """A form that comes back."""
        fields = await _form(request)
        return await run_in_threadpool(self._answered, request, fields)

    def clip(self, request: Request) -> Response:
        """What is shown on a side. Its address and its headers are the same for both models."""
        rater, (model, run_id) = self._rater(request), _names(request)
        position, side = request.path_params["position"], request.path_params["side"]
        if side not in SIDES or not _is_number(position):
            raise HTTPException(404)
        opens = _opens("clip", model, run_id, rater, position, side)
        if self.tickets.expiry(request.path_params["ticket"], opens) is None:
            raise HTTPException(403)
        turn = self.desk.turn(model, run_id, rater, int(position))
        is_candidate, name = turn.file(side)
        of_run = run_id if is_candidate else turn.pair.released_run
        if name not in self.shelf.manifest(model, of_run).files:
            raise HTTPException(404)
        # no ETag: it is the file's digest, which the page of the run tells
        headers = {"Cache-Control": "private, max-age=3600", "Content-Security-Policy": NOTHING_RUNS}
        return sent_file(self.shelf, request, f"{run_key(model, of_run)}/{name}", type_of(name), headers)

    def script(self, _request: Request) -> Response:
        """What keeps two clips in step, and answers by keys."""
        content = (files("penstock.book") / "rate.js").read_bytes()
        return Response(content, media_type="text/javascript", headers={"Cache-Control": "private, max-age=3600"})

    def _answered(self, request: Request, fields: dict[str, str]) -> Response:
        rater, (model, run_id) = self._rater(request), _names(request)
        position, given, answer = (fields.get(name, "") for name in ("position", "form", "answer"))
        if not _is_number(position) or answer not in ANSWERS:
            raise HTTPException(422)
        if self.tickets.expiry(given, _opens("form", model, run_id, rater, position)) is None:
            raise HTTPException(403)
        # a browser counts a line break as one character, and sends two
        reason = one_line(fields.get("reason", "").replace("\r\n", "\n")).strip()
        if len(reason) > MAX_REASON:
            raise HTTPException(413)
        if not self.desk.may_be_rated(model, run_id):
            raise HTTPException(409)
        try:
            new = self.desk.answer(model, run_id, rater, int(position), ANSWERS[answer], reason)
        except NotStoredError:
            raise HTTPException(409) from None
        return RedirectResponse(_home(model, run_id) + ("" if new else "?said=before"), status_code=303)

    def _rater(self, request: Request) -> str:
        found = self.raters.reader(request.headers, request.client.host if request.client else "")
        if found is None:
            raise HTTPException(401)
        return found


async def _form(request: Request) -> dict[str, str]:
    """The fields of a small form.

    Raises:
        HTTPException: 408, it came too slowly; 413, it is too large; 422, it is none.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise HTTPException(422)
    body = b""
    try:
        async with asyncio.timeout(FORM_WAIT_S):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_FORM_BYTES:
                    raise HTTPException(413)
    except TimeoutError:
        raise HTTPException(408) from None
    try:
        found = parse_qs(body.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError:
        raise HTTPException(422) from None
    return {name: values[0] for name, values in found.items()}


def _names(request: Request) -> tuple[str, str]:
    found = request.path_params["model"], request.path_params["run"]
    try:
        run_key(*found)
    except UsageError:
        raise HTTPException(404) from None
    return found


def _home(model: str, run_id: str) -> str:
    return f"/rate/{quote(model, safe='')}/{quote(run_id, safe='')}"


def _opens(what: str, *place: str) -> str:
    """What a ticket opens: no name holds a line end, so that no two places read the same."""
    return "\n".join(("rate", what, *place))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 6
