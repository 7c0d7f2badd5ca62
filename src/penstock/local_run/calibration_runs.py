"""What ``penstock calibrate`` does: the runs of one revision, one after the other, and what becomes of them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock import __version__
from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure
from penstock.contract.load import load_contract
from penstock.contract.policy import Policy
from penstock.foundation.errors import ExitCode, Interrupted, PenstockError, UsageError, WorldError
from penstock.foundation.files import sha256_json, write_json
from penstock.gating.calibration import Calibration, read_calibration, write_calibration
from penstock.gating.measurements import MeasurementSource, read_source
from penstock.gating.repeats import calibrate
from penstock.local_run.engine import Listening, measure_here
from penstock.local_run.exit_codes import track_exit_code
from penstock.local_run.own_pipelines import measuring_run
from penstock.local_run.policy_file import policy_at
from penstock.local_run.run_arguments import free_params, repository_params, workspace_directories
from penstock.local_run.run_folder import OUT, prepare

LAST = "measure"
OURS = ("url", "revision", "reuse")
"""Parameters that a calibration sets itself."""
DEFAULT_LEVEL = 0.05


@dataclass(frozen=True)
class Options:
    """The options of ``penstock calibrate``, as they were given."""

    repo: str = ""
    revision: str = ""
    runs: int = 5
    bundles: tuple[Path, ...] = ()
    file: Path = Path("calibration.json")
    policy: Path | None = None
    level: float = 0.0
    """0: the policy's."""
    out: Path = OUT
    params: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Calibrated:
    """A calibration that is written into its file."""

    calibration: Calibration
    policy: Policy | None
    """Whose margins the noise is compared with."""
    left_out: tuple[str, ...]
    """Metrics without a value in any run."""


def carry_out(options: Options, *, listening: Listening, say: Callable[[str], None]) -> Calibrated:
    """Run what has not been run yet, and write the file.

    Args:
        options: as they were given.
        listening: opened for each run.
        say: is told in a line which run begins.

    Raises:
        UsageError: an option is wrong, or the runs are not of the same thing.
        WorldError: a run could not be carried out.
        Interrupted: Ctrl-C; the same command goes on.
    """
    if options.level and not 0 < options.level < 0.5:
        raise UsageError(f"{options.level:g} is not a level", where="--level", todo="Give a number between 0 and 0.5.")
    if options.file.is_dir():
        raise UsageError("this is a directory", where=f"--file {options.file}", todo="Name the file to write.")
    policy = policy_at(options.policy) if options.policy is not None else None
    if options.bundles:
        if options.repo or options.revision or options.params or options.workspaces:
            given = "--repo" if options.repo else "--revision" if options.revision else "--param and --workspace"
            raise UsageError(
                f"{given} belongs to runs, --bundle to what was run", where="calibrate", todo="Leave one out."
            )
        sources = [_read(path) for path in options.bundles]
    else:
        sources = CalibrationRuns(options, listening=listening, say=say).sources()
        if policy is None and sources[0].bundle is not None:
            policy = load_contract(sources[0].bundle.path.parent / "source").policy
    level = options.level or (policy.level if policy is not None else DEFAULT_LEVEL)
    found = calibrate(sources, level=level)
    write_calibration(options.file, found.calibration)
    return Calibrated(read_calibration(options.file), policy, tuple(found.left_out))


def _read(path: Path) -> MeasurementSource:
    """A bundle, a run's directory that holds one, or a file of measurements."""
    inner = path / "bundle"
    return read_source(inner if not (path / "run.json").exists() and (inner / "run.json").is_file() else path)


