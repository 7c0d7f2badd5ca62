"""The step infer runs in the model's own image: it imports little, and writes below its shard's directory only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from penstock_tasks.infer.entrypoint import main
from tests.pipeline.pipeline_runs import contract, files, text
from tests.unit.sources.source_servers import commit, new_repository

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Inference, WeightsFile
from penstock.bundle.shards import Shard, shard_record
from penstock.bundle.steps import begin
from penstock.foundation.files import sha256_file
from penstock.invocation.environment import OWN_PYTHON
from penstock.invocation.isolation import best_level

RUNTIME_PACKAGES = {
    *("penstock", "penstock_tasks", "pydantic", "pydantic_core", "annotated_types", "typing_extensions"),
    *("typing_inspection", "yaml", "_yaml", "httpx", "httpcore", "h11", "certifi", "idna", "anyio", "sniffio"),
    "pynvml",
}
"""What the driver's runtime has, beside the standard library."""

LIMITED = """
import importlib.abc, sys
class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        known = top in sys.stdlib_module_names or top.startswith("_sysconfigdata") or top in ALLOWED
        if not known:
            raise ModuleNotFoundError(f"{top} is not in the driver's runtime")
sys.meta_path.insert(0, Refuse())
from penstock_tasks.infer.entrypoint import main
sys.exit(main(sys.argv[1:]))
"""


class Mounted:
    """The workspaces of the step."""

    def __init__(self, folder: Path) -> None:
        self.source = new_repository(folder / "source")
        commit(self.source, files(), "good")
        self.bundle = Bundle(folder / "bundle")
        self.runtime = folder / "workspace" / "runtime"
        self.runtime.mkdir(parents=True)
        begin(self.bundle, run_id="r", track="release")

    def arguments(self, *more: str, image: str = "none") -> list[str]:
        named = {"image": image, "runtime-id": "x", "source": self.source, "bundle": self.bundle.path}
        return [f"--{name}={value}" for name, value in {**named, "runtime": self.runtime}.items()] + list(more)

    def digests(self) -> dict[str, str]:
        found = [path for path in self.bundle.path.rglob("*") if path.is_file()]
        return {path.relative_to(self.bundle.path).as_posix(): sha256_file(path) for path in found}


@pytest.fixture
def mounted(tmp_path: Path) -> Mounted:
    return Mounted(tmp_path)


