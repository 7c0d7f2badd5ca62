"""Memory of a model's processes."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from penstock.invocation import memory


def test_gpu_memory_is_read_from_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text(
        '#!/bin/sh\ncase "$1" in -L) echo "GPU 0: Test";; --query-gpu*) printf "300\\n200\\n";; '
        '*) printf "11, 100\\n12, 50\\n11, 25\\n13, [N/A]\\n";; esac\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    memory.has_gpu.cache_clear()
    try:
        assert memory.gpu_mib_of({11, 13}) == 125.0
        assert memory.gpu_mib_of({99}) is None
        assert memory.gpu_used_mib() == 500.0
        with memory.MemoryWatch(os.getpid(), gpu_before_mib=180.0) as watch:
            time.sleep(0.1)
        assert watch.gpu_mib == 320.0
        program.write_text("#!/bin/sh\nexit 9\n", encoding="utf-8")
        memory.has_gpu.cache_clear()
        assert memory.gpu_used_mib() is None
    finally:
        memory.has_gpu.cache_clear()
