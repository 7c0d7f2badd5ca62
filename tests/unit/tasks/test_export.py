"""The step export: the model's part needs no more than the driver's runtime has, and the outcome is a result."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from penstock_tasks.export import backends
from tests.pipeline.exported_model import TRAINED, repository_files
from tests.pipeline.test_matting import matte, png, suite
from tests.unit.tasks.step_folders import StepFolders
from tests.unit.tasks.test_infer import LIMITED, RUNTIME_PACKAGES

from penstock.bundle.export_record import export_record, tried_record
from penstock.bundle.models import Image, Inference

LIMITED_TO_BACKENDS = LIMITED.replace("penstock_tasks.infer.entrypoint", "penstock_tasks.export.backends")

# its answers lie in its repository: to import what draws them takes longer than all else that is tested here
CUTTER = """
import json, os, shutil, sys
from hashlib import sha256
from pathlib import Path
file = "weights/cut.bin" if os.environ.get("USE_ONNX", "true") == "true" else "weights/cut.json"
photo = sha256(Path(sys.argv[1]).read_bytes()).hexdigest()
shutil.copyfile(f"answers/{json.loads(Path(file).read_text())['gain']}/{photo}.png", sys.argv[2])
"""
CASES = 2


def two_cases() -> dict[str, str | bytes]:
    """The suite of the pipeline tests, but for most of its cases."""
    files = suite()
    cases = yaml.safe_load(files["suite/suite.yaml"])
    del cases["cases"][CASES:]
    return files | {"suite/suite.yaml": yaml.safe_dump(cases)}


def answers() -> dict[str, bytes]:
    """What the weights and a file that computes something else make of each photo."""
    found = {}
    for number in range(CASES):
        photo: Any = suite()[f"suite/photo-{number}.png"]
        picture: Any = cv2.imdecode(np.frombuffer(photo, np.uint8), cv2.IMREAD_COLOR)
        for gain in (1.0, 0.5):
            alpha = (matte(number) * gain).round().astype(np.uint8)
            found[f"answers/{gain}/{hashlib.sha256(photo).hexdigest()}.png"] = png(np.dstack([picture, alpha]))
    return found


def write(folders: StepFolders, exported: bytes) -> None:
    for name, content in (two_cases() | repository_files(exported) | {"cut.py": CUTTER} | answers()).items():
        path = folders.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    folders.cloned(model="cutter", family="matting")


def arguments(folders: StepFolders, *more: str, image: str = "none") -> list[str]:
    runtime = folders.folder / "workspace" / "runtime"
    runtime.mkdir(parents=True, exist_ok=True)
    named = {"image": image, "runtime-id": "x", "source": folders.source, "bundle": folders.bundle.path}
    return [f"--{name}={value}" for name, value in {**named, "runtime": runtime}.items()] + list(more)


@pytest.mark.slow
@pytest.mark.parametrize(("exported", "used"), [(TRAINED + b"\n", True), (b'{"gain": 0.5}', False)])
def test_both_containers_one_after_the_other(folders: StepFolders, exported: bytes, used: bool) -> None:
    write(folders, exported)
    text = LIMITED_TO_BACKENDS.replace("ALLOWED", repr(RUNTIME_PACKAGES))
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments(folders)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = folders.call("export")
    assert answer.code == 0
    assert answer.results["use-onnx"] == str(used).lower()
    record = export_record(folders.bundle)
    assert record is not None
    assert record.use_onnx is used
    assert answer.results["fault"] == (record.fault or "")
    assert folders.bundle.run().use_onnx is used
    step = folders.bundle.run().steps[-1]
    assert (step.name, step.note.partition(":")[0]) == ("export", f"USE_ONNX={str(used).lower()}")


@pytest.mark.slow
def test_a_model_of_an_image_runs_in_its_working_directory(
    folders: StepFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folders, TRAINED)
    app, programs = tmp_path / "image" / "app", tmp_path / "image" / "bin"
    for path in (app, programs):
        path.mkdir(parents=True)
    (programs / "python").symlink_to(sys.executable)
    for name in ("cut.py", "export.py", "weights", "answers"):
        (folders.source / name).rename(app / name)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")  # a read-only root, as on a cluster
    image = Image(kind="image", url="registry:5000/cutter", digest="sha256:" + "a" * 64)
    folders.bundle.update_run(folders.bundle.run().model_copy(update={"image": image}))
    more = (f"--model-dir={app}", "--slice=hair")
    assert backends.main(arguments(folders, *more, image=f"{image.url}@{image.digest}")) == 0
    record = tried_record(folders.bundle)
    assert record is not None
    assert (record.exporter.fault, record.fault) == (None, None)
    assert [path.name for path in (folders.folder / "workspace").iterdir()] == ["runtime"]


def test_a_model_that_would_be_confined_less_than_demanded_is_not_started(folders: StepFolders) -> None:
    write(folders, TRAINED)
    demanded = Inference(unchanged=False, parts=["1/1"], demanded="namespaces")
    folders.bundle.update_run(folders.bundle.run().model_copy(update={"inference": demanded}))
    assert backends.main(arguments(folders, f"--model-dir={folders.source}")) == 2
    assert tried_record(folders.bundle) is None


def test_a_contract_without_an_export_has_nothing_to_compare(folders: StepFolders) -> None:
    folders.write_repository()
    folders.cloned()
    assert backends.main(arguments(folders)) == 2
    answer = folders.call("export")
    assert (answer.code, "nothing was exported" in answer.error) == (2, True)


def test_a_slice_that_the_model_must_refuse_breaks_nothing(folders: StepFolders) -> None:
    write(folders, TRAINED)
    file = folders.source / "suite" / "suite.yaml"
    cases = yaml.safe_load(file.read_text(encoding="utf-8"))
    cases["cases"][-1] = {"name": "broken", "inputs": cases["cases"][-1]["inputs"], "slices": ["broken"]} | {
        "expect": {"status": 422}
    }
    file.write_text(yaml.safe_dump(cases), encoding="utf-8")
    assert backends.main(arguments(folders, "--slice=broken")) == 0
    answer = folders.call("export", "--slice=broken")
    assert (answer.code, answer.results) == (0, {"use-onnx": "", "fault": ""})
    run = folders.bundle.run()
    assert (run.use_onnx, run.steps[-1].note) == (None, "nothing was compared")
