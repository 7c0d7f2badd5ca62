"""The table: what the documentation and the wheels on PyPI say, written out once more."""

from __future__ import annotations

import pytest

from penstock.environment import cuda_table
from penstock.environment.cuda_table import built_for, oldest_driver


@pytest.mark.parametrize(("cuda", "driver"), [(13, 580), (12, 525), (11, 450), (14, None), (9, None)])
def test_the_oldest_driver_of_each_cuda(cuda: int, driver: int | None) -> None:
    assert oldest_driver(cuda) == driver


@pytest.mark.parametrize(
    ("name", "version", "needs"),
    [
        # read in the METADATA of the wheels on PyPI, and in ONNX Runtime's table of requirements
        ("onnxruntime-gpu", (1, 31, 1), (13, 9)),
        ("onnxruntime-gpu", (1, 27, 0), (13, 9)),
        ("onnxruntime-gpu", (1, 26, 0), (12, 9)),
        ("onnxruntime-gpu", (1, 19, 0), (12, 9)),
        ("onnxruntime-gpu", (1, 18, 1), (11, 8)),
        ("torch", (2, 12, 0), (13, 9)),
        ("torch", (2, 11), (13, 9)),
        ("torch", (2, 10, 0), (12, 9)),
        ("torch", (2, 3, 0), (12, 8)),
        ("torch", (2, 0, 1), (11, 8)),
    ],
)
def test_what_a_wheel_was_built_for(name: str, version: tuple[int, ...], needs: tuple[int, int]) -> None:
    line = built_for(name, version)
    assert line is not None
    assert (line.cuda, line.cudnn) == needs


def test_what_the_table_does_not_know() -> None:
    assert built_for("torch", (1, 9)) is None
    assert built_for("numpy", (2, 0)) is None


def test_it_names_its_sources_and_stands_in_order() -> None:
    assert cuda_table.__doc__ is not None
    assert cuda_table.__doc__.count("https://") >= 6
    for lines in cuda_table.BY_NAME.values():
        assert [line.since for line in lines] == sorted((line.since for line in lines), reverse=True)
        assert all(oldest_driver(line.cuda) for line in lines)
