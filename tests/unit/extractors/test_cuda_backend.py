"""What a card is asked for; that it computes the same is tested where there is one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import onnxruntime
import pytest

from penstock.extractors.backends import backend_for
from penstock.extractors.cuda_backend import PROVIDER, Cuda
from penstock.foundation.errors import WorldError

ROOT = Path(__file__).parents[3]


def fake(monkeypatch: pytest.MonkeyPatch, *found: str) -> list[object]:
    """ONNX Runtime's GPU build, whose sessions come up on the providers ``found``."""
    asked: list[object] = []

    def session(data: bytes, options: object, providers: object) -> SimpleNamespace:
        asked.append(providers)
        return SimpleNamespace(get_inputs=list, get_outputs=list, get_providers=lambda: list(found))

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [PROVIDER, "CPUExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", session)
    return asked


def test_float32_on_a_card_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = fake(monkeypatch, PROVIDER, "CPUExecutionProvider")
    assert isinstance(backend_for("f32-cuda"), Cuda)
    Cuda().load(b"", where="x.onnx", threads=1)
    ((first, settings), second), *_ = asked
    assert (first, second) == (PROVIDER, ("CPUExecutionProvider", {}))
    assert settings["use_tf32"] == "0"


def test_a_card_that_is_not_there_is_not_replaced_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    fake(monkeypatch, "CPUExecutionProvider")
    with pytest.raises(WorldError, match=PROVIDER):
        Cuda().load(b"", where="x.onnx", threads=1)


def test_its_image_has_the_gpu_build_alone_by_hash() -> None:
    text = (ROOT / "images" / "measure-cuda.Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    assert "--require-hashes --only-binary :all:" in text
    assert text.rstrip().endswith('ENTRYPOINT ["penstock-measure"]')
    pinned = (ROOT / "requirements" / "cuda.txt").read_text(encoding="utf-8")
    assert "onnxruntime-gpu==" in pinned
    assert "\nonnxruntime==" not in pinned
    version = pinned.partition("onnxruntime-gpu==")[2].split()[0]
    assert f"\nonnxruntime=={version} " in (ROOT / "requirements" / "base.txt").read_text(encoding="utf-8")
    assert "://" not in pinned
