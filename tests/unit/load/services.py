"""Small services on loopback, of every kind that a generator of load meets."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from penstock.load.arrivals import constant_arrivals
from penstock.load.generator import ClosedLoop, Generator, GeneratorLimits, OpenLoop
from penstock.load.load_request import find_destination, make_requests, parse_load_url
from penstock.load.timeline import RequestEnding, Timeline

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
Handle = Callable[[socket.socket], None]


@dataclass
class Service:
    """One that listens."""

    port: int
    connections: list[socket.socket] = field(default_factory=list)
    listener: socket.socket = field(default_factory=socket.socket)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/answer"

    def vanish(self) -> None:
        """Listen no more, and break every connection, as a killed process does."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            reset(connection)


@contextlib.contextmanager
def service(handle: Handle, *, tls: ssl.SSLContext | None = None) -> Iterator[Service]:
    """Listen on a port, and call ``handle`` in a thread for each connection."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    made = Service(listener.getsockname()[1], listener=listener)

    def serve(connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.closing(connection):
            if tls is not None:
                connection = tls.wrap_socket(connection, server_side=True)
            handle(connection)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                made.connections.append(connection)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield made
    finally:
        made.vanish()


def reset(connection: socket.socket) -> None:
    """Break a connection, so that the other side is told (RST)."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RD)
    with contextlib.suppress(OSError):
        connection.close()


def read_request(connection: socket.socket) -> bytes:
    """A whole request; empty once the connection is closed."""
    content = b""
    while b"\r\n\r\n" not in content:
        data = connection.recv(65536)
        if not data:
            return b""
        content += data
    head, _, body = content.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    parts = [body]
    left = length - len(body)
    while left > 0:
        parts.append(connection.recv(65536))
        left -= len(parts[-1])
    return head + b"\r\n\r\n" + b"".join(parts)


def answering(answer: bytes, *, close: bool = False, delay_s: float = 0.0) -> Handle:
    """Answer each request with these bytes; ``close`` the connection after the first."""

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            time.sleep(delay_s)
            connection.sendall(answer)
            if close:
                return

    return handle


def put_load(
    url: str,
    *,
    rate: float = 100.0,
    seconds: float = 0.2,
    connections: int = 100,
    timeout_s: float = 20.0,
    bodies: tuple[Path, ...] = (),
    concurrency: int | None = None,
) -> Timeline:
    """What became of the requests."""
    place = parse_load_url(url)
    loop = OpenLoop(constant_arrivals(rate, seconds)) if concurrency is None else ClosedLoop(concurrency, seconds)
    requests = make_requests(place, method="", headers=(), bodies=bodies)
    return Generator(find_destination(place), requests, loop, GeneratorLimits(connections, timeout_s)).run()


def certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A service's context for 127.0.0.1, and the file with the certificate, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "service")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


def endings(timeline: Timeline) -> dict[RequestEnding, int]:
    """How many requests ended each way."""
    return dict(Counter(RequestEnding(code) for code in timeline.ending))
