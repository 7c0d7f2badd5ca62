"""What a process gives up, it and its children never get back."""

from __future__ import annotations

import subprocess
import sys

from penstock.invocation.privileges import load_filter

SCRIPT = """
import os
from penstock.invocation.privileges import drop_capabilities, prctl
drop_capabilities()
print(prctl(38, 1))
status = open("/proc/self/status").read()
print([line.split()[1] for line in status.splitlines() if line.startswith(("CapEff", "CapPrm", "NoNewPrivs"))])
"""


def test_capabilities_are_gone_for_good() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["0", "['0000000000000000', '0000000000000000', '1']"]


def test_no_filter_is_no_handle() -> None:
    assert load_filter(b"", listen=True) is None
