"""The process that compares answers reads them and what it runs on, writes to its folder, and reaches nothing."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from tests.unit.evaluation.probed_services import ANSWER

from penstock.evaluation.comparison_order import COMPARED, ComparisonOrder
from penstock.evaluation.confined_comparison import _ONE_THREAD, BOOT
from penstock.invocation.helper_process import last_said, readable_code, run_helper
from penstock.invocation.landlock import landlock_abi


def order(folder: Path, compare: str, **given: object) -> bytes:
    one = folder / "one.json"
    one.write_text(json.dumps(ANSWER))
    (folder / "out").mkdir()
    whole = ComparisonOrder(
        compare=compare,
        limits={},
        one={"": one},
        other={"": one},
        given=given,
        folder=folder / "out",
        readable=readable_code(),
    )
    return whole.model_dump_json().encode()


@pytest.mark.slow
@pytest.mark.parametrize("compare", ["penstock.families.recognition.agreement:compare", "builtins:bytearray"])
def test_it_has_no_more(tmp_path: Path, compare: str) -> None:
    """200 MiB are enough to compare two texts. What asks for more gets an error, and is not killed."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]; from penstock.evaluation import comparing_process as own\n"
        "import penstock.evaluation.answers_apart as apart\n"
        "apart.load = lambda named: (lambda *_: bytearray(1 << 28)) if 'bytearray' in named else FOUND(named)\n"
        "import penstock.invocation.helper_confinement as walls\n"
        "walls.max_data = lambda _: 200 << 20; own.main()"
    ).replace("FOUND", "__import__('penstock.foundation.references', fromlist=['load']).load")
    assert not run_helper(program, order(tmp_path, compare), tmp_path / "out", 60.0, variables=_ONE_THREAD)
    left = json.loads((tmp_path / "out" / COMPARED).read_text())
    assert (left["fault"] or "") == ("the answers cannot be compared: MemoryError:" if "bytearray" in compare else "")


@pytest.mark.slow
def test_it_leaves_what_it_found(tmp_path: Path) -> None:
    content = order(tmp_path, "penstock.families.recognition.agreement:compare")
    assert not run_helper(BOOT, content, tmp_path / "out", 60.0)
    left = json.loads((tmp_path / "out" / COMPARED).read_text())
    assert left == {"values": {}, "fault": None}


@pytest.mark.slow
@pytest.mark.skipif(landlock_abi() < 4, reason="this kernel's Landlock knows no ports")
def test_it_reaches_no_service(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        program = (
            "import json, socket, sys; sys.path[:0] = sys.argv[1:]; from penstock.evaluation import comparing_process\n"
            "import penstock.evaluation.answers_apart as apart\n"
            f"apart.answers_apart = lambda *_: socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))\n"
            "comparing_process.main()"
        )
        run_helper(program, order(tmp_path, "x:y"), tmp_path / "out", 60.0)
    assert "PermissionError" in last_said(tmp_path / "out")
