"""What a step leaves in ``run.json``, and products of earlier runs that need not be made again."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock import __version__
from penstock.bundle.directory import Bundle, read_model, write_model
from penstock.bundle.machine import this_machine
from penstock.bundle.models import Machine, Run, StepRecord
from penstock.foundation.errors import UsageError
from penstock.foundation.files import disk_errors, regular_files, replacing

FOLDERS = ("outputs", "logs", "shards", "report", "failures")
"""What a bundle's directory holds from the start: steps run as different users, and each may write in these."""


MADE_ON = Path("made-on.json")
"""Beside kept products: no file of a bundle."""


def utc_now(timespec: str = "seconds") -> str:
    """The time in UTC, ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec=timespec)


def begin(bundle: Bundle, *, run_id: str, track: str) -> Run:
    """Begin ``run.json``, or go on with the one of the same run.

    Raises:
        UsageError: the directory holds another run's bundle; evidence is never overwritten.
    """
    with disk_errors(bundle.path):
        for name in FOLDERS:
            (bundle.path / name).mkdir(parents=True, exist_ok=True)
    if bundle.run_file.exists():
        run = bundle.run()
        if run.run_id != run_id:
            raise UsageError(
                f"the bundle belongs to run '{run.run_id}'",
                where=str(bundle.path),
                todo="Give each run a directory of its own.",
            )
        return run
    run = Run(penstock=__version__, run_id=run_id, track=track, machine=this_machine())
    bundle.update_run(run)
    return run


@dataclass
class StepNote:
    """What the step wants to say of itself; it is written to ``run.json`` when the step ends."""

    inputs: str = ""
    unchanged: bool = False
    note: str = ""


@contextlib.contextmanager
def recorded(bundle: Bundle, name: str) -> Iterator[StepNote]:
    """Write a step's record (time, inputs, whether it was unchanged) to ``run.json`` when it is done.

    A step that fails leaves no record of success: a resumed run takes it up again. What a killed one has left under
    temporary names is removed before the step begins.
    """
    bundle.sweep()
    started, clock, note = utc_now(), time.monotonic(), StepNote()
    yield note
    bundle.record_step(
        StepRecord(
            name=name,
            status="unchanged" if note.unchanged else "done",
            started=started,
            seconds=round(time.monotonic() - clock, 3),
            inputs=note.inputs,
            note=note.note,
        )
    )


class Products:
    """Products of steps, kept by the digest of everything that they were made from.

    ``cache/steps/STEP/DIGEST/…`` is written under a temporary name and renamed, so that what is there is whole.
    """

    def __init__(self, cache: Path, step: str, digest: str) -> None:
        self.folder = cache / "steps" / step / digest

    def restore(self, bundle: Bundle) -> bool:
        """Copy the products into the bundle; False if there are none."""
        if not self.folder.is_dir():
            return False
        for path in regular_files(self.folder):
            if path != MADE_ON:
                _copy(self.folder / path, bundle.path / path)
        return True

    def made_on(self) -> Machine | None:
        """The machine that they were made on; ``None`` if that was not kept."""
        path = self.folder / MADE_ON
        return read_model(path, Machine) if path.is_file() else None

    def _forget_unfinished(self) -> None:
        """Remove what killed runs have left. Another run may be at work here, but not for a whole day."""
        for left in self.folder.parent.glob(".tmp-*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > 86_400:
                    shutil.rmtree(left, ignore_errors=True)

    def keep(self, bundle: Bundle, paths: list[Path], *, made_on: Machine | None = None) -> None:
        """Keep copies of the bundle's files ``paths`` (relative; folders with all that is in them)."""
        with disk_errors(self.folder):
            self.folder.parent.mkdir(parents=True, exist_ok=True)
            self._forget_unfinished()
            temporary = Path(tempfile.mkdtemp(prefix=".tmp-", dir=self.folder.parent))
            try:
                for path in paths:
                    whole = bundle.path / path
                    for file in [path / inner for inner in regular_files(whole)] if whole.is_dir() else [path]:
                        _copy_new(bundle.path / file, temporary / file)
                if made_on is not None:
                    write_model(temporary / MADE_ON, made_on)
                temporary.chmod(0o755)
                with contextlib.suppress(OSError):  # another run was first: its products are the same
                    temporary.replace(self.folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


def _copy_new(source: Path, target: Path) -> None:
    """A copy on the disk, in a folder that nobody reads yet."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _copy(source: Path, target: Path) -> None:
    """A copy. Never a hard link: a later write through one name would change the other."""
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)
