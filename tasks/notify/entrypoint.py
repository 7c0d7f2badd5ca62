"""Tell people how it ended."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.drift_record import is_watched
from penstock.bundle.models import Run, Source
from penstock.bundle.rerun_bundle import gather_failures
from penstock.foundation.errors import PenstockError
from penstock.notices.audience import open_audience
from penstock.notices.commit_status import put_status
from penstock.notices.forge import Posted, put_comment
from penstock.notices.forge_places import address_of, open_place, read_forge
from penstock.notices.message import headline, message
from penstock.notices.notice import NoticeLink, NoticePicture
from penstock.notices.notice_links import links_of, values_of
from penstock.notices.notice_picture import picture_of
from penstock.notices.notify import notify, receivers_in
from penstock.notices.pull_request import comment_text, marker
from penstock.notices.quick_status import run_status
from penstock.notices.watch_news import memory_of, news_of, tell_watch_news
from penstock.releases.quick_track import VERIFY
from penstock.steps.entrypoint import log, param, run_step, shorten, workspace
from penstock.store.archive import run_key
from penstock.store.pull_key import pull_key


@dataclass(frozen=True)
class Arguments:
    """Send one message about the run, and keep the comment on its pull request up to date."""

    status: str = param("Tekton's aggregate status of the tasks: Succeeded, Failed, Completed or None", default="")
    pull_request: str = param("number of the pull or merge request; empty: the open one of the commit", default="")
    fork: bool = param("on the verify track: the code is a fork's, whose evidence lies below forks/", default=False)
    url: str = param("the repository, for the status of a run that ended before it was cloned", default="")
    revision: str = param("the commit, whole, likewise", default="")
    store: str = param("where a watched release is, for what was told of it before; it is not asked", default="")
    bundle: Path = workspace("the run's bundle")
    baseline: Path | None = workspace("the released model's bundle, if that one was run again", optional=True)
    cache: Path | None = workspace("what outlives a run: what was told of a watched release before", optional=True)
    receivers: Path | None = workspace("a file 'urls' with one address a line, and 'links'", optional=True)
    forge: Path | None = workspace("files 'token', 'kind' (github, gitlab or gitea), 'url' (of the API)", optional=True)


RESULTS: tuple[str, ...] = ("sent", "summary", "told")
MAX_SUMMARY_BYTES = 700
WHOLE_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def step(arguments: Arguments) -> dict[str, str]:
    """Send the verdict's headline to each receiver, comment, and set the commit's status; without any, log it.

    A status that is set is what a pull request goes by: then a chat that is away is in the log, and the step holds.
    """
    bundle = Bundle(arguments.bundle)
    if arguments.baseline is not None:
        gather_failures(bundle, Bundle(arguments.baseline))
    if bundle.run_file.exists() and is_watched(bundle.run()):
        return _watched(arguments, bundle)
    failed: list[PenstockError] = []
    sent, state = 0, ""
    try:
        said = replace(
            message(bundle, arguments.status, _links(arguments, bundle)), picture=_picture(arguments, bundle)
        )
        told = notify(receivers_in(arguments.receivers), said)
        sent = told.sent
        failed += [error for error in [told.error()] if error is not None]
    except PenstockError as error:  # the comment is tried all the same
        failed.append(error)
    try:
        posted = _comment(arguments, bundle)
    except PenstockError as error:
        failed.append(error)
    else:
        if posted is not None:
            log("commented", action=posted.action, url=posted.url)
    try:
        state = _status(arguments, bundle)
    except PenstockError as error:
        failed.append(error)
    for further in failed if state else failed[1:]:
        log("error", step="notify", error=str(further))
    if failed and not state:
        raise failed[0]
    summary = headline(bundle, arguments.status)
    log("notified", title=summary, sent=sent)
    return {"sent": str(sent), "summary": shorten(summary, MAX_SUMMARY_BYTES), "told": state}


def _watched(arguments: Arguments, bundle: Bundle) -> dict[str, str]:
    """Of a released model that was run again: what moved, or why it could not be run; once, until that changes."""
    released = Bundle(arguments.baseline) if arguments.baseline is not None else None
    news = news_of(bundle, released, arguments.status)
    memory = memory_of(arguments.cache, news.model, arguments.store)
    told = tell_watch_news(open_audience(arguments.receivers), news, memory)
    if (error := told.error()) is not None:
        raise error
    log("notified", title=news.notice.what, sent=told.sent)
    return {"sent": str(told.sent), "summary": shorten(news.notice.what, MAX_SUMMARY_BYTES), "told": ""}


def _links(arguments: Arguments, bundle: Bundle) -> tuple[NoticeLink, ...]:
    """Where the operator's file says that reports, runs and commits are."""
    if not bundle.run_file.exists():
        return ()
    return links_of(values_of(bundle.run(), _evidence(arguments, bundle)), arguments.receivers)


def _picture(arguments: Arguments, bundle: Bundle) -> NoticePicture | None:
    """The picture of the worst case, and where the operator's file says that it is had without a login."""
    return picture_of(bundle, arguments.status, arguments.receivers, _evidence(arguments, bundle))


def _evidence(arguments: Arguments, bundle: Bundle) -> str:
    """Where the bundle lies in the store; empty: it is not archived."""
    if not bundle.manifest_file.exists() or arguments.status == "Failed":  # not sealed, or it broke on its way there
        return ""
    run = bundle.run()
    if run.track == VERIFY:
        return pull_key(run.model, run.run_id, number=arguments.pull_request, fork=arguments.fork)
    return run_key(run.model, run.run_id)


def _comment(arguments: Arguments, bundle: Bundle) -> Posted | None:
    """Keep the comment up to date, if there is a forge, and a run that came as far as its commit."""
    run = _of_source(arguments, bundle)
    if arguments.forge is None or run is None:
        return None
    forge = read_forge(arguments.forge)
    address = address_of(run, forge, arguments.pull_request)
    picture = _picture(arguments, bundle)
    text = comment_text(
        bundle,
        arguments.status,
        links=_links(arguments, bundle),
        baseline=arguments.baseline,
        picture=picture.link if picture is not None else None,
    )
    posted = put_comment(lambda: open_place(forge, address), marker(run), text)
    if posted is None:
        log("not commented", reason="no open merge request has this commit")
    return posted


def _status(arguments: Arguments, bundle: Bundle) -> str:
    """Set the status of the commit, on the track verify; returns the state, empty if nobody was told."""
    run = _of_source(arguments, bundle)
    if arguments.forge is None or run is None or run.track != VERIFY:
        return ""
    forge = read_forge(arguments.forge)
    said = headline(bundle, arguments.status)
    status = run_status(bundle, arguments.status, said, _links(arguments, bundle))
    put_status(forge, address_of(run, forge), status)
    log("status", state=status.state, description=status.description)
    return status.state


def _of_source(arguments: Arguments, bundle: Bundle) -> Run | None:
    """The run's record; of one that could not clone, with the commit that it was to; ``None``: nothing is known."""
    if not bundle.run_file.exists():
        return None
    run = bundle.run()
    if run.source is None and arguments.url and WHOLE_COMMIT.fullmatch(arguments.revision):
        source = Source(
            url=arguments.url,
            revision=arguments.revision,
            commit=arguments.revision,
            committer_date="",
            version="",
            tree="",
        )
        return run.model_copy(update={"source": source})
    return run if run.source is not None else None


def main(argv: Sequence[str] | None = None) -> int:
    """Console script ``penstock-notify``."""
    return run_step("notify", Arguments, RESULTS, step, argv)


if __name__ == "__main__":
    sys.exit(main())
