"""A text laid along the recording of it: which sound is when.

The best path through the text's sounds, each of three states that are passed in order, with a silence allowed between
any two words, at the beginning and at the end, and each word in whichever of its pronunciations fits best. Unlike a
recogniser's search nothing is pruned: the path always ends at the text's end. So a text that is not what is said gets
times, too; :attr:`penstock.speech.sounds.Alignment.fit` tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from penstock.foundation.errors import UsageError
from penstock.speech.acoustic_model import STATES, english_model
from penstock.speech.cepstra import FRAME_S, features
from penstock.speech.pronunciations import pronounce
from penstock.speech.sounds import Alignment, Sound, Word

SILENCE = "SIL"
WORST_FIT = -4.0
"""Below this :attr:`Alignment.fit`, the recording does not say the text."""
MAX_STEPS = 1 << 27
"""Frames times states, each 4 bytes of where the path comes from: some two minutes of speech."""
_STAY = float(np.log(0.6))
_GO = float(np.log(0.4))
_PAUSE = float(np.log(0.05))
"""Of a silence between two words."""
_CENTRE_S = 0.0078
"""The middle of a frame's window lies this much after the middle of the 10 ms that it stands for."""


@dataclass
class _Chain:
    """The states that are passed: each with its sound, its word, and from where it is entered."""

    symbols: list[str] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    """Number of the word; -1: silence."""
    before: list[list[tuple[int, float]]] = field(default_factory=list)
    """The sounds after which this one may come, -1 is the beginning, and the logarithm of its probability."""


def align(sound: npt.NDArray[np.int16], text: str) -> Alignment:
    """Lay an English text along the recording of it.

    Args:
        sound: int16 ``(n,)``, 16 kHz, mono.
        text: what is said; words of the CMU pronouncing dictionary.

    Returns:
        Words and sounds with their times, to 10 ms.

    Raises:
        UsageError: a word is not known, the recording is too short for the text, the two are too long together
            (:data:`MAX_STEPS`), or something else is said in it.
        WorldError: PocketSphinx, whose model and dictionary this is, is not installed.
    """
    spoken = pronounce(text)
    heard = features(sound)
    chain, last = _chain([ways for _, ways in spoken])
    shortest = STATES * sum(min(map(len, ways)) for _, ways in spoken)
    if len(heard) < shortest:
        raise UsageError(
            f"the recording of {sound.size / 16_000:.2f} s is too short for the text of {len(spoken)} words",
            todo="Write what is said in this recording, and no more.",
        )
    if len(heard) * len(chain.symbols) * STATES > MAX_STEPS:  # how long it is, the model says whose answer it is
        raise UsageError(
            f"the recording of {sound.size / 16_000:.0f} s is too long for its text of {len(spoken)} words",
            todo="Split the case into shorter ones.",
        )
    model = english_model()
    symbols = sorted(set(model.sounds) - {"+NSN+", "+SPN+"})
    scores = model.scores(heard, symbols)
    column = {symbol: number for number, symbol in enumerate(symbols)}
    columns = np.array([column[symbol] * STATES + state for symbol in chain.symbols for state in range(STATES)])
    scores = scores.reshape(len(heard), -1)
    path = _best_path(scores, columns, chain, last)
    said = scores[np.arange(len(path)), columns[path]] - scores.max(axis=1)
    fit = float(said[[chain.words[state // STATES] >= 0 for state in path]].mean())
    if fit < WORST_FIT:
        raise UsageError(
            f"the recording does not say the text (fit {fit:.1f}, at least {WORST_FIT:g} is wanted)",
            todo="Write in 'text' what is said in the case's recording.",
        )
    return _with_times(path, chain, [word for word, _ in spoken], fit)


def _chain(spoken: list[tuple[tuple[str, ...], ...]]) -> tuple[_Chain, list[int]]:
    """The chain of a text's sounds, and those that may be its last."""
    chain = _Chain()

    def add(symbol: str, word: int, before: list[tuple[int, float]]) -> int:
        chain.symbols.append(symbol)
        chain.words.append(word)
        chain.before.append(before)
        return len(chain.symbols) - 1

    ends = [-1]
    for number, ways in enumerate(spoken):
        pause = add(SILENCE, -1, [(end, _PAUSE) for end in ends])
        starts = [(end, 0.0) for end in ends] + [(pause, 0.0)]
        ends = []
        for sounds in ways:
            at = add(sounds[0], number, starts)
            for symbol in sounds[1:]:
                at = add(symbol, number, [(at, 0.0)])
            ends.append(at)
    ends.append(add(SILENCE, -1, [(end, _PAUSE) for end in ends]))
    return chain, ends


def _best_path(
    scores: npt.NDArray[np.float64], columns: npt.NDArray[np.int64], chain: _Chain, last: list[int]
) -> list[int]:
    """The state of each frame on the best path; ``columns``: where ``scores`` has each state."""
    frames, states = len(scores), len(columns)
    widest = max(map(len, chain.before))
    sources = np.zeros((len(chain.before), widest), np.int64)
    costs = np.full((len(chain.before), widest), -np.inf)
    opening = np.full(len(chain.before), -np.inf)
    for sound, entries in enumerate(chain.before):
        for place, (from_, cost) in enumerate(entries):
            if from_ < 0:
                opening[sound] = cost
            else:
                sources[sound, place], costs[sound, place] = from_ * STATES + STATES - 1, cost
    score = np.full(states, -np.inf)
    score[::STATES] = opening
    score += scores[0, columns]
    came = np.zeros((frames, states), np.int32)
    own = np.arange(states)
    before = own - 1
    rows = np.arange(len(sources))
    for frame in range(1, frames):
        stayed = score + _STAY
        moved = np.full(states, -np.inf)
        moved[1:] = score[:-1] + _GO
        source = before.copy()
        into = score[sources] + costs
        best = into.argmax(axis=1)
        moved[::STATES] = into[rows, best] + _GO
        source[::STATES] = sources[rows, best]
        came[frame] = np.where(stayed >= moved, own, source)
        score = np.maximum(stayed, moved) + scores[frame, columns]
    ends = np.array(last) * STATES + STATES - 1
    state = int(ends[score[ends].argmax()])
    if not np.isfinite(score[state]):
        raise UsageError("the recording is too short for the text", todo="Write what is said in it, and no more.")
    path = [state]
    for frame in range(frames - 1, 0, -1):
        state = int(came[frame, state])
        path.append(state)
    return path[::-1]


def _with_times(path: list[int], chain: _Chain, words: list[str], fit: float) -> Alignment:
    edges = [0]
    edges += [frame for frame in range(1, len(path)) if _enters(path[frame - 1], path[frame])]
    sounds: list[Sound] = []
    spans: dict[int, tuple[float, float]] = {}
    for first, end in zip(edges, [*edges[1:], len(path)], strict=True):
        number = path[first] // STATES
        start_s = first * FRAME_S + _CENTRE_S if first else 0.0
        sound = Sound(chain.symbols[number], round(start_s, 3), round(end * FRAME_S + _CENTRE_S, 3))
        if (word := chain.words[number]) < 0:
            continue
        sounds.append(sound)
        spans[word] = (spans.get(word, (sound.start_s, 0.0))[0], sound.end_s)
    return Alignment(tuple(Word(words[word], *span) for word, span in spans.items()), tuple(sounds), round(fit, 3))


def _enters(before: int, now: int) -> bool:
    """Whether a sound begins: another one, or the same one anew."""
    return now // STATES != before // STATES or now < before
