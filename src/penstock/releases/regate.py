"""``--regate``: a new run over the outputs of an archived one, to be judged against the current release."""

from __future__ import annotations

import tempfile
from pathlib import Path

from penstock import __version__
from penstock.bundle.directory import Bundle, read_model
from penstock.bundle.environment_record import RECORD as ENVIRONMENT
from penstock.bundle.export_record import EXPORT_FOLDER
from penstock.bundle.models import Inference, Manifest, Run
from penstock.bundle.sbom_file import SBOM
from penstock.contract.policy import LEVELS, Level
from penstock.foundation.errors import UsageError, WorldError
from penstock.foundation.files import inside, sha256_file
from penstock.releases.names import repository_identity
from penstock.store.archive import run_key
from penstock.store.store import NotStoredError, Store

NEW_RUN = "Start a new run without it."
LOGS = "logs/model"


def take_over(store: Store, bundle: Bundle, earlier_id: str) -> Run:
    """Bring what an archived run has of its model into a new run's bundle.

    That is its calls and outputs, the model's logs, the environment and the bill of materials.

    Everything is compared with that run's manifest. Measurements are not taken over: they are made, or found in the
    cache, as in any run. What an earlier attempt has brought stays.

    Args:
        store: where the run is archived.
        bundle: the new run's: cloned, its weights verified.
        earlier_id: the archived run.

    Returns:
        The new run's record, which has the earlier one's image, suite and machine.

    Raises:
        UsageError: there is no such run, or it was not of this repository, commit, weights, and Penstock.
        WorldError: what is archived is damaged, or the store cannot be reached.
    """
    run = bundle.run()
    root = run_key(run.model, earlier_id)
    with tempfile.TemporaryDirectory(prefix="penstock-regate-") as folder:
        earlier = Bundle(Path(folder))
        try:
            store.get_file(f"{root}/manifest.json", earlier.manifest_file)
        except NotStoredError:
            raise UsageError(
                f"no run '{earlier_id}' of {run.model} is archived",
                where=store.location(root),
                todo="Check its name, and the store.",
            ) from None
        files = read_model(earlier.manifest_file, Manifest).files
        _get(store, root, files, earlier.run_file.name, earlier.path)
        before = earlier.run()
    _hold_same(run, before)
    _get(store, root, files, bundle.invocations_file.name, bundle.path)
    told = sorted(name for name in files if name.startswith(f"{EXPORT_FOLDER}/"))
    outputs = [output for call in bundle.invocations() for output in call.outputs]
    about = sorted(name for name in files if name.startswith(LOGS) or name in (ENVIRONMENT, SBOM))
    for name in [*outputs, *told, *about]:
        _get(store, root, files, name, bundle.path)
    known = {
        "image": before.image,
        "suite": before.suite,
        "inference": _as_earlier(before),
        "parameters": before.parameters,
        "use_onnx": before.use_onnx,
        "regated_from": earlier_id,
    }
    run = bundle.run().model_copy(update=known)
    bundle.update_run(run)
    return run


def _get(store: Store, root: str, files: dict[str, str], name: str, folder: Path) -> None:
    """Bring one file, compared with the manifest, unless it is there."""
    if name not in files:
        raise WorldError(f"its manifest does not name '{name}'", where=store.location(root), todo=NEW_RUN)
    here = inside(folder, name, where=f"{root}/manifest.json")
    if not here.is_file() or sha256_file(here) != files[name]:
        store.get_file(f"{root}/{name}", here, files[name])


def _as_earlier(before: Run) -> Inference | None:
    """How the outputs came about, as it is recorded of outputs that an earlier run made."""
    made = before.inference
    if made is None:
        return None
    shards = [shard.machine for shard in made.shards if shard.machine is not None]
    return Inference(
        unchanged=True,
        parts=made.parts,
        machine=made.machine or next(iter(shards), before.machine),
        isolation=_weakest(made),
    )


def _weakest(made: Inference) -> Level | None:
    """The level at which the outputs were made: of several the weakest, and none where one is not known."""
    if not made.shards:
        return made.isolation
    levels = [shard.isolation.level if shard.isolation is not None else "none" for shard in made.shards]
    return min(levels, key=LEVELS.index)


def _hold_same(run: Run, before: Run) -> None:
    """Check that the outputs of the earlier run are what this run's model would return."""
    ours, theirs = run.source, before.source
    if ours is None or theirs is None or before.image is None or before.suite is None or before.inference is None:
        raise UsageError("it did not come as far as its outputs", where=f"run '{before.run_id}'", todo=NEW_RUN)
    here, there = repository_identity(ours.url), repository_identity(theirs.url)
    if here != there:
        raise UsageError(f"it was of the repository {there}, not {here}", where=f"run '{before.run_id}'", todo=NEW_RUN)
    if (ours.commit, ours.tree) != (theirs.commit, theirs.tree):
        what = "commit" if ours.commit != theirs.commit else "content (Git LFS, submodules)"
        raise UsageError(
            f"it was of commit {theirs.commit}, and '{ours.revision}' has another {what} now",
            where=f"run '{before.run_id}'",
            todo=f"Say --revision {theirs.commit}, or start a new run without it.",
        )
    if [(file.path, file.sha256) for file in run.weights] != [(file.path, file.sha256) for file in before.weights]:
        raise UsageError("its weights were others", where=f"run '{before.run_id}'", todo=NEW_RUN)
    if before.penstock != __version__:
        raise UsageError(
            f"its model was called by Penstock {before.penstock}, and this is {__version__}",
            where=f"run '{before.run_id}'",
            todo=NEW_RUN,
        )
