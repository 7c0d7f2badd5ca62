"""Make `test-assets/speech/`: the demo's utterances, and held-out ones with their mouth tracks for the unit tests.

python -m training.make_speech --out test-assets/speech
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
from pathlib import Path

import numpy as np
import soundfile

from training.sentences import Utterance, held_out_utterance
from training.speech import SAMPLE_RATE, Speech, speak
from training.visemes import mouth_track

HELD_OUT_SEED = 20_250_601
HELD_OUT_CLIPS = 10
HELD_OUT_S = 3.4

DEMO: dict[str, Utterance] = {
    "en-us-f3-01": Utterance("We open the valve slowly, and the water begins to move.", "en-us+f3", 180, 55),
    "en-us-f5-fast-01": Utterance(
        "Move over, Bob, my boat is full of pumpkins and I am late for the show.", "en-us+f5", 235, 50
    ),
    "en-us-m3-01": Utterance("Good morning. Your new model has passed every test.", "en-us+m3", 160, 45),
    "en-us-m7-slow-01": Utterance("A warm voice makes people listen.", "en-us+m7", 112, 50),
    "en-gb-f5-01": Utterance("Would you mind if I put the violin on the table?", "en-gb+f5", 165, 60),
    "en-gb-m3-fast-01": Utterance(
        "Every Friday the famous pepper merchant walks from Bombay house to the busy market.", "en-gb+m3", 230, 40
    ),
    "de-f3-01": Utterance("Guten Morgen, wir öffnen jetzt langsam das große Tor.", "de+f3", 165, 50),
    "fr-m7-01": Utterance("Bonjour, voici une petite voix pour animer ce portrait.", "fr+m7", 160, 50),
    "es-f3-01": Utterance("Buenos días, hoy probamos una boca que habla.", "es+f3", 160, 55),
    "it-m3-slow-01": Utterance("Buongiorno a tutti, parliamo piano piano.", "it+m3", 125, 45),
}


def write_flac(path: Path, speech: Speech, limit_s: float | None = None) -> float:
    """Write the samples (cut to `limit_s`) as FLAC; returns the length in seconds."""
    samples = speech.samples if limit_s is None else speech.samples[: round(limit_s * SAMPLE_RATE)]
    soundfile.write(path, samples, SAMPLE_RATE, subtype="PCM_16", format="FLAC")
    return len(samples) / SAMPLE_RATE


def _say(utterance: Utterance) -> Speech:
    return speak(utterance.text, utterance.voice, rate=utterance.rate, pitch=utterance.pitch)


def _say_alone(utterance: Utterance) -> Speech:
    """Speak in a process of its own: espeak-ng carries state from call to call, and these files must not change."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_say, (utterance,))


def _trimmed(speech: Speech) -> Speech:
    """Without the silence that espeak-ng puts after the last word, but for a tenth of a second."""
    loud = np.flatnonzero(np.abs(speech.samples.astype(np.int32)) > 120)
    end = min(len(speech.samples), int(loud[-1]) + SAMPLE_RATE // 10)
    return Speech(speech.samples[:end], speech.phonemes)


def main(argv: list[str] | None = None) -> int:
    """Write everything; returns 0."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("test-assets/speech"))
    out: Path = parser.parse_args(argv).out
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, utterance in DEMO.items():
        speech = _trimmed(_say_alone(utterance))
        rows.append((f"{name}.flac", utterance, write_flac(out / f"{name}.flac", speech)))
    rng = np.random.default_rng(HELD_OUT_SEED)
    for number in range(1, HELD_OUT_CLIPS + 1):
        utterance = held_out_utterance(rng)
        speech = _say_alone(utterance)
        name = f"held-out-{number:02d}"
        length_s = write_flac(out / f"{name}.flac", speech, HELD_OUT_S)
        np.savez_compressed(out / f"{name}.npz", track=mouth_track(speech.phonemes, int(length_s * 25)))
        rows.append((f"{name}.flac", utterance, length_s))
    table = "\n".join(
        f"| {name} | {utterance.voice} | {utterance.rate} | {utterance.pitch} | {length_s:.2f} | {utterance.text} "
        f"| `{hashlib.sha256((out / name).read_bytes()).hexdigest()[:16]}` |"
        for name, utterance, length_s in rows
    )
    (out / "ORIGIN.md").write_text(_ORIGIN + table + "\n", encoding="utf-8")
    print(json.dumps({name: round(length_s, 2) for name, _, length_s in rows}, indent=1))
    return 0


_ORIGIN = """# Speech

Every file here was synthesised with espeak-ng 1.51 from sentences written for this project; no person was recorded.
The program's output is not covered by its licence (GPL-3.0-or-later); the sentences, the audio and the mouth tracks
are dedicated to the public domain (CC0-1.0). They are made again, to the same samples, by

    python -m training.make_speech --out test-assets/speech

which needs Debian's `espeak-ng`. All audio is FLAC, 16 kHz, mono, 16 bits.
`held-out-NN.npz` holds `track`, float32 (frames, 3): how far the mouth is open, wide and round at the middle of each
frame of 40 ms (`training/visemes.py`). Neither the sentences nor the voices of the `held-out` files occur in the
training of `test-assets/extractors/syncnet-compact.onnx`. The other files are the demo's utterances; they are not
training data either.

| file | voice | words/min | pitch | seconds | text | SHA-256, first 16 |
|---|---|---|---|---|---|---|
"""

if __name__ == "__main__":
    raise SystemExit(main())
