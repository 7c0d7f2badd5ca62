"""A workspace that is bound to a secret that is not there is a workspace that is not bound."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.steps.entrypoint import parse_arguments, workspace


@dataclass(frozen=True)
class Arguments:
    """One workspace that may be missing, one that may not."""

    needed: Path = workspace("what is needed")
    secret: Path | None = workspace("a secret", optional=True)


def secret(tmp_path: Path, *names: str) -> Path | None:
    """The argument, for a mount with these names in it."""
    mount = tmp_path / "mount"
    mount.mkdir()
    for name in names:
        (mount / name).touch()
    found, _ = parse_arguments("x", Arguments, [f"--needed={tmp_path}", f"--secret={mount}"])
    return found.secret


@pytest.mark.parametrize("names", [(), ("..data", "..2026_03_02_15_00_00.1234")])
def test_a_mount_that_holds_nothing(tmp_path: Path, names: tuple[str, ...]) -> None:
    """Kubernetes mounts an optional secret that does not exist as a directory with at most names of its own."""
    assert secret(tmp_path, *names) is None


def test_a_mount_that_holds_a_key(tmp_path: Path) -> None:
    """Also a wrong one: the step says what it wants to find in it."""
    assert secret(tmp_path, "..data", "token") == tmp_path / "mount"


def test_a_mount_that_is_not_there_is_for_the_step_to_say(tmp_path: Path) -> None:
    found, _ = parse_arguments("x", Arguments, [f"--needed={tmp_path}", "--secret=/nowhere"])
    assert found.secret == Path("/nowhere")
