"""Which repository an address means: one text for all addresses of the same repository (docs/adr/0016)."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from penstock.foundation.errors import UsageError

DEFAULT_PORTS = {"https": 443, "http": 80, "ssh": 22, "git": 9418}
FORGE_USER = "git"
"""The account that forges give to everybody: a path below its home means the same to all."""
_HELPER = re.compile(r"^[A-Za-z0-9+.\-]*::")
_SCP_LIKE = re.compile(r"^(?:(?P<user>[^@/:\s]+)@)?(?P<host>[^/:\s]+):(?P<path>.*)$")


def repository_identity(address: str) -> str:
    """The text that all addresses of one repository have in common.

    ``host/path`` for what is on a server: ``https://git.example.org/acme/mini.git`` and
    ``git@GIT.example.org:acme/mini/`` are both ``git.example.org/acme/mini``. The scheme, the user, a port that is the
    scheme's own, ``.git`` and slashes at the end say nothing; another port, and capital letters in the path, do. For
    what is on this machine, the absolute path without symbolic links; a linked work tree and a ``.git`` folder stand
    for their repository.

    Raises:
        UsageError: the address names no repository.
    """
    if _HELPER.match(address):
        raise UsageError("this is not the address of a repository", where=address[:200])
    if "://" not in address:
        scp_like = _SCP_LIKE.match(address)
        if scp_like and not address.startswith(("/", ".")):
            steps = scp_like["path"].split("/")  # as they are: git decodes nothing in this form
            return _on_server(scp_like["host"], None, steps, scp_like["user"] or "", home=True)
        return _on_this_machine(Path(address))
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise UsageError("this is not the address of a repository", where=address[:200]) from None
    scheme = parts.scheme.lower()
    if "?" in address or "#" in address:
        raise UsageError(
            "this is not the address of a repository: it has a query ('?…') or fragment ('#…')",
            where=address[:200],
            todo="Leave it out; write '%3F' or '%23' where the path has one.",
        )
    if scheme == "file":
        return _on_this_machine(Path(unquote(parts.path)))
    if scheme not in DEFAULT_PORTS or not parts.hostname:
        raise UsageError(
            "this is not the address of a repository",
            where=address[:200],
            todo="Use https, ssh, user@host:path or a path.",
        )
    other = port if port not in (None, DEFAULT_PORTS[scheme]) else None
    home = scheme == "ssh" and parts.path.startswith("/~")
    path = parts.path.removeprefix("/~/") if home else parts.path
    steps = [unquote(step) for step in path.split("/")]
    return _on_server(parts.hostname, other, steps, parts.username or "", home=home)


def _on_server(host: str, port: int | None, path: list[str], user: str, *, home: bool) -> str:
    """``host[:port]/path``.

    Args:
        host: in any case.
        port: only if it is not the scheme's own.
        path: its steps, decoded; the first is empty where it begins with a slash.
        user: who is logged in.
        home: the path is relative to that user's home, unless it begins with a slash.

    Raises:
        UsageError: host or path is missing.
    """
    steps = [quote(step, safe="~@:+,=!$&'()*;") for step in path if step not in ("", ".")]
    if steps:
        steps[-1] = steps[-1].removesuffix(".git")
        steps = [step for step in steps if step]
    if not steps or not host:
        raise UsageError("this is not the address of a repository", where=f"{host}:{'/'.join(path)}"[:200])
    # below a home, the same path is another repository for each user; forges have one user for all
    if home and not path[0].startswith("~") and path[0] and user not in ("", FORGE_USER):
        steps.insert(0, f"~{user}")
    name = host.rstrip(".").lower()
    name = f"[{name}]" if ":" in name else name
    return f"{name}{f':{port}' if port is not None else ''}/{'/'.join(steps)}"


def _on_this_machine(path: Path) -> str:
    place = path.expanduser().resolve()
    git = place / ".git"
    if git.is_file():
        place = _main_of(git) or place
    return str(place.parent if place.name == ".git" else place)


def _main_of(link: Path) -> Path | None:
    """The ``.git`` folder, or bare repository, that a linked work tree belongs to; ``None`` if the link says none."""
    try:
        text = link.read_text(encoding="utf-8")
        if not text.startswith("gitdir:"):
            return None
        folder = (link.parent / text.removeprefix("gitdir:").strip()).resolve()
        common = (folder / "commondir").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None  # a submodule's: its folder is a repository of its own
    return (folder / common).resolve()
