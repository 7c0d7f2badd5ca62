"""One request and its answer, waited for."""

from __future__ import annotations

import time
from dataclasses import dataclass

from penstock.load.connection import ConnectionBrokenError, LoadConnection, Stage
from penstock.load.load_request import Destination, LoadRequest
from penstock.load.timeline import RequestEnding


@dataclass(frozen=True)
class Exchange:
    """What came of a request."""

    ending: RequestEnding
    seconds: float
    status: int = 0
    """0 where there was no answer."""
    message: str = ""
    """What was wrong."""

    @property
    def good(self) -> bool:
        """Whether it was a whole answer with a status of 200 to 299."""
        return self.ending is RequestEnding.GOOD


def exchange(destination: Destination, request: LoadRequest, timeout_s: float) -> Exchange:
    """Connect, send a request, and read its answer to the end; the body is not kept."""
    began = time.perf_counter()
    connection: LoadConnection | None = None
    try:
        connection = LoadConnection(destination)
        _wait_until(connection, Stage.IDLE, began + timeout_s)
        connection.send(0, request)
        _wait_until(connection, Stage.ANSWERED, began + timeout_s)
    except ConnectionBrokenError as error:
        status = connection.reader.status if connection is not None else 0
        return Exchange(error.ending, time.perf_counter() - began, status, str(error))
    finally:
        if connection is not None:
            connection.close()
    status, seconds = connection.reader.status, time.perf_counter() - began
    if 200 <= status < 300:
        return Exchange(RequestEnding.GOOD, seconds, status)
    return Exchange(RequestEnding.STATUS, seconds, status, f"the service answered {status}")


def _wait_until(connection: LoadConnection, stage: Stage, deadline: float) -> None:
    while connection.stage is not stage:
        connection.wait(deadline - time.perf_counter())
