"""Binaries by digest: what makes another one, when a build counts as there, and which Go is refused."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster import binaries
from tests.cluster.binaries import Group, Module

from penstock.foundation.errors import PenstockError


@dataclasses.dataclass(frozen=True)
class ModuleElsewhere(Module):
    """A module in a folder of the test."""

    place: Path = Path()

    @property
    def folder(self) -> Path:
        return self.place


@pytest.fixture
def module(tmp_path: Path) -> ModuleElsewhere:
    (tmp_path / "go.mod").write_text("module m\n\ngo 1.22\n")
    (tmp_path / "go.sum").write_text("")
    return ModuleElsewhere("m", (Group("-s", {"tool": "example.org/tool"}),), place=tmp_path)


@pytest.fixture
def go_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that is all of PATH, for a Go of the test's own or none."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    binaries.go_version.cache_clear()
    yield folder
    binaries.go_version.cache_clear()


def go_that(folder: Path, does: str) -> None:
    """A Go that cannot be had here: too old a one, or one whose build fails."""
    (folder / "go").write_text(f"#!/bin/sh\n{does}\n")
    (folder / "go").chmod(0o755)


@pytest.mark.parametrize("file", ["go.mod", "go.sum"])
def test_a_changed_pin_makes_another_digest(module: ModuleElsewhere, file: str) -> None:
    before = binaries.digest(module, "go1.26.8")
    (module.folder / file).write_text("another")
    assert binaries.digest(module, "go1.26.8") != before


def test_flags_and_the_go_release_make_another_digest(module: ModuleElsewhere) -> None:
    other_flags = dataclasses.replace(module, groups=(Group("-s -w", {"tool": "example.org/tool"}),))
    digests = {
        binaries.digest(module, "go1.26.8"),
        binaries.digest(module, "go1.26.9"),
        binaries.digest(other_flags, "go1.26.8"),
    }
    digests.add(binaries.digest(dataclasses.replace(module, cuts={"example.org/big/list.go": ("x",)}), "go1.26.8"))
    assert len(digests) == 4
    assert binaries.digest(module, "go1.26.8") in digests


def test_a_build_that_was_broken_off_does_not_count_as_there(tmp_path: Path) -> None:
    assert [module.name for module in binaries.missing(tmp_path)] == [module.name for module in binaries.MODULES]
    first, *others = binaries.MODULES
    broken_off = binaries.folder(tmp_path, first).parent / f".{first.name}-abc" / "bin"
    broken_off.mkdir(parents=True)
    for module in others:
        binaries.folder(tmp_path, module).mkdir(parents=True)
    assert binaries.missing(tmp_path) == [first]


def test_a_failed_build_leaves_nothing_and_says_what_go_said(
    tmp_path: Path, module: ModuleElsewhere, go_on_path: Path
) -> None:
    go_that(go_on_path, "echo example.org/tool: no such module >&2; exit 1")
    with pytest.raises(PenstockError) as raised:
        binaries._build(tmp_path, module)
    assert str(raised.value).startswith(f"{module.folder}: go build failed (status 1):\n  | example.org/tool: no such")
    assert list((tmp_path / "cluster" / "bin").iterdir()) == []


def test_tags_and_data_make_another_digest_and_cgo(tmp_path: Path, module: ModuleElsewhere, go_on_path: Path) -> None:
    tagged = dataclasses.replace(module, groups=(Group("-s", {"tool": "example.org/tool"}, tags="sqlite"),))
    whole = dataclasses.replace(tagged, data={"example.org/tool": ("templates",)})
    assert len({binaries.digest(one, "go1.26.8") for one in (module, tagged, whole)}) == 3
    upstream = tmp_path / "upstream"
    (upstream / "templates").mkdir(parents=True)
    (upstream / "templates" / "page").write_text("<p>")
    said = tmp_path / "said"
    build = f'echo "$CGO_ENABLED $*" >>{said}; while [ "$1" != -o ]; do shift; done; : >"$2/tool"'
    go_that(go_on_path, f'case "$1" in env) echo go1.26.8;; list) echo {upstream};; build) {build};; esac')
    for one in (module, whole):
        binaries._build(tmp_path, one)
    plain, tags = said.read_text().splitlines()
    assert re.match(r"0 build (?!.*-tags)", plain)
    assert re.match(r"1 build .* -tags sqlite ", tags)
    assert (binaries.folder(tmp_path, whole) / "templates" / "page").read_text() == "<p>"


def test_every_program_is_a_tool_of_its_module() -> None:
    for module in (*binaries.MODULES, binaries.ADMISSION, binaries.CHAINS):
        tools = set(re.findall(r"^(?:tool )?\t?([\w./-]+/[\w./-]+)$", (module.folder / "go.mod").read_text(), re.M))
        packages = {package for group in module.groups for package in group.packages.values()}
        assert packages <= tools, module.name


def test_an_unknown_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PenstockError, match="'kubeadm'"):
        binaries.path(tmp_path, "kubeadm")


def test_without_go_the_message_says_which_to_install(go_on_path: Path) -> None:
    with pytest.raises(PenstockError, match=r"no Go on PATH. Install Go 1\.2\d"):
        binaries.require_go()


def test_an_old_go_is_named_with_its_place(go_on_path: Path) -> None:
    go_that(go_on_path, "echo go1.19.8")
    with pytest.raises(PenstockError, match=rf"Go 1\.19\.8 \({re.escape(str(go_on_path))}/go\) is too old"):
        binaries.require_go()
