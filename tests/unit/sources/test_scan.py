"""What may be loaded: real pickles, real archives, real arrays."""

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections import OrderedDict
from functools import partial
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from penstock.foundation.errors import UsageError
from penstock.sources import pickles
from penstock.sources.scan import scan


class Runs:
    """A pickle of this runs a command where it is loaded."""

    def __init__(self, function: object = os.system, argument: str = "echo pwned") -> None:
        self.call = (function, (argument,))

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return self.call


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def legacy_torch(content: object, numbers: bytes) -> bytes:
    """How PyTorch before 1.6 saved: five pickles, then raw numbers."""
    parts = (pickles.TORCH_MAGIC, 1001, {"little_endian": True}, content, ["0"])
    return b"".join(pickle.dumps(part, protocol=2) for part in parts) + numbers


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


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


def test_hidden_behind_a_first_pickle_or_before_a_zip(tmp_path: Path) -> None:
    evil = pickle.dumps(Runs(), protocol=4)
    with pytest.raises(UsageError, match="would run"):
        scan(write(tmp_path / "w.pkl", pickle.dumps(1) + evil))
    with pytest.raises(UsageError, match="would run"):
        scan(write(tmp_path / "w.bin", evil + zipped({"a": b"x"})))


def test_broken_pickle_is_not_trusted(tmp_path: Path) -> None:
    whole = pickle.dumps({"w": Runs()}, protocol=4)
    for content in (whole[:-1], whole[:20], b"\x80\x04"):
        with pytest.raises(UsageError):
            scan(write(tmp_path / "w.bin", content))
    with pytest.raises(UsageError, match="broken"):
        scan(write(tmp_path / "w.pt", b"certainly no pickle"))
    with pytest.raises(UsageError, match="part 4"):
        scan(write(tmp_path / "w.model", legacy_torch({}, b"")[:-20]))


def test_endless_pickle_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "MAX_READS", 10_000)
    with pytest.raises(UsageError, match="too much"):
        scan(write(tmp_path / "w.pkl", b"\x80\x02" + b"N0" * 20_000 + b"N."))
    monkeypatch.setattr(pickles, "MAX_LINE_BYTES", 1000)
    with pytest.raises(UsageError, match="too long"):
        scan(write(tmp_path / "w.pkl", b"I" + b"1" * 2000 + b"\n."))


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


def pickled(module: str, name: str) -> bytes:
    """A pickle that calls a function with one word, whether or not it is there."""
    return f"c{module}\n{name}\n(S'word'\ntR.".encode()


@pytest.mark.parametrize(
    "name",
    [
        *("dill.loads", "dill._dill._create_function", "joblib.load", "joblib.numpy_pickle.NumpyArrayWrapper"),
        *("torch.hub.load", "torch.load", "torch.storage._load_from_bytes", "torch.jit.load", "yaml.unsafe_load"),
        *("torch.classes.load_library", "torch.ops.load_library", "torch.FloatStorage.from_file", "numpy.load"),
        *("pandas.read_pickle", "pandas.eval", "numpy.f2py.crackfortran.getlincoef", "numpy.fromfile", "numpy.memmap"),
        *(
            "cloudpickle.loads",
            "sklearn.utils._joblib.load",
            "transformers.pipeline",
            "tensorflow.keras.models.load_model",
        ),
        *("builtins.getattr", "operator.attrgetter", "functools.partial", "types.FunctionType", "mymodel.nets.Net"),
        *("collections.abc.Callable", "torch._utils._import_dotted_name", "builtins.str.format"),
    ],
)
def test_names_that_weights_do_not_need_are_refused(tmp_path: Path, name: str) -> None:
    module, _, last = name.rpartition(".")
    with pytest.raises(UsageError, match=f"would run '{name}'"):
        scan(write(tmp_path / "w.pt", pickled(module, last)))
    with pytest.raises(UsageError, match=f"would run '{name}'"):
        scan(write(tmp_path / "w.bin", pickled(module, last)[:-1]))  # without its end it runs all the same


