"""Bundles that exist already: of earlier runs on this machine, and archived ones."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from penstock import __version__
from penstock.bisect.fixed_suite import Reference
from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.machine import this_machine
from penstock.bundle.models import Machine, Manifest, Run
from penstock.families.registry import is_timed
from penstock.foundation.errors import PenstockError
from penstock.foundation.files import disk_errors, sha256_file
from penstock.gating.comparable import gpu_models
from penstock.store.archive import fetch, name_part
from penstock.store.store import Store

log = logging.getLogger(__name__)

NEEDED = ("run.json", "invocations.jsonl", "measurements.jsonl")
"""The files of a bundle that a comparison reads."""


@dataclass(frozen=True)
class Found:
    """A bundle of a commit."""

    bundle: Bundle
    origin: str
    """Where it came from, in words."""


class Library:
    """Looks bundles up by commit. Only those count that could have been made here and now: see :meth:`unlike`."""

    def __init__(
        self,
        reference: Reference,
        metric: str,
        *,
        runs: Path,
        store: Store | None,
        folder: Path,
        image: bool,
        machine: Machine | None = None,
    ) -> None:
        """Where to look.

        Args:
            reference: what a bundle must have been measured with.
            metric: the metric that is asked about.
            runs: a folder with a run in each folder.
            store: archived runs.
            folder: where what is brought from the store is kept.
            image: whether models are run in an image that was built, not as processes.
            machine: what runs here; this machine by default.
        """
        self._reference = reference
        self._metric = metric
        self._runs = runs
        self._store = store
        self._folder = folder
        self._image = image
        self._machine = machine or this_machine()
        self._local: dict[str, list[Path]] = {}
        self._archived: dict[str, list[str]] = {}

    def look(self) -> None:
        """Take stock. A record that cannot be read is passed over: it may be a run that is just beginning.

        Raises:
            WorldError: the store cannot be reached.
        """
        for path in sorted(self._runs.glob("*/bundle/run.json")):
            try:
                run = read_model(path, Run)
            except PenstockError:
                continue
            if run.source is not None and not self.unlike(run):
                self._local.setdefault(run.source.commit, []).append(path.parent)
        if self._store is not None:
            self._look_into(self._store)

    def _look_into(self, store: Store) -> None:
        model = name_part(self._reference.contract.name, "model")
        for entry in store.list(f"runs/{model}/"):
            parts = entry.key.split("/")
            if len(parts) != 4 or parts[3] != "manifest.json":
                continue  # the manifest comes last: a run without it is not archived
            kept = self._folder / "records" / f"{parts[2]}.json"
            try:
                if not kept.exists():  # evidence never changes
                    store.get_file(f"runs/{model}/{parts[2]}/run.json", kept)
                run = read_model(kept, Run)
            except PenstockError as error:
                log.warning("an archived run is passed over: %s", error)
                continue
            if run.source is not None and not self.unlike(run):
                self._archived.setdefault(run.source.commit, []).append(parts[2])

    def has(self, commit: str) -> bool:
        """Whether there seems to be a bundle of a commit."""
        return commit in self._local or commit in self._archived

    def find(self, commit: str) -> Found | None:
        """A whole bundle of a commit; ``None`` if there is none, or only damaged ones."""
        for path in self._local.get(commit, []):
            bundle = Bundle(path)
            if _whole(bundle):
                return Found(bundle, f"run {path.parent.name}")
        for run_id in self._archived.get(commit, []):
            assert self._store is not None  # noqa: S101
            target = self._folder / "archived" / run_id
            try:
                with disk_errors(target):
                    bundle = fetch(self._store, self._reference.contract.name, run_id, target, only=NEEDED)
            except PenstockError as error:
                log.warning("the archived run %s is passed over: %s", run_id, error)
                continue
            if (source := bundle.run().source) is not None and source.commit == commit:
                return Found(bundle, f"archived run {run_id}")
        self._local.pop(commit, None)
        self._archived.pop(commit, None)
        return None

    def unlike(self, run: Run) -> str:
        """Why a run cannot stand for one that would be made now; empty if it can.

        Its suite and extractors must be the reference's, its card this machine's (its processor too for what depends on
        it), the model run in the same way, and measured by this version of Penstock.
        """
        if run.source is None or not any(step.name == "measure" for step in run.steps):
            return "it was not measured"
        if differs := self._reference.differs(run):
            return differs
        if run.penstock != __version__:
            return f"it was measured by Penstock {run.penstock}"
        here = run.model_copy(update={"machine": self._machine, "inference": None})
        if gpu_models(run) != gpu_models(here):
            return "it ran on another GPU"
        if is_timed(self._metric) and not _alike(run.machine, self._machine):
            return "it ran on another machine"
        if run.image is None or (run.image.kind == "image") != self._image:
            return f"its model ran as {'a process' if self._image else 'an image'}"
        return ""


def _alike(one: Machine | None, other: Machine) -> bool:
    return one is not None and (one.processor, one.cores) == (other.processor, other.cores)


def _whole(bundle: Bundle) -> bool:
    """Whether the files that are needed are there, and are what the manifest says where there is one."""
    try:
        manifest = read_model(bundle.manifest_file, Manifest) if bundle.manifest_file.exists() else None
        for name in NEEDED:
            if manifest is not None and manifest.files.get(name) != sha256_file(bundle.path / name):
                return False
        bundle.run(), bundle.invocations(), bundle.measurements()
    except (PenstockError, OSError) as error:
        log.warning("a run is passed over: %s", error)
        return False
    return True
