"""Layers: what of them is kept, how they lie over each other, and that a hostile one harms nobody."""

from __future__ import annotations

import gzip
import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from backports import zstd
from tests.unit.environment.layers import SITE, layer, wheel_files, write

from penstock.environment import layer_files, layer_tar
from penstock.environment.layer_files import LayerFiles, merge, read_layer
from penstock.environment.layer_tar import UnreadableLayerError

LONG = "x" * 150
STATUS = (
    "Package: tzdata\nStatus: install ok installed\nArchitecture: all\nVersion: 1\nDescription: long\n .\n text\n\n"
    * 9_000  # a megabyte, of which a line is kept each
)
CONTENT = {
    **wheel_files("numpy", "2.4.6", "cp311-cp311-linux_x86_64"),
    "./usr/local/bin/python3.11": "x",
    f"opt/{LONG}/{LONG}/lib/python3.11/site-packages/a-1.dist-info/METADATA": "Name: a\nVersion: 1\n",
    "usr/local/cuda-11.8/version.json": "{}",
    f"{SITE}/onnxruntime/capi/build_and_package_info.py": "cuda_version = '12.2'",
    f"{SITE}/setuptools/_vendor/x-1.dist-info/METADATA": "Name: x",
    f"{SITE}/numpy/core.py": "never kept",
    "usr/lib/x86_64-linux-gnu/libcudnn.so.8.9.6": "",
    "etc/passwd": "root",
    "usr/lib/os-release": "ID=debian\n",
    "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/status-old": STATUS,
}


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("packed", [True, False])
def test_what_is_kept(tmp_path: Path, form: int, packed: bool) -> None:
    links = {"usr/local/cuda-11.8/lib64/libcudart.so.11.0": "libcudart.so.11.8.89", "usr/local/cuda": "cuda-11.8"}
    found = read_layer(write(tmp_path, layer(CONTENT, links, form=form), packed=packed))
    assert set(found.names) == {
        "usr/local/bin/python3.11",
        "usr/lib/x86_64-linux-gnu/libcudnn.so.8.9.6",
        "usr/local/cuda-11.8/lib64/libcudart.so.11.0",
    }
    assert set(found.contents) == {
        f"{SITE}/numpy-2.4.6.dist-info/METADATA",
        f"{SITE}/numpy-2.4.6.dist-info/WHEEL",
        f"opt/{LONG}/{LONG}/lib/python3.11/site-packages/a-1.dist-info/METADATA",
        "usr/local/cuda-11.8/version.json",
        f"{SITE}/onnxruntime/capi/build_and_package_info.py",
        "usr/lib/os-release",
        "var/lib/dpkg/status",
    }
    assert found.contents["var/lib/dpkg/status"] == "tzdata 1 all\n" * 9_000
    assert found.contents[f"{SITE}/numpy-2.4.6.dist-info/WHEEL"] == "Tag: cp311-cp311-linux_x86_64\n"


def test_zstd_is_read_as_gzip_is(tmp_path: Path) -> None:
    plain = layer(CONTENT)
    half = len(plain) // 2
    skippable = b"\x50\x2a\x4d\x18" + (4).to_bytes(4, "little") + b"toc!"
    (tmp_path / "zstd").write_bytes(zstd.compress(plain[:half]) + skippable + zstd.compress(plain[half:]) + skippable)
    assert read_layer(tmp_path / "zstd") == read_layer(write(tmp_path, plain))


def test_a_layer_takes_out_what_lies_below_it(tmp_path: Path) -> None:
    below = LayerFiles(
        names=["a/bin/python3.11", "b/bin/python3.12", "c/bin/python3.13"], contents={"d/e/f": "1", "d/g": "2"}
    )
    above = read_layer(
        write(tmp_path, layer({"a/.wh.bin": "", "b/bin/.wh..wh..opq": "", "d/.wh.e": "", "b/bin/python3.10": ""}))
    )
    assert (above.removed, above.emptied) == (["a/bin", "d/e"], ["b/bin"])
    merged = merge([below, above])
    assert merged.names == {"b/bin/python3.10", "c/bin/python3.13"}
    assert merged.contents == {"d/g": "2"}
    assert merge([above, below]).names == {"b/bin/python3.10", *below.names}


def test_a_later_layer_replaces_a_file() -> None:
    assert merge([LayerFiles(contents={"a": "1"}), LayerFiles(contents={"a": "2"})]).contents == {"a": "2"}


