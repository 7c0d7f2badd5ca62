"""Importing a checkpoint where PyTorch is not installed, and what is refused before one is loaded.

What it makes of a checkpoint is in ``tests/parity``: that needs PyTorch.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from penstock.extractors import checkpoint_import, inception_onnx, syncnet_onnx
from penstock.extractors.checkpoint import Checkpoint
from penstock.extractors.checkpoint_import import CHECKPOINT_KINDS, import_checkpoint
from penstock.foundation.errors import UsageError
from penstock.foundation.references import load


def test_without_pytorch_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("torch") is not None:
        monkeypatch.setitem(sys.modules, "torch", None)
    (tmp_path / "some.model").write_bytes(b"weights")
    with pytest.raises(UsageError, match="needs PyTorch") as caught:
        import_checkpoint("syncnet", tmp_path / "some.model", tmp_path / "out.onnx")
    assert "penstock[import]" in caught.value.todo
    assert not (tmp_path / "out.onnx").exists()


def test_files_that_are_none(tmp_path: Path) -> None:
    out = tmp_path / "out.onnx"
    with pytest.raises(UsageError, match="the file is missing"):
        import_checkpoint("syncnet", tmp_path / "gone.model", out)
    (tmp_path / "empty.model").touch()
    with pytest.raises(UsageError, match="has 0 bytes"):
        import_checkpoint("inception", tmp_path / "empty.model", out)
    with pytest.raises(UsageError, match="is a directory"):
        import_checkpoint("syncnet", tmp_path / "empty.model", tmp_path)
    with pytest.raises(UsageError, match="names the checkpoint itself"):
        import_checkpoint("syncnet", tmp_path / "empty.model", tmp_path / "empty.model")
    assert not out.exists()


def test_every_kind_refuses_a_checkpoint_of_another_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table names functions that exist, and each checks what it is given before anything is written."""
    strange = Checkpoint({"layer.weight": np.zeros((2, 2), np.float32)}, "5" * 64, 100)
    monkeypatch.setattr(checkpoint_import, "read_checkpoint", lambda _: strange)
    for kind in CHECKPOINT_KINDS:
        with pytest.raises(UsageError):
            import_checkpoint(kind, tmp_path / "a.model", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()
    builders = [load(kind.builder) for kind in CHECKPOINT_KINDS.values()]
    assert builders == [syncnet_onnx.from_checkpoint, inception_onnx.from_checkpoint]
