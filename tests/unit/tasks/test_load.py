"""The step load: the model's part needs no more than the driver's runtime has, and what a service does is a result."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from penstock_tasks.load import drive
from tests.pipeline.loaded_service import ALONE, LOAD, loaded_files
from tests.unit.tasks.step_folders import StepFolders
from tests.unit.tasks.test_infer import LIMITED, RUNTIME_PACKAGES

from penstock.bundle.load_record import LoadPart, load_part, write_load_part
from penstock.bundle.models import Inference, Measurement
from penstock.bundle.shards import Shard

SHORT = LOAD | ALONE | {"rate": 30.0, "seconds": 1.0, "warmup_s": 0.1}
FAULT = "the service exited with code 3, under load"


def write(folders: StepFolders, load: dict[str, Any] | None = None, **how: Any) -> None:
    for name, content in loaded_files(SHORT | (load or {}), how).items():
        path = folders.source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    folders.cloned(model="speaker")
    folders.bundle.write_measurements([Measurement(case="one", metric="duration_error", value=0.0)])


def arguments(folders: StepFolders, *more: str, part: str = "1/1") -> list[str]:
    runtime = folders.folder / "workspace" / "runtime"
    runtime.mkdir(parents=True, exist_ok=True)
    named = {"part": part, "image": "none", "runtime-id": "x", "source": folders.source}
    named |= {"bundle": folders.bundle.path, "runtime": runtime}
    return [f"--{name}={value}" for name, value in named.items()] + list(more)


@pytest.mark.slow
def test_both_containers_one_after_the_other(folders: StepFolders) -> None:
    write(folders)
    text = LIMITED.replace("penstock_tasks.infer.entrypoint", "penstock_tasks.load.drive")
    text = text.replace("ALLOWED", repr(RUNTIME_PACKAGES))
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments(folders)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    part = load_part(folders.bundle, Shard(1, 1))
    assert part is not None
    assert (part.fault, part.isolation is not None, part.machine is not None) == (None, True, True)
    answer = folders.call("load", "--part=1/1")
    assert (answer.code, answer.results) == (0, {"fault": ""})
    values = {found.metric: found.value for found in folders.bundle.measurements()}
    assert (values["load_errors"], values["duration_error"]) == (0.0, 0.0)
    assert folders.bundle.run().steps[-1].note == "30 requests a second for 1 s"
    assert "starting python serve.py" in (folders.bundle.path / "logs" / "load-model.log").read_text(encoding="utf-8")
    assert drive.main(arguments(folders)) == 0
    assert load_part(folders.bundle, Shard(1, 1)) == part, "a second attempt puts nothing that was put"


@pytest.mark.slow
def test_the_released_model_is_put_under_the_candidates_load(folders: StepFolders, tmp_path: Path) -> None:
    write(folders)
    released = tmp_path / "released"
    for name, content in loaded_files(SHORT | {"rate": 1.0}, {}).items():
        path = released / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert drive.main(arguments(folders, f"--released={released}", part="1/2")) == 0
    part = load_part(folders.bundle, Shard(1, 2))
    assert part is not None
    assert (part.rate, part.seconds) == (30.0, 0.5)
    first = folders.call("load", "--part=1/2")
    assert first.code == 0
    assert [found.metric for found in folders.bundle.measurements()] == ["duration_error"], "half is no value yet"


def broken(part: str = "1/1") -> LoadPart:
    return LoadPart(part=part, rate=30.0, seconds=1.0, warmup_s=0.1, timeout_s=5.0, fault=FAULT)


def test_a_service_that_does_not_hold_is_a_result(folders: StepFolders) -> None:
    write(folders)
    write_load_part(folders.bundle, broken())
    answer = folders.call("load", "--part=1/1")
    assert (answer.code, answer.results["fault"]) == (0, FAULT)
    (errors,) = (found for found in folders.bundle.measurements() if found.metric == "load_errors")
    assert (errors.value, errors.error) == (None, FAULT)


def test_a_released_model_that_does_not_hold_is_the_worlds_fault(folders: StepFolders) -> None:
    write(folders)
    folders.bundle.update_run(folders.bundle.run().model_copy(update={"track": "rerun"}))
    write_load_part(folders.bundle, broken("1/2"))
    answer = folders.call("load", "--part=1/2")
    assert answer.code == 4
    assert f"the released model cannot be run again: under load: {FAULT}" in answer.error


def test_a_part_that_was_not_put(folders: StepFolders) -> None:
    write(folders)
    write_load_part(folders.bundle, broken("2/2"))
    answer = folders.call("load", "--part=2/2")
    assert (answer.code, "the load was not put" in answer.error) == (2, True)


def test_a_contract_without_a_load_has_nothing_to_put(folders: StepFolders) -> None:
    folders.write_repository()
    folders.cloned()
    assert drive.main(arguments(folders)) == 2
    answer = folders.call("load", "--part=1/1")
    assert (answer.code, answer.error) == (2, "penstock.yaml: the contract has no load. Write a section 'load'.")


def test_a_model_that_would_be_confined_less_than_demanded_is_not_started(folders: StepFolders) -> None:
    write(folders)
    demanded = Inference(unchanged=False, parts=["1/1"], demanded="namespaces")
    folders.bundle.update_run(folders.bundle.run().model_copy(update={"inference": demanded}))
    assert drive.main(arguments(folders, f"--model-dir={folders.source}")) == 2
    assert load_part(folders.bundle, Shard(1, 1)) is None
