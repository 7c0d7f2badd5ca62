"""How far a model is confined, and on which Python it runs, as a user of `penstock run` meets it."""

from __future__ import annotations

import dataclasses
import os
import sys
import venv
from pathlib import Path

import pytest
from tests.pipeline.pipeline_runs import PENSTOCK, Ended, Penstock, contract, environment, files, one_message, text
from tests.unit.sources.source_servers import commit, git, new_repository

from penstock.invocation.bubblewrap import bubblewrap

NEEDS_THEIRS = "import their_torch\nassert their_torch.VERSION == '9'\n"


@pytest.fixture
def demanding(tmp_path: Path) -> Path:
    """A model that needs a package which Penstock's environment lacks, under a policy that demands namespaces."""
    repository = new_repository(tmp_path / "work" / "model")
    content = files()
    policy = contract()["policy"] | {"isolation": "namespaces"}
    content |= {
        "penstock.yaml": text(contract(policy=policy)),
        "model.py": NEEDS_THEIRS + str(content["model.py"]),
        ".gitignore": ".venv\n",
    }
    commit(repository, content, "good")
    git(repository, "tag", "v1.0.0")
    return repository


def environment_with_their_torch(prefix: Path) -> Path:
    venv.create(prefix, symlinks=True, with_pip=False)
    (packages,) = prefix.glob("lib/python3*/site-packages")
    (packages / "their_torch.py").write_text("VERSION = '9'", encoding="utf-8")
    return prefix


def without_activation() -> dict[str, str]:
    return {key: value for key, value in environment().items() if key not in ("VIRTUAL_ENV", "CONDA_PREFIX")}


def test_model_in_the_repositorys_environment_in_namespaces(tmp_path: Path, demanding: Path) -> None:
    wrapper = bubblewrap()
    assert wrapper is not None, "this test needs bubblewrap"
    environment_with_their_torch(demanding / ".venv")
    ended = Penstock(demanding, tmp_path / "out", without_activation()).run("v1.0.0", "r")
    assert ended.code == 0, ended.stderr
    assert f"the model is confined by namespaces (bubblewrap {wrapper.version}, Landlock ABI" in ended.stderr
    inference = ended.bundle.run().inference
    assert inference is not None
    assert inference.isolation == "namespaces"
    (shard,) = inference.shards
    assert shard.isolation is not None
    assert shard.isolation.level == "namespaces"
    python = f"{demanding / '.venv'} (the repository's .venv)"
    assert shard.python == python
    page = (ended.bundle.report / "index.html").read_text(encoding="utf-8")
    assert str(shard.isolation) in page
    log = (ended.bundle.path / "logs" / "model.log").read_text(encoding="utf-8")
    assert log.startswith(f"[penstock] confined by: {shard.isolation}\n[penstock] python: {python}\n")


def test_environment_that_is_named_goes_before_the_one_that_is_active(tmp_path: Path, demanding: Path) -> None:
    theirs = environment_with_their_torch(tmp_path / "theirs")
    active = without_activation() | {"VIRTUAL_ENV": str(tmp_path / "other")}
    venv.create(tmp_path / "other", symlinks=True, with_pip=False)
    out = tmp_path / "out"
    refused = Penstock(demanding, out, active).run("v1.0.0", "active", track="verify")
    assert refused.code == 2, refused.stderr
    assert "\nModuleNotFoundError: No module named 'their_torch'\n" in refused.stderr
    named = Penstock(demanding, out, active).run("v1.0.0", "named", "--python", str(theirs), track="verify")
    assert named.code == 0, named.stderr
    assert f"Python: {theirs} (--python)" in named.stderr


def test_machine_that_has_less_than_the_policy_demands(tmp_path: Path, demanding: Path) -> None:
    """Without bwrap on the path: refused by plan, before the model is started."""
    environment_with_their_torch(demanding / ".venv")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("git", "sh", "env"):
        found = next(Path(folder, name) for folder in os.environ["PATH"].split(":") if Path(folder, name).exists())
        (programs / name).symlink_to(found)
    less = without_activation() | {"PATH": str(programs)}
    ended: Ended = dataclasses.replace(Penstock(demanding, tmp_path / "out"), environment=less).run("v1.0.0", "r")
    assert ended.code == 2, ended.stderr
    message = one_message(ended)
    assert message.startswith("plan: error: policy.isolation: the policy demands that the model is confined by ")
    assert "Install bubblewrap" in message
    assert not (ended.bundle.path / "logs" / "model.log").exists()
    assert Path(PENSTOCK).parent == Path(sys.executable).parent
