"""A model that does what it likes in its scratch directory: only what it wrote where it was asked to counts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.contract.models import Case, Contract
from penstock.invocation.driver import start

MakeCase = Callable[[str], tuple[Case, dict[str, Path]]]
HEAD = "import os, shutil, sys\norder, released, output = sys.argv[1], sys.argv[2], sys.argv[3]\n"
HEAD += "call = os.path.dirname(output)\nscratch = os.path.dirname(call)\n"
GOOD = "open(output, 'w').write('VIDEO')\n"

ATTACKS = {
    # The model of the report: it computed nothing, and its outputs were those of the released model.
    "folder-is-a-link": "shutil.rmtree(call); os.symlink(os.path.dirname(released), call)",
    "file-is-a-link": "os.symlink(released, output)",
    "another-folder": "os.rename(call, call + '-old'); os.mkdir(call); " + GOOD,
    "hard-link": "open(scratch + '/tmp/mine', 'w').write('x'); os.link(scratch + '/tmp/mine', output)",
    "folder-gone": "shutil.rmtree(call)",
    "folder-is-a-file": "shutil.rmtree(call); open(call, 'w').write('VIDEO')",
    "folder-is-a-loop": "shutil.rmtree(call); os.symlink('call', call)",
    "folder-is-a-pipe": "shutil.rmtree(call); os.mkfifo(call)",
}
LITTER = {
    "closed": "os.makedirs(call + '/a/b'); [os.chmod(p, 0) for p in (call + '/a/b', call + '/a', call)]",
    "no-home": "shutil.rmtree(scratch + '/home'); os.symlink('/nowhere', scratch + '/home')",
    "file-for-tmp": "shutil.rmtree(scratch + '/tmp'); open(scratch + '/tmp', 'w').write('x')",
    "closed-tmp": "os.chmod(scratch + '/tmp', 0); os.chmod(scratch, 0)",
    "deep": "os.chdir(call)\nfor _ in range(2000): os.mkdir('d'); os.chdir('d')",
    "socket": "import socket; os.chdir(call); socket.socket(socket.AF_UNIX).bind('s')",
}


@pytest.fixture
def contract(program_contract: Callable[..., Contract]) -> Contract:
    return program_contract()


def put(
    repository: Path, contract: Contract, tmp_path: Path, program: str, orders: list[tuple[Case, dict[str, Path]]]
) -> list[tuple[Any, bytes | None]]:
    """Every case's result, and the output that was kept of it."""
    (repository / "program.py").write_text(HEAD + program, encoding="utf-8")
    (tmp_path / "inputs").mkdir(exist_ok=True)
    done = []
    with start(contract, repository, tmp_path / "scratch", tmp_path / "log", readable=(tmp_path / "inputs",)) as model:
        for case, inputs in orders:
            output = tmp_path / "kept.mp4"
            output.unlink(missing_ok=True)
            result = model.call(case, inputs, output, 20.0)
            done.append((result, output.read_bytes() if output.exists() else None))
    assert not (tmp_path / "scratch").exists()
    return done


def released(tmp_path: Path, case: MakeCase) -> tuple[Case, dict[str, Path]]:
    """A case whose input stands for a released model's archived output; the model can read it."""
    folder = tmp_path / "inputs"
    folder.mkdir(exist_ok=True)
    (folder / "output.mp4").write_bytes(b"RELEASED")
    made, _ = case("ok")
    return made, {"image": folder / "output.mp4"}


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_no_other_file_is_handed_in(
    repository: Path, contract: Contract, tmp_path: Path, case: MakeCase, attack: str
) -> None:
    made = released(tmp_path, case)
    ((result, kept),) = put(repository, contract, tmp_path, ATTACKS[attack], [made])
    assert (result.status, result.exit_code, kept) == ("failed", 0, None)
    expected = {"file-is-a-link": "not a regular file", "hard-link": "it has another name"}
    assert expected.get(attack, "the model wrote no output") in str(result.error)
    assert made[1]["image"].read_bytes() == b"RELEASED"


@pytest.mark.parametrize("litter", sorted(LITTER))
def test_what_a_call_leaves_behind_is_no_burden_for_the_next(
    repository: Path, contract: Contract, tmp_path: Path, case: MakeCase, litter: str
) -> None:
    program = f"if order == 'bad':\n    {LITTER[litter].replace(chr(10), chr(10) + '    ')}\nelse:\n"
    program += "    open(os.environ['HOME'] + '/h', 'w'), open(os.environ['TMPDIR'] + '/t', 'w')\n    " + GOOD
    cases = [case(order) for order in ("bad", "ok", "bad", "ok")]
    done = put(repository, contract, tmp_path, program, cases)
    assert [result.status for result, _ in done] == ["failed", "ok", "failed", "ok"]
    assert [kept for _, kept in done] == [None, b"VIDEO", None, b"VIDEO"]


def test_an_output_that_its_owner_may_not_read_is_said(
    repository: Path, contract: Contract, tmp_path: Path, case: MakeCase
) -> None:
    ((result, kept),) = put(repository, contract, tmp_path, GOOD + "os.chmod(call, 0)", [case("ok")])
    assert (result.status, kept) == ("ok", b"VIDEO")  # the folder is opened up again: the file is the model's
