import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

import av
import cv2
import numpy as np
import onnx
import pytest
import typer
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from penstock.extractors.openvino_backend import OpenVino
from penstock.families.talking_head.score_frechet import frechet
from penstock.foundation.errors import UsageError

app = typer.Typer()
app.command()(frechet)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Features: the picture reduced to 2 × 2 pixels."""
    size = numpy_helper.from_array(np.array([2, 2], np.int64), "size")
    flat = numpy_helper.from_array(np.array([0, 12], np.int64), "flat")
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Resize", ["planes", "", "", "size"], ["small"], mode="linear", axes=[2, 3], antialias=1),
        helper.make_node("Reshape", ["small", "flat"], ["features"]),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", "h", "w", 3])
    features = helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", 12])
    graph = helper.make_graph(nodes, "g", [images], [features], [size, flat])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, {"penstock.kind": "image-features", "penstock.name": "four-pixels"})
    path = tmp_path_factory.mktemp("net") / "four.onnx"
    onnx.save(model, str(path))
    return path


def frames(n=12, *, seed=0, size=(48, 64), brighter=0):
    random = np.random.default_rng(seed)
    small = [random.integers(0, 200, (3, 3, 3), dtype=np.uint8) + np.uint8(brighter) for _ in range(n)]
    return [cv2.resize(image, size[::-1], interpolation=cv2.INTER_LINEAR) for image in small]


def directory(path, images, suffix=".png"):
    path.mkdir()
    for index, image in enumerate(images):
        assert cv2.imwrite(str(path / f"{index:03d}{suffix}"), image)
    return path


def video(path, images):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="bgr24")))
        container.mux(stream.encode())
    return path


def score(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=True)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def test_json_has_the_documented_keys(tmp_path, weights):
    a, b = directory(tmp_path / "a", frames(10)), directory(tmp_path / "b", frames(14, seed=1, brighter=40))
    result = json.loads(score(a, b, "--weights", weights, "--json"))
    assert set(result) == {"fid", "kid", "n", "n_reference", "extractor"}
    assert (result["n"], result["n_reference"]) == (10, 14)
    assert result["fid"] > 0
    assert result["kid"] > 0
    assert result["extractor"].startswith("four-pixels@sha256:")


def test_a_set_against_itself_is_at_no_distance(tmp_path, weights):
    a = directory(tmp_path / "a", frames(10))
    result = json.loads(score(a, a, "--weights", weights, "--json"))
    assert result["fid"] == pytest.approx(0, abs=1e-6)


@pytest.mark.slow
def test_pictures_of_every_format_and_size_and_a_video_can_be_compared(tmp_path, weights):
    images = frames(12)
    first = directory(tmp_path / "first", images)
    far = directory(tmp_path / "far", frames(12, brighter=50))
    distance_far = json.loads(score(first, far, "--weights", weights, "--json"))["fid"]
    near = [directory(tmp_path / suffix[1:], images, suffix) for suffix in (".jpg", ".webp")]
    near.append(directory(tmp_path / "large", [cv2.resize(image, (128, 96)) for image in images]))
    near.append(video(tmp_path / "clip.mp4", images))
    for other in near:
        result = json.loads(score(first, other, "--weights", weights, "--json"))
        assert result["n_reference"] == 12, other
        assert result["fid"] < distance_far / 10, other


def test_text_says_the_values_and_warns_of_few_pictures(tmp_path, weights, monkeypatch):
    a = directory(tmp_path / "a", frames(4))
    monkeypatch.setenv("PENSTOCK_FRECHET", str(weights))
    text = score(a, a)
    assert "FID        0.000" in text
    assert "pictures   4 against 4" in text
    assert "biased" in text


def test_without_a_network_the_stand_in_is_used_and_named(tmp_path, monkeypatch, caplog):
    a = directory(tmp_path / "a", frames(3))
    monkeypatch.delenv("PENSTOCK_FRECHET", raising=False)
    assert re.search(r"portrait-features@sha256:[0-9a-f]{64} \(stand-in\)$", score(a, a), re.MULTILINE)
    assert "stand-in" in caplog.text


def test_bad_sets_are_refused_by_name(tmp_path, weights):
    good = directory(tmp_path / "good", frames(3))
    one = directory(tmp_path / "one", frames(1))
    mixed = directory(tmp_path / "mixed", frames(2))
    (mixed / "half.dat").write_text("x")
    damaged = directory(tmp_path / "damaged", frames(2))
    (damaged / "000.png").write_bytes((good / "000.png").read_bytes()[:60])
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.mp4").write_text("no video")
    for other, message in (
        (one, "only one picture"),
        (mixed, "half.dat: this is no image"),
        (damaged, "000.png"),
        (tmp_path / "empty", "no image or video"),
        (tmp_path / "text.mp4", "text.mp4"),
        (tmp_path / "missing", "missing"),
        (video(tmp_path / "single.mp4", frames(1)), "only one picture"),
    ):
        with pytest.raises(UsageError, match=message):
            score(good, other, "--weights", weights)


@pytest.mark.slow
def test_importing_the_command_loads_no_heavy_package():
    source = Path(__file__).parents[3] / "src"
    code = (
        f"import sys; sys.path.insert(0, {str(source)!r}); import penstock.families.talking_head.score_frechet; "
        "print([m for m in ('numpy', 'cv2', 'av', 'onnxruntime', 'torch', 'onnx', 'scipy') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


@pytest.mark.slow
def test_statistics_stand_for_the_pictures(tmp_path, weights):
    a, b = directory(tmp_path / "a", frames(10)), directory(tmp_path / "b", frames(14, seed=1, brighter=40))
    expected = json.loads(score(a, b, "--weights", weights, "--json"))
    said = score(a, "--save", tmp_path / "a.npz", "--weights", weights)
    assert "statistics of 10 pictures, extractor four-pixels@sha256" in said
    saved = json.loads(score(b, a, "--save", tmp_path / "b.npz", "--weights", weights, "--json"))
    assert saved["n"] == 14
    for first, second in ((tmp_path / "a.npz", b), (a, tmp_path / "b.npz"), (tmp_path / "a.npz", tmp_path / "b.npz")):
        assert json.loads(score(first, second, "--weights", weights, "--json")) == expected
    # nothing is left but the files, and no network is needed for two of them
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.npz", "b", "b.npz"]
    missing = tmp_path / "no-network.onnx"
    assert json.loads(score(tmp_path / "a.npz", tmp_path / "b.npz", "--weights", missing, "--json")) == expected


@pytest.mark.slow
def test_statistics_of_another_program_have_a_fid_but_no_kid(tmp_path, weights):
    a, b = directory(tmp_path / "a", frames(30)), directory(tmp_path / "b", frames(40, seed=1, brighter=40))
    expected = json.loads(score(a, b, "--weights", weights, "--json"))
    score(b, "--save", tmp_path / "b.npz", "--weights", weights)
    with np.load(tmp_path / "b.npz") as ours:
        assert np.allclose(ours["mu"], ours["features"].mean(axis=0))
        assert np.allclose(ours["sigma"], np.cov(ours["features"], rowvar=False))
        np.savez(tmp_path / "theirs.npz", mu=ours["mu"], sigma=ours["sigma"])
    found = json.loads(score(a, tmp_path / "theirs.npz", "--weights", weights, "--json"))
    assert found["fid"] == pytest.approx(expected["fid"], rel=1e-6)
    assert found["kid"] is None
    assert found["n_reference"] is None
    text = score(a, tmp_path / "theirs.npz", "--weights", weights)
    assert "KID        none" in text
    assert "does not say its extractor" in text


def test_statistics_of_another_extractor_are_refused(tmp_path, weights):
    a = directory(tmp_path / "a", frames(10))
    score(a, "--save", tmp_path / "a.npz", "--weights", weights)
    with pytest.raises(UsageError, match=r"different extractors: portrait-features@.* and four-pixels@"):
        score(a, tmp_path / "a.npz")
    with pytest.raises(UsageError, match="nothing to compare with"):
        score(a)
    # told before the pictures, or the network, are looked at
    with pytest.raises(UsageError, match=r"ends in \.npz"):
        score(tmp_path / "missing", "--save", tmp_path / "a.bin", "--weights", tmp_path / "missing.onnx")


def arrays(**given):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(9, 4)).astype(np.float32)
    return {"mu": rows.mean(axis=0), "sigma": np.cov(rows, rowvar=False), **given}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sigma": np.eye(3)}, "'mu' has the shape"),
        ({"sigma": -np.eye(4)}, "not a covariance"),
        ({"sigma": np.triu(np.ones((4, 4)))}, "not a covariance"),
        ({"mu": np.full(4, np.nan)}, "finite"),
        ({"mu": np.array(["a", "b", "c", "d"])}, "finite"),
        ({"features": np.ones((1, 4), np.float32)}, "its features have the shape"),
        ({"features": np.full((3, 4), np.inf, np.float32)}, "not finite"),
        ({"mu": np.array([{}] * 4, dtype=object)}, "cannot be read"),
    ],
)
def test_statistics_that_are_none(tmp_path, weights, given, message):
    path = tmp_path / "odd.npz"
    np.savez(path, **arrays(**given))
    with pytest.raises(UsageError, match=message) as caught:
        score(path, path, "--weights", weights)
    assert "odd.npz" in str(caught.value)


@pytest.mark.slow
def test_damaged_statistics_are_one_message(tmp_path, weights):
    path = tmp_path / "odd.npz"
    np.savez(path, **arrays())
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    for number in range(60):
        damaged = bytearray(whole)
        if number % 3:
            damaged[random.integers(len(whole))] ^= 1 << int(random.integers(8))
        path.write_bytes(damaged[: len(whole) if number % 3 else random.integers(len(whole))])
        with contextlib.suppress(UsageError):  # anything else is a fault of ours
            score(path, path, "--weights", weights)
    np.savez(path, other=np.ones(3))
    with pytest.raises(UsageError, match="neither 'features' nor"):
        score(path, path)
    path.write_bytes(b"")
    with pytest.raises(UsageError, match="the file is empty"):
        score(path, path)
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 9\n")
    with pytest.raises(UsageError, match="Git LFS pointer"):
        score(path, path)


@pytest.mark.slow
def test_statistics_of_another_precision_are_refused(tmp_path, weights, monkeypatch):
    """OpenVINO in f32 in the place of bf16, which not every CPU computes."""
    monkeypatch.setattr("penstock.extractors.precision.why_no_bf16", lambda: "")
    monkeypatch.setattr("penstock.extractors.openvino_backend.OpenVino", lambda precision: OpenVino("f32"))
    a = directory(tmp_path / "a", frames(10))
    score(a, "--save", tmp_path / "a.npz", "--weights", weights)
    with pytest.raises(UsageError, match=r"\+bf16-openvino and four-pixels@") as caught:
        score(a, tmp_path / "a.npz", "--weights", weights, "--precision", "bf16")
    assert "--precision" in caught.value.todo
    both = json.loads(score(a, a, "--weights", weights, "--precision", "bf16", "--json"))
    assert both["extractor"].endswith("+bf16-openvino")