def wide_zstd(content: bytes) -> bytes:
    """What needs a GiB to be unpacked."""
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 30})
    return compressor.compress(content, zstd.ZstdCompressor.FLUSH_BLOCK) + compressor.flush()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no whole tar"),
        (b"no tar at all" * 100, "no whole tar"),
        (gzip.compress(layer({"a": b"x" * 5000}))[:-40], "no whole tar"),
        (b"\x1f\x8b" + b"nonsense" * 20, "no whole tar"),
        (b"\x28\xb5\x2f\xfd" + b"\0" * 100, "no whole tar"),
        (zstd.compress(layer({"a": b"x" * 5000}))[:-10], "no whole tar"),
        (wide_zstd(layer({"a": b"x"})), "no whole tar: .*memory"),
        (layer({"a": b"x" * 5000})[:3000], "no whole tar"),
    ],
    ids=["empty", "text", "cut gzip", "no gzip", "no zstd", "cut zstd", "zstd window", "cut tar"],
)
def test_what_is_no_layer(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "layer").write_bytes(content)
    with pytest.raises(UnreadableLayerError, match=why):
        read_layer(tmp_path / "layer")


def header(kind: bytes, size: int, name: str = "x") -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.XGLTYPE])
def test_a_header_that_is_a_bomb_takes_no_memory(tmp_path: Path, kind: bytes) -> None:
    path = write(tmp_path, header(kind, 8 << 30) + bytes(1 << 20))
    tracemalloc.start()
    with pytest.raises(UnreadableLayerError, match="header of more than"):
        read_layer(path)
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


@pytest.mark.slow
def test_a_bomb_of_zeros_takes_no_memory_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_tar, "MAX_UNPACKED_BYTES", 64 << 20)
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(header(tarfile.REGTYPE, 8 << 30, f"{SITE}/a-1.dist-info/METADATA"))
        for _ in range(10):
            file.write(bytes(8 << 20))
    (tmp_path / "layer").write_bytes(packed.getvalue())
    tracemalloc.start()
    with pytest.raises(UnreadableLayerError, match="unpacked it has more than"):
        read_layer(tmp_path / "layer")
    assert tracemalloc.get_traced_memory()[1] < 20 << 20
    tracemalloc.stop()


def test_more_files_than_any_image_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_files, "MAX_KEPT", 10)
    with pytest.raises(UnreadableLayerError, match="more packages"):
        read_layer(write(tmp_path, layer({f"p{n}/bin/python3.11": "" for n in range(20)})))
    monkeypatch.setattr(layer_tar, "MAX_ENTRIES", 10)
    with pytest.raises(UnreadableLayerError, match="entries"):
        read_layer(write(tmp_path, layer({f"f{n}": "" for n in range(20)})))


def test_names_that_lead_out_are_nobodys(tmp_path: Path) -> None:
    files = {"../../bin/python3.11": "", "/bin/python3.12": "", "a/../bin/python3.13": "", "b//./bin/python3.10": ""}
    found = read_layer(write(tmp_path, layer(files)))
    assert found.names == ["bin/python3.12", "b/bin/python3.10"]
    assert not (tmp_path / "bin").exists()


def test_a_path_of_a_hundred_thousand_folders_is_nobodys(tmp_path: Path) -> None:
    deep = "a/" * 100_000
    content = layer({f"{deep}bin/python3.11": "", f"{deep}.wh.x": "", "bin/python3.12": ""}, form=tarfile.GNU_FORMAT)
    found = read_layer(write(tmp_path, content))
    assert (found.names, found.removed) == (["bin/python3.12"], [])


def test_of_metadata_the_headers_are_kept(tmp_path: Path) -> None:
    path = f"{SITE}/a-1.dist-info/METADATA"
    found = read_layer(write(tmp_path, layer({path: "Name: a\r\nVersion: 1\r\n\r\nprose\n\nmore"})))
    assert found.contents == {path: "Name: a\nVersion: 1"}


def test_devices_pipes_and_links_with_a_size_are_passed_over(tmp_path: Path) -> None:
    odd = b"".join(header(kind, 0) for kind in (tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE, tarfile.DIRTYPE))
    odd += header(tarfile.SYMTYPE, 5 << 30)
    found = read_layer(write(tmp_path, odd + layer({"usr/bin/python3.11": "x"})))
    assert found.names == ["usr/bin/python3.11"]


def test_a_size_below_zero_is_refused(tmp_path: Path) -> None:
    member = tarfile.TarInfo("x")
    member.pax_headers = {"size": "-5"}
    content = member.tobuf(tarfile.PAX_FORMAT)
    assert read_layer(write(tmp_path, content + bytes(1024))).names == []
    block = bytearray(header(tarfile.REGTYPE, 0))
    block[124:136] = b"\xff" * 12
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    with pytest.raises(UnreadableLayerError, match="less than nothing"):
        read_layer(write(tmp_path, bytes(block) + bytes(1024)))
