"""Workspaces on one machine: directories that the caller names, fresh ones, and what a task sees of them."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors
from penstock.tekton.manifest import WorkspaceBinding

MAX_WATCHED_FILES = 20_000
"""Of a read-only workspace, this many files are watched for changes."""


@dataclass(frozen=True)
class RunWorkspace:
    """A workspace of the run: a directory that all tasks share, or nothing (each TaskRun gets a fresh one)."""

    name: str
    directory: Path | None
    sub_path: str = ""
    claim: str = ""


@dataclass(frozen=True)
class TaskWorkspaceBinding:
    """A workspace as a TaskRun gets it."""

    name: str
    directory: Path | None
    """None: a fresh, empty directory for each attempt."""
    sub_path: str = ""
    claim: str = ""

    def resolve(self, fresh: Path) -> Path:
        """The directory that ``$(workspaces.NAME.path)`` names; it is made if it is not there.

        Raises:
            ValueError: the subPath leaves the workspace.
        """
        root = fresh if self.directory is None else self.directory
        with disk_errors(root):
            root.mkdir(parents=True, exist_ok=True)
            if not self.sub_path:
                return root
            parts = PurePosixPath(self.sub_path)
            if parts.is_absolute() or ".." in parts.parts or "\0" in self.sub_path:
                raise ValueError(f"subPath '{self.sub_path[:80]}' must be a relative path without '..'")
            path = (root / parts).resolve()
            if not path.is_relative_to(root.resolve()):
                raise ValueError(f"subPath '{self.sub_path[:80]}' leaves the workspace through a symbolic link")
            path.mkdir(parents=True, exist_ok=True)
            return root / parts


def bind_run_workspaces(
    bindings: list[WorkspaceBinding], given: dict[str, Path], run_dir: Path, uid: str
) -> dict[str, RunWorkspace]:
    """The workspaces of a run: what the caller bound to a directory, then what the PipelineRun says.

    Raises:
        UsageError: the PipelineRun names a volume that this machine does not have, and the caller no directory for it.
    """
    bound: dict[str, RunWorkspace] = {}
    for index, binding in enumerate(bindings):
        claim = binding.persistent_volume_claim.claim_name if binding.persistent_volume_claim else ""
        sources = binding.sources()
        if binding.name in given:
            directory: Path | None = _existing(binding.name, given[binding.name])
        elif sources == ["emptyDir"]:
            directory = None
        elif sources == ["volumeClaimTemplate"]:
            directory = run_dir / "volumes" / binding.name
            claim = f"pvc-{hashlib.sha256((binding.name + uid).encode()).hexdigest()[:10]}"
        else:
            what = sources[0] if sources else "no volume"
            raise UsageError(
                f"spec.workspaces[{index}].{what}: the runner on one machine has no such volume"
                if sources
                else f"spec.workspaces[{index}]: it names no volume",
                where=f"workspace '{binding.name}'",
                todo=f"Bind it to a directory: --workspace {binding.name}=DIR.",
            )
        bound[binding.name] = RunWorkspace(binding.name, directory, binding.sub_path, claim)
    for name, path in given.items():
        if name not in bound:
            bound[name] = RunWorkspace(name, _existing(name, path))
    return bound


def _existing(name: str, path: Path) -> Path:
    path = path.absolute()
    if not path.is_dir():
        todo = f"Make it: mkdir -p '{path}'."
        raise UsageError(f"there is no directory '{path}'", where=f"workspace '{name}'", todo=todo)
    return path


@dataclass
class _Use:
    path: Path
    writable: bool
    since: float
    until: float | None = None


@dataclass
class WorkspaceUses:
    """Which TaskRuns use which directories, to tell who may have changed a read-only one."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _uses: list[_Use] = field(default_factory=list)

    @contextmanager
    def using(self, paths: list[tuple[Path, bool]]) -> Iterator[list[Path]]:
        """Note that these directories are used (path, writable). Yields a list that in the end holds what changed.

        A directory that is only read is looked at before and after. Nothing is said of one that another TaskRun could
        write to meanwhile.
        """
        changed: list[Path] = []
        resolved = [(path.resolve(), writable) for path, writable in paths]
        own = [_Use(path, writable, time.monotonic()) for path, writable in resolved]
        writers = [path for path, writable in resolved if writable]
        with self._lock:
            self._uses += own
        before = {
            path: snapshot(path)
            for path, writable in resolved
            if not writable and not any(_overlap(path, other) for other in writers)
        }
        try:
            yield changed
        finally:
            changed += [
                path for path, state in before.items() if snapshot(path) != state and not self._shared(path, own)
            ]
            with self._lock:
                for use in own:
                    use.until = time.monotonic()

    def _shared(self, path: Path, own: list[_Use]) -> bool:
        since = own[0].since
        with self._lock:
            return any(
                use.writable and _overlap(path, use.path) and (use.until is None or use.until >= since)
                for use in self._uses
                if use not in own
            )


def _overlap(one: Path, other: Path) -> bool:
    return one.is_relative_to(other) or other.is_relative_to(one)


def snapshot(directory: Path) -> dict[str, tuple[int, int, int, int]]:
    """What is in a directory: path, inode, size, mode and time of change of up to 20,000 entries."""
    found: dict[str, tuple[int, int, int, int]] = {}
    queue = [directory]
    while queue and len(found) < MAX_WATCHED_FILES:
        folder = queue.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            found[entry.path] = (status.st_ino, status.st_size, status.st_mode, status.st_mtime_ns)
            if entry.is_dir(follow_symlinks=False):
                queue.append(Path(entry.path))
    return found
