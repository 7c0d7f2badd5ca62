"""The bill of materials: checked with CycloneDX's own schema, the same every time, whatever an image says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.pipeline.pipeline_runs import contract
from tests.unit.environment.cyclonedx_schema import schema_fault
from tests.unit.environment.layers import SITE, wheel_files
from tests.unit.environment.test_gather import SETTINGS

from penstock.bundle.directory import Bundle
from penstock.bundle.models import Image, Run, Source, WeightsFile
from penstock.bundle.sbom_file import SBOM, write_sbom
from penstock.contract.models import Contract
from penstock.environment import sbom
from penstock.environment.built_image import ImageContent
from penstock.environment.debian import MAX_PACKAGES, DebianPackage, Distribution
from penstock.environment.facts import EnvironmentFacts
from penstock.environment.gather import facts_of_image
from penstock.environment.layer_files import MergedFiles
from penstock.environment.sbom import bill_of_materials, renamed, repository_url
from penstock.environment.wheels import Wheel
from penstock.foundation import strict_json
from penstock.foundation.errors import UsageError

HUB = f"hf://acme/sonic@{'c' * 40}/unet ü.pth"
SOURCE = Source(
    url="https://git.example.org/acme/sonic",
    revision="v1.0.0",
    commit="c" * 40,
    committer_date="2026-01-01T00:30:00+02:00",
    version="1.0.0",
    tree="d" * 64,
)
RUN = Run(
    penstock="0.1.0",
    run_id="run-1",
    model="sonic",
    source=SOURCE,
    weights=[
        WeightsFile(path="weights/unet.pth", sha256="b" * 64, bytes=3, source=HUB),
        WeightsFile(path="weights/a.onnx", sha256="a" * 64, bytes=2, source="lfs"),
    ],
    image=Image(kind="image", url="registry:5000/sonic", digest=f"sha256:{'e' * 64}"),
)
CONTRACT = Contract.model_validate(
    contract(
        weights=[
            {"path": "weights/unet.pth", "sha256": "b" * 64, "source": "lfs", "licence": "apache-2.0"},
            {"path": "weights/a.onnx", "sha256": "f" * 64, "source": "lfs", "licence": "MIT"},
        ]
    )
)
FACTS = EnvironmentFacts(
    read="image",
    wheels=[
        Wheel("torch", "2.6.0+cu124", folder="usr/lib", licence_expression="bsd-3-clause"),
        Wheel("numpy", "2.4.6", folder=SITE, licence_names=("BSD License", "Other")),
        Wheel("torch", "2.6.0+cu124", folder="opt/venv"),
    ],
    distribution=Distribution("debian", "12"),
    system_packages=[DebianPackage("tzdata", "1", "all"), DebianPackage("libc6", "1:2+b1", "amd64")],
)


def parts(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [part for part in document["components"] if part["type"] == kind]


def test_what_a_release_is_made_of() -> None:
    found = bill_of_materials(RUN, CONTRACT, FACTS)
    assert schema_fault(found) is None
    assert found["metadata"]["timestamp"] == "2025-12-31T22:30:00Z"
    release = found["metadata"]["component"]
    assert (release["name"], release["version"]) == ("sonic", "1.0.0")
    assert release["externalReferences"] == [
        {"type": "vcs", "url": "https://git.example.org/acme/sonic", "comment": f"commit {'c' * 40}"}
    ]
    (image,) = parts(found, "container")
    assert (image["name"], image["version"]) == ("registry:5000/sonic", f"sha256:{'e' * 64}")
    assert image["hashes"] == [{"alg": "SHA-256", "content": "e" * 64}]
    assert [part["purl"] for part in parts(found, "library")] == [
        "pkg:pypi/numpy@2.4.6",
        "pkg:pypi/torch@2.6.0%2Bcu124",
        "pkg:deb/debian/libc6@1:2%2Bb1?arch=amd64&distro=debian-12",
        "pkg:deb/debian/tzdata@1?arch=all&distro=debian-12",
    ]
    torch = parts(found, "library")[1]
    assert torch["evidence"]["occurrences"] == [{"location": "opt/venv"}, {"location": "usr/lib"}]
    (system,) = parts(found, "operating-system")
    assert (system["name"], system["version"]) == ("debian", "12")


def test_the_weights_have_digests_sizes_sources_and_the_licence_that_is_theirs() -> None:
    (model,) = parts(bill_of_materials(RUN, CONTRACT, FACTS), "machine-learning-model")
    first, second = model["components"]
    # the contract's licence is of another file: this one was given to the run in its place
    assert (first["name"], first.get("licenses")) == ("weights/a.onnx", None)
    assert second["hashes"] == [{"alg": "SHA-256", "content": "b" * 64}]
    assert second["licenses"] == [{"expression": "Apache-2.0", "acknowledgement": "declared"}]
    assert second["externalReferences"][0]["url"] == f"hf://acme/sonic@{'c' * 40}/unet%20%C3%BC.pth"
    assert [found["value"] for found in second["properties"]] == ["3", HUB]


def test_what_depends_on_what() -> None:
    found = bill_of_materials(RUN, CONTRACT, FACTS)
    depends = {entry["ref"]: entry["dependsOn"] for entry in found["dependencies"]}
    assert depends["release"] == ["image", "model"]
    packages = {part["bom-ref"] for part in parts(found, "library")}
    assert set(depends["image"]) == {"system", *packages}
    assert found["compositions"] == [
        {"aggregate": "complete", "assemblies": ["model"]},
        {"aggregate": "incomplete", "assemblies": ["image"]},
    ]


def test_where_no_image_is_built_the_recipes_packages_are_the_releases() -> None:
    run = RUN.model_copy(update={"image": Image(kind="process", digest=f"sha256:{'d' * 64}")})
    found = bill_of_materials(run, CONTRACT, EnvironmentFacts(read="recipe", wheels=[Wheel("numpy", "2.4.6")]))
    assert schema_fault(found) is None
    assert found["dependencies"] == [{"ref": "release", "dependsOn": ["model", "pkg:pypi/numpy@2.4.6"]}]
    assert found["properties"] == [{"name": "penstock:read", "value": "recipe"}]


def test_an_image_that_could_not_be_read() -> None:
    found = bill_of_materials(RUN, CONTRACT, None)
    assert schema_fault(found) is None
    assert found["compositions"][1] == {"aggregate": "unknown", "assemblies": ["image"]}
    assert found["properties"] == [{"name": "penstock:read", "value": "nothing"}]


def test_the_same_run_is_the_same_document_and_another_is_another() -> None:
    first = bill_of_materials(RUN, CONTRACT, FACTS)
    mixed = replace(FACTS, wheels=FACTS.wheels[::-1], system_packages=FACTS.system_packages[::-1])
    again = bill_of_materials(RUN.model_copy(update={"run_id": "run-2"}), CONTRACT, mixed)
    assert json.dumps(first) == json.dumps(again)
    other = bill_of_materials(RUN, CONTRACT, replace(FACTS, system_packages=[]))
    assert other["serialNumber"] != first["serialNumber"]


def test_under_another_version() -> None:
    first = bill_of_materials(RUN, CONTRACT, FACTS)
    tagged = RUN.model_copy(update={"source": SOURCE.model_copy(update={"version": "2.0.0"})})
    assert renamed(first, tagged) == bill_of_materials(tagged, CONTRACT, FACTS)
    assert renamed(first, RUN) == first


@pytest.mark.parametrize("gone", ["source", "image"])
def test_a_run_that_has_not_come_that_far(gone: str) -> None:
    with pytest.raises(UsageError, match="no source or no image"):
        bill_of_materials(RUN.model_copy(update={gone: None}), CONTRACT, FACTS)


@pytest.mark.parametrize("date", ["", "yesterday", "2026-01-01T00:00:00"])
def test_a_time_that_is_not_known_is_left_out(date: str) -> None:
    run = RUN.model_copy(update={"source": SOURCE.model_copy(update={"committer_date": date})})
    assert "timestamp" not in bill_of_materials(run, CONTRACT, FACTS)["metadata"]


def test_no_more_packages_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sbom, "MAX_WHEELS", 2)
    wheels = [Wheel(f"p{number}", "1") for number in range(5)]
    found = bill_of_materials(RUN, CONTRACT, replace(FACTS, wheels=wheels, system_packages=[]))
    assert [part["name"] for part in parts(found, "library")] == ["p0", "p1"]
    assert {"name": "penstock:left-out", "value": "3"} in found["properties"]
    assert schema_fault(found) is None


HOSTILE = st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace").decode())


@given(licence=HOSTILE, expression=HOSTILE, folder=HOSTILE, name=st.sampled_from(["a", "A.b", "../x", "é", ""]))
def test_whatever_metadata_says_the_document_is_valid(licence: str, expression: str, folder: str, name: str) -> None:
    site = f"{folder}/site-packages"
    files = wheel_files(
        name, "1.0", "py3-none-any", f"License: {licence}", f"License-Expression: {expression}", site=site
    )
    facts = facts_of_image(ImageContent(SETTINGS, MergedFiles(frozenset(), files)), "sha256:x", None)
    found = bill_of_materials(RUN, CONTRACT, facts)
    assert schema_fault(found) is None
    assert all(part["name"].isprintable() for part in found["components"])


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("git@github.com:acme/mini.git", "ssh://git@github.com/acme/mini.git"),
        ("ssh://git@h:2222/a/b", "ssh://git@h:2222/a/b"),
        ("https://user:secret@h/a b", "https://***@h/a%20b"),
        ("ssh://user:secret@h/a", "ssh://***@h/a"),
        ("/tmp/a b", "file:///tmp/a%20b"),
    ],
)
def test_addresses(address: str, url: str) -> None:
    assert repository_url(address) == url


def test_the_largest_document_can_be_read_again(tmp_path: Path) -> None:
    """As much as an image may say, in characters that take most space."""
    widest = "\U0001f600" * sbom.MAX_TEXT
    few = 50
    wheels = [
        Wheel(
            f"{'n' * 190}{number}",
            "1" * 100,
            licence_names=tuple(f"{widest[:-1]}{each}" for each in range(5)),
            folder=f"{each}{widest}",
        )
        for number in range(few)
        for each in range(sbom.MAX_FOLDERS)
    ]
    package = DebianPackage("n" * 100, "1" + "+" * 99, "a" * 30)
    found = bill_of_materials(RUN, CONTRACT, replace(FACTS, wheels=wheels, system_packages=[package]))
    write_sbom(Bundle(tmp_path), found)
    assert len(parts(found, "library")) == few + 1
    # what the wheels take grows with their number; a package of Debian takes less than 2 kB
    wheels_bytes = (tmp_path / SBOM).stat().st_size / few * sbom.MAX_WHEELS
    assert wheels_bytes + MAX_PACKAGES * 2_000 < strict_json.MAX_BYTES
