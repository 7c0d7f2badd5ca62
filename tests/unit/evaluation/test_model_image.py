"""The image in which a step and its model run is the one that was built, and confines the model as the policy asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.contract.conftest import CONTRACT

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Inference, Isolation, WeightsFile
from penstock.bundle.steps import begin
from penstock.evaluation.model_image import hold_level, image_files
from penstock.foundation.errors import UsageError, WorldError

BUILT = Image(kind="image", url="registry/m", digest="sha256:1")
PROCESS = Image(kind="process", digest="sha256:2")
MOUNTED = (Path("/workspace/source"), None)


def test_where_steps_run_in_no_image_there_is_none(tmp_path: Path) -> None:
    assert image_files(BUILT, "registry/m@sha256:1", None, Path("/code"), MOUNTED, bundle=Bundle(tmp_path)) is None


def test_a_built_image_has_its_own_directory_and_one_that_stands_in_the_clones(tmp_path: Path) -> None:
    own = image_files(BUILT, "registry/m@sha256:1", tmp_path, Path("/code"), MOUNTED, bundle=Bundle(tmp_path))
    assert own is not None
    assert (own.directory, own.volumes) == (tmp_path.resolve(), (Path("/workspace/source"),))
    for built in (PROCESS, None):
        clone = image_files(built, "penstock.local/infer", tmp_path, Path("/code"), MOUNTED, bundle=Bundle(tmp_path))
        assert clone is not None
        assert clone.directory == Path("/code")


def test_another_image_than_was_built_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="registry/m@sha256:1 was built"):
        image_files(BUILT, "registry/m@sha256:9", tmp_path, Path("/code"), MOUNTED, bundle=Bundle(tmp_path))


def test_weights_that_are_not_mounted_beside_the_image_are_missed(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "penstock.yaml").write_text(CONTRACT.format(sha256="0" * 64), encoding="utf-8")
    bundle = Bundle(tmp_path / "bundle")
    begin(bundle, run_id="r", track="release")
    record = WeightsFile(path="weights/model.onnx", sha256="0" * 64, bytes=5)
    bundle.update_run(bundle.run().model_copy(update={"weights": [record]}))
    image = tmp_path / "image"
    built = BUILT.model_copy(update={"key": "sha256:3"})
    with pytest.raises(WorldError, match="the weights are not in the model's container"):
        image_files(built, "registry/m@sha256:1", image, code, MOUNTED, bundle=bundle)
    (image / "weights").mkdir(parents=True)
    (image / record.path).write_bytes(b"12345")
    assert image_files(built, "registry/m@sha256:1", image, code, MOUNTED, bundle=bundle) is not None


def test_a_model_that_is_confined_less_than_the_policy_demands_is_not_started(tmp_path: Path) -> None:
    bundle = Bundle(tmp_path)
    begin(bundle, run_id="r", track="release")
    hold_level(Isolation(level="none"), bundle)
    demanded = Inference(unchanged=False, parts=["1/1"], demanded="landlock")
    bundle.update_run(bundle.run().model_copy(update={"inference": demanded}))
    hold_level(Isolation(level="namespaces"), bundle)
    with pytest.raises(UsageError, match="demands that the model is confined by 'landlock'"):
        hold_level(Isolation(level="none"), bundle)
