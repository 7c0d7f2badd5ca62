"""The commands and calls of syncnet-python's pipeline, and FFmpeg's own frames and samples."""

import importlib
import subprocess
from types import SimpleNamespace
from typing import NamedTuple
from unittest import mock

import cv2
import numpy as np
import torch
from syncnet_python.SyncNetInstance import calc_pdist

REFERENCE = importlib.import_module("syncnet_python.SyncNetInstance")
"""The module; the package hides it behind its class of the same name."""

FFMPEG = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-y"]
CONSTANT = "setpts=PTS-STARTPTS,fps=25"
"""FFmpeg's filter for 25 frames a second, counted from the first frame."""


def run(*arguments):
    """What FFmpeg writes to its standard output."""
    return subprocess.run([*FFMPEG, *map(str, arguments)], check=True, capture_output=True).stdout


def size_of(path):
    """Width and height of the frames that FFmpeg gives out, turned upright."""
    header = run("-i", path, "-frames:v", "1", "-f", "image2pipe", "-c:v", "ppm", "-")
    return tuple(int(part) for part in header.split(None, 3)[1:3])


def frames_of(path, *options):
    """uint8 ``(n, H, W, 3)`` BGR."""
    width, height = size_of(path)
    raw = run("-i", path, *options, "-f", "rawvideo", "-pix_fmt", "bgr24", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


def samples_of(path, *options):
    """int16 mono at 16 kHz, by the command of the pipeline."""
    command = ["-i", path, "-ac", "1", "-vn", "-acodec", "pcm_s16le", "-ar", "16000", *options]
    return np.frombuffer(run(*command, "-f", "s16le", "-"), np.int16)


def extract(clip, folder, *frame_options):
    """Frames and sound of a clip into a folder, by the commands of the pipeline's last step."""
    run("-i", clip, *frame_options, "-f", "image2", "-threads", "1", f"{folder}/%06d.jpg")
    sound = ["-ac", "1", "-vn", "-acodec", "pcm_s16le", "-ar", "16000", "-af", "aresample=async=1"]
    run("-i", clip, *sound, f"{folder}/audio.wav")
    return folder


def lossless(frames, folder):
    """Put frames where the reference looks for them, under the names that it looks for, without any loss."""
    for name in folder.glob("*.jpg"):
        name.unlink()
    for number, frame in enumerate(frames):
        (folder / f"{number:06d}.jpg").write_bytes(cv2.imencode(".png", frame)[1].tobytes())


class Score(NamedTuple):
    """The reference's numbers; ``shift_distances`` are the means of which the others are made."""

    lse_d: float
    lse_c: float
    offset_frames: int
    shift_distances: np.ndarray


def evaluate(net, folder):
    """The reference's numbers for the frames and the sound in a folder."""
    seen = []

    def kept(*arguments, **options):
        seen.append(calc_pdist(*arguments, **options))
        return seen[-1]

    options = SimpleNamespace(tmp_dir=str(folder), batch_size=20, vshift=15)
    with mock.patch.object(REFERENCE, "calc_pdist", kept):  # it returns three numbers and prints the rest
        offset, confidence, distance = REFERENCE.SyncNetInstance(net=net, device="cpu").evaluate(options)
    return Score(distance, confidence, offset, torch.stack(seen[0], 1).mean(1).numpy())
