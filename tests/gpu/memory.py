"""The memory that a process tree of a known size holds on the card, by Penstock and by nvidia-smi."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.gpu.checks import Check, limit

from penstock.foundation.nvidia import first_card, gpu_mib_of, gpu_used_mib
from penstock.invocation.launch import watched_descendants
from penstock.invocation.memory import MemoryWatch

HELD_MIB = 500
CONTEXT_MIB = 1500
"""CUDA's own and PyTorch's kernels: more than this is not explained."""
CLOSE_MIB = 2.0
HOLDER = f"""
import sys, torch
held = torch.ones({HELD_MIB} << 20, dtype=torch.uint8, device="cuda")
torch.cuda.synchronize()
print(torch.cuda.memory_reserved() >> 20, flush=True)
sys.stdin.read()
"""


def check(folder: Path, python: str) -> Iterator[Check]:
    """``python``: an interpreter that has PyTorch for this card."""
    name, driver, total = smi("gpu", "name,driver_version,memory.total")[0]
    wanted = f"{name}, {driver}"
    yield Check("card and driver", first_card(), wanted, first_card() == wanted)
    yield Check("the card's memory", f"{total} MiB")
    before, smi_before = gpu_used_mib(), used()
    yield limit("in use before: Penstock − nvidia-smi", abs((before or 0) - smi_before), CLOSE_MIB, " MiB")
    # two processes below the one that is watched, as of a service that is started by a shell; and one without a card
    (folder / "holder.py").write_text(HOLDER, encoding="utf-8")
    inner = '"$0" "$1"; true'
    words = ["sh", "-c", f'sh -c \'{inner}\' "$0" "$1"; true', python, str(folder / "holder.py")]
    with (
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as tree,
        subprocess.Popen(["sleep", "600"]) as other,
    ):
        try:
            assert tree.stdout is not None
            reserved = float(tree.stdout.readline() or "nan")
            yield Check("PyTorch's own account", f"{reserved:.0f} MiB", f"{HELD_MIB} MiB", reserved == HELD_MIB)
            yield from _held(tree.pid, other.pid, before)
        finally:
            other.kill()
            if tree.stdin is not None:
                tree.stdin.close()


def _held(tree: int, other: int, before: float | None) -> Iterator[Check]:
    pids = set(watched_descendants(tree))
    listed = [float(mib) for pid, mib in smi("compute-apps", "pid,used_memory") if int(pid) in pids]
    yield Check(
        "processes of the tree, of them on the card", f"{len(pids)}, {len(listed)}", "1 on it", len(listed) == 1
    )
    with MemoryWatch(tree, gpu_before_mib=before) as watch:
        time.sleep(1.2)
    found = watch.gpu_mib or 0.0
    yield limit("held by the tree: Penstock − nvidia-smi", abs(found - sum(listed)), CLOSE_MIB, " MiB")
    fits = HELD_MIB <= found <= HELD_MIB + CONTEXT_MIB
    yield Check(f"held by the tree, of it {HELD_MIB} MiB known", f"{found:.0f} MiB", "the rest: context, kernels", fits)
    grown = (gpu_used_mib() or 0) - (before or 0)
    yield limit("the card's growth: Penstock − nvidia-smi's of the process", abs(grown - sum(listed)), 64, " MiB")
    with MemoryWatch(other, gpu_before_mib=before) as watch:
        time.sleep(1.2)
    yield limit(
        "a tree that the driver does not list: its growth − the card's",
        abs((watch.gpu_mib or 0) - grown),
        CLOSE_MIB,
        " MiB",
    )
    asked = time.perf_counter()
    for _ in range(20):
        gpu_mib_of(pids)
    yield Check("asking the driver once", f"{1000 * (time.perf_counter() - asked) / 20:.2f} ms")


def used() -> float:
    """MiB in use on all cards, as nvidia-smi has it, with what the driver keeps for itself."""
    return sum(float(cell) for row in smi("gpu", "memory.used,memory.reserved") for cell in row)


def smi(of: str, fields: str) -> list[list[str]]:
    """Rows of ``nvidia-smi --query-OF=FIELDS``."""
    words = ["nvidia-smi", f"--query-{of}={fields}", "--format=csv,noheader,nounits"]
    text = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    return [[cell.strip() for cell in line.split(",")] for line in text.splitlines() if line.strip()]
