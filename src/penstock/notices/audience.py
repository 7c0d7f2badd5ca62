"""Who is told of what people do with releases: looked at before it is done, told when it is on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.drift_record import DriftRecord
from penstock.foundation.errors import ExitCode, PenstockError
from penstock.notices.chats import PLACES
from penstock.notices.drift_notice import drift_notice
from penstock.notices.notice_links import LinkValues, links_of
from penstock.notices.notify import Told, hold_receivers, notify, receivers_in
from penstock.notices.release_notice import act_notice, news_notice
from penstock.releases.acts import Act
from penstock.targets.news import News


@dataclass(frozen=True)
class Audience:
    """Receivers whose addresses can be addresses."""

    urls: tuple[str, ...] = ()
    folder: Path | None = None
    """Where the file ``links`` may be."""


def open_audience(path: Path | None) -> Audience:
    """Read and check the receivers. Nothing is sent.

    Args:
        path: a file with one address a line, or a folder with that file as ``urls`` and perhaps ``links``; ``None``:
            nobody is told.

    Raises:
        UsageError: there is no such file, an address or a link cannot be one.
    """
    urls = receivers_in(path)
    hold_receivers(urls)
    folder = path if path is not None and path.is_dir() else None
    links_of(LinkValues(), folder)
    return Audience(tuple(urls), folder)


def tell_act(audience: Audience, act: Act, *, places: Mapping[str, str] = PLACES) -> Told:
    """Tell of a rollback, promotion or withdrawal that is on record; nobody of one that had been done before.

    It raises nothing that a receiver can cause: the act stands, whether they hear of it or not.
    """
    move = act.move
    if move is None:
        return Told()
    commit = act.current.commit if act.current.version == move.version else ""
    try:
        links = links_of(LinkValues(move.model, move.version, move.run_id, commit), audience.folder)
        notice = act_notice(act, links)
        return notify(audience.urls, notice, places=places) if notice is not None else Told()
    except PenstockError as error:  # the file of links was changed in between
        return Told(0, (str(error),), ExitCode.WORLD)


def tell_news(audience: Audience, news: News, *, places: Mapping[str, str] = PLACES) -> Told:
    """Tell of a canary that needs people, or of a release that did not come to serve. No receiver makes it raise."""
    try:
        links = links_of(LinkValues(news.model, news.version, news.run_id, news.commit), audience.folder)
        return notify(audience.urls, news_notice(news, links), places=places)
    except PenstockError as error:  # the file of links was changed in between
        return Told(0, (str(error),), ExitCode.WORLD)


def tell_drift(audience: Audience, drift: DriftRecord, *, places: Mapping[str, str] = PLACES) -> Told:
    """Tell of a released model that moved; nobody where nothing did. It raises nothing that a receiver can cause."""
    try:
        links = links_of(LinkValues(drift.model, drift.version, drift.run), audience.folder)
        notice = drift_notice(drift, links)
        return notify(audience.urls, notice, places=places) if notice is not None else Told()
    except PenstockError as error:  # the file of links was changed in between
        return Told(0, (str(error),), ExitCode.WORLD)
