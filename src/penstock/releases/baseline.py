"""The current release: its pointer, which repository its name belongs to, and the records that go with it."""

from __future__ import annotations

import contextlib
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from penstock.bundle.directory import explain, read_model, write_model
from penstock.bundle.models import SCHEMA_VERSION, Image, WeightsFile
from penstock.bundle.record import Record
from penstock.foundation.errors import UsageError
from penstock.foundation.files import sha256_file
from penstock.releases.moves import Move, move_key, withdrawn_key
from penstock.releases.names import repository_identity
from penstock.store.archive import name_part
from penstock.store.store import DamagedError, NotStoredError, Pointer, Store

AnyRecord = TypeVar("AnyRecord", bound=Record)


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
    notes: str = ""
    """The release notes."""
    use_onnx: bool | None = None
    """Whether this image computes with its exported file or, ``False``, with the trained weights of this pair: so its
    service has to be told. ``None``: nothing was compared."""
    target: str | None = None
    """Where it is served, so that it becomes current by a promotion; ``None``: it was current once published."""
    sbom_sha256: str | None = None
    """SHA-256 of the run's bill of materials; ``None``: it has none, as the runs of older versions."""

    def same_content(self, other: Release) -> bool:
        """Whether both are the same code, weights and image, whichever run showed it."""
        code = (self.commit, self.tree) == (other.commit, other.tree)
        return code and weights_of(self) == weights_of(other) and self.image.same_as(other.image)


def weights_of(release: Release) -> list[tuple[str, str]]:
    """Path and SHA-256 of each file of weights of a release."""
    return [(file.path, file.sha256) for file in release.weights]


class Transfer(Record):
    """``transfers/MODEL/NUMBER.json``: a name was moved to another repository. Written once, never changed."""

    schema_version: int = SCHEMA_VERSION
    model: str
    number: int
    """1 for the first of this name, without gaps."""
    before: str
    """The repository that the name belonged to."""
    after: str
    reason: str
    by: str
    time: str
    """UTC, ISO 8601."""


class Baseline(Record):
    """``baselines/MODEL.json``: which run is the current release, and whose the name is."""

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
    repository: str = ""
    """Whose the name is (:func:`penstock.releases.names.repository_identity`); empty in pointers of older versions."""
    release: Release | None = None
    """What ``published/…`` says of it: anybody who finds that missing can write it. ``None`` in older pointers."""
    transfer: Transfer | None = None
    """The last time that the name was moved."""
    move: Move | None = None
    """The last entry of the log of releases. ``None`` in pointers of older versions."""
    became: Move | None = None
    """The entry that made this release the current one. ``None`` in pointers of older versions."""
    waiting: Release | None = None
    """The record that the last entry published without making it current: anybody who finds it missing can write it."""
    serves: bool = True
    """``False``: no release is current yet, since all that were published wait for their target. What else is said of a
    release here is of the first of these, and nothing is compared with it."""

    @property
    def current_version(self) -> str | None:
        """The version of the current release; ``None``: there is none yet."""
        return self.version if self.serves else None


@dataclass(frozen=True)
class Current:
    """The current release, as it was seen: moving the pointer fails if it no longer is."""

    baseline: Baseline
    pointer: Pointer


def baseline(store: Store, model: str) -> Baseline | None:
    """The current release, or ``None`` before the first: what is compared with.

    Raises:
        WorldError: the store cannot be reached, or its pointer is damaged.
    """
    current = current_release(store, model)
    return current.baseline if current is not None and current.baseline.serves else None


def current_release(store: Store, model: str) -> Current | None:
    """The pointer, with what it takes to move it; also where it says that no release is current yet."""
    key = pointer_key(model)
    seen = store.read_pointer(key)
    if seen is None:
        return None
    try:
        return Current(Baseline.model_validate(seen.value), seen)
    except ValidationError as error:
        where = store.location(key)
        raise DamagedError(
            f"the baseline's pointer is damaged: {explain(error)}", where=where, todo="Restore it."
        ) from None


