"""An image that another system built: the real skopeo reads it from a registry on the loopback interface."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.unit.environment.image_server import CONFIG, LAYER, MANIFEST, ImageServer, image_server
from tests.unit.environment.layers import layer

from penstock.bundle.models import Image, Source
from penstock.contract.models import Build
from penstock.environment import prebuilt_image
from penstock.environment.built_image import NoSuchImageError
from penstock.environment.prebuilt_image import REVISION, SOURCE, ImageName, parse_image, take_prebuilt
from penstock.environment.wheels import PROCESSORS
from penstock.foundation.errors import UsageError, WorldError

COMMIT = "c" * 40
HERE = next((name for name, told in PROCESSORS.items() if told == platform.machine()), platform.machine())
OTHER = "arm64" if HERE != "arm64" else "amd64"
RECIPE = "FROM python:3.11 AS base\nWORKDIR /model\nFROM base\nCOPY app ./app\nCOPY run.py .\nRUN true\n"
FILES = {"app/net.py": "net = 1\n", "app/data.bin": "\0\1\2", "run.py": "import app\n"}
DIGEST = "sha256:" + "d" * 64


@pytest.fixture
def server() -> Iterator[ImageServer]:
    with image_server() as held:
        yield held


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    for name, content in {**FILES, "Containerfile": RECIPE, "penstock.yaml": "name: tiny\n"}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def in_image(**changes: str | None) -> dict[str, str]:
    """The files as the recipe copies them; ``changes`` by the last part of the name, ``None`` leaves one out."""
    named = {name: changes.get(Path(name).stem, content) for name, content in FILES.items()}
    return {f"model/{name}": content for name, content in named.items() if content is not None}


@pytest.fixture
def take(server: ImageServer, source: Path, tmp_path: Path) -> Callable[[str], Image]:
    """Take an image of the server by its digest."""

    def call(digest: str) -> Image:
        return take_prebuilt(
            parse_image(f"{server.url}@{digest}", server.registry),
            source,
            Build(),
            source=Source(
                url="https://git.example.org/tiny.git",
                revision="v1.0.0",
                commit=COMMIT,
                committer_date="",
                version="1.0.0",
                tree="a" * 64,
            ),
            same_repository=lambda label, url: label.removesuffix(".git") == url.removesuffix(".git"),
            cache_dir=tmp_path / "cache",
            tls_verify=False,
        )

    return call


def test_a_name_by_digest() -> None:
    found = parse_image(f"registry:5000/models/tiny@{DIGEST}", "registry:5000/models")
    assert found == ImageName("registry:5000/models/tiny", DIGEST)
    assert str(found) == f"registry:5000/models/tiny@{DIGEST}"


@pytest.mark.parametrize(
    ("text", "registry", "why"),
    [
        ("registry:5000/tiny:v1.0.0", "registry:5000", "a tag can be moved"),
        (f"registry:5000/tiny:v1.0.0@{DIGEST}", "registry:5000", "a tag can be moved"),
        ("registry:5000/tiny", "registry:5000", "not the name of an image by its digest"),
        ("registry:5000/tiny@sha256:abc", "registry:5000", "not the name"),
        (f"registry:5000/tiny@{DIGEST}\n", "registry:5000", "not the name"),
        (f"registry:5000/../tiny@{DIGEST}", "registry:5000", "not the name"),
        (f"registry:5000/--tiny@{DIGEST}", "registry:5000", "not the name"),
        (f"docker://registry:5000/tiny@{DIGEST}", "registry:5000", "without a scheme"),
        (f"registry:5000/tiny@{DIGEST}", None, "no registry is named"),
        (f"registry:5000/tiny@{DIGEST}", "", "no registry is named"),
        (f"other:5000/tiny@{DIGEST}", "registry:5000", "not in the registry of this run"),
        (f"registry:5000/modelsx/tiny@{DIGEST}", "registry:5000/models", "not in the registry of this run"),
        (f"registry:5000@{DIGEST}", "registry:5000", "not in the registry of this run"),
    ],
)
def test_names_that_are_refused(text: str, registry: str | None, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse_image(text, registry)


@pytest.mark.slow
def test_the_commits_image_is_taken(server: ImageServer, take: Callable[[str], Image], tmp_path: Path) -> None:
    labels = {REVISION: COMMIT, SOURCE: "https://git.example.org/tiny"}
    base = layer({"usr/bin/python3.11": "x", "model/run.py": "an older one"})
    digest = server.hold(base, layer(in_image()), labels=labels)
    image = take(digest)
    assert image.elsewhere is not None
    assert (image.kind, image.url, image.digest, image.directory) == ("image", server.url, digest, "/model")
    assert (image.elsewhere.given, image.elsewhere.compared, image.elsewhere.missing) == (
        f"{server.url}@{digest}",
        3,
        0,
    )
    assert len(image.key) == 64, "its weights are mounted beside it"
    assert image.built_from == COMMIT
    # what its layers hold is kept, and nothing that was fetched
    left = [path.suffix for path in (tmp_path / "cache" / "images" / "layers").iterdir()]
    assert left == [".json", ".json"]


@pytest.mark.slow
def test_of_an_index_this_platforms_image_is_taken(server: ImageServer, take: Callable[[str], Image]) -> None:
    mine = server.hold(layer(in_image()), labels={REVISION: COMMIT}, processor=HERE)
    other = server.hold(layer(in_image(run="other")), labels={REVISION: COMMIT}, processor=OTHER)
    index = server.hold_index((OTHER, other), (HERE, mine))
    image = take(index)
    assert image.digest == mine
    assert image.elsewhere is not None
    assert image.elsewhere.given.endswith(index)
    with pytest.raises(UsageError, match=f"no image for linux/{HERE}") as found:
        take(server.hold_index((OTHER, other)))
    assert OTHER in found.value.todo
    with pytest.raises(UsageError, match="several images"):
        take(server.hold_index((HERE, mine), (HERE, other)))
    with pytest.raises(UsageError, match="another index"):
        take(server.hold_index((HERE, index)))
    with pytest.raises(UsageError, match=f"the image is for linux/{OTHER}"):
        take(other)


@pytest.mark.slow
def test_labels_that_do_not_hold(server: ImageServer, take: Callable[[str], Image]) -> None:
    files = layer(in_image())
    with pytest.raises(UsageError, match="has no label org") as found:
        take(server.hold(files))
    assert found.value.todo == f"Build it with --label {REVISION}={COMMIT}."
    with pytest.raises(UsageError, match=r"was built from b{40}, and c{40} is what is released"):
        take(server.hold(files, labels={REVISION: "b" * 40}))
    # the short form of a commit can be another one's
    with pytest.raises(UsageError, match=r"was built from ccccccc,"):
        take(server.hold(files, labels={REVISION: "ccccccc"}))
    labels = {REVISION: COMMIT, SOURCE: "https://git.example.org/fork\x1b[2J"}
    with pytest.raises(UsageError, match="is of the repository") as found:
        take(server.hold(files, labels=labels))
    assert "\x1b" not in str(found.value)


@pytest.mark.slow
def test_files_that_are_not_the_commits(server: ImageServer, take: Callable[[str], Image], source: Path) -> None:
    labels = {REVISION: COMMIT}
    with pytest.raises(UsageError, match=r"'app/net.py' in it is not the commit's"):
        take(server.hold(layer(in_image(net="net = 2\n")), labels=labels))
    (source / "Containerfile").write_text(RECIPE + "COPY . /again/\n")
    with pytest.raises(UsageError, match=r"commit: 'app/net.py' in it is not the commit's"):
        take(server.hold(layer(in_image(net="net = 2\n") | {"again/app/net.py": "net = 3\n"}), labels=labels))
    (source / "Containerfile").write_text(RECIPE)
    # a later layer has the last word
    with pytest.raises(UsageError, match=r"'run.py' in it is not the commit's"):
        take(server.hold(layer(in_image()), layer({"model/run.py": "patched"}), labels=labels))
    with pytest.raises(UsageError, match=r"'app/data.bin', 'app/net.py' in it are not the commit's"):
        take(server.hold(layer(in_image()), layer({}, {"model/app": "../elsewhere"}), labels=labels))
    absent = server.hold(layer(in_image(data=None)), labels=labels)
    with pytest.raises(UsageError, match=r"'app/data.bin' is not in it"):
        take(absent)
    # what a file of patterns may keep out, or a RUN takes out, need not be there; what is there is compared
    (source / ".dockerignore").write_text("*.bin\n")
    image = take(absent)
    assert image.elsewhere is not None
    assert (image.elsewhere.compared, image.elsewhere.missing) == (2, 1)
    with pytest.raises(UsageError, match="no file of the commit is in the image"):
        take(server.hold(layer({"etc/passwd": ""}), labels=labels))


@pytest.mark.slow
def test_a_file_that_a_later_layer_takes_out(server: ImageServer, take: Callable[[str], Image]) -> None:
    image = take(server.hold(layer(in_image()), layer({"model/app/.wh.data.bin": ""}), labels={REVISION: COMMIT}))
    assert image.elsewhere is not None
    assert (image.elsewhere.compared, image.elsewhere.missing) == (2, 1)


@pytest.mark.slow
@pytest.mark.parametrize(
    "recipe", ["FROM scratch\nRUN true\n", "FROM a AS b\nCOPY . /m\nFROM c\nCOPY --from=b /m /m\n"]
)
def test_a_recipe_that_copies_nothing_is_no_ground_to_compare_on(
    server: ImageServer, take: Callable[[str], Image], source: Path, recipe: str
) -> None:
    (source / "Containerfile").write_text(recipe)
    with pytest.raises(UsageError, match="copies no file of the commit"):
        take(server.hold(layer(in_image()), labels={REVISION: COMMIT}))


@pytest.mark.slow
def test_a_registry_that_has_it_not_lies_or_is_gone(
    server: ImageServer, take: Callable[[str], Image], tmp_path: Path
) -> None:
    with pytest.raises(NoSuchImageError, match="the registry has no such image"):
        take(DIGEST)
    digest = server.hold(layer(in_image()), labels={REVISION: COMMIT})
    kind, content = server.manifests[digest]
    server.manifests[digest] = (kind, content + b" ")
    with pytest.raises(WorldError, match="something else than what this digest names"):
        take(digest)
    server.manifests[digest] = (kind, content)
    server.blobs = {name: blob[:-1] + b"?" for name, blob in server.blobs.items()}
    with pytest.raises(WorldError, match="cannot be asked for the image"):
        take(digest)
    name = ImageName("127.0.0.1:9/tiny", DIGEST)
    with pytest.raises(WorldError, match="the registry cannot be asked"):
        take_prebuilt(
            name,
            tmp_path,
            Build(),
            source=Source(url="/x", revision="", commit=COMMIT, committer_date="", version="1", tree=""),
            same_repository=lambda *_: True,
            cache_dir=tmp_path,
            tls_verify=False,
        )


@pytest.mark.slow
def test_layers_that_cannot_be_read(
    server: ImageServer, take: Callable[[str], Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {REVISION: COMMIT}
    with pytest.raises(UsageError, match=r"layer [0-9a-f]{12}: it is no whole tar"):
        take(server.hold(b"no tar" * 200, labels=labels))
    layers = [{"mediaType": LAYER, "digest": "../../etc/passwd", "size": 1}]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": server.blob(CONFIG, b"{}"), "layers": layers}
    with pytest.raises((UsageError, WorldError), match=r"no digest, or less|cannot be asked"):
        take(server.put(MANIFEST, manifest))
    monkeypatch.setattr(prebuilt_image, "MAX_IMAGE_BYTES", 10)
    with pytest.raises(UsageError, match="the image has more than"):
        take(server.hold(layer(in_image()), labels=labels))
