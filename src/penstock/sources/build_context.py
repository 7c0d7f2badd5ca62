"""What an image is built from: the build's context without the weights and the files that only say which those are.

``penstock.yaml``, ``model_version.txt``, the weights and ``.git`` are neither in the key nor in what buildah sees. So
two commits with the same key have the same image, and a change of weights needs no build.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.contract.model_version import MODEL_VERSION_FILE
from penstock.contract.models import CONTRACT_FILE, Build
from penstock.contract.suite_sources import PLACE
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, inside, open_inside, sha256_json, sha256_of
from penstock.foundation.handles import discard_tree
from penstock.sources.tree import tree_entries

RECIPE = 1
"""Goes up when the same files would be built in another way."""
FOLDER = "building"


@dataclass(frozen=True)
class BuildContext:
    """The files that a build may read."""

    containerfile: Path
    context: Path
    """A folder of the clone."""
    left_out: frozenset[Path]
    """Absolute paths of files below ``context`` that the build does not see."""
    provided: Path
    """The folder of the clone that Penstock fills with a suite from elsewhere: no image is built from it."""

    def entries(self) -> Iterator[tuple[Path, int]]:
        """Relative path and mode of everything that the build sees, sorted; folders aside."""
        for relative, facts in sorted(tree_entries(self.context), key=lambda entry: entry[0]):
            path = self.context / relative
            if path not in self.left_out and not path.is_relative_to(self.provided):
                yield relative, facts.st_mode

    def key(self, contract: Build) -> str:
        """SHA-256 of all that decides the image, the image that it stands on aside.

        Args:
            contract: the ``build`` section of ``penstock.yaml``.
        """
        files: list[list[str]] = []
        for relative, mode in self.entries():
            name = relative.as_posix()
            if stat.S_ISLNK(mode):
                files.append([name, "link", str((self.context / relative).readlink())])
            else:
                with open_inside(self.context / relative, where=name) as file:
                    files.append([name, "program" if mode & stat.S_IXUSR else "file", sha256_of(file)])
        with open_inside(self.containerfile, where=contract.containerfile) as file:
            recipe = sha256_of(file)
        return sha256_json([RECIPE, recipe, contract.target, sorted(contract.args.items()), files])

    @contextlib.contextmanager
    def copied(self, cache_dir: Path | None) -> Iterator[Path]:
        """A folder that holds what the build sees, and nothing else; it is removed in the end.

        Only one build at a time may use ``cache_dir``: what a killed one has left there is removed.

        Args:
            cache_dir: where it is made; ``None``: where temporary files go.
        """
        place = Path(tempfile.gettempdir()) if cache_dir is None else cache_dir / FOLDER
        with disk_errors(place):
            if cache_dir is not None:
                discard_tree(place)
            place.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix="context-", dir=place))
        try:
            with disk_errors(folder):
                folder.chmod(0o755)
                for relative, mode in self.entries():
                    _copy(self.context / relative, folder / relative, mode)
                for above, names, _ in os.walk(folder):
                    for name in names:
                        if not (inner := Path(above, name)).is_symlink():
                            inner.chmod(0o755)
            yield folder
        finally:
            discard_tree(folder)


def build_context(source_dir: Path, contract: Build, beside: Collection[str]) -> BuildContext:
    """Find what an image is built from.

    Args:
        source_dir: the clone.
        contract: the ``build`` section of ``penstock.yaml``.
        beside: paths of weights that are mounted beside the image, see
            :func:`penstock.contract.mounted_weights.beside_the_image`.

    Raises:
        UsageError: the Containerfile or the context is not there, or leaves the repository.
    """
    containerfile = inside(source_dir, contract.containerfile, where="build.containerfile")
    context = inside(source_dir, contract.context, where="build.context")
    if not containerfile.is_file():
        raise UsageError(
            f"there is no '{contract.containerfile}'", where="build.containerfile", todo="Add it, or correct the path."
        )
    if not context.is_dir():
        raise UsageError(f"'{contract.context}' is not a directory", where="build.context")
    names = {*beside, CONTRACT_FILE, MODEL_VERSION_FILE}
    left_out = frozenset(inside(source_dir, name, where="weights") for name in names)
    return BuildContext(containerfile, context, left_out, source_dir.resolve() / PLACE)


def _copy(source: Path, target: Path, mode: int) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(mode):
        target.symlink_to(source.readlink())
        return
    with open_inside(source, where=source.name) as file, target.open("xb") as out:
        shutil.copyfileobj(file, out)
    # the rights are the same on every machine, whatever its umask
    target.chmod(0o755 if mode & stat.S_IXUSR else 0o644)
