"""Telling people: chats that have a form of their own here, and mail and all other services through apprise."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.foundation.errors import ExitCode, PenstockError, UsageError, WorldError
from penstock.foundation.files import read_regular
from penstock.notices.chat_forms import mail_form, markdown_form
from penstock.notices.chats import PLACES, Chat, find_chat
from penstock.notices.notice import Notice

MAX_BYTES = 1 << 20
MOST_AT_ONCE = 8
"""Receivers that are told at the same time."""
LEAST_BYTES = 200
"""What a service takes at least, for which it makes sense to cut a message."""
MOST_BYTES = 30_000
"""What is sent to a service that says no limit."""


@dataclass(frozen=True)
class Told:
    """What became of one message to several receivers."""

    sent: int = 0
    failed: tuple[str, ...] = ()
    """Why each of the others has none: its number, its service, the reason; no secret."""
    exit_code: ExitCode = ExitCode.OK
    """Of the failures, if there are any: ``USAGE`` if all are addresses that cannot be one."""

    def error(self) -> PenstockError | None:
        """The failures as one; ``None``: there is none."""
        if not self.failed:
            return None
        kind = UsageError if self.exit_code == ExitCode.USAGE else WorldError
        return kind(
            f"{len(self.failed)} of {self.sent + len(self.failed)} notifications were not sent: "
            + "; ".join(self.failed),
            todo="Check the addresses and the network; what the message is about stands.",
        )


def receivers_in(path: Path | None) -> list[str]:
    """The addresses in a file, or in ``path/urls``, one a line; ``#`` begins a comment. None without a path.

    Raises:
        UsageError: there is no such file, or it is not text.
    """
    if path is None:
        return []
    file = path / "urls" if path.is_dir() else path
    where = "receivers"
    if not file.exists():
        raise UsageError(f"there is no file '{file.name}'", where=where, todo="Give one address a line in it.")
    raw = read_regular(file, max_bytes=MAX_BYTES, where=where)
    try:
        lines = raw.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise UsageError("the file 'urls' cannot be read: it is not UTF-8 text", where=where) from None
    return [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]


def hold_receivers(urls: Sequence[str]) -> None:
    """Check that each address is one, before something is done that people are to be told of. Nothing is sent.

    Raises:
        UsageError: one is not.
    """
    with _Silenced():
        for number, url in enumerate(urls, 1):
            try:
                _receiver(url, PLACES)
            except UsageError as error:
                raise UsageError(f"address {number}: {error.what}", where=error.where, todo=error.todo) from None


def notify(
    urls: Sequence[str],
    notice: Notice,
    *,
    places: Mapping[str, str] = PLACES,
    sleep: Callable[[float], None] = time.sleep,
) -> Told:
    """Send one message to every address, also after one that fails.

    Whether it arrives changes nothing about what it says: that is on record before anybody is told.

    Args:
        urls: addresses: those of :data:`penstock.notices.chats.ADDRESSES`, ``mailto://…``, and all others that apprise
            knows. They hold secrets and are never shown.
        notice: the message.
        places: where the services are.
        sleep: waits before a busy service is asked again.
    """

    def send(url: str) -> PenstockError | None:
        try:
            _send(_receiver(url, places), url, notice, sleep)
        except PenstockError as error:
            return error
        return None

    # At the same time: those that cannot be reached must not use up the time of the step, which has more to do.
    with _Silenced(), ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        errors = [(number, error) for number, error in enumerate(pool.map(send, urls), 1) if error is not None]
    failed = tuple(
        f"address {number} ({error.where}): {error.what}{f'. {error.todo}' if error.todo else ''}".rstrip(".")
        for number, error in errors
    )
    usage = all(isinstance(error, UsageError) for _, error in errors)
    return Told(len(urls) - len(errors), failed, ExitCode.USAGE if usage else ExitCode.WORLD)


def _receiver(url: str, places: Mapping[str, str]) -> Chat | Any:
    """A robot that is served here, or apprise's sender.

    Raises:
        UsageError: neither.
    """
    try:
        chat = find_chat(url, places)
    except ValueError:  # not even the shape of an address
        raise _unknown(url) from None
    if chat is not None:
        return chat
    import apprise

    sender = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if sender is None:
        raise _unknown(url)
    return sender


def _send(receiver: Chat | Any, url: str, notice: Notice, sleep: Callable[[float], None]) -> None:
    if isinstance(receiver, Chat):
        from penstock.notices.chat_post import post_notice

        fault = post_notice(receiver, notice, sleep=sleep)
        if fault:
            raise WorldError(fault, where=f"{receiver.name}://…")
        return
    import apprise

    attached: list[str] = []
    if _scheme(url) in ("mailto", "mailtos"):
        (title, body), form = mail_form(notice), apprise.NotifyFormat.HTML
        if notice.picture is not None and notice.picture.attached:
            attached, receiver.inline = [str(notice.picture.path)], True
    else:
        limit = min(max(int(receiver.body_maxlen), LEAST_BYTES), MOST_BYTES)
        (title, body), form = markdown_form(notice, limit), apprise.NotifyFormat.MARKDOWN
    everyone = apprise.Apprise()
    everyone.add(receiver)
    try:
        taken = everyone.notify(
            title=title, body=body, notify_type=notice.tone, body_format=form, attach=attached or None
        )
    except Exception as error:  # of any of its hundred services; the text may hold the address
        raise WorldError(f"its sender failed ({type(error).__name__})", where=f"{_scheme(url)}://…") from None
    if not taken:
        raise WorldError("could not be reached, or refused", where=f"{_scheme(url)}://…")


def _unknown(url: str) -> UsageError:
    return UsageError("not an address that apprise knows", where=f"{_scheme(url)}://…")


def _scheme(url: str) -> str:
    """What an address begins with; of a line that is none, nothing: it may be a secret alone."""
    scheme, separator, _ = url.partition("://")
    return scheme if separator and scheme.isascii() and scheme.isalnum() and len(scheme) <= 20 else "?"


class _Silenced:
    """While apprise works: its log shows parts of the addresses."""

    def __enter__(self) -> None:
        self._logger = logging.getLogger("apprise")
        self._level = self._logger.level
        self._logger.setLevel(logging.CRITICAL + 1)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)
