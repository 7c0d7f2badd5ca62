"""What may be loaded: real pickles, real archives, real arrays."""

import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.unit.sources.pickle_files import Runs, legacy_torch, write, zipped

from penstock.foundation.errors import UsageError
from penstock.sources.scan import scan


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", ["w.pkl", "w.bin", "w.model", "weights"])
def test_pickle_that_executes(tmp_path: Path, protocol: int, name: str) -> None:
    path = write(tmp_path / name, pickle.dumps({"w": [1.0, Runs()]}, protocol=protocol))
    with pytest.raises(UsageError, match=r"would run '(posix|nt)\.system'"):
        scan(path)


@pytest.mark.parametrize(
    "function",
    [
        eval,
        exec,
        getattr,
        __import__,
        open,
        os.popen,
        pickle.loads,
        __import__("ctypes").CDLL,
        __import__("runpy").run_path,
    ],
)
def test_other_ways_to_execute(tmp_path: Path, function: object) -> None:
    with pytest.raises(UsageError, match="would run"):
        scan(write(tmp_path / "w.pt", pickle.dumps(Runs(function))))


def test_hidden_in_a_zip(tmp_path: Path) -> None:
    evil = pickle.dumps(Runs(), protocol=2)
    for members in ({"archive/data.pkl": evil}, {"archive/data.pkl": pickle.dumps({}), "x/other": evil}):
        with pytest.raises(UsageError, match="would run"):
            scan(write(tmp_path / "w.pth", zipped(members)))


def test_hidden_in_a_legacy_checkpoint_and_in_a_tar(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="would run"):
        scan(write(tmp_path / "w.model", legacy_torch({"a": Runs()}, b"")))
    with tarfile.open(tmp_path / "w.pt", "w") as archive:
        content = pickle.dumps(Runs())
        member = tarfile.TarInfo("pickle")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    with pytest.raises(UsageError, match="would run"):
        scan(tmp_path / "w.pt")


@pytest.mark.slow
@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_damaged_members_are_a_message(tmp_path: Path, method: int) -> None:
    whole = zipped({"a/data.pkl": pickle.dumps(list(range(2000))), "b": os.urandom(2000)}, method)
    rng = np.random.default_rng(3)
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        content[int(rng.integers(30, len(whole) // 2))] ^= int(rng.integers(1, 256))
        try:
            scan(write(tmp_path / "w.pt", bytes(content)))
        except UsageError as error:
            refused += error.exit_code == 2
    assert refused > 10


def test_a_tar_of_any_name_is_looked_into(tmp_path: Path) -> None:
    for name in ("w.bin", "w.tar"):
        with tarfile.open(tmp_path / name, "w") as archive:
            content = pickle.dumps(Runs())
            member = tarfile.TarInfo("pickle")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        with pytest.raises(UsageError, match="would run"):
            scan(tmp_path / name)
    assert scan(write(tmp_path / "zeros.bin", bytes(4096))).format == "opaque"


def test_a_pipe_in_place_of_weights_is_a_message(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "w.pt")
    with pytest.raises(UsageError, match="a pipe"):
        scan(tmp_path / "w.pt")


def test_honest_checkpoints(tmp_path: Path) -> None:
    state = OrderedDict(a=[1.0, 2.0], big=b"x" * 100_000, text="y" * 10_000)
    for protocol in range(6):
        found = scan(write(tmp_path / "w.pkl", pickle.dumps(state, protocol=protocol)))
        assert (found.format, found.data_only) == ("pickle", False)
    rng = np.random.default_rng(1)
    for _ in range(40):  # the raw numbers behind it are never read as a pickle
        found = scan(write(tmp_path / "w.model", legacy_torch(state, rng.bytes(400))))
        assert found.format == "pickle"
    values = [np.zeros(1000), np.float32(1), np.dtype("<f4"), np.array([b"a"]), np.int64, [{1}, 1j, slice(1), range(2)]]
    for protocol in range(6):
        assert scan(write(tmp_path / "a.pkl", pickle.dumps(values, protocol=protocol))).format == "pickle"
    new = zipped({"w/data.pkl": pickle.dumps(state, protocol=2), "w/data/0": rng.bytes(4096), "w/version": b"3\n"})
    assert scan(write(tmp_path / "w.pt", new)).format == "pickle"


def test_safetensors(tmp_path: Path) -> None:
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "__metadata__": {}}).encode()
    good = struct.pack("<Q", len(header)) + header + b"\0" * 8
    path = write(tmp_path / "w.safetensors", good)
    assert scan(path).data_only
    for bad in (good[:-1], good + b"x", b"", b"\xff" * 8 + good, good[:8] + b"[1]" + good[11:], pickle.dumps(Runs())):
        with pytest.raises(UsageError, match="safetensors"):
            scan(write(path, bad))


def test_onnx(tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [out])
    good = helper.make_model(graph).SerializeToString()
    path = write(tmp_path / "w.onnx", good)
    assert scan(path).data_only
    assert onnx.load(path)
    for bad in (good[:-3], b"", b"version https://git-lfs", pickle.dumps(Runs()), b"\x08"):
        with pytest.raises(UsageError, match="ONNX"):
            scan(write(path, bad))


def test_numpy(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 4)))
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros((1000, 1000)), b=np.zeros(3, dtype=[("x", "<f4"), ("y", "<i2")]))
    assert scan(tmp_path / "a.npy").data_only
    assert scan(tmp_path / "a.npz").format == "npz"
    np.save(tmp_path / "o.npy", np.array([Runs()], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "o.npz", a=np.zeros(3), o=np.array([Runs()], dtype=object))
    for name in ("o.npy", "o.npz"):
        with pytest.raises(UsageError, match="pickled"):
            scan(tmp_path / name)
    with pytest.raises(UsageError):
        scan(write(tmp_path / "p.npy", pickle.dumps(Runs())))
    with pytest.raises(UsageError, match="NumPy"):
        scan(write(tmp_path / "q.npz", zipped({"a.pkl": pickle.dumps(Runs())})))


def test_zip_that_cannot_be_judged(tmp_path: Path) -> None:
    bomb = bytearray(zipped({"a": b"\0" * 1000}, zipfile.ZIP_DEFLATED))
    size_at = bomb.index(b"PK\x01\x02") + 24
    bomb[size_at : size_at + 4] = struct.pack("<I", 0xFFFFFF00)
    with pytest.raises(UsageError, match="zip bomb"):
        scan(write(tmp_path / "bomb.pt", bytes(bomb)))
    with pytest.raises(UsageError, match="cannot be judged"):
        scan(write(tmp_path / "cut.pt", zipped({"a/data.pkl": pickle.dumps({})})[:-10]))
    locked = bytearray(zipped({"a/data.pkl": pickle.dumps(Runs())}))
    central = locked.index(b"PK\x01\x02")
    locked[6] |= 1
    locked[central + 8] |= 1  # "encrypted": Python's reader stops, another may not
    with pytest.raises(UsageError, match="cannot be judged"):
        scan(write(tmp_path / "locked.pt", bytes(locked)))


def test_opaque(tmp_path: Path) -> None:
    found = scan(write(tmp_path / "w.caffemodel", np.random.default_rng(0).bytes(5000)))
    assert (found.format, found.data_only) == ("opaque", False)
    assert scan(write(tmp_path / "empty.txt", b"")).format == "opaque"
