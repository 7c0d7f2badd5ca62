"""The pages of runs in progress. Once a run is archived, the address of such a page leads to the run's own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from penstock.book.cards import RunCard
from penstock.book.drawn_page import draw, list_page
from penstock.book.evidence import NOTHING_RUNS, UnfitRangeError, part_of, type_of
from penstock.book.shelf import Shelf
from penstock.book.workbench import Workbench

AGAIN_S = 5
"""The page is loaded again after so many seconds, while the run goes on."""
CASES = 24
"""On one page: each may have a video."""
PIECE = 256 << 10


@dataclass(frozen=True)
class LivePages:
    """The handlers."""

    shelf: Shelf
    bench: Workbench | None
    """The workspace; ``None``: nothing is seen of a run before it is archived."""

    def routes(self) -> list[Route]:
        """Their addresses. That of a run is always there: a commit's status leads to it from the start."""
        return [
            Route("/live", self.runs),
            Route("/live/{run}", self.run),
            Route("/live/{run}/files/{path:path}", self.file),
        ]

    def runs(self, request: Request) -> Response:
        """Runs in the workspace that are not archived."""
        if self.bench is None:
            raise HTTPException(404)
        archived = {run.run_id for model in self.shelf.models().values() for run in model.runs}
        going = [card for card in self.bench.runs() if card.run_id not in archived]
        return HTMLResponse(
            draw("live_runs", {"shared": False, "runs": list_page(going, request.query_params.get("page", ""))})
        )

    def run(self, request: Request) -> Response:
        """One run: its steps, its cases so far, the worst first; once it is archived, the way to its own page."""
        name = request.path_params["run"]
        if (archived := self._archived(name)) is not None:
            place = f"/models/{quote(archived.model, safe='')}/runs/{quote(archived.run_id, safe='')}"
            return RedirectResponse(place, status_code=303, headers={"Cache-Control": "no-store"})
        found = self.bench.run(name) if self.bench is not None else None
        again_s = 0 if request.query_params.get("hold") else AGAIN_S  # who watches a video is not interrupted
        values: dict[str, object] = {"shared": False, "name": name[:200], "found": found, "again_s": again_s}
        values["live"] = self.bench is not None
        if found is not None:
            values["cases"] = list_page(found.cases, request.query_params.get("page", ""), per_page=CASES)
        return HTMLResponse(draw("live", values), status_code=200 if found is not None else 404)

    def file(self, request: Request) -> Response:
        """What came back for a case, or a part of it. It may be written anew while the run goes on: nobody keeps it."""
        path = request.path_params["path"]
        file = self.bench.open(request.path_params["run"], path) if self.bench is not None else None
        if file is None:
            raise HTTPException(404)
        headers = {"Content-Security-Policy": NOTHING_RUNS, "Cache-Control": "no-store", "Accept-Ranges": "bytes"}
        size = os.fstat(file.fileno()).st_size
        try:
            part = part_of(size, request.headers.get("range", ""))
        except UnfitRangeError:
            file.close()
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
        headers["Content-Length"] = str(part.length)
        if not part.whole:
            headers["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{size}"
        status = 200 if part.whole else 206
        if request.method == "HEAD":
            file.close()
            return Response(status_code=status, headers=headers, media_type=type_of(path))
        pieces = _pieces(file, part.start, part.length)
        return StreamingResponse(pieces, status_code=status, headers=headers, media_type=type_of(path))

    def _archived(self, name: str) -> RunCard | None:
        """The run in the store. Names of runs are made up for each run: they are not used for two models."""
        return next((run for model in self.shelf.models().values() if (run := model.run(name)) is not None), None)


def _pieces(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    """A part of a file, which is closed at the end. One that has become shorter ends the answer early."""
    with file:
        file.seek(start)
        while length > 0 and (piece := file.read(min(PIECE, length))):
            length -= len(piece)
            yield piece
