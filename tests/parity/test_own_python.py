"""A torch model in an environment of its own, which is not the one that Penstock runs in."""

from __future__ import annotations

import os
import shutil
import sysconfig
import tempfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.invocation.environment import environment_at
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess
from penstock.invocation.sandbox import Sandbox

MODEL = """
import os, sys
import torch
from torch.utils.data import DataLoader, TensorDataset
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.ReLU(), torch.nn.Linear(16, 1))
    def forward(self, x):
        return self.layers(x)
if __name__ == "__main__":
    torch.manual_seed(1)
    data = DataLoader(TensorDataset(torch.ones(12, 8)), batch_size=4, num_workers=2)
    values = torch.cat([Net()(batch).detach() for (batch,) in data])
    torch.save(values, os.path.join(os.environ["TMPDIR"], "values.pt"))
    print(sys.prefix, torch.__file__, len(values))
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An environment with all packages of this one, each file a second name of the same."""
    prefix = tmp_path_factory.mktemp("theirs") / "env"
    venv.create(prefix, symlinks=True, with_pip=False)
    (packages,) = prefix.glob("lib/python3*/site-packages")

    def link(source: str, target: str) -> str:
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)
        return target

    shutil.copytree(sysconfig.get_path("purelib"), packages, copy_function=link, dirs_exist_ok=True)
    yield prefix
    shutil.rmtree(prefix)  # on another file system it is 6 GB of copies, which would outlive the tests


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Short: the path of a worker's Unix socket in it has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="own-") as made:
        yield Path(made) / "s"


@pytest.mark.parametrize("level", ["landlock", "namespaces"])
def test_torch_model_with_workers_in_its_own_environment(
    tmp_path: Path, scratch: Path, theirs: Path, level: str
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "model.py").write_text(MODEL, encoding="utf-8")
    box = Sandbox(
        source=source,
        scratch=scratch,
        python=environment_at(theirs, "--python"),
        level=level,  # type: ignore[arg-type]
    )
    with BoundedLog(tmp_path / "log") as log, ModelProcess(["python", "model.py"], box, log) as process:
        ended = process.wait(110.0)
        said = log.end()
    assert ended is not None
    assert ended.code == 0, said
    prefix, torch_file, count = said.splitlines()[-1].split()
    assert prefix == str(theirs)
    assert torch_file.startswith(f"{theirs}/")
    assert count == "12"
    assert (scratch / "tmp" / "values.pt").is_file()


@pytest.mark.parametrize("level", ["landlock", "namespaces"])
@pytest.mark.parametrize("words", [["uv", "run", "--no-sync", "python", "model.py"], ["uv", "run", "model.py"]])
def test_uv_runs_in_that_environment_without_network_or_writing(
    tmp_path: Path, level: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shutil.which("uv") is not None, "uv is among the requirements of these tests"
    for name in ("UV_CACHE_DIR", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)
    work = tmp_path / "work"
    venv.create(work / ".venv", symlinks=True, with_pip=False)
    (packages,) = work.glob(".venv/lib/python3*/site-packages")
    (packages / "their_package.py").touch()
    before = sorted(path.relative_to(work) for path in work.rglob("*"))
    source = tmp_path / "source"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[project]\nname = "model"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["their-package"]\n',
        encoding="utf-8",
    )
    (source / "model.py").write_text("import sys, their_package; print(sys.prefix)", encoding="utf-8")
    box = Sandbox(
        source=source,
        scratch=tmp_path / "scratch",
        python=environment_at(work / ".venv", "call.python"),
        level=level,  # type: ignore[arg-type]
    )
    with BoundedLog(tmp_path / "log") as log, ModelProcess(words, box, log) as process:
        ended = process.wait(60.0)
        said = log.end()
    assert ended is not None
    assert ended.code == 0, said
    assert said.splitlines()[-1] == str(work / ".venv")
    assert sorted(path.relative_to(work) for path in work.rglob("*")) == before
    assert sorted(path.name for path in source.iterdir()) == ["model.py", "pyproject.toml"]
