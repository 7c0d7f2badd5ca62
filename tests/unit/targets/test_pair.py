"""The pair: image and weights by their digests."""

from __future__ import annotations

import json

import pytest
from tests.unit.targets.pairs import pair, release

from penstock.foundation.errors import UsageError
from penstock.targets.pair import pair_of


def test_the_pair_is_named_by_digests() -> None:
    found = pair()
    assert found.image == f"registry.example.org/sonic:x@sha256:{'1' * 64}"
    assert (found.says("image_digest"), found.says("weights")) == ((f"sha256:{'1' * 64}",), ("1" * 64,))
    assert found.says("version") == ("1.1.0",)
    assert pair(weights=False).says("weights") == ()
    assert json.loads(json.dumps(found.as_object()))["weights"] == [
        {"path": "w.onnx", "sha256": "1" * 64, "bytes": 3, "source": "https://hub.example.org/w.onnx"}
    ]


def test_without_an_image_there_is_nothing_to_bring() -> None:
    with pytest.raises(UsageError, match="released without an image"):
        pair_of(release(kind="process"), evidence="x")


@pytest.mark.parametrize(("told", "word"), [(None, ""), (True, "true"), (False, "false")])
def test_which_weights_it_computes_with(told: bool | None, word: str) -> None:
    found = pair_of(release().model_copy(update={"use_onnx": told}), evidence="x")
    assert found.values["use_onnx"] == word
    assert found.as_object()["use_onnx"] is told
