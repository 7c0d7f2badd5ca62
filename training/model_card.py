"""The text of `test-assets/extractors/syncnet-compact.md`, from measured figures."""

from __future__ import annotations

from training.evaluate_syncnet import Figures
from training.sentences import HELD_OUT_SENTENCES, HELD_OUT_VARIANTS, TRAINING_LANGUAGES, TRAINING_VARIANTS
from training.syncnet_data import CROP_LEFT, CROP_SIDE, CROP_TOP

_FILE = "test-assets/extractors/syncnet-compact"


def card(figures: Figures, sha256: str, size: int) -> str:
    """Markdown, from what `training.evaluate_syncnet.evaluate` measured and the file's digest and size in bytes."""
    rows = "\n".join(
        f"| {name} | {100 * fault['mean_change']:+.1f} % | {100 * fault['share_worse']:.0f} % |"
        for name, fault in figures["faults"].items()
    )
    clips, apart = figures["clips"], figures["told_apart"]
    sentences = sum(len(said) for said in HELD_OUT_SENTENCES.values())
    return f"""# syncnet-compact

A small network with SyncNet's interface and procedure (5 frames against 20 MFCC columns, euclidean distance), trained
on **drawn people with synthetic voices**. It stands in for the published SyncNet where that cannot be had, so that the
whole pipeline can be run and tested. Its LSE-D, LSE-C and offset are **not comparable** with those of the published
network or with any paper; reports name it, and values are compared only under the same extractor.

| | |
|---|---|
| file | `syncnet-compact.onnx`, {size:,} bytes, ONNX opset 17 |
| metadata | `penstock.kind=syncnet`, `penstock.name=syncnet-compact` |
| SHA-256 | `{sha256}` |
| licence | Apache-2.0 (weights and training code; all training data is made by that code) |
| input | `mfcc` float32 (1, 1, 13, T); `frames` uint8 (n, 224, 224, 3) BGR, SyncNet's face crop |
| output | `audio_features` float32 ((T - 20) // 4 + 1, 128); `video_features` float32 (n - 4, 128) |
| speed | {figures["seconds_for_100_frames"]:.3f} s for 100 frames with their sound, one thread (median) |

## How it was made

    python -m training.train_syncnet_compact --cache DIR --out {_FILE}.onnx
    python -m training.evaluate_syncnet --model {_FILE}.onnx --card {_FILE}.md

(`PYTHONPATH=src`.) The environment needs PyTorch, onnx, onnxruntime, OpenCV, PyAV, SciPy, pydantic and the program
espeak-ng 1.51. Training data: clips of 3.4 s; sentences put together at random from `training/sentences.py`, spoken by
espeak-ng ({len(TRAINING_LANGUAGES)} languages with {len(TRAINING_VARIANTS)} voice variants each);
a new face for every clip (`training/face.py`), with the mouth painted anew in each frame or made by warping a still
portrait (`training/talker.py`); H.264, JPEG or rescaling; random place and size of the crop; random light and colour.
Every clip also has a version with a fault (damped, smoothed, lagging or blurred lips), which has to come out with a
larger distance. Seeds are fixed, but threads and espeak-ng's own state are not: a new run gives a network of the same
quality, not the same bytes.

## Figures

On {clips} held-out clips of 3 to 4 s: other faces, other voices (variants {", ".join(HELD_OUT_VARIANTS)}), other
sentences ({sentences} written ones, two in each clip; some French, which training never heard), H.264 at CRF 18 to 28.

- **Told apart: {apart} of {clips} ({100 * apart / clips:.1f} %)**: in sync it reports an offset of at most
  1 frame, and with the sound moved by 3 frames, either way, an offset of 3 +- 1 frames with the right sign.
- Offset of at most 1 frame in sync: {100 * figures["in_sync_share"]:.1f} %.
- LSE-D in sync: mean {figures["lse_d_mean"]:.2f}, sd {figures["lse_d_sd"]:.2f}.
- LSE-C in sync: mean {figures["lse_c_mean"]:.2f}.
  With the sound played backwards: {figures["lse_c_wrong_sound_mean"]:.2f}.

Faults of the lips, on {figures["fault_clips"]} of these clips, each against the same clip without the fault:

| fault | LSE-D, mean change | clips that got worse |
|---|---|---|
{rows}

## Limits

Real people, real voices, profile views, hands before the mouth and singing are outside what it was trained on. It looks
only at the lower face of the crop (columns {CROP_LEFT} to {CROP_LEFT + CROP_SIDE},
rows {CROP_TOP} to {CROP_TOP + CROP_SIDE} of 224): the middle of the mouth should lie within rows 100 to 145.
A model that was tuned on this extractor would learn its drawn mouths; do not train on it.
"""
