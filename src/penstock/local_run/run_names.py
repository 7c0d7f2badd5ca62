"""Names of runs: making one up, and finding the bundle that a name, a version, a tag or a path means."""

from __future__ import annotations

import difflib
import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.contract.models import CONTRACT_FILE
from penstock.foundation.errors import UsageError
from penstock.local_run.run_list import LocalRun, local_runs

if TYPE_CHECKING:
    from penstock.store.store import Store

MAX_NAMED = 8
STEM_CHARACTERS = 40
_COMMIT = re.compile(r"^[0-9a-f]{13,64}$")
_NOT_A_NAME = re.compile(r"[^a-z0-9.]+")


def made_up_name(what: str, repo: str = "", revision: str = "") -> str:
    """A name that no other run has: model and version, the time, four random digits.

    Args:
        what: ``release``, ``verify``, or the file of a pipeline.
        repo: the model's repository, a path of this machine or a URL.
        revision: branch, tag or commit.
    """
    stem = f"{_model(repo, revision)}-{version_of(revision)}" if repo and revision else Path(what).stem
    if repo and what == "verify":
        stem = f"verify-{stem}"
    stem = _NOT_A_NAME.sub("-", stem.lower()).strip("-.")[:STEM_CHARACTERS].strip("-.") or "run"
    return f"{stem}-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _model(repo: str, revision: str) -> str:
    """The model's name in its contract where the repository is here, else that of the repository."""
    from penstock.sources.worktree import model_name

    path = Path(repo)
    if path.is_dir() and (name := model_name(path, revision, CONTRACT_FILE)):
        return name
    last = path.resolve().name if path.is_dir() else re.split(r"[/:]", repo.rstrip("/"))[-1]
    return last.removesuffix(".git")


def version_of(revision: str) -> str:
    """``v1.1.0`` → ``1.1.0``; a whole commit is cut to twelve digits."""
    name = revision.removeprefix("refs/tags/").removeprefix("refs/heads/")
    if _COMMIT.match(name):
        return name[:12]
    return name[1:] if name[:1] in ("v", "V") and name[1:2].isdigit() else name


def find_bundle(text: str, *, out: Path, store: str = "") -> Path:
    """The bundle (or file of measurements) that is meant.

    Args:
        text: a path; the name of a run below ``out``; a version or its tag (``1.1.0``, ``v1.1.0``), also with the
            model before it (``sonic-1.1.0``). A version means the run that was published under it, where one was.
        out: where runs, cache and store lie.
        store: where releases are kept; ``OUT/store`` by default. With it, also the name of an archived run.

    Raises:
        UsageError: there is none, or there are several.
        WorldError: the store cannot be reached.
    """
    path = Path(text)
    if path.exists() or path.suffix == ".jsonl":
        inner = path / "bundle"
        return inner if not (path / "run.json").exists() and (inner / "run.json").is_file() else path
    runs = local_runs(out)
    if named := [run for run in runs if run.name == text]:
        return named[0].bundle.path
    opened = _open(store, out)
    if opened is not None and (archived := _archived(opened, text, by_name=bool(store))):
        return _one(text, archived, runs, opened, out)
    if measured := [run for run in runs if text in _called(run) and run.bundle.run_file.exists()]:
        if len(measured) > 1:
            raise _several(text, [run.name for run in measured])
        return measured[0].bundle.path
    if "/" in text:
        return path  # who reads it says that it is missing
    raise _unknown(text, runs, out)


def report_page(bundle: Path) -> Path:
    """The page of a bundle's report.

    Raises:
        UsageError: it has none.
    """
    page = bundle / "report" / "index.html"
    if not page.is_file():
        raise UsageError(
            "this run has no report",
            where=str(bundle),
            todo="Only a run that came to a verdict has one; `penstock runs` says how each ended.",
        )
    return page


def _called(run: LocalRun) -> set[str]:
    """What a run goes by, beside its name."""
    versions = {run.version, run.revision, version_of(run.revision)} - {""}
    return versions | {f"{run.model}-{version}" for version in versions}


def _open(store: str, out: Path) -> Store | None:
    from penstock.store.open import open_store

    if store:
        return open_store(store)
    own = out / "store"
    return open_store(own) if own.is_dir() else None


def _archived(store: Store, text: str, *, by_name: bool) -> list[tuple[str, str]]:
    """(model, run id) of the runs of a store that are meant."""
    found = list(_published(store, text))
    if not found and by_name:
        manifests = (entry.key.split("/") for entry in store.list("runs") if entry.key.endswith("/manifest.json"))
        found = [(parts[1], parts[2]) for parts in manifests if len(parts) == 4 and parts[2] == text]
    return found


def _published(store: Store, text: str) -> Iterator[tuple[str, str]]:
    """Model and run id of each release whose version is meant."""
    import tempfile

    from penstock.bundle.directory import read_model
    from penstock.releases.baseline import Release

    for entry in store.list("published"):
        _, model, version = [*entry.key.removesuffix(".json").split("/"), "", ""][:3]
        if version and text in {version, f"v{version}", f"{model}-{version}", f"{model}-v{version}"}:
            with tempfile.TemporaryDirectory(prefix="penstock-release-") as folder:
                path = Path(folder) / "release.json"
                store.get_file(entry.key, path)
                yield model, read_model(path, Release).run_id


def _one(text: str, archived: list[tuple[str, str]], runs: list[LocalRun], store: Store, out: Path) -> Path:
    """The one run that is meant: where it ran, or brought from the store."""
    if len(archived) > 1:
        raise _several(text, [f"{model}: run {run_id}" for model, run_id in archived])
    ((model, run_id),) = archived
    here = [run for run in runs if run.name == run_id and run.model == model]
    if here:
        return here[0].bundle.path
    from penstock.store.archive import fetch

    return fetch(store, model, run_id, out / "cache" / "archived" / model / run_id).path


def _several(text: str, names: list[str]) -> UsageError:
    more = f" and {len(names) - MAX_NAMED} more" if len(names) > MAX_NAMED else ""
    return UsageError(
        f"'{text[:80]}' may be any of {len(names)} runs: {', '.join(names[:MAX_NAMED])}{more}",
        todo="Say which, by its name.",
    )


def _unknown(text: str, runs: list[LocalRun], out: Path) -> UsageError:
    known = {name for run in runs for name in (run.name, *_called(run))}
    close = difflib.get_close_matches(text, known, n=1)
    meant = f"Did you mean '{close[0]}'? " if close else ""
    return UsageError(
        f"there is no file, run or version '{text[:80]}'",
        where=str(out),
        todo=f"{meant}`penstock runs` lists what there is.",
    )
