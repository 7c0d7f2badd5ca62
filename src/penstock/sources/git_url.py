"""Which addresses a repository may be cloned from, and how they are shown: never with a password."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from penstock.foundation.errors import UsageError

MAX_URL_CHARACTERS = 2000
Scheme = Literal["https", "http", "ssh", "local"]

_HELPER = re.compile(r"^[A-Za-z0-9+.\-]*::")
_SCP_LIKE = re.compile(r"^(?:(?P<user>[^@/:\s]+)@)?(?P<host>[A-Za-z0-9_][A-Za-z0-9._-]*):(?P<path>[^:].*)$")
_HOST = re.compile(r"^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])$")
_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*://)[^/?#\s'\"]*@")
_QUERY = re.compile(r"(?P<url>[A-Za-z][A-Za-z0-9+.\-]*://[^\s'\"?#]*)[?#][^\s'\"]*")


@dataclass(frozen=True)
class RepositoryUrl:
    """An address that may be cloned. ``text`` is what git gets and people see: it holds no secret."""

    scheme: Scheme
    text: str
    host: str = ""
    """Host with port, as in the address; empty for a local path."""
    username: str = field(default="", repr=False)
    """Percent-encoded, from an http(s) address."""
    password: str = field(default="", repr=False)
    """Percent-encoded."""


def mask(text: str) -> str:
    """Take user names, passwords and query strings out of every address in ``text``."""
    return _QUERY.sub(r"\g<url>?***", _USERINFO.sub(r"\g<scheme>***@", text))


def parse_url(
    url: str, *, allow_http: bool = False, allow_local: bool = False, base: Path | None = None
) -> RepositoryUrl:
    """Accept or refuse the address of a repository.

    Accepted: ``https://``, ``ssh://``, ``user@host:path``; ``http://`` with ``allow_http`` (a git server inside the
    cluster); a path or ``file://`` with ``allow_local`` (only the local run). Everything else is refused by name:
    ``ext::`` and other transport helpers run commands, a leading ``-`` would be an option.

    Args:
        url: the address.
        allow_http: whether an unencrypted address is accepted.
        allow_local: whether a path on this machine is accepted.
        base: what a relative local path is relative to; the current directory by default.

    Raises:
        UsageError: why the address is refused.
    """
    shown = mask(url)[:200]
    if not url or url != url.strip():
        raise UsageError("the address is empty or begins or ends with a space", where="repository URL")
    if len(url) > MAX_URL_CHARACTERS:
        raise UsageError(f"the address is longer than {MAX_URL_CHARACTERS} characters", where="repository URL")
    if any(not c.isprintable() for c in url) or any(not c.isprintable() for c in unquote(url)):
        raise UsageError("the address contains a control character", where=shown)
    if url.startswith("-"):
        raise UsageError("the address begins with '-' and would be read as an option", where=shown)
    if _HELPER.match(url):
        helper = url.split("::", 1)[0]
        raise UsageError(
            f"'{helper}::' addresses are not allowed: they run commands on this machine",
            where=shown,
            todo=_ways(allow_http),
        )
    if "://" in url:
        return _with_scheme(url, shown, allow_http=allow_http, allow_local=allow_local)
    scp_like = _SCP_LIKE.match(url)
    if scp_like and not url.startswith(("/", ".")):
        user, path = scp_like["user"] or "", scp_like["path"]
        if user.startswith("-") or path.startswith("-"):
            raise UsageError("a part of the address begins with '-' and would be read as an option", where=shown)
        return RepositoryUrl("ssh", url, host=scp_like["host"])
    return _local(Path(url) if base is None else base / url, shown, allow_local=allow_local)


def _with_scheme(url: str, shown: str, *, allow_http: bool, allow_local: bool) -> RepositoryUrl:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError("this is not a valid address", where=shown) from None
    scheme = parts.scheme.lower()
    if scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise UsageError("a file:// address must not name a host", where=shown)
        if "?" in url or "#" in url:
            todo = "Leave it out; write '%3F' or '%23' where the path has one."
            raise UsageError("the address has a query ('?…') or fragment ('#…')", where=shown, todo=todo)
        return _local(Path(unquote(parts.path)), shown, allow_local=allow_local)
    if scheme == "http" and not allow_http:
        raise UsageError(
            "unencrypted http is not allowed here", where=shown, todo="Use https, or allow http explicitly."
        )
    if scheme not in ("https", "http", "ssh"):
        raise UsageError(f"'{scheme}://' addresses are not allowed", where=shown, todo=_ways(allow_http))
    host = parts.hostname or ""
    if not _HOST.match(f"[{host}]" if ":" in host else host):
        raise UsageError("the address has no valid host", where=shown)
    if parts.path.startswith("/-") or (parts.username or "").startswith("-"):
        raise UsageError("a part of the address begins with '-' and would be read as an option", where=shown)
    if parts.query or parts.fragment:
        raise UsageError(
            "the address has a query ('?…') or fragment ('#…')",
            where=shown,
            todo="Give a token through the basic-auth workspace.",
        )
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    if scheme == "ssh":
        if parts.password is not None:
            raise UsageError(
                "an ssh address must not carry a password", where=shown, todo="Use the ssh-directory workspace."
            )
        user = f"{parts.username}@" if parts.username else ""
        return RepositoryUrl("ssh", SplitResult("ssh", user + netloc, parts.path, "", "").geturl(), host=netloc)
    text = SplitResult(scheme, netloc, parts.path, "", "").geturl()
    return RepositoryUrl(
        "http" if scheme == "http" else "https", text, netloc, parts.username or "", parts.password or ""
    )


def _local(path: Path, shown: str, *, allow_local: bool) -> RepositoryUrl:
    if not allow_local:
        raise UsageError(
            "a path on this machine is not allowed here",
            where=shown,
            todo="Use https or ssh; paths are for the local run.",
        )
    path = path.expanduser()
    if not path.is_dir():
        raise UsageError(
            "there is no git repository at this path",
            where=shown,
            todo="Check the path, or write the address with 'https://'.",
        )
    return RepositoryUrl("local", str(path.resolve()))


def _ways(allow_http: bool) -> str:
    return f"Use https{', http' if allow_http else ''} or ssh."


def submodule_url(parent: RepositoryUrl, url: str, *, name: str, allow_http: bool = False) -> RepositoryUrl:
    """The address of a submodule, which a hostile repository wrote.

    A relative address stays on the parent's host, or, for a parent on this machine, among the parent's siblings. An
    absolute one must be https or ssh (http where the parent may be), never a path on this machine.

    Args:
        parent: where the repository that holds the submodule came from.
        url: what ``.gitmodules`` says.
        name: the submodule's path, for messages.
        allow_http: as in :func:`parse_url`.

    Raises:
        UsageError: the submodule points outside.
    """
    where = f"submodule '{name}'"
    todo = "Use an https address, or a relative one below the same host."
    if not url.startswith(("./", "../")):
        try:
            return parse_url(url, allow_http=allow_http, allow_local=False)
        except UsageError as error:
            raise UsageError(
                f"its address '{mask(url)[:200]}' points outside: {error.what}", where=where, todo=todo
            ) from None
    if any(not c.isprintable() for c in unquote(url)) or len(url) > MAX_URL_CHARACTERS:
        raise UsageError("its address contains control characters or is too long", where=where)
    outside = UsageError(f"its address '{url[:200]}' points outside", where=where, todo=todo)
    if parent.scheme == "local":
        siblings = Path(parent.text).parent
        path = Path(posixpath.normpath(posixpath.join(parent.text, url)))
        if path.parent != siblings or path == siblings or not path.resolve().is_relative_to(siblings):
            raise outside
        if not path.is_dir():
            raise UsageError(f"there is no repository at its address '{url[:200]}'", where=where)
        return RepositoryUrl("local", str(path.resolve()))
    prefix, path_text = _split_path(parent)
    segments = [segment for segment in path_text.split("/") if segment]
    for part in unquote(url).split("/"):
        if part == "..":
            if not segments:
                raise outside
            segments.pop()
        elif part not in ("", "."):
            segments.append(part)
    if not segments:
        raise outside
    joined = parse_url(prefix + "/".join(segments), allow_http=allow_http)
    return RepositoryUrl(joined.scheme, joined.text, joined.host, parent.username, parent.password)


def _split_path(parent: RepositoryUrl) -> tuple[str, str]:
    """Split an address into what comes before the path (with its ``/`` or ``:``) and the path."""
    if "://" in parent.text:
        parts = urlsplit(parent.text)
        return f"{parts.scheme}://{parts.netloc}/", parts.path
    host, path = parent.text.split(":", 1)
    return f"{host}:{'/' if path.startswith('/') else ''}", path
