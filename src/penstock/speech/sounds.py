"""Words and sounds of a recording, with their times."""

from __future__ import annotations

from dataclasses import dataclass

BILABIALS = frozenset({"P", "B", "M"})
"""The sounds of English for which both lips meet, in ARPAbet."""


@dataclass(frozen=True)
class Word:
    """One word.

    Attributes:
        text: as it is written, without punctuation.
        start_s: where it begins, in seconds from the first sample.
        end_s: where it ends; never before ``start_s``.
    """

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Sound:
    """One sound.

    Attributes:
        symbol: in ARPAbet, without stress: ``P``, ``AA``; ``SIL`` is silence.
        start_s: where it begins, in seconds from the first sample.
        end_s: where it ends.
    """

    symbol: str
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Alignment:
    """A text laid along a recording.

    Attributes:
        words: in order.
        sounds: in order, silences left out.
        fit: how well the text's sounds explain the recording, against whichever sound fits each moment best: the mean
            difference of logarithms over the frames of 10 ms in which something is said. At most 0; about -1 to -3
            where the text is what is said, below -4.5 where it is not.
    """

    words: tuple[Word, ...]
    sounds: tuple[Sound, ...]
    fit: float
