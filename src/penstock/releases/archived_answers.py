"""What the current release answered, as archived: its record, calls and outputs, each compared with its manifest."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import WorldError
from penstock.foundation.files import inside
from penstock.releases.baseline import Baseline, Release, baseline
from penstock.store.archive import fetch
from penstock.store.store import Store


def fetch_answers(store: Store, model: str, pointer: Baseline | Release, directory: Path) -> Bundle:
    """Bring the calls and outputs of a release.

    Args:
        store: where releases are kept.
        model: the model's name.
        pointer: the release.
        directory: where its bundle goes; what is there of it already stays.

    Raises:
        WorldError: an output is gone or damaged, or the store cannot be reached.
        UsageError: the directory holds something else.
    """
    names = Bundle(directory)
    only = (names.run_file.name, names.invocations_file.name, names.outputs.name)
    released = fetch(store, model, pointer.run_id, directory, only=only, manifest_sha256=pointer.manifest_sha256)
    for call in released.invocations():
        where = f"case {call.case} of run {pointer.run_id}"
        for output in call.outputs:
            if not inside(released.path, output, where=where).is_file():
                raise WorldError(f"'{output}' is not archived", where=where)
    return released


def bring_current(store: Store, model: str, directory: Path) -> Bundle | None:
    """Bring what the current release answered, for metrics that compare with it; ``None`` before the first release.

    Raises:
        WorldError: it cannot be had. The candidate cannot be judged, by no fault of its own.
        UsageError: the directory holds something else.
    """
    pointer = baseline(store, model)
    if pointer is None:
        return None
    try:
        return fetch_answers(store, model, pointer, directory)
    except WorldError as error:
        raise WorldError(
            f"the answers of the current release cannot be brought: {error.what}",
            where=error.where,
            todo=f"{error.todo} Restore the release's files in the store from a copy; or write 'baseline: rerun' into "
            "the policy.".strip(),
        ) from error
