"""Make the git repository of a reference model, with its releases as tags, from ``test-assets/models/NAME``.

Example: ``python test-assets/make_repository.py --model sonic-lite --out sonic-lite.git``

The repository is bare, and the same folders give the same commit ids on every machine. ``{{sha256 PATH}}`` in a
release's ``penstock.yaml`` or ``model_version.txt`` becomes the SHA-256 of that file in the release. What is too large
to be committed is made by a program of ``training/`` that the manifest names (``made``).
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.foundation.files import sha256_file

ASSETS = Path(__file__).resolve().parent
MANIFEST = "releases.yaml"
CONTRACT = "penstock.yaml"
WITH_DIGESTS = (CONTRACT, "model_version.txt")
MARKER = "made-from-test-assets"
PLACEHOLDER = re.compile(r"\{\{sha256 ([^{}]+)\}\}")
GIT_TIMEOUT_S = 60
MAKING_TIMEOUT_S = 900
SETTINGS = ("core.autocrlf=false", "core.fileMode=true", "core.attributesFile=", "core.hooksPath=", "gc.auto=0")


@dataclass(frozen=True)
class Release:
    """One tag: the folder under ``releases/`` that lies over the base (none for the base itself), date and message."""

    tag: str
    date: str
    message: str
    overlay: str | None = None


@dataclass(frozen=True)
class Manifest:
    """``releases.yaml``; ``copies`` are (path under ``test-assets/``, path in the repository).

    ``made``: (module of a program that takes ``--out DIR``, path of that directory in the repository, more arguments).
    """

    author: str
    branch: str
    base: Path
    overlays: Path
    copies: tuple[tuple[Path, str], ...]
    releases: tuple[Release, ...]
    made: tuple[tuple[str, str, tuple[str, ...]], ...] = ()


def read_manifest(model: str, *, assets: Path = ASSETS) -> Manifest:
    """The manifest of ``test-assets/models/MODEL``. Raises UsageError where there is none or it is broken."""
    folder = assets / "models" / model
    path = folder / MANIFEST
    if not path.is_file():
        known = ", ".join(sorted(found.parent.name for found in assets.glob(f"models/*/{MANIFEST}"))) or "none"
        raise UsageError(f"there is no reference model '{model}'", where=str(path), todo=f"There are: {known}.")
    try:
        raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Manifest(
            author=raw["author"],
            branch=raw["branch"],
            base=folder / raw["base"],
            overlays=folder / "releases",
            copies=tuple((assets / entry["from"], entry["to"]) for entry in raw.get("copies", ())),
            releases=tuple(Release(**entry) for entry in raw["releases"]),
            made=tuple((entry["by"], entry["to"], tuple(entry.get("with", ()))) for entry in raw.get("made", ())),
        )
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise UsageError(f"the manifest cannot be read: {error}", where=str(path)) from error


def make(
    model: str, out: Path, *, assets: Path = ASSETS, programs: Path | None = None, more: Sequence[str] = ()
) -> dict[str, str]:
    """Make the bare repository ``out``; returns tag → commit id.

    A repository that this program made before is kept if it is the same, else replaced by a whole new one.

    programs: where the packages of the programs that make files lie; by default beside ``assets``.
    more: arguments to each of these programs beside those of the manifest, for a smaller suite.

    Raises:
        UsageError: no such model, a file is missing, or ``out`` holds something else.
        WorldError: git, or a program that makes files, failed.
    """
    manifest = read_manifest(model, assets=assets)
    out = out.absolute()
    if out.exists() and not (out / MARKER).is_file() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("there is something else already", where=str(out), todo="Choose an empty directory.")
    out.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{out.name}.tmp-", dir=out.parent))
    try:
        repository = work / "repository.git"
        made = work / "made"
        make_files(manifest, made, programs or assets.parent, more)
        commits = _build(manifest, repository, work, made)
        (repository / MARKER).write_text(json.dumps({"model": model, "commits": commits}, indent=2) + "\n")
        if not (out / MARKER).is_file() or _refs(out) != _refs(repository):
            if out.exists():
                out.rename(work / "before")
            repository.rename(out)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return commits


def make_files(manifest: Manifest, target: Path, root: Path = ASSETS.parent, more: Sequence[str] = ()) -> None:
    """Run the programs that the manifest names, each into its place below ``target``. Raises WorldError if one fails.

    root: where the packages of these programs lie.
    more: arguments beside those of the manifest.
    """
    target.mkdir()
    for module, to, arguments in manifest.made:
        command = [sys.executable, "-m", module, "--out", str(target / to), *arguments, *more]
        try:
            done = subprocess.run(
                command, cwd=root, capture_output=True, text=True, timeout=MAKING_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired:
            raise WorldError(f"{module} took longer than {MAKING_TIMEOUT_S} s") from None
        if done.returncode != 0:
            raise WorldError(f"{module} failed: {done.stderr.strip()[-500:]}")


def stage(manifest: Manifest, release: Release, target: Path, made: Path | None = None) -> None:
    """Write the files of one release below ``target``, an empty directory. Raises UsageError for a missing file.

    made: what :func:`make_files` made; without it the release lacks those files.
    """
    _copy_tree(manifest.base, target)
    if made is not None:
        _copy_tree(made, target)
    for source, to in manifest.copies:
        if not source.is_file():
            raise UsageError("a file that the repository needs is missing", where=str(source))
        _copy(source, target / to)
    if release.overlay is not None:
        _copy_tree(manifest.overlays / release.overlay, target)

    def digest(match: re.Match[str]) -> str:
        file = target / match[1]
        if not file.is_file():
            raise UsageError(f"'{match[1]}' is not in the release {release.tag}", where=f"{manifest.base / CONTRACT}")
        return sha256_file(file)

    for path in (target / name for name in WITH_DIGESTS):
        if path.is_file():
            path.write_text(PLACEHOLDER.sub(digest, path.read_text(encoding="utf-8")), encoding="utf-8")


def _copy_tree(source: Path, target: Path) -> None:
    if not source.is_dir():
        raise UsageError("a folder that the repository needs is missing", where=str(source))
    for path in sorted(source.rglob("*")):
        relative = path.relative_to(source)
        hidden = any(part == "__pycache__" or part.endswith("_cache") for part in relative.parts)
        if path.is_file() and not path.is_symlink() and not hidden:
            _copy(path, target / relative)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)


def _build(manifest: Manifest, repository: Path, work: Path, made: Path) -> dict[str, str]:
    name, _, mail = manifest.author.partition(" <")
    who = {"NAME": name, "EMAIL": mail.rstrip(">")}
    identity = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    _git("init", "--quiet", "--bare", "--initial-branch", manifest.branch, "--template=", str(repository))
    commits: dict[str, str] = {}
    for release in manifest.releases:
        tree_dir = work / "tree"
        tree_dir.mkdir()
        stage(manifest, release, tree_dir, made)
        place = {"GIT_DIR": str(repository), "GIT_WORK_TREE": str(tree_dir), "GIT_INDEX_FILE": str(work / "index")}
        dates = {"GIT_AUTHOR_DATE": release.date, "GIT_COMMITTER_DATE": release.date}
        environment = {**place, **identity, **dates}
        _git("add", "--all", "--force", ".", environment=environment, directory=tree_dir)
        tree = _git("write-tree", environment=environment)
        first = next(iter(commits.values()), None)
        parents = ("-p", first) if first else ()
        commit = _git("commit-tree", tree, *parents, "-m", release.message, environment=environment)
        branch = f"release/{release.tag}" if first else manifest.branch
        _git("update-ref", f"refs/heads/{branch}", commit, environment=environment)
        _git("tag", "--annotate", "-m", release.message, release.tag, commit, environment=environment)
        commits[release.tag] = commit
        shutil.rmtree(tree_dir)
        (work / "index").unlink()
    return commits


def _refs(repository: Path) -> str:
    return _git("for-each-ref", environment={"GIT_DIR": str(repository)})


def _git(*arguments: str, environment: dict[str, str] | None = None, directory: Path | None = None) -> str:
    """Run git with nothing of the user's or the machine's configuration; returns what it printed."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    clean |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    try:
        done = subprocess.run(
            ["git", *settings, *arguments],
            env={**clean, **(environment or {})},
            cwd=directory,
            capture_output=True,
            text=True,
            timeout=GIT_TIMEOUT_S,
            check=False,
        )
    except FileNotFoundError:
        raise WorldError("git is not installed", todo="Install git 2.28 or later.") from None
    except subprocess.TimeoutExpired:
        raise WorldError(f"git {arguments[0]} took longer than {GIT_TIMEOUT_S} s") from None
    if done.returncode != 0:
        raise WorldError(f"git {arguments[0]} failed: {done.stderr.strip()[-500:]}")
    return done.stdout.strip()


def main(argv: list[str] | None = None) -> int:
    """Make the repository; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder of test-assets/models")
    parser.add_argument("--out", type=Path, required=True, help="the bare repository to make")
    parser.add_argument("--json", action="store_true", help="print path and commits as JSON")
    arguments = parser.parse_args(argv)
    try:
        commits = make(arguments.model, arguments.out)
    except PenstockError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit_code)
    if arguments.json:
        print(json.dumps({"path": str(arguments.out.absolute()), "commits": commits}))
    else:
        for tag, commit in commits.items():
            print(f"{commit[:12]} {tag}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
