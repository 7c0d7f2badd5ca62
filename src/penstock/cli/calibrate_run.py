"""What ``penstock calibrate`` does: the runs of one revision, one after the other, and what becomes of them."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock import __version__
from penstock.bundle.directory import Bundle
from penstock.bundle.failures import first_failure
from penstock.cli.calibrate_show import show
from penstock.cli.run_display import Display
from penstock.cli.run_request import SCHEME, environment, manifests, pairs, track_exit_code
from penstock.contract.load import load_contract
from penstock.foundation.errors import ExitCode, Interrupted, PenstockError, UsageError, WorldError
from penstock.foundation.files import disk_errors, sha256_json, write_json
from penstock.foundation.yaml_text import read_yaml
from penstock.gating.calibration import read_calibration, write_calibration
from penstock.gating.measurements import Source, read_source
from penstock.gating.repeats import calibrate
from penstock.local_run.policy_file import policy_at
from penstock.local_run.run_folder import OUT, prepare
from penstock.local_run.run_python import python_params
from penstock.local_run.run_scratch import scratch
from penstock.tekton.load_manifests import load_pipeline
from penstock.tekton.runner import run_pipeline

LAST = "measure"
LEFT_OUT = ("check",)
"""The repository's own checks need not be repeated."""
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
    as_json: bool = False
    quiet: bool = False


def carry_out(options: Options) -> int:
    """Run what has not been run yet, and write the file; returns the exit code.

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
        sources = Runs(options).sources()
        if policy is None and sources[0].bundle is not None:
            policy = load_contract(sources[0].bundle.path.parent / "source").policy
    level = options.level or (policy.level if policy is not None else DEFAULT_LEVEL)
    found = calibrate(sources, level=level)
    write_calibration(options.file, found.calibration)
    written = read_calibration(options.file)
    if options.as_json:
        sys.stdout.write(written.model_dump_json(indent=2) + "\n")
    show(written, policy, options.file, left_out=found.left_out, table=not options.as_json)
    return int(ExitCode.OK)


def _read(path: Path) -> Source:
    """A bundle, a run's directory that holds one, or a file of measurements."""
    inner = path / "bundle"
    return read_source(inner if not (path / "run.json").exists() and (inner / "run.json").is_file() else path)


class Runs:
    """The runs of one revision. What a run depends on is in its name: finished ones are found again."""

    def __init__(self, options: Options) -> None:
        for option, value in (("--repo", options.repo), ("--revision", options.revision)):
            if not value:
                raise UsageError(
                    f"{option} is missing",
                    where="penstock calibrate",
                    todo="Example: --repo ../sonic --revision v1.0.0; or give --bundle for each run that there is.",
                )
        params, self._workspaces = pairs(options.params, "--param"), _workspaces(options)
        if own := [name for name in OURS if name in params]:
            raise UsageError(f"'{own[0]}' is set by the calibration", where="--param", todo="Leave it out.")
        local = not SCHEME.match(options.repo)
        url = str(Path(options.repo).absolute()) if local else options.repo
        found = python_params(Path(options.repo).absolute() if local else None)
        self._params = {"url": url, "reuse": "false"} | ({"allow-local": "true"} if local else {}) | found | params
        self._options = options
        self._out = options.out.absolute()
        prepare(self._out)
        spec = pipeline_run(manifests(), "")["spec"]
        self._key = sha256_json([spec, self._params, options.revision, __version__])[:10]

    def sources(self) -> list[Source]:
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
        name = f"calibrate-{self._key}-{number}"
        folder = self._out / "runs" / name
        bundle = Bundle(folder / "bundle")
        if _finished(bundle):
            self._say(f"run {number} of {self._options.runs}: done before ({folder})")
            return bundle
        self._say(f"run {number} of {self._options.runs}: {revision} ({folder})")
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
        file = folder / "pipelinerun.json"
        write_json(file, pipeline_run(manifests(), name))
        loaded = load_pipeline(file, task_directories=[manifests() / "tasks"])
        with scratch(folder) as temporary, Display(quiet=self._options.quiet) as display:
            ended = run_pipeline(
                loaded,
                self._params | {"revision": self._begun(folder, revision)},
                self._workspaces | {"work": self._out},
                folder / "state",
                name=name,
                environment=environment(temporary),
                on_event=display,
                resume=(folder / "state" / "state.json").exists(),
            )
        if not ended.succeeded:
            if ended.refused:
                raise UsageError(ended.message, where="--param, --workspace", todo="Correct it.")
            failure = first_failure(bundle)
            code = track_exit_code(ended)
            raise _error(code)(
                failure.error if failure is not None else ended.message,
                where=f"run {number} of {self._options.runs}{f', {failure.step}' if failure is not None else ''}",
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

    def _say(self, text: str) -> None:
        if not self._options.quiet:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

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


def _workspaces(options: Options) -> dict[str, Path]:
    found = {key: Path(value).absolute() for key, value in pairs(options.workspaces, "--workspace").items()}
    for key, path in found.items():
        if key == "work":
            raise UsageError("'work' is set by --out", where="--workspace", todo="Leave it out.")
        if not path.is_dir():
            raise UsageError(f"'{path}' is not a directory", where=f"--workspace {key}", todo="Name another.")
    return found


def pipeline_run(folder: Path, name: str) -> dict[str, Any]:
    """A PipelineRun of the verify pipeline's own tasks, over the whole suite and without limits of time.

    Args:
        folder: of the pipelines that come with Penstock.
        name: the run's.
    """
    path = folder / "pipelines" / "verify.yaml"
    spec = read_yaml(path, name=str(path)).value["spec"]
    tasks = [_task(task) for task in spec["tasks"] if task["name"] not in LEFT_OUT]
    used = json.dumps(tasks)
    params = [param for param in spec["params"] if f"$(params.{param['name']})" in used]
    embedded = {
        "params": [param | {"default": ""} if param["name"] == "slice" else param for param in params],
        "workspaces": spec["workspaces"],
        "tasks": tasks,
    }
    return {
        "apiVersion": "tekton.dev/v1",
        "kind": "PipelineRun",
        "metadata": {"name": name},
        "spec": {"pipelineSpec": embedded, "timeouts": {"pipeline": "0"}},
    }


def _task(task: dict[str, Any]) -> dict[str, Any]:
    """The task as it is, but that it comes after *clone* where it came after what is left out."""
    changed = task | {"timeout": "0"}
    if any(before in LEFT_OUT for before in task.get("runAfter", [])):
        changed["runAfter"] = ["clone"]
    if task["name"] == "clone":
        kept = [param for param in task["params"] if param["name"] != "track"]
        changed["params"] = [*kept, {"name": "track", "value": "calibrate"}]
    return changed
