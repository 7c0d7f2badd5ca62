"""What is said, and by whom: sentences and voices for training, and others that are held out from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TRAINING_VARIANTS = ("f1", "f2", "f4", "m1", "m2", "m4", "m5", "m6")
HELD_OUT_VARIANTS = ("f3", "f5", "m3", "m7")
TRAINING_LANGUAGES = ("en-us", "en-gb", "de", "es", "it")

# Each language: openings, middles and endings that are put together at random.
_PARTS: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "en": (
        ("The old man", "My mother", "Every bird", "A small boy", "Your teacher", "The purple boat", "Nobody here",
         "The farmer", "Our family", "That woman", "A hungry dog", "The big machine", "Some people", "We always",
         "They never", "I would", "Five brave women", "The mayor", "Bob and Mary", "You could"),
        ("bought a bowl of fruit", "walked over the bridge", "made a phone call", "saw the moon rise",
         "put the paper away", "gave him an apple", "moved the table out", "opened every window",
         "found a very old map",
         "washed both cups", "sold the blue house", "came back home", "played a beautiful song", "forgot the password",
         "carried water uphill", "ran away from the fire", "build a wooden shop", "paid for my food"),
        ("before the show", "in the afternoon", "with a smile", "for five hours", "behind the old church",
         "on a warm morning", "without any help", "because of the rain", "near the open market", "at noon",
         "above the river", "during the summer", "under a big tree", "for the whole village", "again and again"),
    ),
    "de": (
        ("Der alte Mann", "Meine Mutter", "Unser Bäcker", "Das kleine Kind", "Ein brauner Hund", "Die Familie",
         "Mein Bruder"),
        ("baut ein Boot", "öffnet das Fenster", "kauft frische Blumen", "liebt warme Milch", "sucht seinen Hut",
         "malt ein buntes Bild", "wohnt über dem Markt", "hört gerne Musik"),
        ("am frühen Morgen", "in der großen Stadt", "ohne jede Hilfe", "bei offener Tür", "mit viel Freude",
         "vor dem Haus"),
    ),
    "es": (
        ("El viejo pescador", "Mi madre", "Una mujer amable", "El perro blanco", "Nuestro amigo", "La familia",
         "El médico"),
        ("compra pan y fruta", "abre la ventana", "camina por el puente", "mueve la mesa", "bebe un vaso de agua",
         "busca un barco pequeño", "pinta una casa azul"),
        ("por la mañana", "con mucho gusto", "bajo el árbol", "en el pueblo", "antes de comer", "sin ninguna duda"),
    ),
    "it": (
        ("Il vecchio amico", "Mia mamma", "Un bravo medico", "La bambina", "Il nostro vicino", "Una famiglia",
         "Il pittore"),
        ("apre la porta", "compra un po' di pane", "beve un buon vino", "muove il tavolo", "ama la musica",
         "guarda la luna piena", "porta una borsa blu"),
        ("ogni mattina", "sotto il ponte", "con poca voglia", "in mezzo al parco", "prima di cena", "senza paura"),
    ),
}  # fmt: skip

HELD_OUT_SENTENCES: dict[str, tuple[str, ...]] = {
    "en-us": (
        "Please warm up some vegetable soup, and bring me a pillow.",
        "Thomas hopes to visit Boston with a group of students.",
        "Maybe we should wait until the museum opens again.",
        "Her voice was soft, but nobody could ignore the message.",
        "A thief grabbed the camera and jumped over that fence.",
        "Why would anyone leave such a fabulous job?",
        "Half of the pumpkins were too heavy for the cart.",
        "Smooth movement of both lips makes a word visible.",
    ),
    "en-gb": (
        "Philip wrapped the vase in paper and posted it to Wales.",
        "We both prefer a cup of tea to bubbly water.",
        "Could you kindly move those boxes off the shelf?",
        "An enormous wave broke over the harbour wall.",
    ),
    "fr": (
        "Bonjour madame, vous voulez une boisson bien fraîche?",
        "Le petit bateau bleu part demain pour une île.",
        "Ma voisine a vu beaucoup de moutons au bord du fleuve.",
    ),
}


@dataclass(frozen=True)
class Utterance:
    """What is to be said, by which espeak-ng voice, how fast (words a minute) and how high (0..99)."""

    text: str
    voice: str
    rate: int
    pitch: int


def training_utterance(rng: np.random.Generator) -> Utterance:
    """A sentence put together at random, in a training voice."""
    language = str(rng.choice(TRAINING_LANGUAGES, p=(0.4, 0.24, 0.12, 0.12, 0.12)))
    text = " ".join(str(rng.choice(part)) for part in _PARTS[language[:2]])
    extra = ", ".join(str(rng.choice(part)) for part in _PARTS[language[:2]][1:])
    voice = f"{language}+{rng.choice(TRAINING_VARIANTS)}"
    return Utterance(f"{text}. {extra}.", voice, int(rng.integers(125, 215)), int(rng.integers(30, 70)))


def held_out_utterance(rng: np.random.Generator) -> Utterance:
    """A sentence that no training clip says, in a voice that no training clip has."""
    languages = ("en-us", "en-us", "en-gb", "fr")
    language = str(rng.choice(languages))
    text = " ".join(str(sentence) for sentence in rng.permutation(HELD_OUT_SENTENCES[language])[:2])
    voice = f"{language}+{rng.choice(HELD_OUT_VARIANTS)}"
    return Utterance(text, voice, int(rng.integers(130, 205)), int(rng.integers(35, 65)))
