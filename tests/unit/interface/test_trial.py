"""The process that tries a service gives up files and ports before it looks at anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.interface import trial
from penstock.interface.confined_trial import BOOT
from penstock.interface.trial_order import TrialOrder
from penstock.invocation.helper_process import last_said, readable_code, run_helper
from penstock.invocation.landlock import landlock_abi

LOOKS = """
import penstock.interface.trial as trial, sys, types
def attempt(order):
    import resource, socket
    for path in (SECRET, GIVEN):
        try: print("READ", open(path).read())
        except OSError as error: print("REFUSED", type(error).__name__)
    try: socket.create_connection(("127.0.0.1", PORT), 2); print("CONNECTED")
    except OSError as error: print(type(error).__name__)
    print(resource.getrlimit(resource.RLIMIT_AS)[0])
sys.modules["penstock.interface.attempt"] = types.SimpleNamespace(attempt=attempt)
sys.exit(trial.main())
"""


def order(folder: Path, **more: Any) -> TrialOrder:
    given: dict[str, Any] = {"document": {}, "port": 1, "ready": "/", "examples": 1, "seconds": 5.0, "seed": 1}
    given |= {"timeout_s": 1.0, "inputs": [], "answers": [], "readable": readable_code()}
    return TrialOrder(folder=folder, **given, **more) if not more else TrialOrder(folder=folder, **{**given, **more})


@pytest.mark.slow
@pytest.mark.skipif(landlock_abi() < 4, reason="this kernel cannot confine a process to a port")
def test_it_reads_what_it_is_given_and_reaches_the_service_alone(tmp_path: Path) -> None:
    secret, given, folder = tmp_path / "secret", tmp_path / "given", tmp_path / "folder"
    secret.write_text("hunter2")
    given.write_text("a picture")
    folder.mkdir()
    program = LOOKS.replace("SECRET", repr(str(secret))).replace("GIVEN", repr(str(given))).replace("PORT", "9")
    program = "import sys; sys.path[:0] = sys.argv[1:]\n" + program
    run_helper(program, order(folder, inputs=[given]).model_dump_json().encode(), folder, 30.0)
    said = (folder / "said").read_text().splitlines()
    assert said == ["REFUSED PermissionError", "READ a picture", "PermissionError", str(trial.MAX_MEMORY)]


@pytest.mark.slow
def test_an_order_that_is_none_is_refused(tmp_path: Path) -> None:
    run_helper(BOOT, b"{}", tmp_path, 30.0)
    assert "pydantic" in last_said(tmp_path)
    assert not (tmp_path / "trial.json").exists()
