"""Publishing an accepted run, and the pointer to the release of today."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from penstock.bundle.directory import Bundle, explain, read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION, Image, Record, WeightsFile
from penstock.errors import UsageError, WorldError
from penstock.files import sha256_file
from penstock.store.archive import name_part, run_key
from penstock.store.store import Store

log = logging.getLogger(__name__)


class Release(Record):
    """``published/MODEL/VERSION.json``: written once, never changed; without a time, so that it comes out the same."""

    schema_version: int = SCHEMA_VERSION
    model: str
    version: str
    run_id: str
    url: str
    commit: str
    tree: str
    weights: list[WeightsFile]
    image: Image
    manifest_sha256: str
    replaces: str | None
    """Run id of the baseline at that time; ``None`` for a first release."""

    def same_content(self, other: Release) -> bool:
        """Whether both are the same code, weights and image, whichever run showed it."""
        return (self.commit, self.tree, self.weights, self.image) == (
            other.commit,
            other.tree,
            other.weights,
            other.image,
        )


class Baseline(Record):
    """``baselines/MODEL.json``: which run is the release of today."""

    schema_version: int = SCHEMA_VERSION
    model: str
    version: str
    run_id: str
    commit: str
    weights: list[WeightsFile]
    image: Image
    manifest_sha256: str
    time: str
    """When the pointer was moved: UTC, ISO 8601."""


@dataclass(frozen=True)
class Published:
    """What :func:`publish` did."""

    uri: str
    """The release's record in the store."""
    digest: str
    """Of the image, or of the source tree where there is none: ``sha256:…``."""
    version: str
    already: bool
    """The release was published before; nothing was changed."""


def publish(
    store: Store,
    bundle: Bundle,
    *,
    tag: Callable[[Image, str], None] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Published:
    """Make an accepted, archived run the release of today.

    The record comes first, then the image's tag, the pointer last: whoever is killed in between goes on next time. A
    version is published once; publishing the same content again changes nothing, also when a newer release has come
    since.

    Args:
        store: where the run was archived.
        bundle: sealed and archived.
        tag: gives an image (by digest) the version as its tag in the registry, see
            :func:`penstock.sources.image.tag_image`; only called for a run that has an image.
        now: the time.

    Raises:
        UsageError: the verdict is not ``pass``, the bundle is incomplete or changed, or the version is published with
            other content.
        WorldError: the run is not archived; the store or the registry fails.
    """
    verdict = bundle.verdict().verdict
    if verdict != "pass":
        raise UsageError(f"the verdict is '{verdict}': only an accepted run is published", where=str(bundle.path))
    bundle.verify()
    record = _record(bundle, replaces=None)
    digest = sha256_file(bundle.manifest_file)
    archived = store.digest(f"{run_key(record.model, record.run_id)}/{bundle.manifest_file.name}")
    if archived != digest:
        problem = "is not archived" if archived is None else "is archived with other content"
        raise WorldError(f"the run '{record.run_id}' {problem}", where=store.uri, todo="Run the archive step first.")
    key = f"published/{record.model}/{name_part(record.version, 'version')}.json"
    before = baseline(store, record.model)
    record = record.model_copy(update={"replaces": before.run_id if before else None})
    written, new = _write_once(store, key, record)
    if not written.same_content(record):
        raise UsageError(
            f"version {record.version} is published already, with other content (run '{written.run_id}')",
            where=store.location(key),
            todo="Raise the version: a published one never changes.",
        )
    done = Published(store.location(key), record.image.digest, record.version, already=False)
    if not new and (before.run_id if before else None) != written.replaces:
        # The pointer has moved since this version came out: to it, or on to a newer one. It does not go back.
        log.info("%s %s is published already", record.model, record.version)
        return replace(done, already=True)
    if tag is not None and record.image.kind == "image":
        tag(record.image, record.version)
    pointer = Baseline(
        model=record.model,
        version=record.version,
        run_id=record.run_id,
        commit=record.commit,
        weights=record.weights,
        image=record.image,
        manifest_sha256=digest,
        time=now().astimezone(UTC).isoformat(timespec="seconds"),
    )
    store.put_pointer(_pointer_key(record.model), pointer.model_dump(mode="json"))
    log.info("%s %s is the release of today", record.model, record.version)
    return done


def baseline(store: Store, model: str) -> Baseline | None:
    """The release of today, or ``None`` before the first.

    Raises:
        WorldError: the store cannot be reached, or its pointer is damaged.
    """
    key = _pointer_key(model)
    value = store.get_pointer(key)
    if value is None:
        return None
    try:
        return Baseline.model_validate(value)
    except ValidationError as error:
        where = store.location(key)
        raise WorldError(
            f"the baseline's pointer is damaged: {explain(error)}", where=where, todo="Restore it."
        ) from None


def _pointer_key(model: str) -> str:
    return f"baselines/{name_part(model, 'model')}.json"


def _record(bundle: Bundle, *, replaces: str | None) -> Release:
    run = bundle.run()
    if run.source is None or run.image is None or not run.model:
        lacking = [name for name in ("source", "image", "model") if not getattr(run, name)]
        raise UsageError(f"the run's record lacks {', '.join(lacking)}", where=str(bundle.run_file))
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
    )


def _write_once(store: Store, key: str, record: Release) -> tuple[Release, bool]:
    """Write the record unless there is one. Returns what is there now, and whether it is this one."""
    with tempfile.TemporaryDirectory(prefix="penstock-release-") as folder:
        path = Path(folder) / "release.json"
        if not store.exists(key):
            write_model(path, record)
            try:
                return record, store.put_file(key, path, sha256_file(path))
            except WorldError:
                if not store.exists(key):
                    raise
        store.get_file(key, path)  # it was there, or another publish was faster
        return read_model(path, Release), False
