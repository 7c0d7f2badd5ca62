"""Loading a SyncNet extractor from a file that nobody has checked."""

import hashlib
import os

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tests.unit.extractors.tiny_networks import METADATA, saved, tiny_syncnet

from penstock.extractors.extractor import open_extractor
from penstock.extractors.onnx_file import inspect
from penstock.extractors.syncnet import INTERFACE, open_syncnet
from penstock.foundation.errors import UsageError, WorldError


def test_label_and_features(tmp_path):
    path = saved(tmp_path / "tiny.onnx", tiny_syncnet())
    network = open_syncnet(path)
    assert network.label == f"tiny@sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    random = np.random.default_rng(0)
    frames = random.integers(0, 255, (30, 224, 224, 3), dtype=np.uint8)
    mfcc = random.normal(size=(13, 4 * 25 + 20)).astype(np.float32)
    lips, sound = network.features(frames, mfcc)
    means = frames.reshape(30, -1).mean(axis=1)
    assert lips[:, 0] == pytest.approx([means[i : i + 5].mean() for i in range(26)], rel=1e-4)
    assert sound[:, 0] == pytest.approx([mfcc[:, 4 * i : 4 * i + 20].mean() for i in range(26)], abs=1e-5)
    with pytest.raises(ValueError, match="5 or more"):
        network.features(frames[:4], mfcc)


def refused(path, message, **given):
    with pytest.raises(UsageError, match=message) as caught:
        open_extractor(path, INTERFACE, **given)
    assert path.name in str(caught.value)
    assert caught.value.todo


def test_what_is_no_file_or_no_onnx(tmp_path):
    refused(tmp_path / "gone.onnx", "cannot be read: no such file")
    os.mkfifo(tmp_path / "pipe.onnx")
    refused(tmp_path / "pipe.onnx", "regular file")
    for name, content in {
        "empty": b"",
        "text": b"no network\n" * 50,
        "random": np.random.default_rng(0).bytes(5000),
    }.items():
        (tmp_path / f"{name}.onnx").write_bytes(content)
        refused(tmp_path / f"{name}.onnx", "not an ONNX file")
    (tmp_path / "lfs.onnx").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    refused(tmp_path / "lfs.onnx", "Git LFS pointer")
    path = saved(tmp_path / "big.onnx", tiny_syncnet())
    refused(path, "more than the 100 that an extractor", max_bytes=100)


def test_kind_and_name(tmp_path):
    for number, (metadata, message) in enumerate(
        [
            ({}, "no 'penstock.kind'"),
            ({"penstock.kind": "image-features", "penstock.name": "x"}, "'penstock.kind' is 'image-features'"),
            ({"penstock.kind": "syncnet"}, "'penstock.name' is missing"),
            ({"penstock.kind": "syncnet", "penstock.name": "a\x1b[31m b"}, "'penstock.name' is missing or not"),
        ]
    ):
        refused(saved(tmp_path / f"{number}.onnx", tiny_syncnet(metadata)), message)


def test_inputs_and_outputs(tmp_path):
    refused(saved(tmp_path / "a.onnx", tiny_syncnet(frames_type=TensorProto.FLOAT)), "input 'frames' is tensor")
    renamed = tiny_syncnet()
    renamed.graph.input[0].name = renamed.graph.node[0].input[0] = "sound_in"
    refused(saved(tmp_path / "b.onnx", renamed), "inputs are frames, sound_in, not frames, mfcc")
    fixed = tiny_syncnet()
    fixed.graph.input[1].type.tensor_type.shape.dim[0].dim_value = 5
    refused(saved(tmp_path / "c.onnx", fixed), "input 'frames' is")
    more = tiny_syncnet()
    more.graph.output.append(helper.make_tensor_value_info("means", TensorProto.FLOAT, None))
    refused(saved(tmp_path / "d.onnx", more), "outputs are audio_features, means, video_features")


