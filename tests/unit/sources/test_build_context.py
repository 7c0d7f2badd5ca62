"""What an image is built from, and what it is not."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.contract.models import Build
from penstock.foundation.errors import UsageError
from penstock.sources.build_context import build_context

BESIDE = ("weights/model.onnx",)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    root = tmp_path / "source"
    for name, text in {
        "Containerfile": "FROM scratch\nCOPY . .\n",
        "penstock.yaml": "version: 1\n",
        "model_version.txt": "MODEL_NAME=x\n",
        "weights/model.onnx": "old",
        "weights/README": "about",
        "code/serve.py": "pass\n",
        ".git/HEAD": "ref: main\n",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "code/serve.py").chmod(0o700)
    (root / "link").symlink_to("code/serve.py")
    return root


def key(source: Path, contract: Build | None = None) -> str:
    contract = contract or Build()
    return build_context(source, contract, BESIDE).key(contract)


def test_the_build_sees_neither_weights_nor_the_files_that_name_them(source: Path, tmp_path: Path) -> None:
    with build_context(source, Build(), BESIDE).copied(tmp_path / "cache") as folder:
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir()}
        assert found == {"Containerfile", "code/serve.py", "link", "weights/README"}
        assert (folder / "link").readlink() == Path("code/serve.py")
        modes = [stat.S_IMODE((folder / name).stat().st_mode) for name in ("code", "code/serve.py", "Containerfile")]
        assert modes == [0o755, 0o755, 0o644]
    assert not folder.exists()


def test_what_a_killed_build_has_left_is_removed(source: Path, tmp_path: Path) -> None:
    left = tmp_path / "cache" / "building" / "context-x"
    left.mkdir(parents=True)
    with build_context(source, Build(), BESIDE).copied(tmp_path / "cache"):
        assert not left.exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "weights/model.onnx").write_text("new"),
        lambda root: (root / "weights/model.onnx").unlink(),
        lambda root: (root / "penstock.yaml").write_text("version: 1\nname: other\n"),
        lambda root: (root / "model_version.txt").unlink(),
        lambda root: (root / ".git/HEAD").write_text("ref: other\n"),
    ],
)
def test_a_change_of_weights_needs_no_build(source: Path, change: Callable[[Path], object]) -> None:
    before = key(source)
    change(source)
    assert key(source) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda root: (root / "code/serve.py").write_text("import os\n"),
        lambda root: (root / "code/serve.py").chmod(0o600),
        lambda root: (root / "code/serve.py").rename(root / "code/server.py"),
        lambda root: (root / "Containerfile").write_text("FROM other\n"),
        lambda root: (root / "weights/README").write_text("more"),
        lambda root: (root / "link").unlink() or (root / "link").symlink_to("Containerfile"),
    ],
)
def test_any_other_change_does(source: Path, change: Callable[[Path], object]) -> None:
    before = key(source)
    change(source)
    assert key(source) != before


def test_so_does_another_way_of_building(source: Path) -> None:
    keys = {key(source, build) for build in (Build(), Build(target="b"), Build(args={"A": "1"}), Build(context="code"))}
    assert len(keys) == 4


def test_a_recipe_outside_the_context_counts(source: Path) -> None:
    contract = Build(context="code")
    before = key(source, contract)
    (source / "weights/README").write_text("not in the context")
    assert key(source, contract) == before
    (source / "Containerfile").write_text("FROM other\n")
    assert key(source, contract) != before


@pytest.mark.parametrize("contract", [Build(containerfile="absent"), Build(context="../x"), Build(context="link")])
def test_what_cannot_be_built_is_refused(source: Path, contract: Build) -> None:
    with pytest.raises(UsageError):
        build_context(source, contract, BESIDE)
