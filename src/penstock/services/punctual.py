"""HTTP connections on which a request comes in time, or which are ended."""

from __future__ import annotations

import asyncio
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol


class PunctualProtocol(H11Protocol):
    """uvicorn's, which waits for the first request as long as it waits for the next: ``timeout_keep_alive``.

    Its own waits for good: as many connections as it takes at all, on which nobody says anything, would lock everybody
    out. A request that comes bit by bit gets no more time.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait. Answers leave at once, which asyncio sees to for sockets alone that it has made itself."""
        super().connection_made(transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        """Go on to wait, unless a request has begun with this."""
        waiting, before = self.timeout_keep_alive_task, self.cycle
        self.timeout_keep_alive_task = None
        super().data_received(data)
        if self.cycle is before and self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = waiting
        elif waiting is not None:
            waiting.cancel()
