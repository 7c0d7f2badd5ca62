"""The folder of a run: beginning one, a name that a refusal does not use up, and keeping all of it out of git.

``OUT/runs/NAME`` is where the pipeline puts a run, as on a cluster's volume; ``OUT/NAME`` is a link to it, so that a
run is found where people look: ``runs/NAME/bundle``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, write_json, write_text

OUT = Path("runs")
"""Where runs, cache and store lie if nothing else is said."""
OURS = ("runs", "cache", "store", "bisect", ".gitignore")
"""What lies in such a directory beside the links to its runs."""
REQUEST = "request.json"
REFUSED = "refused"
"""File in a run's folder: nothing was put to the model, and the name may be used again."""


def prepare(out: Path) -> None:
    """Make the directory of all runs; one that is new keeps itself out of git.

    Raises:
        WorldError: it cannot be written.
    """
    with disk_errors(out):
        out.mkdir(parents=True, exist_ok=True)
        # a directory with other things in it is not ours to hide
        if not any(out.iterdir()):
            write_text(out / ".gitignore", "*\n")


def begin(folder: Path, request: dict[str, Any]) -> None:
    """Write down what is run; a run of the same name is never run over, unless it was refused at its start.

    Raises:
        UsageError: there is one, or the name is kept for something else.
    """
    if folder.name in OURS:
        raise UsageError(f"a run cannot be called '{folder.name}'", where="--name", todo="Choose another name.")
    file = folder / REQUEST
    # written whole and then given its name, which fails if the name is taken: a killed start takes no name
    whole = folder / f".request-{os.urandom(4).hex()}.json"
    try:
        with disk_errors(file):
            folder.mkdir(parents=True, exist_ok=True)
            write_json(whole, request)
            if _claimed(folder):
                _clear(folder, keep=(file, whole))
                whole.replace(file)
            else:
                os.link(whole, file)
    except FileExistsError:
        raise UsageError(
            f"the run '{folder.name}' exists already",
            where=str(folder),
            todo=f"Go on with it by --resume {folder.name}, or choose another --name.",
        ) from None
    finally:
        whole.unlink(missing_ok=True)
    # a file system without links only lacks the short way
    with contextlib.suppress(OSError):
        link_of(folder).symlink_to(Path(folder.parent.name, folder.name))


def link_of(folder: Path) -> Path:
    """The link to a run's folder, which need not be there."""
    return folder.parent.parent / folder.name


def mark_refused(folder: Path) -> None:
    """Note that nothing was put to the model, so that the name may be used again."""
    with contextlib.suppress(OSError):
        (folder / REFUSED).touch()


def unmark_refused(folder: Path) -> None:
    """Take the note back: the run goes on."""
    with contextlib.suppress(OSError):
        (folder / REFUSED).unlink(missing_ok=True)


def _claimed(folder: Path) -> bool:
    """Whether there was a refused run, which is this process's to replace: only one can take the note away."""
    try:
        (folder / REFUSED).rename(folder / f".{REFUSED}-{os.urandom(4).hex()}")
    except FileNotFoundError:
        return False
    return True


def _clear(folder: Path, *, keep: tuple[Path, ...]) -> None:
    for path in folder.iterdir():
        if path in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            remove_tree(path)
        else:
            path.unlink(missing_ok=True)


def remove_tree(directory: Path) -> None:
    """Remove a directory, also where a model has left folders in it that nobody may enter.

    Raises:
        WorldError: it cannot be removed.
    """
    with disk_errors(directory):
        try:
            shutil.rmtree(directory)
        except PermissionError:
            _open(directory)
            shutil.rmtree(directory)


def _open(directory: Path) -> None:
    directory.chmod(0o700)
    for entry in os.scandir(directory):
        if entry.is_dir(follow_symlinks=False):
            _open(Path(entry.path))
