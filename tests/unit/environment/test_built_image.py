"""An image in a registry: asked with skopeo, each layer fetched and read once. The program is one in its place."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path

import pytest
from tests.unit.environment.layers import layer, wheel_files

from penstock.bundle.models import Image
from penstock.environment import built_image
from penstock.environment.built_image import NoSuchImageError, RegistryImage, read_image, settings_of
from penstock.foundation.errors import UsageError, WorldError

SKOPEO = """
import json, pathlib, shutil, sys
here = pathlib.Path(__file__).parent
with (here / "calls").open("a") as notes:
    print(json.dumps(sys.argv[1:]), file=notes)
if (here / "fails").exists():
    sys.exit((here / "fails").read_text())
if "--config" in sys.argv:
    print((here / "config.json").read_text())
elif sys.argv[1] == "inspect":
    print((here / "manifest.json").read_text())
else:
    blobs = pathlib.Path(sys.argv[-1].split(":")[1]) / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)
    for path in (here / "blobs").iterdir():
        if not (blobs / path.name).exists():
            shutil.copy(path, blobs)
            with (here / "fetched").open("a") as notes:
                print(path.name, file=notes)
"""
IMAGE = Image(kind="image", url="registry:5000/model", digest="sha256:" + "d" * 64, key="k", directory="/model")


class Registry:
    """What the program in skopeo's place gives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "skopeo"
        (folder / "blobs").mkdir(parents=True)
        self.program.write_text(f"#!{sys.executable}\n{SKOPEO}", encoding="utf-8")
        self.program.chmod(0o755)

    def hold(self, *layers: bytes, **config: object) -> None:
        """An image of these layers, the lowest first."""
        entries = []
        for content in layers:
            packed = gzip.compress(content, 1, mtime=0)
            name = hashlib.sha256(packed).hexdigest()
            (self.folder / "blobs" / name).write_bytes(packed)
            entries.append({"digest": f"sha256:{name}", "size": len(packed)})
        history = [
            {"created_by": "ENV A=1", "empty_layer": True},
            *({"created_by": f"RUN {n}"} for n in range(len(layers))),
        ]
        (self.folder / "manifest.json").write_text(json.dumps({"layers": entries}))
        content = {"architecture": "amd64", "config": config, "history": history}
        (self.folder / "config.json").write_text(json.dumps(content))

    def fetched(self) -> list[str]:
        path = self.folder / "fetched"
        return path.read_text().split() if path.exists() else []


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(tmp_path / "registry")


BASE = layer({"usr/local/bin/python3.11": "x"})
PACKAGES = layer(wheel_files("numpy", "2.4.6", "cp311-cp311-linux_x86_64"))


def test_configuration_layers_and_files(registry: Registry, tmp_path: Path) -> None:
    registry.hold(BASE, PACKAGES, Env=["LANG=C.UTF-8", "A=b=c"], User="10001", WorkingDir="/model")
    found = read_image(
        IMAGE, tmp_path / "cache", tls_verify=False, authfile=tmp_path / "auth", skopeo=str(registry.program)
    )
    assert found.settings.environment == {"LANG": "C.UTF-8", "A": "b=c"}
    assert (found.settings.user, found.settings.directory, found.settings.processor) == ("10001", "/model", "amd64")
    assert [each.made_by for each in found.settings.layers] == ["RUN 0", "RUN 1"]
    assert all(each.bytes > 0 for each in found.settings.layers)
    assert found.files.names == {"usr/local/bin/python3.11"}
    assert len(found.files.contents) == 2
    calls = [json.loads(line) for line in (registry.folder / "calls").read_text().splitlines()]
    assert [call[0] for call in calls] == ["inspect", "inspect", "copy"]
    assert "--tls-verify=false" in calls[0]
    assert "--src-tls-verify=false" in calls[2]
    assert all(f"--authfile={tmp_path / 'auth'}" in call for call in calls)
    assert calls[2][-2] == f"docker://{IMAGE.url}@{IMAGE.digest}"


@pytest.mark.slow
def test_a_layer_is_fetched_once_whatever_image_it_is_in(registry: Registry, tmp_path: Path) -> None:
    registry.hold(BASE, PACKAGES)
    first = read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program))
    assert len(registry.fetched()) == 2
    assert read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program)) == first
    assert len(registry.fetched()) == 2
    registry.hold(BASE, layer({"usr/bin/python3.12": ""}))
    second = read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program))
    assert second.files.names == {"usr/local/bin/python3.11", "usr/bin/python3.12"}
    # the fourth blob that the program has is of no layer that is asked for: the base is not among what it gave again
    assert registry.fetched().count(hashlib.sha256(gzip.compress(BASE, 1, mtime=0)).hexdigest()) == 1
    left = [path.name for path in (tmp_path / "cache" / "images" / "layers").iterdir()]
    assert len(left) == 3
    assert all(name.endswith(".json") for name in left)


