"""A small suite on the servers of the cluster: git, a registry, S3 and a ConfigMap; and what was changed there."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.facts import Facts
from tests.e2e.install import NAMESPACE, Place, write_keys
from tests.e2e.repositories import ASSETS, git

from penstock.store.s3_client import s3_client
from penstock.suites.pushed_suite import push_suite
from penstock.suites.suite_files import digest_of, listed

PORTRAIT, CASES = "portraits/drawn-01.png", "suite.yaml"
SUITE = f"""\
version: 1
family: talking-head
cases:
  - name: drawn
    inputs: {{image: {PORTRAIT}, audio: portraits/drawn.flac}}
"""
OTHERWISE = SUITE.replace("name: drawn", "name: drawm")
"""Of the same size."""


@dataclass(frozen=True)
class SuitePlaces:
    """Where the suite lies, and who names it."""

    digest: str
    """Of its files."""
    addresses: dict[str, str]
    """Kind → what ``suite:`` of penstock.yaml says."""
    configs: dict[str, str]
    """Kind → the ConfigMap that a run binds for it."""
    models: Path
    """A bare repository on the git server: for each kind a branch of that name, whose contract names it."""


def put_suite(facts: Facts, place: Place, session: str, folder: Path) -> SuitePlaces:
    """Put it everywhere; the kinds ``s3-changed`` and ``workspace-changed`` are of other files by now."""
    suite = folder / "suite"
    (suite / "portraits").mkdir(parents=True)
    (suite / CASES).write_text(SUITE, encoding="utf-8")
    shutil.copyfile(ASSETS / PORTRAIT, suite / PORTRAIT)
    shutil.copyfile(ASSETS / "speech" / "de-f3-01.flac", suite / "portraits" / "drawn.flac")
    digest, keys = digest_of(listed(suite)), write_keys(facts, folder / "keys")
    assets = _repository(facts, folder, f"suites-{session}", {"assets": {"suite": suite}})
    addresses = {
        "git": f"git+{facts.git}/{assets.name}@{git(assets, 'rev-parse', 'assets')}#suite",
        "oci": push_suite(suite, f"oci://{place.registry}/suite", tls_verify=False),
        "s3": push_suite(suite, f"{place.store}-suites/kept", credentials=keys),
        "workspace": f"workspace://suite#sha256={digest}",
        "s3-changed": push_suite(suite, f"{place.store}-suites/changed", credentials=keys),
        "workspace-changed": f"workspace://suite#sha256={digest}",
    }
    _change(s3_client(keys), addresses["s3-changed"])
    configs = {"workspace": f"suite-{session}", "workspace-changed": f"suite-{session}-changed"}
    for kind, name in configs.items():
        _config(facts, name, suite, OTHERWISE if kind == "workspace-changed" else SUITE)
    contracts = {kind: {"penstock.yaml": f"suite: {address}\n"} for kind, address in addresses.items()}
    return SuitePlaces(digest, addresses, configs, _repository(facts, folder, f"suite-models-{session}", contracts))


def remove_suite(facts: Facts, places: SuitePlaces) -> None:
    """Remove what others could see; objects and artifacts are the session's own."""
    facts.kubectl("delete", "--namespace", NAMESPACE, "configmap", *places.configs.values())
    for name in (places.models, places.models.with_name(places.models.name.replace("suite-models", "suites"))):
        shutil.rmtree(name)


def move_out_suite(clone: Path, repository: str) -> str:
    """Have a clone name its suite at the commit that is checked out, in place of holding it; staged, not committed.

    ``repository``: where that commit can be fetched. Returns the address of the suite.
    """
    address = f"git+{repository}@{git(clone, 'rev-parse', 'HEAD')}#suite"
    contract = clone / "penstock.yaml"
    own = contract.read_text(encoding="utf-8")
    assert own.count("\nsuite: suite\n") == 1
    contract.write_text(own.replace("\nsuite: suite\n", f"\nsuite: {address}\n"), encoding="utf-8")
    git(clone, "rm", "-r", "--quiet", "suite")
    git(clone, "add", contract.name)
    return address


def _repository(facts: Facts, folder: Path, name: str, branches: dict[str, dict[str, Any]]) -> Path:
    """A bare repository on the git server; branch → name → a folder that is copied, or a file's content."""
    work = folder / name
    work.mkdir()
    git(work, "init", "--quiet")
    for key, value in (("user.name", "Ann"), ("user.email", "ann@example.org")):
        git(work, "config", key, value)
    for branch, files in branches.items():
        git(work, "checkout", "--quiet", "--orphan", branch)
        for entry, content in files.items():
            if isinstance(content, Path):
                shutil.copytree(content, work / entry)
            else:
                (work / entry).write_text(content, encoding="utf-8")
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message", branch)
    place = facts.git_root / f"{name}.git"
    git(work, "clone", "--quiet", "--bare", str(work), str(place))
    return place


def _change(client: Any, address: str) -> None:
    """Write another file over one of a suite on S3, whose list stays as it was."""
    where = urlsplit(address)
    client.put_object(Bucket=where.netloc, Key=f"{where.path.strip('/')}/{CASES}", Body=OTHERWISE.encode())


def _config(facts: Facts, name: str, suite: Path, cases: str) -> None:
    """A ConfigMap as kubectl makes it; the folder comes with the items of the workspace that binds it."""
    own = suite.with_name(name)
    own.mkdir()
    (own / CASES).write_text(cases, encoding="utf-8")
    for path in (suite / "portraits").iterdir():
        shutil.copyfile(path, own / path.name)
    words = [facts.kubectl_program, "create", "configmap", name, "--namespace", NAMESPACE, f"--from-file={own}"]
    environment = dict(os.environ) | {"KUBECONFIG": str(facts.kubeconfig)}
    subprocess.run(words, env=environment, check=True, capture_output=True)
