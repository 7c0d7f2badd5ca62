"""Compressed files are unpacked as loaders unpack them, and packing has an end."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import tarfile
import zipfile
import zlib
from collections import OrderedDict
from functools import partial
from pathlib import Path

import pytest
from tests.unit.sources.pickle_files import EVIL, Runs, write, zipped

from penstock.foundation.errors import UsageError
from penstock.sources.scan import scan

PACKERS = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zlib": zlib.compress}
PACKERS["lzma"] = partial(lzma.compress, format=lzma.FORMAT_ALONE)


@pytest.mark.parametrize("kind", sorted(PACKERS))
@pytest.mark.parametrize("name", ["w.pkl", "w.joblib", "w.pkl.gz", "w.bin"])
def test_compressed_pickles_are_judged(tmp_path: Path, kind: str, name: str) -> None:
    for content in (pickle.dumps(Runs()), zipped({"a/data.pkl": pickle.dumps(Runs())})):
        with pytest.raises(UsageError, match="would run"):
            scan(write(tmp_path / name, PACKERS[kind](content)))
    assert scan(write(tmp_path / name, PACKERS[kind](pickle.dumps(OrderedDict(a=1))))).format == "pickle"
    cut = PACKERS[kind](pickle.dumps([Runs(), os.urandom(100_000)], protocol=2))[:-10]
    with pytest.raises(UsageError):  # it has run before the damage is found
        scan(write(tmp_path / name, cut))


def test_compressed_files_that_cannot_be_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for magic in (b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"\x04\x22\x4d\x18", b"\xfd7zXZ\x00", b"\x1f\x8b"):
        with pytest.raises(UsageError, match="compressed"):
            scan(write(tmp_path / "w.pkl", magic + b"certainly damaged"))
        assert scan(write(tmp_path / "w.dat", magic + b"certainly damaged")).format == "opaque"
    monkeypatch.setattr("penstock.sources.scan.MAX_MEMBER_PICKLE_BYTES", 1000)
    for name in ("w.pkl", "w.bin"):
        with pytest.raises(UsageError, match="judged"):
            scan(write(tmp_path / name, gzip.compress(pickle.dumps([b"x" * 5000]))))
    assert scan(write(tmp_path / "big.nii.gz", gzip.compress(b"x" * 5000))).format == "opaque"


def in_tar(content: bytes, name: str = "member") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(gzip.compress(EVIL)),
        bz2.compress(in_tar(gzip.compress(EVIL))),
        zipped({"a/data.pkl.gz": gzip.compress(EVIL)}),
        zipped({"a/data": EVIL}),
        zipped({"a/data": EVIL}, zipfile.ZIP_DEFLATED),
        zipped({"a/x.pt": zipped({"archive/data.pkl": EVIL})}, zipfile.ZIP_DEFLATED),
        zipped({"a/x": in_tar(EVIL)}, zipfile.ZIP_DEFLATED),
        in_tar(zipped({"data.pkl": EVIL})),
    ],
    ids=range(8),  # the bytes hold the time of day
)
def test_what_is_packed_twice_is_judged_as_what_is_packed_once(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match=r"would run 'os\.system'"):
        scan(write(tmp_path / "w.bin", content))


def test_packing_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"numbers" * 100
    for _ in range(4):
        content = gzip.compress(content)
    assert scan(write(tmp_path / "w.bin", content)).format == "opaque"
    with pytest.raises(UsageError, match="too many layers"):
        scan(write(tmp_path / "w.bin", gzip.compress(content)))
    monkeypatch.setattr("penstock.sources.scan.MAX_NESTED_BYTES", 1000)
    with pytest.raises(UsageError, match="more than can be judged"):
        scan(write(tmp_path / "w.zip", zipped({str(n): gzip.compress(bytes(400)) for n in range(3)})))
