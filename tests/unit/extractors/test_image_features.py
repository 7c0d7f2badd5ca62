import hashlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from penstock.extractors.image_features import BATCH_IMAGES, ImageFeatures
from penstock.foundation.errors import UsageError


def network(*, scale=1.0, kind="image-features", name="means", output="features", broken=""):
    """A network whose features are the mean R, G and B of each picture; ``broken`` breaks its promise in some way."""
    factor = numpy_helper.from_array(np.array(scale, np.float32), "factor")
    constants = [factor]
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["means"], keepdims=0),
    ]
    constants.append(numpy_helper.from_array(np.array([1, 2], np.int64), "axes"))
    if broken == "one row":
        constants.append(numpy_helper.from_array(np.array([0], np.int64), "first"))
        nodes.append(helper.make_node("ReduceMean", ["means", "first"], ["kept"], keepdims=1))
    elif broken == "nan":
        nodes.append(helper.make_node("Log", ["means"], ["kept"]))
    elif broken == "width":
        nodes.append(helper.make_node("Reshape", ["pixels", "flat"], ["kept"]))
        constants.append(numpy_helper.from_array(np.array([0, -1], np.int64), "flat"))
    else:
        nodes.append(helper.make_node("Identity", ["means"], ["kept"]))
    nodes.append(helper.make_node("Mul", ["kept", "factor"], [output]))
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3])
    features = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", "d"])
    graph = helper.make_graph(nodes, "g", [images], [features], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, {"penstock.kind": kind, "penstock.name": name})
    return model


def saved(path, **options):
    onnx.save(network(**options), str(path))
    return path


@pytest.fixture(scope="module")
def means(tmp_path_factory):
    return ImageFeatures.load(saved(tmp_path_factory.mktemp("net") / "means.onnx"), threads=1)


def pictures(sizes, seed=0):
    random = np.random.default_rng(seed)
    return [random.integers(0, 256, (h, w, 3), dtype=np.uint8) for h, w in sizes]


def test_frames_are_bgr_and_the_network_sees_rgb(means):
    blue = np.zeros((4, 4, 3), np.uint8)
    blue[..., 0] = 200
    assert means.features([blue]).tolist() == [[0.0, 0.0, 200.0]]


@pytest.mark.parametrize("count", [1, BATCH_IMAGES - 1, BATCH_IMAGES, BATCH_IMAGES + 1, 3 * BATCH_IMAGES + 2])
def test_each_picture_has_its_row_in_order_whatever_the_batches(means, count):
    frames = pictures([(9, 7)] * count)
    features = means.features(iter(frames))
    assert features.shape == (count, 3)
    assert features.dtype == np.float32
    assert features == pytest.approx(np.array([f.mean(axis=(0, 1))[::-1] for f in frames]), rel=1e-5)


def test_pictures_may_differ_in_size(means):
    frames = pictures([(8, 8), (8, 8), (16, 4), (8, 8), (1, 1), (5, 300)])
    expected = [f.mean(axis=(0, 1))[::-1] for f in frames]
    assert means.features(frames) == pytest.approx(np.array(expected), rel=1e-5)


def test_frames_that_are_views_are_taken_as_they_look(means):
    frame = pictures([(12, 10)])[0]
    turned = np.rot90(frame)[::2]
    assert means.features([turned]) == pytest.approx(means.features([np.ascontiguousarray(turned)]))


def test_a_stream_is_taken_a_few_pictures_at_a_time(means):
    taken = 0

    def stream():
        nonlocal taken
        for frame in pictures([(4, 4)] * 100):
            taken += 1
            yield frame
        raise UsageError("the video ends in the middle")

    with pytest.raises(UsageError, match="ends in the middle"):
        means.features(stream())
    assert taken == 100


def test_very_large_pictures_go_one_at_a_time(monkeypatch, means):
    monkeypatch.setattr("penstock.extractors.image_features.BATCH_PIXELS", 100)
    frames = pictures([(20, 20)] * 3 + [(5, 5)] * 6)
    assert means.features(frames).shape == (9, 3)


def test_the_name_holds_the_digest_of_the_file(tmp_path):
    path = saved(tmp_path / "x.onnx", name="my-net")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert ImageFeatures.load(path).label == f"my-net@sha256:{digest}"
    other = saved(tmp_path / "y.onnx", name="my-net", scale=2.0)
    assert ImageFeatures.load(other).label != ImageFeatures.load(path).label


@pytest.mark.parametrize("options", [{"kind": "syncnet"}, {"kind": ""}, {"name": ""}, {"output": "embedding"}])
def test_another_network_is_refused(tmp_path, options):
    with pytest.raises(UsageError):
        ImageFeatures.load(saved(tmp_path / "x.onnx", **options))


def test_no_file_and_no_network_are_refused(tmp_path):
    with pytest.raises(UsageError, match="the file is missing"):
        ImageFeatures.load(tmp_path / "missing.onnx")
    (tmp_path / "text.onnx").write_text("no network")
    with pytest.raises(UsageError, match=r"text\.onnx"):
        ImageFeatures.load(tmp_path / "text.onnx")


@pytest.mark.parametrize("broken", ["one row", "nan", "width"])
def test_a_network_that_breaks_its_promise_is_found_out(tmp_path, broken):
    path = saved(tmp_path / "x.onnx", broken=broken)
    with pytest.raises(UsageError, match="extractor"):
        ImageFeatures.load(path).features(
            [np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4, 3), np.uint8), np.zeros((6, 4, 3), np.uint8)]
        )


def test_what_is_no_picture_is_refused(means):
    good = np.zeros((4, 4, 3), np.uint8)
    for wrong in (good[..., 0], good.astype(np.float32), np.zeros((4, 0, 3), np.uint8), np.zeros((4, 4, 4), np.uint8)):
        with pytest.raises(UsageError, match="picture 1 is"):
            means.features([good, wrong])
    with pytest.raises(UsageError, match="no picture"):
        means.features([])
