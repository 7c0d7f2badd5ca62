"""A layer's tar, entry by entry; what hostile ones do: test_layer_files.py."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.environment.layers import layer, write

from penstock.environment.layer_tar import (
    LayerEntry,
    LayerStream,
    UnreadableLayerError,
    layer_entries,
    opened_layer,
    taken_out,
)

LONG = "d" * 90 + "/" + "f" * 90


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_files_folders_and_links_with_long_names(tmp_path: Path, form: int) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for kind, name, link, content in (
            (tarfile.DIRTYPE, "./d", "", b""),
            (tarfile.REGTYPE, f"./{LONG}", "", b"12345"),
            (tarfile.LNKTYPE, "hard", f"./{LONG}", b""),
            (tarfile.SYMTYPE, "soft", "d", b""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.size = kind, link, len(content)
            archive.addfile(member, io.BytesIO(content))
    with opened_layer(write(tmp_path, out.getvalue())) as stream:
        assert list(layer_entries(stream)) == [
            LayerEntry("d", 0, plain=False, folder=True),
            LayerEntry(LONG, 5, plain=True, folder=False),
            LayerEntry("hard", 0, plain=False, folder=False, link=LONG),
            LayerEntry("soft", 0, plain=False, folder=False),
        ]


def test_contents_are_read_in_pieces_or_passed_over(tmp_path: Path) -> None:
    large = bytes(range(256)) * (5 << 12)  # 5 MiB
    found = {}
    with opened_layer(write(tmp_path, layer({"large": large, "passed": "x", "empty": "", "last": "end"}))) as stream:
        for entry in layer_entries(stream):
            if entry.path != "passed":
                pieces = list(stream.content(entry.size))
                assert all(len(piece) <= 1 << 20 for piece in pieces)
                found[entry.path] = b"".join(pieces)
    assert found == {"large": large, "empty": b"", "last": b"end"}


@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("a/.wh.b", ("a/b", False)),
        (".wh.b", ("b", False)),
        ("a/.wh..wh..opq", ("a", True)),
        ("a/b", None),
        ("a.wh.b", None),
    ],
)
def test_what_an_entry_takes_out(path: str, taken: tuple[str, bool] | None) -> None:
    assert taken_out(path) == taken


def test_what_goes_wrong_while_it_is_read_is_said_as_a_fault_of_the_layer(tmp_path: Path) -> None:
    path = write(tmp_path, layer({"a": "x" * 5000}), packed=False)
    path.write_bytes(path.read_bytes()[:2000])
    with (
        pytest.raises(UnreadableLayerError, match="no whole tar: it ends within an entry"),
        opened_layer(path) as stream,
    ):
        list(layer_entries(stream))
    with (
        pytest.raises(UnreadableLayerError, match="cannot be read: No such file"),
        opened_layer(tmp_path / "absent"),
    ):
        pass


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=3000))
def test_bytes_that_are_no_tar_end_in_an_error_of_their_own(content: bytes) -> None:
    try:
        entries = list(layer_entries(LayerStream(io.BytesIO(content))))  # type: ignore[arg-type]
    except (EOFError, ValueError, tarfile.TarError, UnreadableLayerError):
        return
    assert len(entries) <= len(content) // 512