@pytest.mark.slow
def test_needs_no_more_than_the_runtime_has(mounted: Mounted) -> None:
    before = mounted.digests()
    text = LIMITED.replace("ALLOWED", repr(RUNTIME_PACKAGES))
    command = [sys.executable, "-c", text, *mounted.arguments("--shard=2/2")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    after = mounted.digests()
    assert {name: after[name] for name in before} == before
    made = {name for name in after if name not in before}
    assert made == {
        f"shards/2-of-2/{name}"
        for name in ("invocations.jsonl", "logs/model.log", "outputs/two/output.mp4", "shard.json")
    }
    record = shard_record(Shard(2, 2).bundle(mounted.bundle))
    assert record is not None
    assert record.ended
    assert record.machine is not None
    assert 0 < record.used_s < 30
    assert record.isolation is not None
    assert record.isolation.level == best_level()
    assert record.python == f"{sys.prefix} ({OWN_PYTHON})"
    assert [call.case for call in Shard(2, 2).bundle(mounted.bundle).invocations()] == ["two"]


@pytest.mark.slow
def test_model_of_an_image_runs_in_its_working_directory(
    mounted: Mounted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the repository says of the model's program is the image's: here another program, without the clone's."""
    app = tmp_path / "image" / "app"
    app.mkdir(parents=True)
    for name in ("model.py", "answer.mp4"):
        (mounted.source / name).rename(app / name)
    (tmp_path / "image" / "bin").mkdir()
    (tmp_path / "image" / "bin" / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{tmp_path / 'image' / 'bin'}:/usr/bin:/bin")
    run = mounted.bundle.run()
    image = Image(kind="image", url="registry:5000/tiny", digest="sha256:" + "a" * 64)
    mounted.bundle.update_run(run.model_copy(update={"image": image}))
    reference = f"{image.url}@{image.digest}"
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")  # a read-only root, as on a cluster
    assert main(mounted.arguments(f"--model-dir={app}", image=reference)) == 0
    shard = Shard(1, 1).bundle(mounted.bundle)
    assert [call.status for call in shard.invocations()] == ["ok", "ok"]
    record = shard_record(shard)
    assert record is not None
    assert record.image == reference
    # a container that is no pod; in a pod it would be `namespaces`
    assert record.isolation is not None
    assert (record.isolation.level, record.python) == ("landlock", "")
    assert list((tmp_path / "workspace").iterdir()) == [mounted.runtime]
    assert main(mounted.arguments(f"--model-dir={app}", image="another")) == 2


@pytest.mark.slow
def test_no_model_is_started_whose_weights_are_not_beside_its_image(
    mounted: Mounted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app, programs = tmp_path / "image" / "app", tmp_path / "image" / "bin"
    for folder in (app / "weights", programs):
        folder.mkdir(parents=True)
    for name in ("model.py", "answer.mp4"):
        (mounted.source / name).rename(app / name)
    (programs / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    weights = WeightsFile(path="weights/model.dat", sha256="a" * 64, bytes=3)
    named = [{"path": weights.path, "sha256": weights.sha256, "source": "lfs"}]
    (mounted.source / "penstock.yaml").write_text(text(contract(weights=named)), encoding="utf-8")
    image = Image(kind="image", url="r:5000/tiny", digest="sha256:" + "a" * 64, key="k" * 64, directory=str(app))
    known = {"image": image, "weights": [weights]}
    mounted.bundle.update_run(mounted.bundle.run().model_copy(update=known))
    arguments = mounted.arguments(f"--model-dir={app}", image=f"{image.url}@{image.digest}")
    for content in (None, b"other"):
        if content is not None:
            (app / "weights" / "model.dat").write_bytes(content)
        assert main(arguments) == 4
        assert f"{app / 'weights/model.dat'}: the weights are not in the model's container" in capsys.readouterr().out
    (app / "weights" / "model.dat").write_bytes(b"one")
    assert main(arguments) == 0
    # an image of an older version has no key, and holds its weights itself
    (app / "weights" / "model.dat").unlink()
    old = known | {"image": image.model_copy(update={"key": ""})}
    mounted.bundle.update_run(mounted.bundle.run().model_copy(update=old))
    assert main(arguments) == 0


@pytest.mark.slow
def test_model_without_an_image_finds_the_containers_programs(
    mounted: Mounted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in the clone, and runs on the Python of the image that is given for such models, not on the driver's."""
    programs = tmp_path / "image" / "bin"
    programs.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    model = mounted.source / "model.py"
    text = model.read_text(encoding="utf-8")
    asked = f'import os, sys\nif os.environ["PATH"] != "{programs}:/usr/bin:/bin": sys.exit("not the container\'s")\n'
    model.write_text(asked + text, encoding="utf-8")
    run = mounted.bundle.run()
    none = Image(kind="process", digest="sha256:" + "a" * 64)
    mounted.bundle.update_run(run.model_copy(update={"image": none}))
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")  # a read-only root, as on a cluster
    assert main(mounted.arguments(f"--model-dir={tmp_path}", image="penstock.local/infer")) == 0
    shard = Shard(1, 1).bundle(mounted.bundle)
    assert [call.status for call in shard.invocations()] == ["ok", "ok"]


@pytest.mark.slow
def test_step_that_is_told_to_end_goes_on_later(mounted: Mounted) -> None:
    """As when its pod is deleted: the next one does only what is left."""
    model = mounted.source / "model.py"
    text = model.read_text(encoding="utf-8")
    waits = 'import time\nif "肖像" in sys.argv[1] and not os.path.exists("go"): time.sleep(600)\n'
    model.write_text(text.replace("import os, shutil, sys\n", f"import os, shutil, sys\n{waits}"), encoding="utf-8")
    command = [sys.executable, "-m", "penstock_tasks.infer.entrypoint", *mounted.arguments()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if '"done": 1' in line:
                break
        process.terminate()
        rest = process.stdout.read()
    assert process.returncode == 130
    assert "the step was told to end. Its pod was deleted" in rest
    shard = Shard(1, 1).bundle(mounted.bundle)
    (first,) = shard.invocations()
    (mounted.source / "go").touch()
    assert main(mounted.arguments()) == 0
    assert shard.invocations()[0] == first
    assert [call.status for call in shard.invocations()] == ["ok", "ok"]
    record = shard_record(shard)
    assert record is not None
    assert len(record.uses) == 2
    assert record.started < record.uses[0].started < record.uses[1].started < record.ended
    assert not [path for path in shard.path.rglob("*") if ".tmp-" in path.name]
    assert os.listdir(mounted.runtime.parent) == ["runtime"]  # noqa: PTH208 (names)


def test_no_model_is_started_that_is_confined_less_than_the_policy_demands(
    mounted: Mounted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """*plan* may have had more in its own process: bubblewrap did not answer in time, another node runs this step."""
    inference = Inference(unchanged=False, parts=["1/1"], isolation="namespaces", demanded="namespaces")
    mounted.bundle.update_run(mounted.bundle.run().model_copy(update={"inference": inference}))
    monkeypatch.setattr("penstock.evaluation.model_image.best_level", lambda **_: "landlock")
    assert main(mounted.arguments("--shard=1/1")) == 2
    said = "demands that the model is confined by 'namespaces', and here it would be by 'landlock'"
    assert said in capsys.readouterr().out
    assert not (mounted.bundle.path / "logs" / "model.log").exists()
