"""The model runs in its own image: what the image holds is its to read and to run, what is mounted into it is not."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

import pytest

from penstock.invocation.landlock import landlock_abi
from penstock.invocation.log import BoundedLog
from penstock.invocation.model_process import ModelProcess
from penstock.invocation.sandbox import ImageFiles, Sandbox


def test_all_that_the_image_holds_and_nothing_that_is_mounted(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("app", "etc", "var/lib", "var/run/secrets/kubernetes.io", "dev", "tekton/bin", "workspace/bundle"):
        (root / name).mkdir(parents=True)
    for name in ("data/models", "data/bundle", "usr/lib"):
        (root / name).mkdir(parents=True)
    (root / "start.sh").touch()
    (root / "lib").symlink_to("usr/lib")
    (root / "escape").symlink_to("workspace")
    readable = ImageFiles(root / "app", volumes=(root / "data" / "bundle", Path("/elsewhere"))).readable(root)
    names = [Path(path).relative_to(root).as_posix() for path in readable]
    assert sorted(names) == ["app", "data/models", "etc", "start.sh", "usr", "var/lib"]


class Container:
    """Directories as a container of the step has them: the image's, and the volumes."""

    def __init__(self, folder: Path) -> None:
        self.app = folder / "image" / "app"
        self.source, self.bundle, self.runtime = (folder / name for name in ("source", "bundle", "runtime"))
        for path in (self.app, self.source / "suite", self.bundle, self.runtime, folder / "image" / "bin"):
            path.mkdir(parents=True)
        (self.app / "weights.bin").write_text("weights", encoding="utf-8")
        (self.source / "suite" / "face.png").write_text("face", encoding="utf-8")
        (self.source / "penstock.yaml").write_text("policy", encoding="utf-8")
        (self.bundle / "run.json").write_text("{}", encoding="utf-8")
        (self.runtime / "driver.py").write_text("", encoding="utf-8")
        (folder / "image" / "bin" / "python").symlink_to(sys.executable)
        self.path = f"{folder / 'image' / 'bin'}:/usr/bin:/bin"
        self.sandbox = Sandbox(
            source=self.app,
            scratch=folder / "scratch",
            readable=(self.source / "suite",),
            image=ImageFiles(self.app, volumes=(self.source, self.bundle, self.runtime)),
        )

    def run(self, text: str) -> str:
        """What the model's Python program ``text`` writes."""
        (self.app / "model.py").write_text(textwrap.dedent(text), encoding="utf-8")
        with (
            BoundedLog(self.app.parent.parent / "log") as log,
            ModelProcess(["python", "model.py"], self.sandbox, log) as process,
        ):
            ended = process.wait(20.0)
            assert ended is not None
            assert ended.code == 0, log.end()
            return log.end(100_000)


@pytest.fixture
def container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Container:
    made = Container(tmp_path)
    monkeypatch.setenv("PATH", made.path)
    return made


def test_image_is_readable_and_volumes_are_not(container: Container) -> None:
    assert landlock_abi() >= 1, "this test needs a kernel with Landlock"
    said = container.run(
        f"""
        import os
        def attempt(path, mode="r"):
            try:
                open(path, mode).close()
                print("yes", end=" ")
            except OSError:
                print("no", end=" ")
        attempt("weights.bin")
        attempt({str(container.source / "suite" / "face.png")!r})
        attempt(os.environ["TMPDIR"] + "/x", "w")
        attempt({str(container.source / "penstock.yaml")!r})
        attempt({str(container.bundle / "run.json")!r})
        attempt({str(container.bundle / "mine")!r}, "w")
        attempt({str(container.runtime / "driver.py")!r})
        attempt("weights.bin", "w")
        attempt("/proc/1/environ")
        attempt("/proc/self/root" + {str(container.bundle / "run.json")!r})
        """
    )
    assert said.split() == ["yes"] * 3 + ["no"] * 7


def test_environment_is_the_images(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_HOME", "/models")
    for name in ("KUBERNETES_SERVICE_HOST", "TEKTON_X", "PENSTOCK_CACHE"):
        monkeypatch.setenv(name, "the cluster's")
    monkeypatch.setenv("HOME", "/root")
    seen = json.loads(container.run("import json, os; print(json.dumps([dict(os.environ), os.getcwd()]))"))
    variables, directory = seen
    assert (variables["MODEL_HOME"], variables["PATH"]) == ("/models", container.path)
    assert "the cluster's" not in variables.values()
    assert variables["HOME"] == str(container.sandbox.scratch / "home")
    assert directory == str(container.app)
    assert str(Path(sys.executable).parent) not in variables["PATH"].split(":")
