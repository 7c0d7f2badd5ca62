"""``penstock score lipsync`` from the command line, through a tiny network."""

import json
import re
from fractions import Fraction

import av
import cv2
import numpy as np
import onnx
import pytest
import typer
from onnx import TensorProto, helper, numpy_helper
from tests.unit.metrics.drawn_faces import drawn_face
from typer.testing import CliRunner

from penstock.extractors.openvino_backend import OpenVino
from penstock.families.talking_head.score_lipsync import PROTOCOLS, lipsync
from penstock.foundation.errors import UsageError

app = typer.Typer()
app.command()(lipsync)


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """Lips: brightness over a window; sound: loudness (coefficient 0) over a window, brought to the same range."""
    constants = {
        "loudness": np.pad(np.full((1, 1, 1, 20), 1 / 20, np.float32), ((0, 0), (0, 0), (0, 12), (0, 0))),
        "time": np.full((1, 1, 5, 1), 1 / 5 / 20, np.float32),
        "level": np.array([11.2], np.float32),
        "shape": np.array([-1, 1], np.int64),
        "row": np.array([1, 1, -1, 1], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["mfcc", "loudness"], ["sound"], kernel_shape=[13, 20], strides=[1, 4]),
        helper.make_node("Reshape", ["sound", "shape"], ["audio_features"]),
        helper.make_node("Cast", ["frames"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2, 3]),
        helper.make_node("Reshape", ["means", "row"], ["line"]),
        helper.make_node("Conv", ["line", "time", "level"], ["lips"], kernel_shape=[5, 1]),
        helper.make_node("Reshape", ["lips", "shape"], ["video_features"]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("mfcc", TensorProto.FLOAT, [1, 1, 13, "t"]), value("frames", TensorProto.UINT8, ["n", 224, 224, 3])],
        [value("audio_features", TensorProto.FLOAT, ["a", 1]), value("video_features", TensorProto.FLOAT, ["v", 1])],
        initializer=[numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"penstock.kind": "syncnet", "penstock.name": "tiny"})
    path = tmp_path_factory.mktemp("network") / "tiny.onnx"
    onnx.save(model, path)
    return path