def test_what_an_extractor_must_not_hold(tmp_path):
    external = tiny_syncnet()
    tensor = external.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.ClearField("raw_data")
    tensor.external_data.add(key="location", value="../../secret")
    refused(saved(tmp_path / "external.onnx", external), "external data")

    hidden = tiny_syncnet()
    constant = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.zeros(3, np.float32), "c"))
    constant.attribute[0].t.data_location = TensorProto.EXTERNAL
    hidden.graph.node.append(constant)
    refused(saved(tmp_path / "hidden.onnx", hidden), "external data")

    custom = helper.make_node("Evil", ["means"], ["evil"], domain="org.example")
    refused(saved(tmp_path / "node.onnx", tiny_syncnet(extra_nodes=[custom])), "domain 'org.example'")
    microsoft = tiny_syncnet(opsets=(("", 17), ("com.microsoft", 1)))
    refused(saved(tmp_path / "opset.onnx", microsoft), "domain 'com.microsoft'")

    body = helper.make_graph([], "body", [], [helper.make_tensor_value_info("means", TensorProto.FLOAT, None)])
    loop = helper.make_node("Loop", ["", ""], ["looped"], body=body)
    refused(saved(tmp_path / "loop.onnx", tiny_syncnet(extra_nodes=[loop])), "control flow")

    function = tiny_syncnet()
    function.functions.add(name="f", domain="")
    refused(saved(tmp_path / "function.onnx", function), "local functions")


def test_a_network_that_does_not_keep_its_interface(tmp_path):
    frames = np.zeros((12, 224, 224, 3), np.uint8)
    mfcc = np.zeros((13, 60), np.float32)
    wrong = open_syncnet(saved(tmp_path / "step.onnx", tiny_syncnet(audio_step=8)))
    with pytest.raises(UsageError, match="the extractor answered"):
        wrong.features(frames, mfcc)
    endless = tiny_syncnet()
    window = numpy_helper.from_array(np.full((1, 1, 13, 20), np.inf, np.float32), "window")
    endless.graph.initializer[0].CopyFrom(window)
    with pytest.raises(UsageError, match="'audio_features' holds NaN or infinity"):
        open_syncnet(saved(tmp_path / "inf.onnx", endless)).features(frames, mfcc)
    wrong_shape = tiny_syncnet()
    wrong_shape.graph.initializer[3].CopyFrom(numpy_helper.from_array(np.array([1, 1, 7, 1], np.int64), "row"))
    with pytest.raises(UsageError, match="the extractor failed"):
        open_syncnet(saved(tmp_path / "shape.onnx", wrong_shape)).features(frames, mfcc)


def test_a_card_that_is_not_there(tmp_path):
    import onnxruntime

    path = saved(tmp_path / "tiny.onnx", tiny_syncnet())
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        assert open_syncnet(path, arithmetic="f32-cuda").label.startswith("tiny@")
    else:
        with pytest.raises(WorldError, match="CUDAExecutionProvider"):
            open_syncnet(path, arithmetic="f32-cuda")


def test_metadata_is_what_onnx_reads():
    model = tiny_syncnet({**METADATA, "other": "ä"})
    facts = inspect(model.SerializeToString(), where="tiny.onnx")
    assert facts.metadata == {entry.key: entry.value for entry in model.metadata_props}
    assert facts.operators == {node.op_type for node in model.graph.node}
    assert facts.opset == 17


WHOLE = tiny_syncnet().SerializeToString()


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=8), st.integers(0, len(WHOLE)))
def test_damaged_files_are_refused_or_read(changes, end):
    data = bytearray(WHOLE[:end])
    for at, byte in changes:
        if at < len(data):
            data[at] = byte
    try:
        facts = inspect(bytes(data), where="damaged.onnx")
    except UsageError:
        return
    assert facts.opset


def test_onnx_itself_accepts_the_tiny_network():
    onnx.checker.check_model(tiny_syncnet())