# What Python's unpickler makes of these is posix.system; who only looks at the strings nearby sees a harmless name.
OS, SYSTEM = b"\x8c\x05posix", b"\x8c\x06system"
NICE = b"\x8c\x0bcollections\x8c\x0bOrderedDict"
CALL = b"\x8c\x04echo\x85R."


@pytest.mark.parametrize(
    "names",
    [
        OS + SYSTEM + NICE + b"00\x93",
        OS + SYSTEM + b"(" + NICE + b"1\x93",
        OS + b"\x94" + SYSTEM + b"\x9400" + b"h\x00h\x01" + NICE + b"00\x93",
        OS + b"2" + SYSTEM + NICE + b"00\x93",
        NICE.replace(b"collections", b"collectionz") + b"0" + OS + b"q\x050" + b"0h\x05" + SYSTEM + b"\x93",
    ],
)
def test_names_are_followed_over_the_stack_and_the_memo(tmp_path: Path, names: bytes) -> None:
    content = b"\x80\x04" + names + CALL
    with pytest.raises(UsageError, match=r"would run 'posix\.system'"):
        scan(write(tmp_path / "w.pkl", content))


@pytest.mark.parametrize("name", [b"cbuiltins\nstr\n)R", b"\x82\x01", b"C\x06system", b"K\x01"])
def test_a_name_that_is_made_up_is_refused(tmp_path: Path, name: bytes) -> None:
    end = CALL if name == b"\x82\x01" else b"\x93" + CALL
    with pytest.raises(UsageError, match="makes up"):
        scan(write(tmp_path / "w.pkl", b"\x80\x04" + OS + name + end))


def test_text_is_no_pickle(tmp_path: Path) -> None:
    for text in (b"cat\ndog\nbird\n", b"cos\nsystem\n", b"I am\n", b"config: 1\n", b"]]]\n.", b"x\x9cyz", b"BZh9"):
        assert scan(write(tmp_path / "labels.txt", text)).format in ("opaque", "pickle")


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


@pytest.mark.parametrize(
    "name",
    [
        *("torch.FloatStorage", "torch.BFloat16Storage", "torch.float16", "torch.storage.UntypedStorage"),
        *("torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_parameter", "torch._tensor._rebuild_from_type_v2"),
        *("collections.OrderedDict", "numpy.core.multiarray.scalar", "numpy._core.multiarray._reconstruct"),
        *("numpy.dtype", "_codecs.encode", "argparse.Namespace", "pathlib.PosixPath", "__builtin__.set"),
        *("torch.jit._pickle.build_intlist", "__torch__.models.net.Net", "torch.Size", "torch.device"),
    ],
)
def test_what_checkpoints_are_made_of_is_accepted(tmp_path: Path, name: str) -> None:
    module, _, last = name.rpartition(".")
    assert scan(write(tmp_path / "w.pt", pickled(module, last))).format == "pickle"


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


EVIL = pickled("os", "system")


@pytest.mark.parametrize(
    "start",
    [b"I0x10\n0", b"L0x10L\n0", b"I 16 \n0", b"I010\n0", b"F1.5\0x\n0", b"Np0\0x\n0", b"S'\\xff'\n0", b"P\\x\n0"],
)
def test_what_only_the_unpickler_in_c_reads_is_judged(tmp_path: Path, start: bytes) -> None:
    for name, content in (("w.bin", start + EVIL), ("w.pkl", pickle.dumps({"a": 1}) + start + EVIL)):
        with pytest.raises(UsageError, match=r"would run 'os\.system'"):
            scan(write(tmp_path / name, content))
    with pytest.raises(UsageError, match=r"would run 'os\.system'"):
        scan(write(tmp_path / "w.pkl.gz", gzip.compress(pickle.dumps(1) + start + EVIL)))


def test_a_later_pickle_that_breaks_behind_an_import_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"would run 'os\.system'"):
        scan(write(tmp_path / "w.pkl", pickle.dumps(1) + b"cos\nsystem\n(\xff"))
    assert scan(write(tmp_path / "w.pkl", pickle.dumps(1) + bytes(100))).format == "pickle"


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
        gzip.compress(gzip.compress(EVIL, mtime=0), mtime=0),  # a time in it would change the name of the test
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
