"""What an input must be, which backend computes how, and what is said where one is missing."""

from __future__ import annotations

from typing import Any

import pytest

from penstock.extractors.backend import ADVICE_WEIGHTS, Tensor, load_failed, one_line, size

FLOAT, BYTES = "tensor(float)", "tensor(uint8)"
WANTED = Tensor(BYTES, ("any", 224, 3))


@pytest.mark.parametrize(
    "found", [Tensor(BYTES, ("open", 224, 3)), Tensor(BYTES, (5, 224, 3)), Tensor(BYTES, ("open", "open", "open"))]
)
def test_open_sizes_fit_whatever_is_wanted(found: Tensor) -> None:
    assert WANTED.accepts(found)


@pytest.mark.parametrize(
    "found",
    [
        Tensor(FLOAT, ("open", 224, 3)),
        Tensor(BYTES, ("open", 112, 3)),
        Tensor(BYTES, ("open", 224)),
        Tensor(BYTES, ("open", 224, 3, 1)),
        Tensor(BYTES, ()),
    ],
)
def test_another_type_size_or_rank_does_not_fit(found: Tensor) -> None:
    assert not WANTED.accepts(found)


def test_what_must_be_open_is_not_fixed() -> None:
    assert not Tensor(FLOAT, ("open", 1)).accepts(Tensor(FLOAT, (5, 1)))


def test_a_tensor_in_words() -> None:
    assert str(WANTED) == "tensor(uint8) (any, 224, 3)"


@pytest.mark.parametrize(("declared", "read"), [(7, 7), ("n", "open"), (None, "open"), ("", "open")])
def test_sizes_that_a_file_declares(declared: object, read: int | str) -> None:
    assert size(declared) == read


def test_a_librarys_message_is_one_short_line() -> None:
    assert one_line(ValueError("  shape\n\tis   wrong ")) == "shape is wrong"
    assert one_line(ValueError("x" * 301)) == "x" * 300
    refused: Any = load_failed("Some library", ValueError("a\nb"), "x.onnx")
    assert "Some library cannot load this file: a b" in str(refused)
    assert (refused.where, refused.todo) == ("x.onnx", ADVICE_WEIGHTS)