def write_talker(path, *, frames=60, size=224, lag=0, sound=True, rate=16_000, channels=1):
    """Brightness that follows the loudness of the sound, ``lag`` frames late."""
    random = np.random.default_rng(0)
    loud = np.repeat(random.uniform(0, 1, frames), 4)
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "10"})
        video.width = video.height = size
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=rate, layout=["mono", "stereo"][channels - 1]) if sound else None
        for number in range(frames):
            bright = 16 + 200 * loud[max(number - lag, 0)]
            frame = av.VideoFrame.from_ndarray(np.full((size, size, 3), bright, np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
            if audio is not None:
                samples = rate // 25
                noise = random.normal(0, 1, samples) * np.exp(3 + 5 * loud[number])
                block = np.repeat(noise.astype(np.int16), channels)[None]
                piece = av.AudioFrame.from_ndarray(block, format="s16", layout=audio.layout.name)
                piece.sample_rate, piece.pts, piece.time_base = rate, number * samples, Fraction(1, rate)
                container.mux(audio.encode(piece))
        container.mux(video.encode(None))
    return path


def answer(capsys, video, network, *, face_box=None, protocol="direct"):
    lipsync(video, network, face_box, protocol=protocol, as_json=True)
    return json.loads(capsys.readouterr().out)


def command(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.slow
def test_json_has_the_documented_keys(tmp_path, network, capsys):
    found = answer(capsys, write_talker(tmp_path / "redé 話す.mkv"), network)
    assert {"lse_d", "lse_c", "offset_frames", "extractor"} <= found.keys()
    assert found["extractor"].startswith("tiny@sha256:")
    assert found["protocol"] == "direct"


@pytest.mark.slow
@pytest.mark.parametrize("lag", [0, 3])
def test_lips_that_lag_are_seen(tmp_path, network, capsys, lag):
    """Positive: the sound comes before the lips."""
    assert answer(capsys, write_talker(tmp_path / "clip.mkv", lag=lag, frames=120), network)["offset_frames"] == lag


@pytest.mark.slow
def test_stereo_at_48_khz_says_the_same(tmp_path, network, capsys):
    mono = answer(capsys, write_talker(tmp_path / "mono.mkv"), network)
    stereo = answer(capsys, write_talker(tmp_path / "stereo.mkv", rate=48_000, channels=2), network)
    assert stereo["offset_frames"] == mono["offset_frames"]


@pytest.mark.slow
def test_reference_protocol_scores_lossy_frames(tmp_path, network, capsys):
    clip = write_talker(tmp_path / "clip.mkv")
    direct, lossy = (answer(capsys, clip, network, protocol=protocol) for protocol in PROTOCOLS)
    assert lossy["protocol"] == "reference"
    assert lossy["lse_d"] == pytest.approx(direct["lse_d"], abs=0.3)
    assert lossy["lse_d"] != direct["lse_d"]


@pytest.mark.slow
def test_face_box_in_a_larger_video(tmp_path, network, capsys):
    clip = write_talker(tmp_path / "large.mkv", size=320)
    whole = answer(capsys, clip, network, face_box="100,100,60,60")
    assert whole["offset_frames"] == answer(capsys, write_talker(tmp_path / "crop.mkv"), network)["offset_frames"]
    lossy = answer(capsys, clip, network, face_box="100,100,60,60", protocol="reference")
    assert lossy["offset_frames"] == whole["offset_frames"]
    with pytest.raises(UsageError, match="no face was found"):
        lipsync(clip, network)
    with pytest.raises(UsageError, match="does not fit the picture"):
        lipsync(clip, network, "900,900,5,5")


def test_text_for_people(tmp_path, network, capsys):
    lipsync(write_talker(tmp_path / "clip.mkv"), network)
    out = capsys.readouterr().out
    assert "LSE-D" in out
    assert "frames of 40 ms" in out


@pytest.mark.parametrize(
    ("frames", "sound", "message"), [(5, True, "too short for lip sync: 5 frames"), (20, False, "no sound")]
)
def test_clips_that_cannot_be_scored(tmp_path, network, frames, sound, message):
    clip = write_talker(tmp_path / "odd.mkv", frames=frames, sound=sound)
    with pytest.raises(UsageError, match=message) as caught:
        lipsync(clip, network)
    assert "odd.mkv" in str(caught.value)


@pytest.mark.slow
def test_of_two_sounds_the_default_is_scored_and_it_is_said(tmp_path, network, capsys, caplog):
    clip = write_talker(tmp_path / "one.mkv")
    two = tmp_path / "two.mkv"
    with av.open(str(clip)) as source, av.open(str(two), "w") as target:
        video = target.add_stream_from_template(source.streams.video[0])
        silent = target.add_stream("pcm_s16le", rate=16_000, layout="mono")
        silent.disposition = av.stream.Disposition(0)
        audio = target.add_stream_from_template(source.streams.audio[0])
        audio.disposition = av.stream.Disposition.default
        for packet in [packet for packet in source.demux() if packet.size]:
            packet.stream = video if packet.stream.type == "video" else audio
            target.mux(packet)
        block = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), format="s16", layout="mono")
        block.sample_rate, block.pts, block.time_base = 16_000, 0, Fraction(1, 16_000)
        target.mux([*silent.encode(block), *silent.encode(None)])
    assert answer(capsys, two, network)["lse_d"] == answer(capsys, clip, network)["lse_d"]
    assert "two.mkv: there are 2 sound tracks: number 2, which is marked as the default, is read" in caplog.text


def test_sound_alone(tmp_path, network):
    path = tmp_path / "sound.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        block = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.int16), format="s16", layout="mono")
        block.sample_rate, block.pts = 16_000, 0
        container.mux(stream.encode(block))
    with pytest.raises(UsageError, match="no video"):
        lipsync(path, network)


def test_where_the_network_comes_from(tmp_path, network, capsys, caplog, monkeypatch):
    clip = write_talker(tmp_path / "clip.mkv", frames=12)
    monkeypatch.delenv("PENSTOCK_SYNCNET", raising=False)
    lipsync(clip, face_box="0,0,224,224")
    assert re.search(r"syncnet-compact@sha256:[0-9a-f]{64} \(stand-in\)$", capsys.readouterr().out, re.MULTILINE)
    assert "stand-in" in caplog.text
    monkeypatch.setenv("PENSTOCK_SYNCNET", str(network))
    lipsync(clip)
    assert "tiny@sha256" in capsys.readouterr().out


def test_from_the_command_line(tmp_path, network):
    clip = write_talker(tmp_path / "clip.mkv", frames=12)
    done = command(clip, "--weights", network, "--protocol", "reference", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["protocol"] == "reference"


@pytest.mark.slow
def test_a_folder_of_videos_is_a_table_or_json_lines(tmp_path, network, capsys):
    write_talker(tmp_path / "b.mkv", frames=60, lag=3)
    (tmp_path / "a").mkdir()
    write_talker(tmp_path / "a" / "clip.mkv", frames=60)
    for name in ("notes.txt", "talk.py"):
        (tmp_path / name).write_text("not a video")
    done = command(tmp_path, "--weights", network, "--json")
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["video"], line["offset_frames"]) for line in lines] == [("a/clip.mkv", 0), ("b.mkv", 3)]
    alone = answer(capsys, tmp_path / "b.mkv", network)
    assert {key: lines[1][key] for key in alone} == alone
    table = command(tmp_path, "--weights", network).stdout.splitlines()
    assert [line.split()[-1] for line in table[:3]] == ["video", "a/clip.mkv", "b.mkv"]
    assert f"{alone['lse_d']:.3f}" in table[2]
    assert "tiny@sha256" in table[3]


