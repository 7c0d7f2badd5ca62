"""What ``penstock run`` does: the request, its run's directory, the engine, the exit code."""

from __future__ import annotations

import difflib
import json
import os
import re
import shlex
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.cli.run_end import as_json, ending, refused_at_start, show
from penstock.contract.faults import one_line
from penstock.foundation.errors import ExitCode, Interrupted, UsageError, WorldError
from penstock.foundation.files import write_json
from penstock.invocation.isolation import LOCAL_RUN
from penstock.local_run.run_floor import FLOOR, check_floor, keep_floor
from penstock.local_run.run_folder import OUT, begin, link_of, mark_refused, prepare, unmark_refused
from penstock.local_run.run_names import made_up_name
from penstock.local_run.run_python import python_params
from penstock.local_run.run_scratch import scratch

if TYPE_CHECKING:
    from penstock.tekton.run_json import PipelineRunResult

TRACKS = ("release", "verify")
RUN_NAME = re.compile(r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")
SCHEME = re.compile(r"^([a-z][a-z0-9+.-]*::?//|[a-z][a-z0-9+.-]*::|[^/@]+@[^/:]+:)", re.IGNORECASE)
PROBLEMS = (ExitCode.USAGE, ExitCode.WORLD, ExitCode.BUG, ExitCode.INTERRUPTED)
RESUMABLE = (ExitCode.WORLD, ExitCode.BUG, ExitCode.INTERRUPTED)
"""Ends after which the same run may well come further; a verdict or a mistake stays what it is."""
MAX_NAMED = 3
VERDICTS = (ExitCode.REJECTED, ExitCode.INCONCLUSIVE)
"""Only the step *enforce* may end with these."""


@dataclass(frozen=True)
class Options:
    """The options of ``penstock run``, as they were given."""

    what: str
    repo: str = ""
    revision: str = ""
    params: tuple[str, ...] = ()
    workspaces: tuple[str, ...] = ()
    out: Path = OUT
    store: str = ""
    python: str = ""
    name: str = ""
    resume: str = ""
    regate: str = ""
    policy_floor: Path | None = None
    jobs: int = 0
    as_json: bool = False
    quiet: bool = False


@dataclass(frozen=True)
class Request:
    """What is run: written down beside the run, so that ``--resume`` needs no more than its name."""

    what: str
    params: dict[str, str]
    workspaces: dict[str, str]


def carry_out(options: Options) -> int:
    """Run or resume a pipeline; returns the exit code.

    Raises:
        UsageError: an option, a manifest or a parameter is wrong; the run exists already, or there is none to resume.
        WorldError: the output directory cannot be written.
        Interrupted: Ctrl-C; the run can be resumed.
    """
    from penstock.cli.run_display import Display
    from penstock.tekton.load_manifests import load_pipeline
    from penstock.tekton.runner import run_pipeline

    name = options.resume or options.name or new_name(options)
    if not RUN_NAME.match(name):
        raise UsageError(
            f"'{name}' is not a run's name",
            where="--name",
            todo="Use lower-case letters, digits, '.' and '-', at most 63.",
        )
    out = options.out.absolute()
    folder = out / "runs" / name
    request = read_request(folder, options) if options.resume else new_request(options, out)
    track = request.what in TRACKS
    if not track:
        loaded = load_pipeline(Path(request.what))
    if options.resume:
        unmark_refused(folder)
    else:
        prepare(out)
        if options.policy_floor is not None:
            request = replace(request, workspaces=request.workspaces | {FLOOR: str(folder / FLOOR)})
        begin(folder, asdict(request))
        keep_floor(folder, options.policy_floor)
        mention_changes(options)
    if track:
        ours = [manifests() / "tasks", manifests() / "pipelines"]
        loaded = load_pipeline(pipeline_run(folder, request.what, name), task_directories=ours)
    with scratch(folder) as temporary, Display(quiet=options.quiet) as display:
        try:
            ended = run_pipeline(
                loaded,
                request.params,
                {key: Path(value) for key, value in request.workspaces.items()},
                folder / "state",
                name=name,
                environment=environment(temporary),
                max_parallel=options.jobs or None,
                on_event=display,
                # a run that was killed before the engine began has nothing to go on from: it begins
                resume=(folder / "state" / "state.json").exists(),
            )
        except UsageError:
            # nothing has run: the name is free again
            if not options.resume:
                mark_refused(folder)
            raise
        except Interrupted as error:
            raise Interrupted(error.what, where=error.where, todo=go_on(options, name)) from error
        except WorldError as error:
            raise WorldError(
                error.what, where=error.where, todo=f"{error.todo} {go_on(options, name)}".strip()
            ) from error
    code = track_exit_code(ended) if track else exit_code(ended)
    if refused_at_start(ended, code) if track else ended.refused:
        mark_refused(folder)
    show_end(ended, folder, code, track=track, options=options)
    return int(code)


def new_name(options: Options) -> str:
    """A made-up name; a run that judges another one's outputs again is of the same model and version."""
    earlier = run_before(options.out.absolute() / "runs" / options.regate) if options.regate else None
    given = earlier.params if earlier is not None else {}
    repo, revision = options.repo or given.get("url", ""), options.revision or given.get("revision", "")
    return made_up_name(options.what, str(repo), str(revision))


def new_request(options: Options, out: Path) -> Request:
    """Options → what is run, with the values that a run on one machine needs.

    Raises:
        UsageError: an option is missing, malformed, or does not belong to what is run.
    """
    params, workspaces = pairs(options.params, "--param"), pairs(options.workspaces, "--workspace")
    for key, value in workspaces.items():
        if not Path(value).is_dir():
            raise UsageError(
                f"'{value}' is not a directory", where=f"--workspace {key}", todo="Make it, or name another."
            )
    workspaces = {key: str(Path(value).absolute()) for key, value in workspaces.items()}
    if options.what not in TRACKS:
        _prove_pipeline(options.what)
        ours = (options.repo, options.revision, options.store, options.python, options.regate, options.policy_floor)
        if any(ours):
            raise UsageError(
                "--repo, --revision, --store, --python, --regate and --policy-floor belong to the release and verify "
                "pipelines",
                where=options.what,
                todo="Use --param and --workspace.",
            )
        return Request(str(Path(options.what).absolute()), params, workspaces)
    if options.what != "release" and (options.regate or options.policy_floor):
        raise UsageError("only a release is gated", where="--regate, --policy-floor", todo="Leave it out.")
    if options.policy_floor is not None:
        check_floor(options.policy_floor)
    if options.regate and not options.repo and (earlier := run_before(out / "runs" / options.regate)) is not None:
        given = earlier.params | {"regate": options.regate}
        given |= {"revision": options.revision} if options.revision else {}
        given |= {"store": location(options.store)} if options.store else {}
        return Request("release", given | params, earlier.workspaces | {"work": str(out)} | workspaces)
    if options.regate and not options.repo:
        raise UsageError(
            f"there is no run '{options.regate}' on this machine",
            where="--regate",
            todo="See 'penstock runs'; of a run that is in the store only, say --repo, --revision and --store too.",
        )
    for option, value in (("--repo", options.repo), ("--revision", options.revision)):
        if not value:
            raise UsageError(
                f"{option} is missing",
                where=f"penstock run {options.what}",
                todo="Example: --repo ../sonic --revision v1.0.0",
            )
    local = not SCHEME.match(options.repo)
    given = {"url": str(Path(options.repo).absolute()) if local else options.repo, "revision": options.revision}
    if local:
        given["allow-local"] = "true"
    given |= python_params(Path(options.repo).absolute() if local else None, options.python)
    if options.what == "release":
        given["store"] = location(options.store or str(out / "store"))
        given |= {"regate": options.regate} if options.regate else {}
    elif options.store:
        raise UsageError("the verify pipeline stores nothing", where="--store", todo="Leave it out.")
    # --param has the last word: it is the more specific one
    return Request(options.what, given | params, {"work": str(out)} | workspaces)


def _prove_pipeline(what: str) -> None:
    """Check that what is not a track is the file of a pipeline.

    Raises:
        UsageError: it is neither.
    """
    if Path(what).is_file():
        return
    close = difflib.get_close_matches(what, TRACKS, n=1)
    raise UsageError(
        f"there is no pipeline '{what}'",
        where="penstock run",
        todo=f"Did you mean '{close[0]}'?" if close else "Say release, verify, or the file of a Tekton pipeline.",
    )


def location(store: str) -> str:
    """A store as a run needs it: a directory by its absolute path."""
    return store if store.startswith("s3://") else str(Path(store).absolute())


def pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping; the value may hold further ``=``."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise UsageError(f"'{text}' is not NAME=VALUE", where=option)
        if key in found:
            raise UsageError(f"'{key}' is given twice", where=option)
        found[key] = value
    return found


def mention_changes(options: Options) -> None:
    """Say that what runs is what was committed, where there is more than that in a work tree."""
    from penstock.sources.worktree import uncommitted

    if options.quiet or not options.repo or SCHEME.match(options.repo) or not Path(options.repo).is_dir():
        return
    if changed := uncommitted(Path(options.repo)):
        more = f" and {len(changed) - MAX_NAMED} more" if len(changed) > MAX_NAMED else ""
        what = f"{options.repo} has changes that are not committed ({', '.join(changed[:MAX_NAMED])}{more})"
        sys.stderr.write(f"note: {one_line(what)}: what runs is {options.revision} as it was committed\n")


def read_request(folder: Path, options: Options) -> Request:
    """The request of the run that is resumed.

    Raises:
        UsageError: there is no such run, it was of another pipeline, or options are given that it fixed when it began.
    """
    fixed = {"--repo": options.repo, "--revision": options.revision, "--store": options.store, "--name": options.name}
    fixed |= {"--python": options.python, "--regate": options.regate}
    fixed |= {"--policy-floor": str(options.policy_floor or "")}
    lists = {"--param": options.params, "--workspace": options.workspaces}
    if given := [option for option, value in [*fixed.items(), *lists.items()] if value]:
        raise UsageError(
            f"{given[0]} cannot be changed",
            where=f"--resume {folder.name}",
            todo="It is as it was when the run began: leave it out.",
        )
    try:
        request = recorded_request(folder)
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            "there is no run that can be resumed",
            where=str(folder),
            todo="Say --out as when it began, and the run's name.",
        ) from None
    what = options.what if options.what in TRACKS else str(Path(options.what).absolute())
    if what != request.what:
        raise UsageError(
            f"the run '{folder.name}' is of {request.what}",
            where="--resume",
            todo=f"penstock run {request.what} --resume {folder.name}",
        )
    return request


