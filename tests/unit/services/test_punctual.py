"""A connection on which no whole request comes in time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from unittest.mock import Mock

import pytest
from uvicorn.server import ServerState

from penstock.services.web_server import MAX_SILENT_S, web_server


@pytest.fixture
def connection() -> Iterator[socket.socket]:
    """The server's side of one."""
    listening = socket.create_server(("127.0.0.1", 0))
    asking = socket.create_connection(listening.getsockname())
    with closing(listening), closing(asking), closing(listening.accept()[0]) as accepted:
        yield accepted


def test_a_connection_on_which_no_request_comes_is_ended(connection: socket.socket) -> None:
    config = web_server(Mock()).config
    config.load()
    loop = Mock()
    loop.create_task.side_effect = lambda task, **_: task.close() or Mock()
    made_protocol: Any = config.http_protocol_class

    def connected() -> tuple[Any, Mock, Mock]:
        loop.call_later.reset_mock()
        loop.call_later.return_value = waiting = Mock()
        transport = Mock(**{"is_closing.return_value": False})
        transport.get_extra_info.side_effect = {"socket": connection}.get
        protocol = made_protocol(config=config, server_state=ServerState(), app_state={}, _loop=loop)
        protocol.connection_made(transport)
        return protocol, transport, waiting

    assert not connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    protocol, transport, waiting = connected()
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY), "an answer leaves at once"
    for piece in (b"GET / HTTP/1.1\r\n", b"Host:", b" 127.0.0.1\r\n"):  # bit by bit is no way to hold it
        protocol.data_received(piece)
    waiting.cancel.assert_not_called()
    delay, over = loop.call_later.call_args.args
    assert delay == MAX_SILENT_S
    over()
    transport.close.assert_called_once()
    protocol, transport, waiting = connected()
    protocol.data_received(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    waiting.cancel.assert_called_once()
