"""What a nightly run of a released model has to tell, told when it changes: not the same message every night.

What was told last lies in the cache of the runs, one file a model and store. If it is lost, people hear the same once
more.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.drift_record import DriftRecord, read_drift
from penstock.bundle.failures import first_failure
from penstock.bundle.models import SCHEMA_VERSION
from penstock.bundle.record import Record
from penstock.bundle.steps import utc_now
from penstock.foundation.errors import ExitCode, PenstockError
from penstock.foundation.files import sha256_json
from penstock.notices.audience import Audience
from penstock.notices.chats import PLACES
from penstock.notices.drift_notice import drift_headline, drift_notice
from penstock.notices.message import message
from penstock.notices.notice import Notice
from penstock.notices.notice_links import LinkValues, links_of
from penstock.notices.notify import Told, notify

log = logging.getLogger(__name__)

FOLDER = "watched"
"""Below the cache."""
_TEMPORARY = re.compile(r"\.?penstock-[a-z]+-|\.[^.]*\.tmp-")
NO_START = (
    "The step infer left no word: no card was free for as long as it waited, its pod was deleted or evicted, "
    "or the container could not start."
)


class LastTold(Record):
    """``cache/watched/MODEL.DIGEST.json``: what people know of a released model that is run again and again."""

    schema_version: int = SCHEMA_VERSION
    model: str
    subject: str
    """Of what was told: the same again is not told."""
    what: str
    """Its first line."""
    run: str
    """Which run it was told of."""
    time: str
    """When: UTC, ISO 8601."""
    quiet: bool
    """Nothing had moved."""
    nights: int = 1
    """Runs in a row that came to the same."""


@dataclass(frozen=True)
class WatchNews:
    """What one run has to tell."""

    model: str
    run: str
    version: str
    subject: str
    notice: Notice
    quiet: bool
    """Nothing moved: told only to those who have heard of something before."""


def news_of(bundle: Bundle, released: Bundle | None, status: str) -> WatchNews:
    """What a run of a released model has come to.

    Args:
        bundle: the run's bundle, as far as it came; its ``run.json`` is there.
        released: the evidence of the release, if it was brought.
        status: Tekton's aggregate status of the tasks.

    Raises:
        UsageError: ``run.json`` or ``drift.json`` is broken.
    """
    run, drift, failure = bundle.run(), read_drift(bundle), first_failure(bundle)
    version = _version(released)
    if drift is not None and (drift.outcome != "same" or status != "Failed"):
        notice = drift_notice(drift) or Notice(
            drift_headline(drift), "Its values are those of its record, and so is what they were measured with.",
            tone="success",
        )  # fmt: skip
        if failure is not None and status == "Failed":  # such as a store that takes nothing below drift/: both are told
            details = (f"The run broke in the step {failure.step}: {failure.error}", *notice.details)
            notice = Notice(notice.what, notice.why, details=details, tone=notice.tone)
        return WatchNews(drift.model, run.run_id, drift.version, _subject(drift), notice, drift.outcome == "same")
    named = " ".join(word for word in (run.model, version) if word)
    step, why = (failure.step, failure.error) if failure is not None else ("", message(bundle, status).why)
    if failure is None and run.steps and run.steps[-1].name in ("plan", "export"):
        step, why = "infer", NO_START
    where = f" (step {step})" if step else ""
    notice = Notice(f"{named}: the release could not be run again{where}", why, tone="failure")
    subject = sha256_json([version, step, _lasting(why.replace(run.run_id, ""))])
    return WatchNews(run.model, run.run_id, version, subject, notice, quiet=False)


def memory_of(cache: Path | None, model: str, store: str) -> Path | None:
    """Where it lies what was told last of a model that is released in a store; ``None``: nowhere.

    Two stores may have a release of one name each, and be watched on one claim.
    """
    if cache is None or not model or "/" in model or model.startswith("."):  # of a name that none has nothing is kept
        return None
    return cache / FOLDER / f"{model}.{hashlib.sha256(store.encode()).hexdigest()[:12]}.json"


def tell_watch_news(
    audience: Audience, news: WatchNews, memory: Path | None, *, places: Mapping[str, str] = PLACES
) -> Told:
    """Tell people, unless they know it already; remember what they know. It raises nothing that a receiver can cause.

    Nothing moved: nobody is told, but for those who heard of something before. If nobody could be reached, it is told
    the next time. ``memory``: see :func:`memory_of`; ``None``: nothing is remembered.
    """
    before = _last_told(memory)
    if before is not None and before.subject == news.subject:
        log.info("still so, told at %s (%d runs): %s", before.time, before.nights + 1, news.notice.what)
        _remember(memory, before.model_copy(update={"nights": before.nights + 1}))
        return Told()
    told = Told()
    if not news.quiet or (before is not None and not before.quiet):
        told = _tell(audience, news, places)
    if told.sent or not told.failed:
        known = LastTold(
            model=news.model,
            subject=news.subject,
            what=news.notice.what,
            run=news.run,
            time=utc_now(),
            quiet=news.quiet,
        )
        _remember(memory, known)
    return told


def _tell(audience: Audience, news: WatchNews, places: Mapping[str, str]) -> Told:
    try:
        links = links_of(LinkValues(news.model, news.version, news.run), audience.folder)
        said = news.notice
        notice = Notice(said.what, said.why, links, said.details, said.tone)
        return notify(audience.urls, notice, places=places)
    except PenstockError as error:  # the file of links was changed in between
        return Told(0, (str(error),), ExitCode.WORLD)


def _version(released: Bundle | None) -> str:
    if released is None or not released.run_file.exists():
        return ""
    source = released.run().source
    return source.version if source is not None else ""


def _subject(drift: DriftRecord) -> str:
    """What is worth a message when it changes: not how far a value moved, which is another figure each time."""
    conditions = sorted((one.kind, one.what, one.then, one.now) for one in drift.conditions)
    rules = sorted(
        (rule.metric, rule.slice or "", rule.state) for rule in drift.rules if rule.state in ("moved", "open")
    )
    return sha256_json([drift.version, drift.outcome, conditions, rules])


def _lasting(why: str) -> str:
    """A message without what is another each night: numbers, digests, and names of temporary files."""
    words = re.split(r"[\s/]+", why)
    return " ".join("0" if re.search("[0-9]", word) or _TEMPORARY.match(word) else word for word in words)


def _last_told(memory: Path | None) -> LastTold | None:
    if memory is None:
        return None
    with contextlib.suppress(PenstockError, OSError):  # none, damaged, or of a newer version: it is told once more
        return read_model(memory, LastTold)
    return None


def _remember(memory: Path | None, told: LastTold) -> None:
    if memory is None:
        return
    try:
        write_model(memory, told)
    except (PenstockError, OSError) as error:
        log.warning("what was told cannot be remembered, so it is told again: %s", error)
