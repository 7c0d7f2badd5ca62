"""NVIDIA's cards, through the driver's own library (NVML): their name, and the memory that is in use on them."""

from __future__ import annotations

import functools
import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
DEVICE = Path("/dev/nvidiactl")
"""There where the driver is loaded."""
MIB = 1 << 20


@functools.cache
def cards() -> tuple[Any, ...]:
    """The handle of each card; none where there is no driver.

    A driver that is there and cannot be asked (its library is missing, or is of another version) is told in the log,
    once, and counts as none. The library stays open: opening it again for each question would wake the cards each time.
    """
    import pynvml

    try:
        pynvml.nvmlInit()
        return tuple(pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(pynvml.nvmlDeviceGetCount()))
    except pynvml.NVMLError as error:
        if DEVICE.exists():
            log.warning("NVIDIA's driver cannot be asked, so no GPU memory is measured: %s", error)
        return ()


def first_card() -> str:
    """Name and driver of the first card, ``NVIDIA H200, 550.54.15``; empty if there is none."""
    if not cards():
        return ""
    import pynvml

    try:
        return f"{pynvml.nvmlDeviceGetName(cards()[0])}, {pynvml.nvmlSystemGetDriverVersion()}"
    except pynvml.NVMLError:
        return ""


def gpu_mib_of(pids: Collection[int]) -> float | None:
    """GPU memory that these processes hold now, in MiB over all cards; ``None`` if they hold none that is known."""
    import pynvml

    found: list[int] = []
    for card in cards():
        try:
            running = pynvml.nvmlDeviceGetComputeRunningProcesses(card)
        except pynvml.NVMLError:
            continue
        found += [one.usedGpuMemory for one in running if one.pid in pids and one.usedGpuMemory is not None]
    return sum(found) / MIB if found else None


def gpu_used_mib() -> float | None:
    """GPU memory in use now by anyone, in MiB over all cards; ``None`` without a card that says it."""
    import pynvml

    found: list[int] = []
    for card in cards():
        try:
            found.append(pynvml.nvmlDeviceGetMemoryInfo(card).used)
        except pynvml.NVMLError:
            continue
    return sum(found) / MIB if found else None
