"""The HTTP server of a service, with the limits that hold for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from penstock.foundation.errors import UsageError

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn import Server

MAX_CONNECTIONS: Final = 200
MAX_HEADER_BYTES: Final = 16 << 10
MAX_SILENT_S: Final = 10
"""How long a connection is kept on which no request comes, the first one included."""
MAX_STOP_S: Final = 5
"""How long requests in progress are waited for when the service is told to stop."""
_OF_THE_EXTRA: Final = ("starlette", "uvicorn")


def web_server(application: ASGIApp) -> Server:
    """The server of an application. Run it on the socket of :func:`penstock.services.listening.bound`.

    It logs no requests: an address may hold a secret, such as a signed link of the release book.

    Raises:
        UsageError: the extra ``serve`` is not installed.
    """
    with extra_serve("a service"):
        import uvicorn

        from penstock.services.punctual import PunctualProtocol
    return uvicorn.Server(
        uvicorn.Config(
            application,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=MAX_CONNECTIONS,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            http=PunctualProtocol,
            ws="none",
            timeout_keep_alive=MAX_SILENT_S,
            timeout_graceful_shutdown=MAX_STOP_S,
        )
    )


@contextmanager
def extra_serve(what: str) -> Iterator[None]:
    """Import within it what needs starlette or uvicorn: one who lacks them is told what to install.

    Args:
        what: needs them, such as ``the release book``.

    Raises:
        UsageError: the extra ``serve`` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _OF_THE_EXTRA:
            raise
        todo = "Install them: pip install 'penstock[serve]'"
        raise UsageError(f"{what} needs starlette and uvicorn", todo=todo) from None
