"""Which cases repeat each other, and which files the model was trained on."""

from __future__ import annotations

from penstock.contract.models import Case
from penstock.suites.alike import Alike, Leak, alike_cases, leaks
from penstock.suites.fingerprints import Fingerprint

KNOWN = {
    "a.png": Fingerprint("1" * 64, (0b1111,)),
    "copy.png": Fingerprint("1" * 64, (0b1111,)),
    "near.jpg": Fingerprint("2" * 64, (0b1110,)),
    "other.png": Fingerprint("3" * 64, (0x7FFF_FFFF_0000_0000,)),
    "hello.wav": Fingerprint("4" * 64),
    "bye.wav": Fingerprint("5" * 64),
    "clip.mp4": Fingerprint("6" * 64, (1, 2, 4)),
    "again.mp4": Fingerprint("7" * 64, (1, 2, 5)),
    "cut.mp4": Fingerprint("8" * 64, (1, 2, 0x7FFF_FFFF_0000_0000)),
}


def case(name: str, *, steps: int = 1, **inputs: str) -> Case:
    return Case(name=name, inputs=inputs, parameters={"steps": steps})


def test_the_same_files_are_the_same_case() -> None:
    cases = [case("a", image="a.png"), case("b", image="other.png"), case("c", image="copy.png")]
    assert alike_cases(cases, KNOWN) == [Alike(0, 2, exact=True)]


def test_one_that_looks_the_same() -> None:
    assert alike_cases([case("a", image="near.jpg"), case("b", image="a.png")], KNOWN) == [Alike(0, 1, exact=False)]


def test_another_sound_is_another_case() -> None:
    first = case("a", image="a.png", audio="hello.wav")
    assert alike_cases([first, case("b", image="near.jpg", audio="bye.wav")], KNOWN) == []
    assert alike_cases([first, case("b", image="near.jpg", audio="hello.wav")], KNOWN) == [Alike(0, 1, exact=False)]


def test_other_parameters_or_inputs_are_another_case() -> None:
    first = case("a", image="a.png")
    assert alike_cases([first, case("b", steps=2, image="a.png")], KNOWN) == []
    assert alike_cases([first, case("b", first="a.png")], KNOWN) == []


def test_a_pair_that_is_turned_round_is_another_case() -> None:
    cases = [case("a", first="a.png", second="other.png"), case("b", first="other.png", second="near.jpg")]
    assert alike_cases(cases, KNOWN) == []


def test_a_case_that_repeats_several_is_named_once() -> None:
    cases = [case(name, image="a.png") for name in "abc"] + [case("d", image="near.jpg")]
    assert alike_cases(cases, KNOWN) == [
        Alike(0, 1, exact=True),
        Alike(0, 2, exact=True),
        Alike(0, 3, exact=False),
    ]


def test_all_moments_of_a_video_count() -> None:
    cases = [case("a", video="clip.mp4"), case("b", video="cut.mp4"), case("c", video="again.mp4")]
    assert alike_cases(cases, KNOWN) == [Alike(0, 2, exact=False)]


def test_leaks() -> None:
    training = {
        "train/1.png": Fingerprint("1" * 64),
        "train/0.png": Fingerprint("1" * 64),
        "train/2.png": Fingerprint("9" * 64, (0b1100,)),
        "train/hello.wav": Fingerprint("4" * 64),
    }
    suite = {name: KNOWN[name] for name in ("a.png", "near.jpg", "other.png", "hello.wav", "bye.wav", "clip.mp4")}
    assert leaks(suite, training) == [
        Leak("a.png", "train/0.png", exact=True),
        Leak("hello.wav", "train/hello.wav", exact=True),
        Leak("near.jpg", "train/2.png", exact=False),
    ]
