"""MLflow kept up to date by the steps of a release, which do not fail with it."""

from __future__ import annotations

from pathlib import Path

from penstock.bundle.directory import Bundle
from penstock.foundation.errors import PenstockError, printable
from penstock.store.store import Store
from penstock.tracking.mlflow_api import Mlflow, read_mlflow
from penstock.tracking.track import follow_release, track_run


def attempt_tracking(
    directory: Path, *, store: Store, model: str, bundle: Bundle | None = None, evidence: str = ""
) -> str:
    """Bring a run to MLflow, if one is given, and the model's alias to where the release is.

    Args:
        directory: the workspace ``mlflow``, see :func:`penstock.tracking.mlflow_api.read_mlflow`.
        store: where the model is released.
        model: its name.
        bundle: the run, if it is to be brought as well.
        evidence: where it is archived.

    Returns:
        Empty if it was done; else why not. Nothing is raised: MLflow holds a copy, and ``penstock track`` makes up for
        it later.
    """
    try:
        mlflow = Mlflow(read_mlflow(directory))
        if bundle is not None:
            track_run(mlflow, bundle, evidence)
        follow_release(mlflow, store, model)
    except PenstockError as error:
        return str(error)
    except Exception as error:  # a copy must not break a release, even where it is our own mistake
        return printable(f"{type(error).__name__}: {error}")
    return ""
