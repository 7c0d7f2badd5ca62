"""Telling people how a run ended, through apprise: chat, mail, WeCom robots and many more."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from penstock.foundation.errors import UsageError, WorldError

Kind = Literal["info", "success", "warning", "failure"]


def receivers_in(directory: Path | None) -> list[str]:
    """The addresses in ``directory/urls``, one a line; ``#`` begins a comment. None without a directory.

    Raises:
        UsageError: there is no such file, or it is not text.
    """
    if directory is None:
        return []
    try:
        lines = (directory / "urls").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UsageError("there is no file 'urls'", where="receivers", todo="Give one address a line in it.") from None
    except (UnicodeDecodeError, OSError):
        raise UsageError("the file 'urls' cannot be read", where="receivers") from None
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def notify(urls: Sequence[str], title: str, body: str, *, kind: Kind = "info") -> int:
    """Send one message to every address. It says how a run ended; whether it arrives changes nothing about that.

    Args:
        urls: apprise addresses (``wecombot://…``, ``mailto://…``, ``json://…``). They hold secrets and are never shown.
        title: one line.
        body: Markdown.
        kind: the colour or sign of the message, where the service has one.

    Returns:
        How many were sent; 0 if there is no address.

    Raises:
        UsageError: an address that apprise does not know.
        WorldError: at least one service could not be reached or refused.
    """
    wanted = [url.strip() for url in urls if url.strip()]
    if not wanted:
        return 0
    import apprise

    logger = logging.getLogger("apprise")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)  # its messages show parts of the addresses
    try:
        failed = []
        for number, url in enumerate(wanted, 1):
            # One at a time, so that the failure of one neither stops the others nor stays unnamed.
            sender = apprise.Apprise()
            if not sender.add(url):
                scheme = url.split(":", 1)[0][:20]
                raise UsageError(f"address {number} is not one that apprise knows", where=f"{scheme}://…")
            if not sender.notify(title=title, body=body, notify_type=kind, body_format=apprise.NotifyFormat.MARKDOWN):
                failed.append(f"{number} ({url.split(':', 1)[0][:20]})")
    finally:
        logger.setLevel(level)
    if failed:
        raise WorldError(
            f"{len(failed)} of {len(wanted)} notifications were not sent: address {', '.join(failed)}",
            todo="Check the addresses and the network; the verdict stands.",
        )
    return len(wanted)