@pytest.mark.slow
def test_a_broken_record_of_a_layer_is_made_again(registry: Registry, tmp_path: Path) -> None:
    registry.hold(BASE)
    first = read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program))
    for path in (tmp_path / "cache" / "images" / "layers").iterdir():
        path.write_text("{")
    assert read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program)) == first


@pytest.mark.slow
def test_layers_that_say_too_much_together(registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(built_image, "MAX_KEPT_BYTES", 100)
    registry.hold(BASE, PACKAGES)
    with pytest.raises(UsageError, match="its layers have more than"):
        read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program))


@pytest.mark.slow
def test_what_cannot_be_read_is_said_and_leaves_nothing(registry: Registry, tmp_path: Path) -> None:
    registry.hold(b"no tar" * 200)
    with pytest.raises(UsageError, match=r"layer [0-9a-f]{12}: it is no whole tar"):
        read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program))
    assert list((tmp_path / "cache" / "images" / "layers").iterdir()) == []
    (registry.folder / "fails").write_text("manifest unknown")
    with pytest.raises(NoSuchImageError, match="the registry has no such image"):
        read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program))
    (registry.folder / "fails").write_text("connection refused")
    with pytest.raises(WorldError, match="connection refused"):
        read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program))
    with pytest.raises(WorldError, match="skopeo is not installed"):
        read_image(IMAGE, tmp_path / "cache", skopeo=str(tmp_path / "absent"))


@pytest.mark.parametrize("answer", ["", "[]", "null", "sha256:" + "d" * 64, "[" * 100_000])
def test_an_answer_that_is_no_image(registry: Registry, tmp_path: Path, answer: str) -> None:
    registry.hold(BASE)
    (registry.folder / "manifest.json").write_text(answer)
    with pytest.raises(UsageError, match="is no image"):
        read_image(IMAGE, tmp_path / "cache", skopeo=str(registry.program))


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"layers": []},
        {"layers": [1]},
        {"layers": [{"digest": "../../etc/passwd", "size": 1}]},
        {"layers": [{"digest": "sha256:" + "a" * 64}]},
        {"layers": [{"digest": "sha256:" + "a" * 64, "size": 1}] * 501},
        {"layers": [{"digest": "sha256:" + "a" * 64, "size": -1}]},
    ],
)
def test_manifests_that_are_none(manifest: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        settings_of(manifest, {})


@pytest.mark.parametrize(
    "configuration",
    [{"config": [1]}, {"config": {"Labels": [1]}}, {"config": {"Env": 3}}, {"history": [None]}, {"history": 5}],
)
def test_configurations_that_are_none(configuration: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        settings_of({"layers": [{"digest": "sha256:" + "a" * 64, "size": 1}]}, configuration)


def test_an_image_that_says_little() -> None:
    found = settings_of({"layers": [{"digest": "sha256:" + "a" * 64, "size": 1}]}, {"config": None, "history": None})
    assert (found.environment, found.user, found.processor, found.layers[0].made_by) == ({}, "", "", "")


def test_labels_and_platform() -> None:
    manifest = {"layers": [{"digest": "sha256:" + "a" * 64, "size": 1}]}
    config = {"architecture": "arm64", "os": "linux", "config": {"Labels": {"a": "b", "long": "x" * 1000}}}
    found = settings_of(manifest, config)
    assert (found.system, found.processor, found.labels) == ("linux", "arm64", {"a": "b", "long": "x" * 500})


def test_a_manifest_is_what_its_digest_names(registry: Registry) -> None:
    registry.hold(BASE)
    content = (registry.folder / "manifest.json").read_bytes() + b"\n"
    digest = hashlib.sha256(content).hexdigest()
    assert RegistryImage(f"docker://r/m@sha256:{digest}", [], str(registry.program)).verified_manifest()["layers"]
    other = RegistryImage(f"docker://r/m@sha256:{'d' * 64}", [], str(registry.program))
    assert other.manifest()["layers"]
    with pytest.raises(WorldError, match="something else than what this digest names"):
        other.verified_manifest()
