"""Lip-sync scores against syncnet-python's own code, on the same random weights and the same frames.

Needs the parity environment (torch, syncnet-python, python_speech_features, onnx, FFmpeg on the PATH): its
``python -m pytest tests/parity``.
"""

import pickle
import warnings
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from scipy import signal
from syncnet_python.SyncNetInstance import calc_pdist
from tests.parity.syncnet_reference import evaluate, extract, frames_of, lossless

from penstock import media
from penstock.cli.weights_import import import_weights
from penstock.extractors.checkpoint import read_checkpoint
from penstock.extractors.checkpoint_import import import_checkpoint
from penstock.foundation.errors import UsageError
from penstock.metrics.lipsync import compare, score_lipsync
from penstock.metrics.mfcc import mfcc

RELATIVE = 1e-4
X264 = {"crf": "18", "rc-lookahead": "0", "mbtree": "0"}
"""Without its look-ahead x264 writes the same bytes each time; with it, it does not on every CPU."""


def write_clip(path, *, frames=40, seconds=1.6, rate=16_000, channels=1, colorspace=None):
    """A 224x224 clip of moving shapes and noise with sound of its own length."""
    random = np.random.default_rng(frames)
    y, x = np.mgrid[0:224, 0:224]
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25, options=X264)
        video.width = video.height = 224
        video.pix_fmt = "yuv420p"
        if colorspace:
            video.codec_context.colorspace = colorspace
        audio = container.add_stream("aac", rate=rate, layout=["mono", "stereo"][channels - 1])
        for number in range(frames):
            waves = 100 + 50 * np.sin(x / 20 + number / 10)
            picture = np.stack([waves, 120 + 40 * np.cos(y / 15), 90 + x / 4], axis=-1)
            picture[(x - 112) ** 2 / 900 + (y - 160) ** 2 / (20 + 150 * abs(np.sin(number / 3))) < 1] = (20, 10, 60)
            noisy = np.clip(picture + random.normal(0, 4, picture.shape), 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        at = np.arange(int(seconds * rate)) / rate
        voice = 8000 * np.sin(2 * np.pi * 200 * at) * np.abs(np.sin(at * 25 / 3))
        sound = np.stack([voice * (1 - 0.4 * channel) + random.normal(0, 300, at.size) for channel in range(channels)])
        packed = np.ascontiguousarray(sound.astype(np.int16).T).reshape(1, -1)
        block = av.AudioFrame.from_ndarray(packed, format="s16", layout=audio.layout.name)
        block.sample_rate, block.pts, block.time_base = rate, 0, Fraction(1, rate)
        container.mux(audio.encode(block))
        container.mux(audio.encode(None))
        container.mux(video.encode(None))
    return path


CLIPS = {
    "plain": {},
    "48 kHz stereo": {"rate": 48_000, "channels": 2},
    "44.1 kHz": {"rate": 44_100},
    "sound shorter": {"seconds": 1.0},
    "sound longer": {"seconds": 2.3},
    "six frames": {"frames": 6},
    "bt709": {"colorspace": 1},
    "more than one stack": {"frames": 80, "seconds": 3.2},
}


@pytest.mark.parametrize("clip", CLIPS)
def test_direct_protocol_on_the_frames_as_decoded(net, extractor, tmp_path, clip):
    """The reference reads lossless pictures here, under the names that it looks for."""
    path = write_clip(tmp_path / "clip.mp4", **CLIPS[clip])
    extract(path, tmp_path)
    lossless(media.read_frames(path), tmp_path)
    expected = evaluate(net, tmp_path)
    mine = score_lipsync(media.read_frames(path), media.read_audio(path, with_video=True), extractor)
    assert mine.lse_d == pytest.approx(expected.lse_d, rel=RELATIVE)
    assert mine.lse_c == pytest.approx(expected.lse_c, rel=RELATIVE, abs=1e-6)
    assert mine.offset_frames == expected.offset_frames
    assert mine.shift_distances == pytest.approx(expected.shift_distances, rel=RELATIVE)


@pytest.mark.parametrize("clip", CLIPS)
def test_decoded_frames_are_ffmpegs(tmp_path, clip):
    path = write_clip(tmp_path / "clip.mp4", **CLIPS[clip])
    assert (np.stack(list(media.read_frames(path))) == frames_of(path)).all()


@pytest.mark.parametrize("clip", CLIPS)
def test_reference_protocol_on_the_lossy_frames(net, extractor, tmp_path, clip):
    path = write_clip(tmp_path / "clip.mp4", **CLIPS[clip])
    extract(path, tmp_path)
    theirs = np.stack([cv2.imread(str(name)) for name in sorted(tmp_path.glob("*.jpg"))])
    mine = np.stack(list(media.read_reference_frames(path)))
    # The encoder's rate control counts bits: a few bits more in another FFmpeg move a few frames by one quantiser step
    assert mine.shape == theirs.shape
    assert (mine == theirs).mean() > 0.95
    expected = evaluate(net, tmp_path)
    score = score_lipsync(mine, media.read_audio(path, with_video=True), extractor)
    assert score.lse_d == pytest.approx(expected.lse_d, rel=RELATIVE)
    assert score.lse_c == pytest.approx(expected.lse_c, rel=20 * RELATIVE, abs=1e-5)
    assert score.offset_frames == expected.offset_frames
    same = score_lipsync(theirs, media.read_audio(tmp_path / "audio.wav"), extractor)
    assert same.lse_d == pytest.approx(expected.lse_d, rel=RELATIVE)
    assert same.lse_c == pytest.approx(expected.lse_c, rel=RELATIVE, abs=1e-6)


def test_five_frames_crash_the_reference_and_not_penstock(net, extractor, tmp_path):
    path = write_clip(tmp_path / "clip.mp4", frames=5)
    extract(path, tmp_path)
    with pytest.raises((RuntimeError, ValueError)):
        evaluate(net, tmp_path)
    with pytest.raises(UsageError, match="too short"):
        score_lipsync(media.read_frames(path), media.read_audio(path), extractor)


def test_features(net, extractor):
    random = np.random.default_rng(0)
    frames = random.integers(0, 255, (14, 224, 224, 3), dtype=np.uint8)
    columns = mfcc(random.integers(-9000, 9000, 16_000, dtype=np.int16))
    lips, sound = extractor.features(frames, columns)
    with torch.no_grad():
        stack = torch.from_numpy(frames).permute(3, 0, 1, 2)[None].float()
        expected_lips = torch.cat([net.forward_lip(stack[:, :, i : i + 5]) for i in range(10)]).numpy()
        line = torch.from_numpy(columns)[None, None]
        expected_sound = torch.cat([net.forward_aud(line[..., 4 * i : 4 * i + 20]) for i in range(10)]).numpy()
    assert np.abs(lips - expected_lips).max() <= 1e-4 * np.abs(expected_lips).max()
    assert np.abs(sound - expected_sound).max() <= 1e-4 * np.abs(expected_sound).max()


@pytest.mark.parametrize(("windows", "size"), [(8, 16), (245, 1024), (511, 24), (512, 24), (1300, 9), (8192, 8)])
def test_scores_are_rounded_as_torch_rounds_them(windows, size):
    random = np.random.default_rng(windows)
    video, audio = random.normal(size=(2, windows, size)).astype(np.float32)
    distances = calc_pdist(torch.from_numpy(video), torch.from_numpy(audio), vshift=15)
    means = torch.mean(torch.stack(distances, 1), 1)
    least, best = torch.min(means, 0)
    mine = compare(video, audio)
    assert mine.offset_frames == 15 - int(best)
    assert mine.lse_d == pytest.approx(float(least), rel=3e-7)
    assert mine.lse_c == pytest.approx(float(torch.median(means) - least), abs=1e-6)
    at_best = np.array([float(d[best]) for d in distances])
    assert mine.frame_distances == pytest.approx(at_best, rel=1e-6)
    if windows >= 9:  # below, the reference's filter takes the zeros beyond the ends for values
        smooth = signal.medfilt(float(torch.median(means)) - at_best, 9)
        assert mine.frame_confidences == pytest.approx(smooth, abs=1e-6)


# Reading checkpoints


def test_every_way_in_which_checkpoints_are_saved(net, checkpoint, tmp_path):
    state = net.state_dict()
    saved = {
        "zip": (state, {}),
        "legacy": (state, {"_use_new_zipfile_serialization": False}),
        "nested": ({"state_dict": state, "epoch": 3}, {}),
        "parallel": ({f"module.{key}": value for key, value in state.items()}, {}),
    }
    for name, (content, options) in saved.items():
        torch.save(content, tmp_path / f"{name}.model", **options)
        found = read_checkpoint(tmp_path / f"{name}.model")
        assert found.state.keys() == state.keys()
        assert (found.state["netfcaud.0.weight"] == state["netfcaud.0.weight"].numpy()).all()
        assert found.size == (tmp_path / f"{name}.model").stat().st_size


class Payload:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (Path(self.path),)


@pytest.mark.parametrize("how", ["pickle", "torch", "legacy"])
def test_a_pickle_that_executes_is_refused_and_not_run(tmp_path, how):
    trace, evil, out = tmp_path / "executed", tmp_path / "evil.model", tmp_path / "out.onnx"
    content = {"netcnnaud.0.weight": Payload(str(trace))}
    if how == "pickle":
        evil.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, evil, _use_new_zipfile_serialization=how == "torch")
    with pytest.raises(UsageError, match=r"could run code|not a PyTorch checkpoint") as caught:
        import_checkpoint("syncnet", evil, out)
    assert "evil.model" in str(caught.value)
    assert not trace.exists()
    assert not out.exists()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.load(evil, weights_only=False) if how != "pickle" else pickle.loads(evil.read_bytes())  # noqa: S301
    assert trace.exists(), "the payload must be a working one"


def test_what_is_no_syncnet_checkpoint(net, tmp_path):
    for name, content, message in (
        ("list", [1, 2], "no state dict"),
        ("empty", {}, "no state dict"),
        ("other", {"fc.weight": torch.zeros(3)}, "not a SyncNet checkpoint"),
        ("half", {k: v for k, v in net.state_dict().items() if "aud" in k}, "not a SyncNet checkpoint"),
    ):
        torch.save(content, tmp_path / name)
        with pytest.raises(UsageError, match=message):
            import_checkpoint("syncnet", tmp_path / name, tmp_path / "out.onnx")
    torch.save(net.state_dict(), tmp_path / "cut")
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes()[:1_000_000])
    with pytest.raises(UsageError, match="not a PyTorch checkpoint"):
        import_checkpoint("syncnet", tmp_path / "cut", tmp_path / "out.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_an_unpublished_checkpoint_says_so(checkpoint, extractor, capsys, tmp_path):
    import_weights("syncnet", checkpoint, tmp_path / "again.onnx")
    said = capsys.readouterr()
    assert "is not the published checkpoint" in said.err
    assert extractor.label in said.out  # the same checkpoint, the same file
    assert extractor.label.startswith("syncnet-unpublished@sha256:")
