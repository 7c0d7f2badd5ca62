"""The released model's bundle in a run, where the run makes it: ``baseline: rerun`` runs the model again beside the
candidate; a stored baseline of another arithmetic has its archived outputs measured again.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Machine, Run
from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.foundation.files import disk_errors, replacing

TRACK = "rerun"
"""The track in ``run.json`` of the released model's new run; its run id is that of the release."""
MEASURED_AGAIN = "measured-again"
"""The track where only its archived outputs are measured again."""
EVIDENCE = Path("baseline")
"""Where the candidate's bundle keeps what the released model came to."""
TODO = (
    "The candidate was not judged: baseline 'rerun' takes nothing instead of a fresh run. "
    "Write 'baseline: stored' into the policy, or have a release that runs."
)


def is_rerun(bundle: Bundle) -> bool:
    """Whether the bundle is that of a released model that is run again, and not one that was fetched from the store."""
    return bundle.run_file.exists() and bundle.run().track == TRACK


def is_measured_again(bundle: Bundle) -> bool:
    """Whether the bundle holds a release's archived outputs, brought to be measured again."""
    return bundle.run_file.exists() and bundle.run().track == MEASURED_AGAIN


class ReleasedError(WorldError):
    """The released model cannot be run again: the candidate cannot be judged, and it is no fault of its own."""

    def __init__(self, error: PenstockError) -> None:
        what, todo = f"the released model cannot be run again: {error.what}", f"{error.todo} {TODO}".strip()
        super().__init__(what, where=error.where, todo=todo)
        self.full_disk = error.full_disk


@contextlib.contextmanager
def released_errors(on: bool = True) -> Iterator[None]:
    """What is wrong with the released model is no fault of the candidate's: it becomes the world's failure (exit 4).

    Raises:
        ReleasedError: instead of any :class:`UsageError` or :class:`WorldError` of the block, if ``on``.
    """
    try:
        yield
    except (UsageError, WorldError) as error:
        if not on or isinstance(error, ReleasedError):
            raise
        raise ReleasedError(error) from error


def hold_side_by_side(candidate: Run, released: Run) -> None:
    """Check that both models ran on the same machine, with the same card.

    Raises:
        WorldError: they did not.
    """
    places = {_place(machine) for run in (candidate, released) for machine in _ran_on(run)}
    if len(places) > 1:
        raise WorldError(
            f"the two models did not run on the same machine: {'; '.join(sorted(places))}",
            where="baseline: rerun",
            todo="Have all pods of a run on one node (docs/operations.md), and start the run again.",
        )


def _ran_on(run: Run) -> list[Machine]:
    shards = run.inference.shards if run.inference is not None else []
    return [shard.machine for shard in shards if shard.machine is not None]


def _place(machine: Machine) -> str:
    memory = f"{machine.memory_bytes / (1 << 30):.1f} GiB"
    return ", ".join([machine.processor, memory, machine.gpu or "no GPU", machine.system])


def keep_evidence(bundle: Bundle, released: Bundle) -> None:
    """Copy what was measured of the released model into the candidate's bundle, whose manifest covers it.

    The outputs are not copied: they are archived with the release, or can be made again from its image.
    """
    for file in (released.run_file, released.invocations_file, released.measurements_file):
        target = bundle.path / EVIDENCE / file.name
        with disk_errors(target):
            target.parent.mkdir(exist_ok=True)
            with replacing(target) as temporary:
                shutil.copyfile(file, temporary)


def gather_failures(bundle: Bundle, released: Bundle) -> None:
    """Put what a step over the released model said when it failed beside what the other steps said."""
    for path in released.failures.glob("*.json"):
        with contextlib.suppress(OSError):
            shutil.copyfile(path, bundle.failures / f"released-{path.name}")
