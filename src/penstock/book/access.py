"""Who may read the book: behind a proxy by a header, else by a token; and links that open one run for a while."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from penstock.foundation.errors import UsageError, one_line
from penstock.foundation.files import read_regular
from penstock.ratings.records import RATER_PATTERN

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
MIN_TOKEN_CHARACTERS = 24
"""A token is compared by a plain SHA-256, which is enough for random ones and not for words."""
MIN_KEY_BYTES = 32
MAX_FILE_BYTES = 1 << 20
MAX_USER_CHARACTERS = 200
_LINE = re.compile(r"^(?P<name>[^\s:]{1,100})\s+sha256:(?P<digest>[0-9a-f]{64})$")
_TICKET = re.compile(r"^(?P<expires>[0-9]{1,12})-(?P<mark>[A-Za-z0-9_-]{43})$")


@dataclass(frozen=True)
class Door:
    """What lets a reader in. With none of the two, everybody who can reach it is let in: on loopback only."""

    user_header: str = ""
    """The header in which an authenticating proxy says who it is."""
    proxies: Sequence[Network] = LOOPBACK
    """Where that header is believed from."""
    tokens: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of a token → whose it is."""

    @property
    def open(self) -> bool:
        """Whether nobody is asked."""
        return not self.user_header and not self.tokens

    def reader(self, headers: Mapping[str, str], peer: str) -> str | None:
        """Who it is; ``None``: nobody that is let in.

        Args:
            headers: of the request, names in lower case.
            peer: the address that it comes from.
        """
        if self.open:
            return "anybody"
        if self.user_header and self._is_proxy(peer):
            user = one_line(headers.get(self.user_header.lower(), "").strip())
            if user and len(user) <= MAX_USER_CHARACTERS:
                return user
        token = _token_of(headers.get("authorization", ""))
        if token is None or len(token) < MIN_TOKEN_CHARACTERS:
            return None
        return self.tokens.get(hashlib.sha256(token.encode()).hexdigest())

    def _is_proxy(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address.version == network.version and address in network for network in self.proxies)


def _token_of(authorization: str) -> str | None:
    """The token of ``Bearer TOKEN``, or the password of ``Basic``, which browsers ask for without a page of ours."""
    scheme, _, value = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value.strip(), validate=True).decode().partition(":")[2]
        except ValueError:
            return None
    return None


def read_tokens(path: Path) -> dict[str, str]:
    """A file of tokens' digests, a line each: ``NAME sha256:64 hex digits``. ``#`` begins a comment.

    Raises:
        UsageError: a line is something else, two names have one token, or there is none.
    """
    found: dict[str, str] = {}
    text = read_regular(path, max_bytes=MAX_FILE_BYTES, where=str(path)).decode("utf-8", "replace")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.match(line.strip())
        if match is None:
            raise UsageError(
                "this is not a name and the digest of a token",
                where=f"{path}:{number}",
                todo="Write 'NAME sha256:DIGEST'; docs/serve.md shows how. The token itself stays out of it.",
            )
        if found.setdefault(match["digest"], match["name"]) != match["name"]:
            what = f"'{match['name']}' has the token of '{found[match['digest']]}'"
            raise UsageError(what, where=f"{path}:{number}", todo="Give each one a token of his own.")
    if not found:
        raise UsageError("the file has no token", where=str(path), todo="Write a line 'NAME sha256:DIGEST'.")
    return found


def raters_door(path: Path, readers: Mapping[str, str]) -> Door:
    """Who may rate: a file as :func:`read_tokens` reads it, whose names can stand in the store.

    Raises:
        UsageError: a name cannot, stands there twice, or a token reads the book as well: who does knows which side is
            which.
    """
    tokens = read_tokens(path)
    names = list(tokens.values())
    for digest, name in tokens.items():
        what = ""
        if not re.fullmatch(RATER_PATTERN, name):
            what = f"'{name}' cannot be a rater's name: up to 64 letters, digits, '.', '_', '@' and '-'"
        elif names.count(name) > 1:
            what = f"'{name}' has two tokens"
        elif digest in readers:
            what = f"the token of '{name}' reads the book as well, which tells which model is which"
        if what:
            raise UsageError(what, where=str(path), todo="Give each rater one token of his own; docs/ratings.md.")
    return Door(tokens=tokens)


def read_key(path: Path) -> bytes:
    """The key that links are signed with: the file's content without white space around it.

    Raises:
        UsageError: it is missing or too short.
    """
    return checked_key(read_regular(path, max_bytes=MAX_FILE_BYTES, where=str(path)), where=str(path))


def checked_key(key: bytes, *, where: str) -> bytes:
    """A key that is long enough.

    Raises:
        UsageError: it is not.
    """
    key = key.strip()
    if len(key) < MIN_KEY_BYTES:
        what = f"a key to sign links has at least {MIN_KEY_BYTES} bytes"
        raise UsageError(what, where=where, todo="Make one: openssl rand -hex 32")
    return key


class Tickets:
    """Signed leave to see one thing until a certain time: ``EXPIRES-MARK``, a part of a path.

    The mark is the HMAC-SHA256 of the time and what it opens. So it needs no memory, holds for every process with the
    key, and is taken back by another key only.
    """

    def __init__(self, key: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._key = key
        self.clock = clock

    def until(self, seconds: float) -> int:
        """A time that far away, at the full hour after it: the links of a page stay the same for a while."""
        return math.ceil((self.clock() + seconds) / 3600) * 3600

    def issue(self, what: str, expires: int) -> str:
        """A ticket for something (``MODEL/RUN``, or one file of a run) until a time in seconds since 1970."""
        return f"{expires}-{self._mark(what, expires)}"

    def expiry(self, ticket: str, *what: str) -> int | None:
        """Until when it opens any of these; ``None``: it opens none of them, or no longer."""
        match = _TICKET.match(ticket)
        if match is None:
            return None
        expires = int(match["expires"])
        opens = [hmac.compare_digest(match["mark"], self._mark(one, expires)) for one in what]
        return expires if any(opens) and expires > self.clock() else None

    def _mark(self, what: str, expires: int) -> str:
        digest = hmac.digest(self._key, f"penstock book\n{expires}\n{what}".encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks, or single addresses.

    Raises:
        UsageError: one of them is neither.
    """
    try:
        return tuple(ipaddress.ip_network(text.strip()) for text in texts)
    except ValueError as error:
        raise UsageError(f"this is not a network: {error}", where="--proxy", todo="Write it as 10.0.0.0/8.") from None
