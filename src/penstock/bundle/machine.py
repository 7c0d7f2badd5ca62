"""The machine that a run ran on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from penstock.bundle.models import Machine
from penstock.foundation.nvidia import first_card

PACKAGES = ("numpy", "opencv-python-headless", "av", "onnxruntime", "onnxruntime-gpu", "openvino")
"""Packages whose versions can move a number."""


def this_machine() -> Machine:
    """Describe this machine: system, processor, memory, card, and the versions that can move a number."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return Machine(
        system=f"{platform.system()} {platform.release()}",
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        gpu=first_card(),
        python=platform.python_version(),
        versions=versions,
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
