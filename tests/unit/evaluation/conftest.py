"""A tiny repository: a service, a suite with a portrait and speech, and tiny extractors with the real interfaces."""

from __future__ import annotations

import functools
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnx
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper

from penstock.bundle.directory import Bundle
from penstock.contract.models import Contract, Suite, suite_model
from penstock.invocation.launch import descendants

SERVICE = """
import os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def do_GET(self):
        self.send_response(503 if os.environ.get("MODE") == "unready" else 200)
        self.end_headers()
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = body.partition(b'name="order"')[2].split(b"\\r\\n")[2].decode()
        print("asked for", name, flush=True)
        if name == "die": os._exit(5)
        if name == "hang" or name == "pause" and not os.path.exists("go"): time.sleep(600)
        self.send_response(500 if name == "500" else 200)
        self.send_header("Content-Type", "video/mp4")
        self.end_headers()
        own = f"answer-{name}.mp4"
        self.wfile.write(open(own if os.path.exists(own) else "answer.mp4", "rb").read())
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

Video = Callable[..., bytes]


@functools.cache
def video(
    frames: int = 25,
    *,
    sound: bool = True,
    picture: bool = True,
    side: int = 64,
    sound_seconds: float | None = None,
) -> bytes:
    """An MP4 of a bright spot that wanders over a textured ground, 25 frames a second, with a rising tone."""
    rng = np.random.default_rng(1)
    ground = rng.integers(0, 90, (side, side, 3), dtype=np.uint8)
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        if picture:
            stream = container.add_stream("libx264", rate=25)
            stream.width = stream.height = side
            stream.pix_fmt = "yuv420p"
        if sound:
            track = container.add_stream("aac", rate=16_000, layout="mono")
        if picture:
            for index in range(frames):
                image = ground.copy()
                cv2.circle(image, (10 + index % 40, side // 2), 6, (200, 220, 240), -1)
                frame = av.VideoFrame.from_ndarray(image, format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, 25)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        if sound:
            count = round((frames / 25 if sound_seconds is None else sound_seconds) * 16_000)
            time = np.arange(count) / 16_000
            tone = (8000 * np.sin(2 * np.pi * (200 + 300 * time) * time)).astype(np.int16)
            for start in range(0, count, 1024):
                piece = av.AudioFrame.from_ndarray(tone[None, start : start + 1024], format="s16", layout="mono")
                piece.rate, piece.pts, piece.time_base = 16_000, start, Fraction(1, 16_000)
                container.mux(track.encode(piece))
            container.mux(track.encode(None))
    return file.getvalue()


def _model(
    nodes: list[Any], inputs: list[Any], outputs: list[Any], weights: dict[str, Any], kind: str, name: str
) -> bytes:
    tensors = [numpy_helper.from_array(np.asarray(value), key) for key, value in weights.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"penstock.kind": kind, "penstock.name": name})
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@functools.cache
def syncnet() -> bytes:
    """Mean colour of 5 frames against a random projection of 20 MFCC columns."""
    rng = np.random.default_rng(2)
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Conv", ["mfcc", "wa"], ["a1"], strides=[1, 4]),
        helper.make_node("Reshape", ["a1", "flat"], ["a2"]),
        helper.make_node("Transpose", ["a2"], ["audio_features"], perm=[1, 0]),
        helper.make_node("Cast", ["frames"], ["v1"], to=TensorProto.FLOAT),
        helper.make_node("Transpose", ["v1"], ["v2"], perm=[0, 3, 1, 2]),
        helper.make_node("GlobalAveragePool", ["v2"], ["v3"]),
        helper.make_node("Flatten", ["v3"], ["v4"]),
        helper.make_node("Transpose", ["v4"], ["v5"], perm=[1, 0]),
        helper.make_node("Unsqueeze", ["v5", "zero"], ["v6"]),
        helper.make_node("Conv", ["v6", "wv"], ["v7"]),
        helper.make_node("Reshape", ["v7", "flat"], ["v8"]),
        helper.make_node("Transpose", ["v8"], ["video_features"], perm=[1, 0]),
    ]
    weights = {
        "wa": rng.normal(size=(4, 1, 13, 20)).astype(np.float32) / 50,
        "wv": rng.normal(size=(4, 3, 5)).astype(np.float32) / 50,
        "flat": np.array([4, -1]),
        "zero": np.array([0]),
    }
    inputs = [
        value("mfcc", TensorProto.FLOAT, [1, 1, 13, "T"]),
        value("frames", TensorProto.UINT8, ["n", 224, 224, 3]),
    ]
    outputs = [
        value(name, TensorProto.FLOAT, [rows, 4]) for name, rows in (("audio_features", "a"), ("video_features", "v"))
    ]
    return _model(nodes, inputs, outputs, weights, "syncnet", "syncnet-tiny")


@functools.cache
def image_features() -> bytes:
    """Mean colour."""
    value = helper.make_tensor_value_info
    nodes = [
        helper.make_node("Cast", ["images"], ["x1"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["x1"], ["features"], axes=[1, 2], keepdims=0),
    ]
    inputs = [value("images", TensorProto.UINT8, ["n", "h", "w", 3])]
    outputs = [value("features", TensorProto.FLOAT, ["n", 3])]
    return _model(nodes, inputs, outputs, {}, "image-features", "colours-tiny")


def hum() -> Any:
    """A second of something to hear."""
    return (3000 * np.sin(np.arange(16_000) / 9)).astype(np.int16)


class Repository:
    """A model's repository on disk with its contract and suite."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "suite" / "reference").mkdir(parents=True)
        (path / "service.py").write_text(SERVICE, encoding="utf-8")
        (path / "answer.mp4").write_bytes(video())
        image = np.full((32, 32, 3), 90, np.uint8)
        cv2.imwrite(str(path / "suite" / "face.png"), image)
        for index in range(3):
            cv2.imwrite(str(path / "suite" / "reference" / f"{index}.png"), image + np.uint8(10 * index))
        (path / "suite" / "reference" / "LICENCE").write_text("notes", encoding="utf-8")
        soundfile.write(path / "suite" / "speech.wav", hum(), 16_000)
        (path / "syncnet.onnx").write_bytes(syncnet())
        (path / "features.onnx").write_bytes(image_features())

    def contract(self, *, extractors: bool = False, mode: str = "", **call: Any) -> Contract:
        http = {
            "argv": ["python", "service.py", "{port}"],
            "ready_timeout_s": 20.0 if mode != "unready" else 0.5,
            "path": "/generate",
            "files": {"image": "image", "audio": "audio"},
            "fields": {"order": "{order}"},
            "response": "video/mp4",
        }
        files = {"lipsync": "syncnet.onnx", "frechet": "features.onnx"} if extractors else {}
        return Contract.model_validate(
            {
                "version": 1,
                "name": "tiny",
                "family": "talking-head",
                "call": {"http": http, "env": {"MODE": mode}, "timeout_s": 20.0, **call},
                "suite": "suite",
                "extractors": {
                    role: {
                        "path": name,
                        "source": "lfs",
                        "sha256": hashlib.sha256((self.path / name).read_bytes()).hexdigest(),
                    }
                    for role, name in files.items()
                },
                "policy": {"rules": [{"metric": "latency", "max": 100}]},
            }
        )

    def suite(self, *orders: str, **case: Any) -> Suite:
        cases = [
            {
                "name": f"case-{index}",
                "inputs": {"image": "face.png", "audio": "speech.wav"},
                "parameters": {"order": order},
                "slices": ["fast"],
                "face_box": [0.25, 0.25, 0.5, 0.5],
                **case,
            }
            for index, order in enumerate(orders)
        ]
        return suite_model("talking-head").model_validate(
            {"version": 1, "family": "talking-head", "cases": cases, "reference": "reference"}
        )


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "source")


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return Bundle(tmp_path / "bundle")


@pytest.fixture
def make_video() -> Video:
    return video


@pytest.fixture(autouse=True)
def no_process_is_left() -> Iterator[None]:
    before = set(descendants(os.getpid()))
    yield
    assert not set(descendants(os.getpid())) - before
