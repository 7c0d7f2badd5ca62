"""Where a clone goes: a directory that is replaced as a whole, or a mount point that can only be filled."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, write_json
from penstock.foundation.handles import discard_tree, remove_tree
from penstock.sources.tree import tree_digest

log = logging.getLogger(__name__)


class CloneTarget(ABC):
    """A directory that a clone is put into. Only the holder of :attr:`lock` may use it."""

    lock: Path
    prefix: str
    """Names of unfinished clones in :attr:`workshop` begin with this."""
    workshop: Path
    """Where the unfinished clone lies: on the same file system as the directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @abstractmethod
    def prepare(self, wanted: dict[str, Any]) -> dict[str, Any] | None:
        """Clear away what killed clones left.

        Returns:
            The record of a finished, untouched clone that was made as ``wanted`` says.

        Raises:
            UsageError: the directory holds something that no clone has made.
        """

    @abstractmethod
    def put(self, partial: Path, wanted: dict[str, Any], record: dict[str, Any]) -> None:
        """Put a whole clone in place, and its record."""

    @contextlib.contextmanager
    def partial(self) -> Iterator[Path]:
        """An empty directory to clone into, removed in the end."""
        with disk_errors(self.directory):
            path = Path(tempfile.mkdtemp(prefix=self.prefix, dir=self.workshop))
            try:
                path.chmod(0o755)
                yield path
            finally:
                discard_tree(path)

    def leftovers(self) -> list[Path]:
        """What killed clones left."""
        return [path for path in self.workshop.iterdir() if path.name.startswith(self.prefix)]

    def foreign(self) -> UsageError:
        """The error for a directory that holds something else."""
        return UsageError(
            "the directory is not empty, and no clone of ours made it",
            where=str(self.directory),
            todo="Choose another directory.",
        )


def place_for(directory: Path) -> CloneTarget:
    """How a clone can be put into ``directory``; its parent is made if it is not there.

    Raises:
        UsageError: there is something that is not a directory.
    """
    if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
        raise UsageError("this is not a directory", where=str(directory), todo="Choose another directory.")
    directory.parent.mkdir(parents=True, exist_ok=True)
    if directory.exists() and (is_mount_point(directory) or not os.access(directory.parent, os.W_OK)):
        return FilledPlace(directory)
    return ReplacedPlace(directory)


def is_mount_point(directory: Path) -> bool:
    """Whether something is mounted on ``directory``, also from the same file system (a volume's sub-path)."""
    resolved = str(directory.resolve())
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            fields = line.split(" ")
            if len(fields) > 4 and fields[4].encode().decode("unicode_escape", "replace") == resolved:
                return True
    return directory.is_mount()


class ReplacedPlace(CloneTarget):
    """An ordinary directory. The record lies beside it, where the model's own code does not write."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.workshop = directory.parent
        self.prefix = f".{directory.name}.clone-"
        self.lock = directory.parent / f".{directory.name}.clone.lock"
        self.marker = directory.parent / f".{directory.name}.clone.json"

    def prepare(self, wanted: dict[str, Any]) -> dict[str, Any] | None:
        """See :meth:`Place.prepare`."""
        for leftover in self.leftovers():
            log.info("removing what a killed clone left: %s", leftover.name)
            discard_tree(leftover)
        if not self.directory.exists() or not any(self.directory.iterdir()):
            return None
        if not self.marker.is_file():
            raise self.foreign()
        try:
            content = json.loads(self.marker.read_text(encoding="utf-8"))
            record: dict[str, Any] = content.pop("clone")
            if content == wanted and tree_digest(self.directory) == record["tree"]:
                return record
        except (ValueError, KeyError, TypeError, AttributeError, UsageError, OSError) as error:
            log.debug("the earlier clone cannot be used: %s", error)
        log.info("%s holds another or a changed clone, which is replaced", self.directory)
        return None

    def put(self, partial: Path, wanted: dict[str, Any], record: dict[str, Any]) -> None:
        """See :meth:`Place.put`."""
        # The marker is there before and after: whenever we are killed, what is in the directory is known to be ours,
        # and its tree's digest decides whether it can be used.
        if not self.directory.exists() or not any(self.directory.iterdir()):
            write_json(self.marker, {})
            partial.rename(self.directory)
        else:
            old = Path(tempfile.mkdtemp(prefix=self.prefix, dir=self.workshop))
            self.directory.rename(old)
            partial.rename(self.directory)
            discard_tree(old)
        write_json(self.marker, wanted | {"clone": record})


class FilledPlace(CloneTarget):
    """A mount point. A record in it could be forged by the model's code: no clone in it is ever taken as finished."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.workshop = self.lock = directory
        self.prefix = ".penstock-clone-"
        self.marker = directory / ".git" / "penstock-clone"

    def prepare(self, wanted: dict[str, Any]) -> None:  # noqa: ARG002
        """See :meth:`Place.prepare`. Only what a clone of ours has left is cleared away."""
        content = [path for path in self.directory.iterdir() if path.name != "lost+found"]
        if content and not self.leftovers() and not self.marker.is_file():
            raise self.foreign()
        if content:
            # the directory of an unfinished clone goes last: if we are killed before, the rest is still known as ours
            content.append(Path(tempfile.mkdtemp(prefix=self.prefix, dir=self.workshop)))
        for path in sorted(content, key=lambda path: path.name.startswith(self.prefix)):
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            else:
                path.unlink()

    def put(self, partial: Path, wanted: dict[str, Any], record: dict[str, Any]) -> None:  # noqa: ARG002
        """See :meth:`Place.put`. While it lasts, the unfinished clone's directory says that all of this is ours."""
        (partial / ".git" / "penstock-clone").write_text(record["commit"] + "\n", encoding="utf-8")
        for path in sorted(partial.iterdir()):
            path.rename(self.directory / path.name)