def run_before(folder: Path) -> Request | None:
    """The request of the release whose outputs are judged again; ``None`` if it did not run here."""
    try:
        request = recorded_request(folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return request if request.what == "release" else None


def recorded_request(folder: Path) -> Request:
    """What :func:`begin` wrote down.

    Raises:
        OSError, ValueError, KeyError, TypeError: there is nothing, or it is not that.
    """
    content = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    return Request(content["what"], dict(content["params"]), dict(content["workspaces"]))


def manifests() -> Path:
    """The folder of the pipelines and tasks that come with Penstock."""
    import penstock_manifests  # type: ignore[import-not-found, unused-ignore]

    return Path(next(iter(penstock_manifests.__path__)))


def pipeline_run(folder: Path, track: str, name: str) -> Path:
    """Write the PipelineRun of a track: without it Tekton's limit of one hour for a whole run would hold here too."""
    file = folder / "pipelinerun.json"
    spec = {"pipelineRef": {"name": track}, "timeouts": {"pipeline": "0"}}
    write_json(file, {"apiVersion": "tekton.dev/v1", "kind": "PipelineRun", "metadata": {"name": name}, "spec": spec})
    return file


def environment(temporary: Path) -> dict[str, str]:
    """This process's environment, with the programs of Penstock's own environment first on the path.

    Args:
        temporary: where steps put temporary files.
    """
    own = str(Path(sys.executable).parent)
    path = os.pathsep.join([own, os.environ.get("PATH", os.defpath)])
    return dict(os.environ) | {"PATH": path, "TMPDIR": str(temporary), LOCAL_RUN: "1"}


def exit_code(ended: PipelineRunResult) -> ExitCode:
    """Of any pipeline: 0 if it succeeded, 2 if it was refused for what it was given, else 1."""
    if ended.succeeded:
        return ExitCode.OK
    return ExitCode.USAGE if ended.refused else ExitCode.REJECTED


def track_exit_code(ended: PipelineRunResult) -> ExitCode:
    """Of our own pipelines: the code of the step that failed. A broken run never looks like a rejected model."""
    if ended.succeeded:
        return ExitCode.OK
    if ended.refused:
        return ExitCode.USAGE
    # notify may fail without consequence; what failed first is the cause of what followed
    failed = [record for record in ended.task_runs if record.status == "False" and record.pipeline_task != "notify"]
    for record in sorted(failed, key=lambda record: record.finished):
        allowed = (*PROBLEMS, *VERDICTS) if record.pipeline_task == "enforce" else PROBLEMS
        for code in allowed:
            if record.exit_code == code:
                return code
        # a signal (out of memory), a timeout: the world's; any other code of our own programs is a bug
        killed = record.exit_code is None or record.exit_code < 0 or record.exit_code > 128
        return ExitCode.WORLD if killed else ExitCode.BUG
    return ExitCode.WORLD


def show_end(ended: PipelineRunResult, folder: Path, code: ExitCode, *, track: bool, options: Options) -> None:
    """The verdict, what was published, and where the report is; for any other pipeline its end and its results."""
    from rich.console import Console

    from penstock.bundle.directory import Bundle
    from penstock.bundle.failures import first_failure
    from penstock.cli.gate import PLAIN_WIDTH

    shown = link_of(folder) if link_of(folder).exists() else folder
    end = ending(ended, shown, code) if track else None
    if options.as_json:
        content = ended.to_json() | {"exitCode": int(code)} | (as_json(end) if end is not None else {})
        sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    if end is not None:
        show(console, ended, shown, code, end)
    else:
        for key, value in ended.results:
            console.print(f"{key}: {value if isinstance(value, str) else json.dumps(value)}", markup=False)
        console.print(f"{ended.name}: {ended.reason}: {ended.message}", markup=False)
    failure = first_failure(Bundle(folder / "bundle")) if track else None
    if code in RESUMABLE and (failure is None or failure.resumable):
        console.print(go_on(options, ended.name), markup=False)


def go_on(options: Options, name: str) -> str:
    """How the run is resumed, as one can paste it into a shell."""
    words = ["penstock", "run", options.what, "--out", str(options.out), "--resume", name]
    return f"Go on with: {shlex.join(words)}"