def test_one_bad_video_in_a_folder_does_not_hide_the_others(tmp_path, network):
    write_talker(tmp_path / "good.mkv", frames=12)
    write_talker(tmp_path / "mute.mkv", frames=12, sound=False)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    done = command(tmp_path, "--weights", network, "--json")
    assert done.exit_code == 2
    broken, good, mute = [json.loads(line) for line in done.stdout.splitlines()]
    assert good["lse_d"] > 0
    assert mute["lse_d"] is None
    assert "no sound" in mute["error"]
    assert broken["error"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no video in the directory"):
        lipsync(tmp_path / "empty", network)


def two_talkers(path):
    """Two drawn faces side by side, the right one larger; the left one leaves after a second."""
    sound = np.random.default_rng(0).normal(0, 2000, 32 * 640).astype(np.int16)
    large, small = (cv2.resize(drawn_face(), size, interpolation=cv2.INTER_AREA) for size in ((160, 120), (120, 90)))
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "10"})
        video.width, video.height, video.pix_fmt = 320, 120, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for number in range(32):
            image = np.full((120, 320, 3), 200, np.uint8)
            image[:, 160:] = large
            if number < 25:
                image[15:105, 15:135] = small
            frame = av.VideoFrame.from_ndarray(image, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
            heard = sound[None, number * 640 : (number + 1) * 640]
            piece = av.AudioFrame.from_ndarray(heard, format="s16", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = 16_000, number * 640, Fraction(1, 16_000)
            container.mux(audio.encode(piece))
        container.mux(video.encode(None))
    return path


@pytest.mark.slow
def test_each_face_has_a_value_of_its_own(tmp_path, network, capsys):
    clip = two_talkers(tmp_path / "two.mkv")
    done = command(clip, "--weights", network, "--face", "all", "--json")
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert (first["face"], first["frames"]) == (1, 32)
    assert (second["face"], second["frames"]) == (2, 25)
    assert first["box"][0] > 160 > second["box"][0] + second["box"][2]
    assert first["lse_d"] != second["lse_d"]
    only = command(clip, "--weights", network, "--face", "2", "--json")
    assert json.loads(only.stdout) == second
    assert answer(capsys, clip, network)["lse_d"] == first["lse_d"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"face": "3"}, "there are 2 faces, not 3"),
        ({"face": "0"}, "not a face"),
        ({"face": "left"}, "'left' is not a face"),
        ({"face": "1", "face_box": "1,1,50,50"}, "one of the two"),
        ({"protocol": "other"}, "not a protocol"),
    ],
)
def test_faces_that_cannot_be_had(tmp_path, network, options, message):
    clip = two_talkers(tmp_path / "two.mkv")
    with pytest.raises(UsageError, match=message):
        lipsync(clip, network, **options)


@pytest.mark.slow
def test_a_precision_that_this_machine_has_not_is_refused(tmp_path, network, monkeypatch):
    monkeypatch.setattr("penstock.extractors.precision.why_no_bf16", lambda: "no bf16 here")
    path = write_talker(tmp_path / "talker.mp4")
    given = [str(path), "--weights", str(network), "--json", "--precision"]
    with pytest.raises(UsageError, match="no bf16 here"):
        CliRunner().invoke(app, [*given, "bf16"], catch_exceptions=False)
    with pytest.raises(UsageError, match="'fp16' is not known"):
        CliRunner().invoke(app, [*given, "fp16"], catch_exceptions=False)
    assert "+" not in json.loads(CliRunner().invoke(app, [*given, "f32"], catch_exceptions=False).stdout)["extractor"]


@pytest.mark.slow
def test_bf16_says_so_in_the_extractors_name(tmp_path, network, monkeypatch):
    """OpenVINO in f32 in the place of bf16, which not every CPU computes."""
    monkeypatch.setattr("penstock.extractors.precision.why_no_bf16", lambda: "")
    monkeypatch.setattr("penstock.extractors.openvino_backend.OpenVino", lambda precision: OpenVino("f32"))
    path = write_talker(tmp_path / "talker.mp4")
    values = [
        json.loads(CliRunner().invoke(app, [str(path), "--weights", str(network), "--json", *more]).stdout)
        for more in ([], ["--precision", "bf16"])
    ]
    assert values[1]["extractor"] == values[0]["extractor"] + "+bf16-openvino"
    assert values[1]["lse_d"] == pytest.approx(values[0]["lse_d"], rel=1e-4)