class CalibrationRuns:
    """The runs of one revision. What a run depends on is in its name: finished ones are found again."""

    def __init__(self, options: Options, *, listening: Listening, say: Callable[[str], None]) -> None:
        for option, value in (("--repo", options.repo), ("--revision", options.revision)):
            if not value:
                raise UsageError(
                    f"{option} is missing",
                    where="penstock calibrate",
                    todo="Example: --repo ../sonic --revision v1.0.0; or give --bundle for each run that there is.",
                )
        params = free_params(options.params, ours=OURS, by="the calibration")
        self._workspaces = workspace_directories(options.workspaces, ours=("work",), by="--out")
        self._params = repository_params(options.repo) | {"reuse": "false"} | params
        self._options = options
        self._listening = listening
        self._say = say
        self._out = options.out.absolute()
        prepare(self._out)
        self.key = sha256_json([calibration_run("")["spec"], self._params, options.revision, __version__])[:10]

    def sources(self) -> list[MeasurementSource]:
        """All runs, those that finished before and new ones.

        All are of the commit that the first one found: a branch may move meanwhile.
        """
        revision = self._options.revision
        bundles: list[Bundle] = []
        for number in range(1, self._options.runs + 1):
            try:
                bundle = self._run(number, revision)
            except (Interrupted, KeyboardInterrupt):
                where = f"run {number} of {self._options.runs}"
                raise Interrupted("interrupted; what was finished is kept", where=where, todo=self._go_on()) from None
            except WorldError as error:
                raise WorldError(error.what, where=error.where, todo=f"{error.todo} {self._go_on()}".strip()) from error
            source = bundle.run().source
            if source is not None:
                revision = source.commit
            bundles.append(bundle)
        return [read_source(bundle.path) for bundle in bundles]

    def _run(self, number: int, revision: str) -> Bundle:
        """Begin a run, or go on with it; a finished one is left as it is."""
        name, shown = f"calibrate-{self.key}-{number}", f"run {number} of {self._options.runs}"
        folder = self._out / "runs" / name
        bundle = Bundle(folder / "bundle")
        if _finished(bundle):
            self._say(f"{shown}: done before ({folder})")
            return bundle
        self._say(f"{shown}: {revision} ({folder})")
        ended = measure_here(
            folder,
            calibration_run(name),
            self._params | {"revision": self._begun(folder, revision)},
            self._workspaces | {"work": self._out},
            listening=self._listening,
        )
        if not ended.succeeded:
            failure = first_failure(bundle)
            code = track_exit_code(ended)
            raise _error(code)(
                failure.error if failure is not None else ended.message,
                where=f"{shown}{f', {failure.step}' if failure is not None else ''}",
                todo="" if code == ExitCode.WORLD else self._go_on(),
            )
        return bundle

    @staticmethod
    def _begun(folder: Path, revision: str) -> str:
        """The revision that a run began with: what it goes on with must be the same."""
        file = folder / "revision.json"
        if not file.exists():
            write_json(file, {"revision": revision})
        return str(json.loads(file.read_text(encoding="utf-8"))["revision"])

    def _go_on(self) -> str:
        options = self._options
        words = ["penstock", "calibrate", "--repo", options.repo, "--revision", options.revision]
        words += ["--runs", str(options.runs), "--out", str(options.out), "--file", str(options.file)]
        for flag, values in (("--param", options.params), ("--workspace", options.workspaces)):
            words += [word for value in values for word in (flag, value)]
        return f"Go on with: {shlex.join(words)}"


def _error(code: ExitCode) -> type[PenstockError]:
    """The error that has the exit code of the step that failed."""
    return {ExitCode.USAGE: UsageError, ExitCode.BUG: PenstockError}.get(code, WorldError)


def _finished(bundle: Bundle) -> bool:
    if not (bundle.run_file.exists() and bundle.measurements_file.exists()):
        return False
    return any(step.name == LAST and step.status != "failed" for step in bundle.run().steps)


def calibration_run(name: str) -> dict[str, Any]:
    """A PipelineRun of the verify pipeline's own tasks, over the whole suite and without limits of time.

    Args:
        name: the run's.
    """
    return measuring_run(name, "calibrate")
