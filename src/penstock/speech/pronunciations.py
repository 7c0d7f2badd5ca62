"""How English words are said: the CMU pronouncing dictionary, as PocketSphinx has it."""

from __future__ import annotations

import re
from functools import cache

from penstock.foundation.errors import UsageError, WorldError
from penstock.speech.acoustic_model import model_folder

MAX_WORDS = 2000
"""Of one text: some ten minutes of speech."""
_UNKNOWN_SHOWN = 5


def words_of(text: str) -> list[str]:
    """The words of a text as the dictionary has them: lower case, without punctuation, parts of hyphens by themselves.

    Example:
        >>> words_of("Don't stop — the re-run's fine.")
        ["don't", 'stop', 'the', 're', "run's", 'fine']
    """
    plain = text.lower().replace("’", "'")
    return [part for part in re.split(r"[^a-z0-9']+", plain) if part.strip("'")]


def pronounce(text: str) -> list[tuple[str, tuple[tuple[str, ...], ...]]]:
    """The words of a text, each with the ways in which it is said, in ARPAbet without stress.

    Raises:
        UsageError: there is no word, there are more than :data:`MAX_WORDS`, or words that the dictionary does not know
            (figures among them: write ``twenty``, not ``20``).
        WorldError: PocketSphinx is not installed.
    """
    words = words_of(text)
    if not words:
        raise UsageError("the text has no word", todo="Write what is said in the recording.")
    if len(words) > MAX_WORDS:
        raise UsageError(f"the text has {len(words)} words, {MAX_WORDS} are allowed")
    known = _dictionary()
    unknown = list(dict.fromkeys(word for word in words if word not in known))
    if unknown:
        named = ", ".join(f"'{word[:40]}'" for word in unknown[:_UNKNOWN_SHOWN])
        more = f" and {len(unknown) - _UNKNOWN_SHOWN} more" if len(unknown) > _UNKNOWN_SHOWN else ""
        raise UsageError(
            f"the English dictionary does not know {named}{more}",
            todo="Write these words as they sound, in words that it knows, and figures in letters.",
        )
    return [(word, known[word]) for word in words]


@cache
def _dictionary() -> dict[str, tuple[tuple[str, ...], ...]]:
    file = model_folder() / "cmudict-en-us.dict"
    found: dict[str, list[tuple[str, ...]]] = {}
    try:
        for line in file.read_text(encoding="utf-8").splitlines():
            word, *sounds = line.split()
            found.setdefault(word.partition("(")[0], []).append(tuple(sounds))
    except (OSError, ValueError) as error:
        raise WorldError(f"PocketSphinx's dictionary cannot be read: {error}", where=str(file)) from error
    return {word: tuple(ways) for word, ways in found.items()}
