"""The reference's side of `bench_lipsync.py`; runs under the interpreter that `PENSTOCK_PARITY_PYTHON` names.

    reference_syncnet.py checkpoint OUT.model          write a SyncNet of random weights
    reference_syncnet.py frames CLIP DIR               write the JPEG frames and the sound that are scored
    reference_syncnet.py evaluate CLIP OUT.model       score a 224x224 clip as syncnet-python does, print JSON
 It imports syncnet-python, PyTorch and nothing of Penstock. The clip goes the way that syncnet-python's pipeline sends
a finished crop: FFmpeg writes JPEG frames and a WAV file, `SyncNetInstance.evaluate` reads them.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import torch
from syncnet_python.SyncNetInstance import SyncNetInstance
from syncnet_python.SyncNetModel import S


def checkpoint(out: str) -> None:
    """Random weights with batch norms that do something."""
    torch.manual_seed(0)
    net = S()
    for module in net.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    torch.save(net.state_dict(), out)


def frames(clip: str, folder: str) -> None:
    """JPEG frames and sound, by the commands of syncnet-python's pipeline."""
    ffmpeg = ["ffmpeg", "-loglevel", "error", "-y", "-i", clip]
    subprocess.run([*ffmpeg, "-f", "image2", "-threads", "1", f"{folder}/%06d.jpg"], check=True)
    sound = ["-ac", "1", "-vn", "-acodec", "pcm_s16le", "-ar", "16000", "-af", "aresample=async=1"]
    subprocess.run([*ffmpeg, *sound, f"{folder}/audio.wav"], check=True)


def evaluate(clip: str, weights: str) -> None:
    """The whole procedure from the clip's file to the three numbers."""
    with tempfile.TemporaryDirectory() as folder:
        frames(clip, folder)
        net = S()
        net.load_state_dict(torch.load(Path(weights), map_location="cpu"))
        options = SimpleNamespace(tmp_dir=folder, batch_size=20, vshift=15)
        with contextlib.redirect_stdout(sys.stderr):
            offset, confidence, distance = SyncNetInstance(net=net, device="cpu").evaluate(options)
    sys.stdout.write(json.dumps({"lse_d": distance, "lse_c": confidence, "offset_frames": offset}))


if __name__ == "__main__":
    {"checkpoint": checkpoint, "frames": frames, "evaluate": evaluate}[sys.argv[1]](*sys.argv[2:])
