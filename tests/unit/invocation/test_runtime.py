"""The driver's runtime comes into the cache whole, once, and starts the step infer and the service of browse."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.foundation.errors import WorldError
from penstock.invocation.runtime import PROGRAMS, provide_runtime


@pytest.fixture
def packed(tmp_path: Path) -> Path:
    """As in the image of the step plan."""
    folder = tmp_path / "packed"
    (folder / "bin").mkdir(parents=True)
    (folder / "lib").mkdir()
    (folder / "ID").write_text("penstock-0.1.0-ab12\n", encoding="utf-8")
    for program in PROGRAMS:
        (folder / program).write_text("#!/bin/sh\n", encoding="utf-8")
        (folder / program).chmod(0o555)
    (folder / "lib" / "libc.so.6").write_bytes(b"elf")
    (folder / "lib" / "libc.so").symlink_to("libc.so.6")
    return folder


def test_packed_runtime_is_copied_once(packed: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (cache / "runtime" / "penstock-0.1.0-ab12").mkdir(parents=True)  # as the kubelet makes a subPath that is not there
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: provide_runtime(cache, packed=packed), range(8))) == {"penstock-0.1.0-ab12"}
    folder = cache / "runtime" / "penstock-0.1.0-ab12"
    assert [path.name for path in (cache / "runtime").iterdir()] == [folder.name]
    assert (folder / "lib" / "libc.so").readlink() == Path("libc.so.6")
    assert all(os.access(folder / program, os.X_OK) for program in PROGRAMS)
    before = folder.stat().st_mtime_ns
    provide_runtime(cache, packed=packed)
    assert folder.stat().st_mtime_ns == before


def test_packed_runtime_that_is_broken(packed: Path, tmp_path: Path) -> None:
    (packed / "ID").write_text("../x", encoding="utf-8")
    with pytest.raises(WorldError, match="the driver's runtime is broken"):
        provide_runtime(tmp_path, packed=packed)


@pytest.mark.parametrize("program", PROGRAMS)
def test_packed_runtime_that_lacks_a_program(packed: Path, tmp_path: Path, program: Path) -> None:
    (packed / program).unlink()
    with pytest.raises(WorldError, match="the driver's runtime is broken"):
        provide_runtime(tmp_path, packed=packed)


@pytest.mark.slow
def test_without_an_image_it_starts_this_python(tmp_path: Path) -> None:
    cache = tmp_path / "ein cache"
    identity = provide_runtime(cache, packed=tmp_path / "nothing")
    assert identity.startswith("local-")
    for program, option in zip(PROGRAMS, ("--shard", "--runtime-id", "--slice", "--part"), strict=True):
        command = [cache / "runtime" / identity / program, "--help"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)
        assert option in done.stdout
    assert provide_runtime(cache, packed=tmp_path / "nothing") == identity