def move(store: Store, value: Baseline, *, seen: Current | None) -> bool:
    """Move the pointer, unless somebody else has since ``seen``; then finish what belongs to it.

    The pointer comes first: until it has moved, nothing of the release is to be seen. It carries the records that come
    after it, so that the next process that reads it can write them if we are killed here.

    Returns:
        False if somebody was faster: nothing was written.
    """
    content = value.model_dump(mode="json")
    if not store.swap_pointer(pointer_key(value.model), content, seen=seen.pointer if seen is not None else None):
        return False
    finish(store, value)
    return True


def finish(store: Store, value: Baseline) -> None:
    """Write the records that the pointer carries, if they are not there: before it is moved on, they must be."""
    if value.release is not None:
        _write_once(store, published_key(value.model, value.version), value.release)
    if value.waiting is not None:
        _write_once(store, published_key(value.model, value.waiting.version), value.waiting)
    if value.transfer is not None:
        _write_once(store, transfer_key(value.model, value.transfer.number), value.transfer)
    if value.move is not None:
        _write_once(store, move_key(value.model, value.move.number), value.move)
        if value.move.kind == "withdrawn":
            _write_once(store, withdrawn_key(value.model, value.move.version), value.move)


def published(store: Store, model: str, version: str) -> Release | None:
    """The record of a version, or ``None`` if it was never published."""
    try:
        return read_record(store, published_key(model, version), Release)
    except NotStoredError:
        return None


def withdrawn(store: Store, model: str, version: str) -> Move | None:
    """The entry that withdrew a version, or ``None``; from the pointer where its writer was killed too early."""
    with contextlib.suppress(NotStoredError):
        return read_record(store, withdrawn_key(model, version), Move)
    current = current_release(store, model)
    last = current.baseline.move if current is not None else None
    return last if last is not None and (last.kind, last.version) == ("withdrawn", version) else None


def release_of(store: Store, current: Baseline) -> Release:
    """The record of the current release.

    Raises:
        WorldError: there is none, or the store cannot be reached.
    """
    return current.release or read_record(store, published_key(current.model, current.version), Release)


def owner(store: Store, current: Baseline) -> str:
    """The repository that the name belongs to; in a store of an older version, where today's release came from.

    Raises:
        WorldError: that cannot be read.
    """
    return current.repository or repository_identity(release_of(store, current).url)


def hold_owner(store: Store, current: Baseline | None, model: str, url: str) -> None:
    """Check that a name belongs to a repository, or to none yet.

    Raises:
        UsageError: it belongs to another one.
        WorldError: the store cannot be reached.
    """
    if current is None:
        return
    ours, theirs = repository_identity(url), owner(store, current)
    if ours != theirs:
        raise UsageError(
            f"the name '{model}' belongs to the repository {theirs}, and this one is {ours}",
            where="penstock.yaml: name",
            todo="Choose another name. If the model has moved here, the people who run the store say so: "
            f"penstock store transfer {model} --to {shlex.quote(url)} --reason TEXT --store {shlex.quote(store.uri)}",
        )


def pointer_key(model: str) -> str:
    """``baselines/MODEL.json``."""
    return f"baselines/{name_part(model, 'model')}.json"


def published_prefix(model: str) -> str:
    """``published/MODEL``."""
    return f"published/{name_part(model, 'model')}"


def published_key(model: str, version: str) -> str:
    """``published/MODEL/VERSION.json``."""
    return f"{published_prefix(model)}/{name_part(version, 'version')}.json"


def transfer_key(model: str, number: int) -> str:
    """``transfers/MODEL/0001.json``."""
    return f"transfers/{name_part(model, 'model')}/{number:04d}.json"


def read_record(store: Store, key: str, model: type[AnyRecord]) -> AnyRecord:
    """One record of a store.

    Raises:
        NotStoredError: there is none.
        WorldError: it is damaged, or the store cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="penstock-release-") as folder:
        path = Path(folder) / "record.json"
        store.get_file(key, path)
        try:
            return read_model(path, model)
        except UsageError as error:
            todo = error.todo or "Restore it from a copy."
            raise DamagedError(f"a record of the store: {error.what}", where=store.location(key), todo=todo) from None


def _write_once(store: Store, key: str, record: Record) -> None:
    """Write a record unless there is one; who else writes it writes the same."""
    if store.exists(key):
        return
    with tempfile.TemporaryDirectory(prefix="penstock-release-") as folder:
        path = Path(folder) / "record.json"
        write_model(path, record)
        store.put_file(key, path, sha256_file(path))
