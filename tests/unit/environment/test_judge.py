"""Findings: each kind of misfit is found, and what fits is not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from penstock.bundle.environment_record import EnvironmentRecord
from penstock.environment.facts import EnvironmentFacts, FoundVersion
from penstock.environment.judge import judge, python_of
from penstock.environment.wheels import Wheel, read_requirement

SITE = "usr/local/lib/python3.11/site-packages"
NUMPY = Wheel("numpy", "2.4.6", tags=("cp311-cp311-manylinux_2_28_x86_64",), folder=SITE)
ORT = Wheel("onnxruntime-gpu", "1.23.2", tags=("cp311-cp311-manylinux_2_28_x86_64",), folder=SITE)


def there(major: int) -> list[FoundVersion]:
    return [FoundVersion(str(major), f"libx.so.{major}")]


GOOD = EnvironmentFacts(
    read="image",
    wheels=[NUMPY, ORT],
    pythons=[(3, 11)],
    processor="x86_64",
    musl=False,
    cudart=there(12),
    cublas=there(12),
    cudnn=there(9),
    environment={"LANG": "C.UTF-8"},
    user="10001:10001",
    healthcheck="CMD true",
)


def kinds(record: EnvironmentRecord) -> list[tuple[str, str]]:
    return [(found.kind, found.severity) for found in record.findings]


def test_what_fits_has_no_finding() -> None:
    record = judge(GOOD, service=True)
    assert kinds(record) == []
    assert [(need.wheel, need.cuda, need.driver) for need in record.needs] == [("onnxruntime-gpu 1.23.2", 12, 525)]
    assert record.packages == {"numpy": "2.4.6", "onnxruntime-gpu": "1.23.2"}
    assert record.not_judged == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"cudart": there(11), "cublas": there(11)}, ["needs CUDA 12", "has 11 (libx.so.11)"]),
        ({"cudart": [], "cublas": [], "cudnn": []}, ["needs CUDA 12", "has none"]),
        ({"cublas": []}, ["libcublas 12", "has none"]),
        ({"cudnn": there(8)}, ["needs cuDNN 9", "has 8"]),
        ({"cudnn": []}, ["needs cuDNN 9", "has none"]),
    ],
)
def test_cuda_and_cudnn_beside_a_wheel(changes: dict[str, object], says: list[str]) -> None:
    record = judge(replace(GOOD, **changes))
    assert kinds(record) == [("cuda", "error")]
    assert all(word in record.findings[0].what for word in says)
    assert "CUDA 12 and cuDNN 9" in record.findings[0].todo


def test_a_second_cuda_beside_the_right_one_does_no_harm() -> None:
    assert kinds(judge(replace(GOOD, cudart=there(11) + there(12)))) == []


def test_torch_without_the_cuda_that_it_asks_for() -> None:
    asked = read_requirement("nvidia-cuda-runtime-cu12 (==12.4.127)")
    assert asked is not None
    torch = Wheel("torch", "2.6.0", requires=(asked,), folder=SITE)
    assert kinds(judge(replace(GOOD, wheels=[torch], cudart=[], cublas=[], cudnn=[]))) == [("cuda", "error")]
    assert kinds(judge(replace(GOOD, wheels=[torch]))) == []


def test_the_table_is_not_asked_of_wheels_from_another_index() -> None:
    record = judge(replace(GOOD, wheels=[replace(ORT, folder="")], cudart=there(11), cudnn=there(8), other_index=True))
    assert kinds(record) == []
    assert any("another index" in text for text in record.not_judged)


@pytest.mark.parametrize(
    "wheel",
    [
        replace(NUMPY, tags=("cp312-cp312-manylinux_2_28_x86_64",)),
        replace(NUMPY, tags=("cp311-cp311-manylinux_2_28_aarch64",)),
        replace(NUMPY, tags=("cp311-cp311-musllinux_1_2_x86_64",)),
        replace(NUMPY, requires_python=">=3.12"),
        replace(NUMPY, folder="usr/local/lib/python3.12/site-packages"),
    ],
)
def test_a_wheel_that_the_python_cannot_import(wheel: Wheel) -> None:
    assert kinds(judge(replace(GOOD, wheels=[wheel]))) == [("python", "error")]


def test_where_no_python_was_found_wheels_are_judged_by_their_folder() -> None:
    record = judge(replace(GOOD, pythons=None))
    assert kinds(record) == []
    assert any("none was found" in text for text in record.not_judged)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"environment": {"LANG": "zh_CN.GBK"}}, ("locale", "error")),
        ({"environment": {}}, ("locale", "warning")),
        ({"user": ""}, ("user", "warning")),
        ({"user": "root:root"}, ("user", "warning")),
        ({"user": "0"}, ("user", "warning")),
        ({"healthcheck": ""}, ("healthcheck", "warning")),
        ({"wheels": [NUMPY, Wheel("onnxruntime", "1.23.2", folder=SITE), ORT]}, ("twice", "warning")),
    ],
)
def test_settings(changes: dict[str, object], kind: tuple[str, str]) -> None:
    assert kinds(judge(replace(GOOD, **changes), service=True)) == [kind]


def test_what_the_contract_says() -> None:
    record = judge(replace(GOOD, healthcheck=""), network=["hub.example"], weights={"WEIGHTS": "/model/weights/x"})
    assert kinds(record) == [("network", "warning"), ("weights", "warning")]


def test_what_is_not_known_is_no_finding() -> None:
    unknown = EnvironmentFacts(read="recipe", wheels=[replace(ORT, folder="")], unpinned=["torch"])
    record = judge(unknown, service=True)
    assert kinds(record) == []
    assert len(record.not_judged) == 5
    assert any("name no version" in text for text in record.not_judged)


def test_texts_are_bounded_and_safe() -> None:
    facts = replace(GOOD, wheels=[replace(NUMPY, tags=("x" * 100_000,))], unread=["r\x1b.txt" * 1000] * 100)
    record = judge(facts)
    assert len(record.findings[0].what) == 600
    assert len(record.not_judged) == 50
    assert all(len(text) == 600 and text.isprintable() for text in record.not_judged)


def test_findings_are_bounded_errors_come_first_and_text_is_safe() -> None:
    bad = [Wheel(f"p{n}", "1\x1b[2J", tags=("cp312-cp312-any",), folder=SITE) for n in range(50)]
    record = judge(replace(GOOD, wheels=bad, user=""))
    assert kinds(record) == [("python", "error")] * 10 + [("user", "warning")]
    assert all(found.what.isprintable() for found in record.findings)


@pytest.mark.parametrize(
    ("folder", "python"),
    [
        (SITE, (3, 11)),
        ("opt/venv/lib/python3.9/site-packages", (3, 9)),
        ("usr/lib/python3/dist-packages", None),
        ("x", None),
    ],
)
def test_whose_packages_a_folder_holds(folder: str, python: tuple[int, int] | None) -> None:
    assert python_of(folder) == python
