"""NVIDIA's cards. No machine of ours has one: the driver's answers are put in the place of its library's functions."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest

from penstock.bundle.machine import this_machine
from penstock.foundation import nvidia

MIB = 1 << 20


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """What was found on this machine is not kept, neither before nor after."""
    nvidia.cards.cache_clear()
    yield
    nvidia.cards.cache_clear()


@pytest.fixture
def two_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    def process(pid: int, mib: int | None) -> SimpleNamespace:
        return SimpleNamespace(pid=pid, usedGpuMemory=None if mib is None else mib * MIB)

    running = {"a": [process(11, 100), process(12, 50), process(13, None)], "b": [process(11, 25)]}
    used = {"a": 300, "b": 200}
    answers = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: "ab"[index],
        "nvmlDeviceGetName": lambda _: "NVIDIA H200",
        "nvmlSystemGetDriverVersion": lambda: "550.54.15",
        "nvmlDeviceGetComputeRunningProcesses": lambda card: running[card],
        "nvmlDeviceGetMemoryInfo": lambda card: SimpleNamespace(used=used[card] * MIB),
    }
    for name, answer in answers.items():
        monkeypatch.setattr(pynvml, name, answer)


def refused(number: int) -> object:
    def refuse(*_: object) -> None:
        raise pynvml.NVMLError(number)

    return refuse


@pytest.mark.usefixtures("two_cards")
def test_memory_is_the_sum_over_the_cards() -> None:
    assert nvidia.gpu_mib_of({11, 13}) == 125.0
    assert nvidia.gpu_mib_of({13}) is None
    assert nvidia.gpu_mib_of({99}) is None
    assert nvidia.gpu_used_mib() == 500.0


@pytest.mark.usefixtures("two_cards")
def test_the_record_of_a_machine_has_its_first_card() -> None:
    assert this_machine().gpu == "NVIDIA H200, 550.54.15"


@pytest.mark.usefixtures("two_cards")
def test_a_card_that_does_not_say_it_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pynvml, "nvmlDeviceGetMemoryInfo", refused(pynvml.NVML_ERROR_NO_PERMISSION))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", refused(pynvml.NVML_ERROR_GPU_IS_LOST))
    assert nvidia.gpu_used_mib() is None
    assert nvidia.gpu_mib_of({11}) is None


def test_no_driver_is_no_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pynvml, "nvmlInit", refused(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND))
    monkeypatch.setattr(nvidia, "DEVICE", tmp_path / "nvidiactl")
    assert nvidia.cards() == ()
    assert nvidia.first_card() == ""
    assert nvidia.gpu_used_mib() is None
    assert nvidia.gpu_mib_of({11}) is None
    assert not caplog.records


def test_a_driver_that_cannot_be_asked_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pynvml, "nvmlInit", refused(pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH))
    monkeypatch.setattr(nvidia, "DEVICE", tmp_path)
    with caplog.at_level(logging.WARNING):
        assert nvidia.gpu_used_mib() is None
        assert nvidia.gpu_used_mib() is None
    (record,) = caplog.records
    assert "NVIDIA's driver cannot be asked, so no GPU memory is measured" in record.getMessage()
