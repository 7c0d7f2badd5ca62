"""Which backend computes how, and what is said where one is missing."""

from __future__ import annotations

import sys

import pytest

from penstock.extractors.backends import backend_for
from penstock.extractors.onnxruntime_backend import OnnxRuntime
from penstock.extractors.openvino_backend import OpenVino
from penstock.foundation.errors import UsageError


def test_each_arithmetic_has_its_backend() -> None:
    # how f32 and bf16 differ in OpenVINO, and the card: test_openvino_backend.py, test_cuda_backend.py
    assert type(backend_for("f32")) is OnnxRuntime
    assert type(backend_for("f32-openvino")) is OpenVino
    assert type(backend_for("bf16-openvino")) is OpenVino


def test_an_installation_without_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "penstock.extractors.openvino_backend", None)
    with pytest.raises(UsageError, match="OpenVINO cannot be imported") as caught:
        backend_for("bf16-openvino")
    assert "penstock[openvino]" in caught.value.todo
