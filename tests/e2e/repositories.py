"""Model repositories on the cluster's git server: made from ``test-assets/models``, weights in Git LFS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tests.e2e.facts import Facts

ROOT = Path(__file__).resolve().parents[2]
ASSETS = ROOT / "test-assets"
OWN_MODELS = Path(__file__).parent / "models"
SESSION_FILE = "E2E"
RERUN_POLICY = "policy-rerun.yaml"
RERUN = """\
baseline: rerun
rules:
  - {metric: lse_d, margin: 5%}
  - {metric: latency, max: 60.0, margin: 100%}
"""
"""A policy by which the released model is run again beside the candidate."""
RATED_POLICY = "policy-rated.yaml"
RATED = """\
rules:
  - {metric: size_error, max: 0}
  - {metric: preference, min: 0.35, ratings: 10}
"""
"""A policy by which people decide: no rule can ask for fewer ratings."""


@dataclass(frozen=True)
class Part:
    """Of a reference model's repository, what the cluster is given."""

    first: str
    """The release that the others are compared with."""
    bad: tuple[str, ...]
    better: str | None = None
    suite: tuple[str, ...] = ()
    """Options of the program that makes its suite."""


PARTS = {
    # 20 cases with hair among 44 are enough for what these releases are judged by, and take a third of the time
    "rmbg-lite": Part("v1.0.0", ("v1.0.4-staircase", "v1.0.11-dead-button"), "v1.1.0", suite=("--each", "4")),
    "face-lite": Part("v1.0.0", ("v1.0.12-early",)),
    "recognition-lite": Part("v1.0.0", ("v1.0.13-secret",)),
}
LFS_FILES = "*.safetensors,*.onnx"
sys.path.insert(0, str(ASSETS))

import make_repository  # noqa: E402


@dataclass(frozen=True)
class Repository:
    """One model's repository, as the cluster sees it."""

    model: str
    url: str
    path: Path
    commits: dict[str, str]
    """Tag → commit."""


def put_sonic_lite(facts: Facts, session: str) -> Repository:
    """``sonic-lite`` with its releases. A file names the session, so that no earlier session's products fit it."""
    folder = ASSETS / "models" / "sonic-lite"
    manifest = yaml.safe_load((folder / "releases.yaml").read_text(encoding="utf-8"))
    files = {SESSION_FILE: session, RERUN_POLICY: RERUN, RATED_POLICY: RATED}
    return _put(facts, "sonic-lite", manifest, folder / "releases", files)


def put_sonic_scout(facts: Facts, session: str, looking_for: dict[str, Any]) -> Repository:
    """``sonic-scout``: sonic-lite that looks about where it runs for what ``looking_for`` names (see its scout.py)."""
    sonic = yaml.safe_load((ASSETS / "models" / "sonic-lite" / "releases.yaml").read_text(encoding="utf-8"))
    folder = OWN_MODELS / "sonic-scout"
    manifest = yaml.safe_load((folder / "releases.yaml").read_text(encoding="utf-8"))
    base = str(ASSETS / "models" / "sonic-lite" / sonic["base"])
    manifest = {**manifest, "base": base, "copies": sonic["copies"] + manifest["copies"]}
    files = {SESSION_FILE: session, "sonic_lite/looking_for.json": json.dumps(looking_for, indent=2)}
    return _put(facts, "sonic-scout", manifest, folder / "releases", files)


def put_part(facts: Facts, session: str, model: str) -> Repository:
    """Some releases of a reference model (``PARTS``): the first, bad ones, and a better one if there is any."""
    folder, part = ASSETS / "models" / model, PARTS[model]
    manifest = yaml.safe_load((folder / "releases.yaml").read_text(encoding="utf-8"))
    releases = [release for release in manifest["releases"] if release["tag"] in (part.first, *part.bad, part.better)]
    made = [entry | {"with": list(part.suite)} for entry in manifest["made"]]
    return _put(
        facts, model, manifest | {"releases": releases, "made": made}, folder / "releases", {SESSION_FILE: session}
    )


def _put(facts: Facts, model: str, manifest: dict[str, Any], overlays: Path, files: dict[str, str]) -> Repository:
    """Make the repository with ``files`` in every release, and put it on the git server in one move."""
    facts.git_root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{model}-", dir=facts.git_root) as work:
        folder = Path(work) / "models" / model
        folder.mkdir(parents=True)
        (folder / "releases").symlink_to(overlays)
        copies = [{"from": str(ASSETS / entry["from"]), "to": entry["to"]} for entry in manifest["copies"]]
        for number, (name, content) in enumerate(files.items()):
            (folder / f"file-{number}").write_text(content, encoding="utf-8")
            copies.append({"from": str(folder / f"file-{number}"), "to": name})
        base = str(overlays.parent / manifest["base"])
        text = yaml.safe_dump(manifest | {"base": base, "copies": copies})
        (folder / "releases.yaml").write_text(text, encoding="utf-8")
        made = Path(work) / f"{model}.git"
        make_repository.make(model, made, assets=Path(work), programs=ROOT)
        git(made, "lfs", "migrate", "import", "--everything", f"--include={LFS_FILES}", "--yes")
        tags = git(made, "for-each-ref", "--format=%(refname:short) %(*objectname)", "refs/tags").splitlines()
        place = facts.git_root / made.name
        if place.exists():
            place.rename(Path(work) / "before")
        made.rename(place)
    return Repository(model, f"{facts.git}/{place.name}", place, dict(line.split() for line in tags))


def git(repository: Path, *arguments: str) -> str:
    """Run git in a repository, without the user's configuration; returns what it printed."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"git {arguments[0]}: {done.stderr}"
    return done.stdout.strip()
