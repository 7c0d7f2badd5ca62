"""``penstock weights sign`` and ``verify``."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.releases.signing_keys import key_pair

from penstock.cli.app import main
from penstock.cli.weights_sign import sign, verify


@pytest.fixture
def words(tmp_path: Path) -> tuple[list[str], list[str]]:
    """``sign`` and ``verify`` of a folder of weights."""
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "a.bin").write_bytes(b"a")
    private, public = key_pair(tmp_path)
    model, place = str(tmp_path / "weights"), str(tmp_path / "weights.sig")
    return (
        ["weights", "sign", model, "--key", str(private), "--signature", place],
        ["weights", "verify", model, "--key", str(public), "--signature", place],
    )


def test_signed_verified_and_changed(
    words: tuple[list[str], list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sign.__doc__
    assert verify.__doc__
    signing, verifying = words
    assert main(verifying) == 2
    assert main(signing) == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "weights.sig")
    assert main(verifying) == 0
    assert "1 file, signed with this key" in capsys.readouterr().out
    (tmp_path / "weights" / "b.bin").write_bytes(b"b")
    assert main(verifying) == 1
    assert "'b.bin' was not signed" in capsys.readouterr().err


def test_another_key_and_what_is_no_key(words: tuple[list[str], list[str]], tmp_path: Path) -> None:
    signing, verifying = words
    assert main(signing) == 0
    verifying[4] = str(key_pair(tmp_path / "other")[1])
    assert main(verifying) == 1
    signing[4] = str(tmp_path / "penstock.pub")
    assert main(signing) == 2
