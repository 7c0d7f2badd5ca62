"""A mail server on this machine: as much of SMTP (RFC 5321) as one mail takes, and its refusals."""

from __future__ import annotations

import contextlib
import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage


@dataclass
class MailServer:
    """What it took."""

    port: int = 0
    refused: str = ""
    """A recipient that it does not know."""
    mails: list[EmailMessage] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?mode=insecure&from=penstock@example.org"


@contextlib.contextmanager
def mail_server() -> Iterator[MailServer]:
    """A server without TLS and without a login."""
    state = MailServer()

    class Handler(socketserver.StreamRequestHandler):
        def say(self, line: str) -> None:
            self.wfile.write(f"{line}\r\n".encode())

        def handle(self) -> None:
            self.say("220 mail.example.org ESMTP")
            while line := self.rfile.readline().decode().strip():
                verb = line.split()[0].upper()
                if verb == "QUIT":
                    return self.say("221 bye")
                if verb == "RCPT" and state.refused and state.refused in line:
                    self.say("550 5.1.1 no such user")
                elif verb == "DATA":
                    self.say("354 go on")
                    self.take()
                else:
                    self.say("250 ok")
            return None

        def take(self) -> None:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            state.mails.append(message)
            self.say("250 queued")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        state.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield state
        server.shutdown()
        thread.join()
