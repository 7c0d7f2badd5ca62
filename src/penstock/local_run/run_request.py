"""What ``penstock run`` is asked for, and the request that becomes of it: written down, so that it can be resumed."""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from penstock.contract.faults import one_line
from penstock.foundation.errors import UsageError
from penstock.local_run.own_pipelines import TRACKS
from penstock.local_run.run_arguments import is_local, pairs, repository_params, workspace_directories
from penstock.local_run.run_floor import FLOOR, check_floor
from penstock.local_run.run_folder import OUT, REQUEST
from penstock.local_run.run_names import made_up_name
from penstock.local_run.run_weights import weights_param

RUN_NAME = re.compile(r"^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$")
MAX_NAMED = 3


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
    weights: str = ""
    name: str = ""
    resume: str = ""
    regate: str = ""
    policy_floor: Path | None = None
    jobs: int = 0


@dataclass(frozen=True)
class RunRequest:
    """What is run: written down beside the run, so that ``--resume`` needs no more than its name."""

    what: str
    params: dict[str, str]
    workspaces: dict[str, str]


def run_name(options: Options) -> str:
    """The name that was given, or a made-up one.

    A run that judges another one's outputs again is of the same model and version.

    Raises:
        UsageError: what was given is no name.
    """
    name = options.resume or options.name
    if not name:
        earlier = run_before(options.out.absolute() / "runs" / options.regate) if options.regate else None
        given = earlier.params if earlier is not None else {}
        repo, revision = options.repo or given.get("url", ""), options.revision or given.get("revision", "")
        name = made_up_name(options.what, str(repo), str(revision))
    if not RUN_NAME.match(name):
        raise UsageError(
            f"'{name}' is not a run's name",
            where="--name",
            todo="Use lower-case letters, digits, '.' and '-', at most 63.",
        )
    return name


def new_request(options: Options, out: Path) -> RunRequest:
    """Options → what is run, with the values that a run on one machine needs.

    Args:
        options: as they were given.
        out: where runs, cache and store lie, absolute.

    Raises:
        UsageError: an option is missing, malformed, or does not belong to what is run.
    """
    params = pairs(options.params, "--param")
    workspaces = {key: str(path) for key, path in workspace_directories(options.workspaces).items()}
    if options.what not in TRACKS:
        _refuse_track_options(options)
        return RunRequest(str(Path(options.what).absolute()), params, workspaces)
    if options.what != "release" and options.regate:
        raise UsageError("only a release is judged again", where="--regate", todo="Leave it out.")
    if options.policy_floor is not None:
        check_floor(options.policy_floor)
    if options.regate and not options.repo:
        request = _as_before(options, out)
    else:
        request = RunRequest(options.what, _track_params(options, out), {"work": str(out)})
    # --param and --workspace have the last word: they are the more specific ones
    return replace(request, params=request.params | params, workspaces=request.workspaces | workspaces)


def _refuse_track_options(options: Options) -> None:
    """Check that what is not a track is a pipeline's file, without options of the tracks.

    Raises:
        UsageError: it is not.
    """
    if not Path(options.what).is_file():
        close = difflib.get_close_matches(options.what, TRACKS, n=1)
        raise UsageError(
            f"there is no pipeline '{options.what}'",
            where="penstock run",
            todo=f"Did you mean '{close[0]}'?" if close else "Say release, verify, or the file of a Tekton pipeline.",
        )
    run_from = (options.repo, options.revision, options.store, options.python, options.weights)
    if any((*run_from, options.regate, options.policy_floor)):
        raise UsageError(
            "--repo, --revision, --store, --python, --weights, --regate and --policy-floor belong to the release and "
            "verify pipelines",
            where=options.what,
            todo="Use --param and --workspace.",
        )


def _as_before(options: Options, out: Path) -> RunRequest:
    """The request of the release whose outputs are judged again; what is given beside ``--regate`` wins.

    Raises:
        UsageError: it did not run here.
    """
    earlier = run_before(out / "runs" / options.regate)
    if earlier is None:
        raise UsageError(
            f"there is no run '{options.regate}' on this machine",
            where="--regate",
            todo="See 'penstock runs'; of a run that is in the store only, say --repo, --revision and --store too.",
        )
    given = earlier.params | {"regate": options.regate} | weights_param(options.weights)
    given |= {"revision": options.revision} if options.revision else {}
    given |= {"store": location(options.store)} if options.store else {}
    return RunRequest("release", given, earlier.workspaces | {"work": str(out)})


def _track_params(options: Options, out: Path) -> dict[str, str]:
    """The parameters of a track.

    Raises:
        UsageError: an option is missing or not the track's.
    """
    for option, value in (("--repo", options.repo), ("--revision", options.revision)):
        if not value:
            raise UsageError(
                f"{option} is missing",
                where=f"penstock run {options.what}",
                todo="Example: --repo ../sonic --revision v1.0.0",
            )
    given = repository_params(options.repo, options.python) | {"revision": options.revision}
    given |= weights_param(options.weights)
    if options.what == "release":
        given["store"] = location(options.store or str(out / "store"))
        given |= {"regate": options.regate} if options.regate else {}
    elif options.store:
        given["store"] = location(options.store)
    return given


def with_floor(request: RunRequest, folder: Path) -> RunRequest:
    """The request, judged by the policy floor that is kept in the run's folder as well."""
    return replace(request, workspaces=request.workspaces | {FLOOR: str(folder / FLOOR)})


def location(store: str) -> str:
    """A store as a run needs it: a directory by its absolute path."""
    return store if store.startswith("s3://") else str(Path(store).absolute())


def changes_note(options: Options) -> str:
    """That what runs is what was committed, where there is more than that in a work tree; else empty."""
    from penstock.sources.worktree import uncommitted

    if not options.repo or not is_local(options.repo) or not Path(options.repo).is_dir():
        return ""
    changed = uncommitted(Path(options.repo))
    if not changed:
        return ""
    more = f" and {len(changed) - MAX_NAMED} more" if len(changed) > MAX_NAMED else ""
    what = f"{options.repo} has changes that are not committed ({', '.join(changed[:MAX_NAMED])}{more})"
    return f"note: {one_line(what)}: what runs is {options.revision} as it was committed"


def read_request(folder: Path, options: Options) -> RunRequest:
    """The request of the run that is resumed.

    Raises:
        UsageError: there is no such run, it was of another pipeline, or options are given that it fixed when it began.
    """
    fixed = {"--repo": options.repo, "--revision": options.revision, "--store": options.store, "--name": options.name}
    fixed |= {"--python": options.python, "--weights": options.weights, "--regate": options.regate}
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


def run_before(folder: Path) -> RunRequest | None:
    """The request of the release whose outputs are judged again; ``None`` if it did not run here."""
    try:
        request = recorded_request(folder)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return request if request.what == "release" else None


def recorded_request(folder: Path) -> RunRequest:
    """What :func:`begin` wrote down.

    Raises:
        OSError, ValueError, KeyError, TypeError: there is nothing, or it is not that.
    """
    content = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    return RunRequest(content["what"], dict(content["params"]), dict(content["workspaces"]))
