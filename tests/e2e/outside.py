"""The internet, as far as it is needed here: a public address on this machine, with somebody listening."""

from __future__ import annotations

import socket
import subprocess
import threading

ADDRESS = "198.51.100.80"
"""Of a block that is kept for documentation: no one's, and no network policy takes it for a private one."""
PORT = 8443


class Outside:
    """The address, and a listener that remembers who came. Use as a context manager."""

    address = ADDRESS
    port = PORT

    def __init__(self) -> None:
        self.visitors: list[str] = []
        self._listener = socket.socket()

    def __enter__(self) -> Outside:
        _ip("address", "replace", f"{self.address}/32", "dev", "lo")  # it may be there, of a session that was killed
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind((self.address, self.port))
        self._listener.listen()
        threading.Thread(target=self._listen, name="outside", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        _ip("address", "delete", f"{self.address}/32", "dev", "lo")

    def _listen(self) -> None:
        while True:
            try:
                connection, (visitor, _) = self._listener.accept()
            except OSError:  # closed
                return
            self.visitors.append(visitor)
            connection.close()


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
