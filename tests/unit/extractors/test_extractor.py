"""Loading a SyncNet extractor from a file that nobody has checked."""

import os

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.unit.extractors.tiny_networks import saved, tiny_syncnet

from penstock.extractors.extractor import open_extractor
from penstock.extractors.syncnet import INTERFACE
from penstock.foundation.errors import UsageError


def refused(path, message, **given):
    with pytest.raises(UsageError, match=message) as caught:
        open_extractor(path, INTERFACE, **given)
    assert path.name in str(caught.value)
    assert caught.value.todo


def test_what_is_no_file_or_no_onnx(tmp_path):
    refused(tmp_path / "gone.onnx", "the file is missing")
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
