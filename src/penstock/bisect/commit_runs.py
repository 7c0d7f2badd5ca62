"""Running one commit up to its measurements, and telling its own faults from those of the machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from penstock import __version__
from penstock.bisect.bisection import Failed
from penstock.bisect.commits import Commit
from penstock.bisect.fixed_suite import Reference
from penstock.bisect.pipeline import REFERENCE, commit_run
from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure
from penstock.foundation.errors import ExitCode, WorldError
from penstock.foundation.files import sha256_json
from penstock.local_run.engine import Listening, measure_here
from penstock.local_run.exit_codes import track_exit_code
from penstock.local_run.run_arguments import repository_params


class CommitRuns:
    """Runs commits up to their measurements, as ``penstock run`` runs a release. Use :meth:`run`."""

    def __init__(
        self,
        out: Path,
        repository: str,
        reference: Reference,
        bad: Commit,
        params: Mapping[str, str],
        workspaces: Mapping[str, Path],
        *,
        listening: Listening,
    ) -> None:
        """What all of them share.

        Args:
            out: where runs, cache and bisections lie.
            repository: a URL, or a path of this machine.
            reference: the suite and the extractors of all of them.
            bad: the commit that the suite is from.
            params: parameters of the pipeline.
            workspaces: directories for its workspaces.
            listening: opened for each run.
        """
        self._out = out
        self._params = {**repository_params(repository), "slice": reference.slice, **params}
        self._workspaces = {"work": out, REFERENCE: reference.directory, **workspaces}
        self._listening = listening
        # what a run depends on is in its name: another pipeline, suite or parameter is another run
        self._key = sha256_json([commit_run("")["spec"], self._params, bad.hash, __version__])[:10]

    def run(self, commit: Commit) -> Bundle | Failed:
        """Begin the commit's run, or go on with it.

        Raises:
            UsageError: a parameter is refused.
            WorldError: the machine failed, or the repository cannot be reached: not the commit's fault.
            Interrupted: Ctrl-C.
        """
        name = f"bisect-{commit.hash[:12]}-{self._key}"
        folder = self._out / "runs" / name
        params = self._params | {"revision": commit.hash}
        ended = measure_here(folder, commit_run(name), params, self._workspaces, listening=self._listening)
        bundle = Bundle(folder / "bundle")
        if ended.succeeded:
            return bundle
        code = track_exit_code(ended)
        failure = first_failure(bundle)
        reason = f"{failure.step}: {failure.error}" if failure is not None else ended.message
        # no commit's fault: the next one would fail in the same way
        if code == ExitCode.WORLD and failure is not None and (failure.step == "clone" or failure.full_disk):
            raise WorldError(failure.error, where=failure.step, todo="Then give the same command again to go on.")
        return Failed(reason, int(code))
