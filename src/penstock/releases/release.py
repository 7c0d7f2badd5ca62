"""Publishing an accepted run, if the release that it was judged against still is the current one.

Without a target it is the current release then; with one it waits until it is promoted (docs/adr/0038).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image
from penstock.bundle.sbom_file import sbom_sha256
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import sha256_file
from penstock.releases.baseline import (
    Baseline,
    Release,
    current_release,
    finish,
    hold_owner,
    move,
    published,
    published_key,
    withdrawn,
)
from penstock.releases.history import released
from penstock.releases.moves import Move, next_number, stated_author, withdrawn_key
from penstock.releases.names import repository_identity
from penstock.store.archive import run_key
from penstock.store.store import Store

log = logging.getLogger(__name__)

VERSION = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*")
"""What *clone* makes of a tag. Older stores may hold others: those stay readable."""
ATTEMPTS = 10
"""After one that was lost to somebody faster, the next nearly always finds out that it came too late."""


class SupersededError(WorldError):
    """Another model was released since the gate compared."""

    resumable = False


@dataclass(frozen=True)
class Published:
    """What :func:`publish` did."""

    uri: str
    """The release's record in the store."""
    digest: str
    """Of the image, or of the source tree where there is none: ``sha256:…``."""
    version: str
    already: bool
    """The release was published before; the store was not changed."""
    target: str | None = None
    """Where it is to be served: it becomes the current release by a promotion."""


