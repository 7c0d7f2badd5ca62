"""``penstock weights import`` where PyTorch is not installed, and its refusals before a checkpoint is loaded.

What it makes of a checkpoint is in ``tests/parity``: that needs PyTorch.
"""

import importlib.util
import sys

import pytest

from penstock.cli.weights_import import Kind, import_weights
from penstock.foundation.errors import UsageError


def test_without_pytorch_it_says_what_to_install(tmp_path, monkeypatch):
    if importlib.util.find_spec("torch") is not None:
        monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "some.model").write_bytes(b"weights")
    with pytest.raises(UsageError, match="needs PyTorch") as caught:
        import_weights(Kind.SYNCNET, tmp_path / "some.model", tmp_path / "out.onnx")
    assert "penstock[import]" in caught.value.todo
    assert not (tmp_path / "out.onnx").exists()


def test_files_that_are_none(tmp_path):
    out = tmp_path / "out.onnx"
    with pytest.raises(UsageError, match="the file is missing"):
        import_weights(Kind.SYNCNET, tmp_path / "gone.model", out)
    (tmp_path / "empty.model").touch()
    with pytest.raises(UsageError, match="has 0 bytes"):
        import_weights(Kind.INCEPTION, tmp_path / "empty.model", out)
    with pytest.raises(UsageError, match="is a directory"):
        import_weights(Kind.SYNCNET, tmp_path / "empty.model", tmp_path)
    with pytest.raises(UsageError, match="names the checkpoint itself"):
        import_weights(Kind.SYNCNET, tmp_path / "empty.model", tmp_path / "empty.model")
    assert not out.exists()
