"""Which folder of weights is mounted into a model's container, and where."""

from __future__ import annotations

import pytest
from tests.unit.contract.given import contract_with

from penstock.contract.mounted_weights import Mount, beside_the_image, mount_of, weights_folder


@pytest.mark.parametrize(
    ("paths", "folder"),
    [
        (["weights/model.onnx"], "weights"),
        (["data/weights/a/x", "data/weights/b/y"], "data/weights"),
        (["weights/a", "weights/b/c"], "weights"),
        (["model.onnx"], ""),
        (["a/x", "b/y"], ""),
        (["weights/a", "b"], ""),
        ([], ""),
    ],
)
def test_the_folder_is_the_deepest_that_holds_all(paths: list[str], folder: str) -> None:
    assert weights_folder(contract_with(*paths).weights) == folder


def test_it_is_mounted_below_the_images_working_directory() -> None:
    contract = contract_with("weights/model.onnx")
    assert mount_of(contract, "/model") == Mount("/model/weights", "weights")
    assert mount_of(contract, "/") == Mount("/weights", "weights")


def test_where_nothing_is_mounted_the_place_is_one_that_no_model_may_read() -> None:
    nothing = Mount("", "suite")
    assert mount_of(contract_with("weights/model.onnx"), None) == nothing
    assert mount_of(contract_with("model.onnx"), "/model") == nothing


def test_files_that_no_image_is_built_from() -> None:
    assert beside_the_image(contract_with("weights/a").weights) == {"weights/a"}
    assert beside_the_image(contract_with("weights/a", source="lfs-files/a").weights) == {"weights/a", "lfs-files/a"}
    assert beside_the_image(contract_with("weights/a", source="https://x.org/a").weights) == {"weights/a"}
    # an image that has to hold its weights is built from them
    assert beside_the_image(contract_with("model.onnx").weights) == set()