def publish(
    store: Store,
    bundle: Bundle,
    *,
    sign: Callable[[Release, str], None] | None = None,
    tag: Callable[[Image, str], None] | None = None,
    again: str = "Start a new run.",
    by: str = "",
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Published:
    """Publish an accepted, archived run: it is the current release then or, with a target, may be promoted.

    The pointer moves first, by compare-and-swap from the release that the verdict was made against; it carries the
    release's record, which is written next, then the signed verdict, then the image's tag. A run killed in between goes
    on next time, and the next that publishes finishes the record before. A version is published once; publishing the
    same content again changes nothing, also when a newer release has come since (docs/adr/0015).

    Args:
        store: where the run was archived.
        bundle: sealed and archived.
        sign: signs the verdict over the release, with the time, see :func:`penstock.releases.attest.attest`.
        tag: gives an image (by digest) the version as its tag in the registry, see
            :func:`penstock.sources.image.tag_image`; only called for a run that has an image.
        again: what to do once another model was released meanwhile.
        by: who released it, for the log; the account that this runs as where nobody is named.
        now: the time.

    Raises:
        UsageError: the verdict is not ``pass``, the bundle is incomplete or changed, the version is published with
            other content or withdrawn, or the name belongs to another repository.
        SupersededError: the baseline of the verdict is not the current release any more; nothing was published.
        WorldError: the run is not archived; the store or the registry fails.
    """
    verdict = bundle.verdict()
    if verdict.verdict != "pass":
        raise UsageError(
            f"the verdict is '{verdict.verdict}': only an accepted run is published", where=str(bundle.path)
        )
    bundle.verify()
    record, author = _record(bundle, replaces=verdict.baseline), stated_author(by)
    _hold_archived(store, record)
    uri = store.location(published_key(record.model, record.version))
    done = Published(uri, record.image.digest, record.version, already=False, target=record.target)
    time = now().astimezone(UTC).isoformat(timespec="seconds")
    for _ in range(ATTEMPTS):
        current = current_release(store, record.model)
        before = current.baseline if current is not None else None
        if before is not None:
            finish(store, before)
        hold_owner(store, before, record.model, record.url)
        if _is_published(store, record, before):
            done = replace(done, already=True)
            break
        hold_judged_against(before, record, "nothing was published", again)
        _hold_target(before, record)
        entry = Move(
            model=record.model,
            number=next_number(store, record.model, before.move if before is not None else None),
            kind="published",
            version=record.version,
            run_id=record.run_id,
            before=before.current_version if before is not None else None,
            by=author,
            time=time,
        )
        if move(store, _pointer(before, record, entry), seen=current):
            break
    else:
        raise WorldError("others keep moving the baseline's pointer", where=store.uri, todo="Try again.")
    state = "published already" if done.already else "published" if record.target else "released"
    waits = f"; 'penstock promote' brings it to its target '{record.target}'" if record.target else ""
    log.info("%s %s is %s%s", record.model, record.version, state, waits)
    if sign is not None:
        told = published(store, record.model, record.version)
        # the record is what services go by, also where another run of the same content wrote it
        signed = record.model_copy(update={"use_onnx": told.use_onnx}) if told is not None else record
        _afterwards(lambda: sign(signed, time), record, "its verdict is not signed yet")
    if tag is not None and record.image.kind == "image":
        _afterwards(lambda: tag(record.image, record.version), record, "its image has no tag yet")
    return done


def _record(bundle: Bundle, *, replaces: str | None) -> Release:
    run = bundle.run()
    if run.source is None or run.image is None or not run.model:
        lacking = [name for name in ("source", "image", "model") if not getattr(run, name)]
        raise UsageError(f"the run's record lacks {', '.join(lacking)}", where=str(bundle.run_file))
    if not VERSION.fullmatch(run.source.version):
        raise UsageError(
            f"'{run.source.version[:80]}' cannot be a version",
            where=str(bundle.run_file),
            todo="Use letters without accents, digits, '-', '_', '+', '.'.",
        )
    return Release(
        model=run.model,
        version=run.source.version,
        run_id=run.run_id,
        url=run.source.url,
        commit=run.source.commit,
        tree=run.source.tree,
        weights=run.weights,
        image=run.image,
        manifest_sha256=sha256_file(bundle.manifest_file),
        replaces=replaces,
        notes=run.notes,
        use_onnx=run.use_onnx,
        target=run.target,
        sbom_sha256=sbom_sha256(bundle),
    )


def _pointer(before: Baseline | None, record: Release, entry: Move) -> Baseline:
    """The pointer once this is published: where it has a target, the current release stays the current one."""
    if record.target is not None and before is not None:
        return before.model_copy(update={"move": entry, "waiting": record})
    waits = record.target is not None
    return Baseline(
        model=record.model,
        version=record.version,
        run_id=record.run_id,
        commit=record.commit,
        weights=record.weights,
        image=record.image,
        manifest_sha256=record.manifest_sha256,
        time=entry.time,
        repository=before.repository if before and before.repository else repository_identity(record.url),
        release=record,
        transfer=before.transfer if before else None,
        move=entry,
        became=None if waits else entry,
        serves=not waits,
    )


def _hold_archived(store: Store, record: Release) -> None:
    archived = store.digest(f"{run_key(record.model, record.run_id)}/manifest.json")
    if archived != record.manifest_sha256:
        problem = "is not archived" if archived is None else "is archived with other content"
        raise WorldError(f"the run '{record.run_id}' {problem}", where=store.uri, todo="Run the archive step first.")


def _is_published(store: Store, record: Release, before: Baseline | None) -> bool:
    """Whether this version is out, with this content.

    Raises:
        UsageError: it is out with other content.
    """
    there = published(store, record.model, record.version)
    if there is None:
        return False
    if not there.same_content(record):
        raise UsageError(
            f"version {record.version} is published already, with other content (run '{there.run_id}')",
            where=store.location(published_key(record.model, record.version)),
            todo="Raise the version: a published one never changes.",
        )
    gone = withdrawn(store, record.model, record.version)
    if gone is not None:
        raise UsageError(
            f"version {record.version} was withdrawn by {gone.by}: {gone.reason}",
            where=store.location(withdrawn_key(record.model, record.version)),
            todo="Raise the version: a withdrawn one is never published again.",
        )
    # older versions wrote the record before they moved the pointer: one that was killed in between is not out yet
    return before is not None and record.version in released(store, before)


def hold_judged_against(pointer: Baseline | None, record: Release, left_out: str, again: str) -> None:
    """Check that the baseline of the verdict is the current release.

    Args:
        pointer: as it is now.
        record: of the release.
        left_out: what was not done: ``nothing was published``.
        again: what to do.

    Raises:
        SupersededError: it is not.
    """
    before = pointer if pointer is not None and pointer.serves else None
    if (before.run_id if before is not None else None) == record.replaces:
        return
    today = f"{before.version} (run '{before.run_id}')" if before is not None else "none"
    judged = f"run '{record.replaces}'" if record.replaces is not None else "none, as a first release"
    raise SupersededError(
        f"{left_out}: the released model is {today} now, and the gate compared with {judged}",
        where=f"{record.model} {record.version}",
        todo=again,
    )


def _hold_target(before: Baseline | None, record: Release) -> None:
    """Check that a release which would be current at once leaves nobody with an earlier one at a target."""
    served = before.release.target if before is not None and before.serves and before.release is not None else None
    if served is not None and record.target is None:
        raise UsageError(
            f"{record.model} is served at the target '{served}', and the contract of {record.version} names none: "
            "it would be the current release, and users would keep the earlier one",
            where="penstock.yaml: target",
            todo=f"Write 'target: {served}', or the target that takes its place, and release it under a new version.",
        )


def _afterwards(act: Callable[[], None], record: Release, lacking: str) -> None:
    """What belongs to a release that is out already: publishing once more makes up for what failed."""
    try:
        act()
    except WorldError as error:
        raise WorldError(
            f"{record.version} is released, and {lacking}: {error.what}",
            where=error.where,
            todo=f"{error.todo} The step publish, run again, makes up for it.".strip(),
        ) from error
