"""The image that was built, read out of its registry: configuration, history, and each layer once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import re
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from penstock.bundle.directory import read_model, write_model
from penstock.bundle.environment_record import LayerRecord
from penstock.bundle.models import Image
from penstock.environment.layer_files import LayerFiles, MergedFiles, merge, read_layer
from penstock.foundation.errors import UsageError, WorldError, printable
from penstock.foundation.files import disk_errors
from penstock.foundation.handles import discard_tree
from penstock.sources.image import is_absent, registry_environment
from penstock.sources.image_registry import registry_access
from penstock.sources.program import run

log = logging.getLogger(__name__)

FOLDER = Path("images") / "layers"
"""Below the cache: what was found in a layer, by its digest. Layers never change, and most images share theirs."""
RECIPE = 2
"""Goes up when more of a layer is kept."""
FETCH_TIMEOUT_S = 1800.0
ASK_TIMEOUT_S = 120.0
MAX_LAYERS = 500
MAX_KEPT_BYTES = 128 << 20
"""Of all layers together."""
MAX_VARIABLES = 1000
MAX_TEXT = 500
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class NoSuchImageError(UsageError):
    """The registry has no image by this digest."""


@dataclass(frozen=True)
class ImageSettings:
    """An image's configuration."""

    environment: dict[str, str]
    user: str
    directory: str
    processor: str
    """``amd64``."""
    layers: list[LayerRecord]
    sources: list[str]
    """The layers' digests, from the lowest."""
    system: str = ""
    """``linux``."""
    labels: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class ImageContent:
    """All that is known of it."""

    settings: ImageSettings
    files: MergedFiles


def read_image(
    image: Image,
    cache_dir: Path,
    *,
    tls_verify: bool = True,
    authfile: Path | None = None,
    skopeo: str = "skopeo",
) -> ImageContent:
    """Read an image that was pushed. A layer that an earlier run has read is neither fetched nor read again.

    Args:
        image: by digest.
        cache_dir: keeps what was found in each layer; fetched layers lie there for as long as they are read.
        tls_verify: whether the registry's certificate is checked.
        authfile: credentials of the registry.
        skopeo: the program that asks it.

    Raises:
        UsageError: what the registry gives is no image that can be read; ``what`` says why.
        WorldError: the registry cannot be asked, or the disk is full.
    """
    registry = RegistryImage(f"docker://{image.url}@{image.digest}", registry_access(tls_verify, authfile), skopeo)
    settings = settings_of(registry.manifest(), registry.configuration())
    missing = unread_layers(settings, cache_dir)
    if missing:
        with fetched_layers(registry, settings, missing, cache_dir) as blobs:
            keep_layers(blobs, missing, cache_dir, where=registry.reference)
    return ImageContent(settings, merge(_all_kept(cache_dir, settings.sources)))


@dataclass(frozen=True)
class RegistryImage:
    """An image in its registry, and how that is asked."""

    reference: str
    """``docker://HOST/PATH@sha256:…``."""
    access: list[str]
    """Options of skopeo."""
    skopeo: str = "skopeo"

    def manifest(self) -> dict[str, Any]:
        """The manifest, or the index of several.

        Raises:
            NoSuchImageError: the registry has none by this digest.
            UsageError: it is none.
            WorldError: the registry cannot be asked.
        """
        return self._object(self._ask("--raw"))

    def verified_manifest(self) -> dict[str, Any]:
        """The manifest, whose content is what its digest says: skopeo does not look. Raises as :meth:`manifest` does.

        Raises:
            WorldError: the registry gives another one.
        """
        content = self._ask("--raw")
        if hashlib.sha256(content).hexdigest() != self.reference.rpartition(":")[2]:
            raise WorldError(
                "the registry gives something else than what this digest names",
                where=self.reference.removeprefix("docker://"),
                todo="Look at the registry, and at what stands between it and this run.",
            )
        return self._object(content)

    def configuration(self) -> dict[str, Any]:
        """The configuration; raises as :meth:`manifest` does."""
        return self._object(self._ask("--config", "--raw"))

    def _ask(self, *options: str) -> bytes:
        if shutil.which(self.skopeo) is None:
            raise WorldError("skopeo is not installed", todo="Install it.")
        argv = [self.skopeo, "inspect", *options, *self.access, self.reference]
        answer = run(argv, env=registry_environment(), timeout_s=ASK_TIMEOUT_S)
        if answer.code and is_absent(answer):
            raise NoSuchImageError(
                "the registry has no such image",
                where=self.reference.removeprefix("docker://"),
                todo="Check its name and digest, and that it was pushed there.",
            )
        if answer.code:
            raise WorldError(f"the registry cannot be asked for the image: {answer.last_line}", where=self.reference)
        return answer.output

    def _object(self, content: bytes) -> dict[str, Any]:
        try:
            found = json.loads(content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise UsageError("the registry's answer is no image", where=self.reference)
        return found


def _all_kept(cache_dir: Path, digests: list[str]) -> Iterator[LayerFiles]:
    size = 0
    for digest in digests:
        layer = _kept(cache_dir, digest)
        if layer is None:
            raise UsageError(
                f"layer {digest[7:19]}: what was found in it cannot be read again", todo="Look at the disk."
            )
        size += sum(map(len, (*layer.names, *layer.removed, *layer.emptied, *layer.contents, *layer.contents.values())))
        if size > MAX_KEPT_BYTES:
            raise UsageError(f"its layers have more than {MAX_KEPT_BYTES >> 20} MiB of packages' headers and names")
        yield layer


def settings_of(manifest: dict[str, Any], configuration: dict[str, Any]) -> ImageSettings:
    """What a manifest and a configuration say.

    Raises:
        UsageError: they are none.
    """
    try:
        entries = manifest["layers"]
        layers = [(str(entry["digest"]), int(entry["size"])) for entry in entries]
        config = configuration.get("config") or {}
        pairs = [str(pair).partition("=") for pair in (config.get("Env") or [])[:MAX_VARIABLES]]
        history = [entry for entry in configuration.get("history") or [] if not entry.get("empty_layer")]
        made_by = [str(entry.get("created_by") or "")[:MAX_TEXT] for entry in history]
        user, directory = str(config.get("User") or ""), str(config.get("WorkingDir") or "")
        processor, system = (str(configuration.get(name) or "") for name in ("architecture", "os"))
        labels = [(str(name), str(value)) for name, value in (config.get("Labels") or {}).items()][:MAX_VARIABLES]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError("the registry's answer is no image") from None
    if not layers or len(layers) > MAX_LAYERS:
        raise UsageError("the image names no layers, or more than 500")
    if not all(_DIGEST.fullmatch(digest) and size >= 0 for digest, size in layers):
        raise UsageError("a layer of the image has no digest, or less than no bytes")
    made_by += [""] * (len(layers) - len(made_by))
    return ImageSettings(
        environment={name: value for name, _, value in pairs},
        user=user[:MAX_TEXT],
        directory=directory[:MAX_TEXT],
        processor=processor[:MAX_TEXT],
        layers=[
            LayerRecord(digest=digest, bytes=size, made_by=printable(line))
            for (digest, size), line in zip(layers, made_by, strict=False)
        ],
        sources=[digest for digest, _ in layers],
        system=system[:MAX_TEXT],
        labels={name[:MAX_TEXT]: value[:MAX_TEXT] for name, value in labels},
    )


def unread_layers(settings: ImageSettings, cache_dir: Path) -> set[str]:
    """Digests of the layers that nothing is known of yet."""
    return {digest for digest in settings.sources if _kept(cache_dir, digest) is None}


@contextlib.contextmanager
def fetched_layers(
    registry: RegistryImage, settings: ImageSettings, wanted: Collection[str], cache_dir: Path
) -> Iterator[Path]:
    """A folder with layers of an image, each named by the 64 digits of its digest; it is removed in the end.

    Args:
        registry: where the image is.
        settings: names its layers.
        wanted: digests of those that are fetched.
        cache_dir: where the folder is made.

    Raises:
        WorldError: they cannot be fetched, or the disk is full.
    """
    place = cache_dir / FOLDER
    with disk_errors(place):
        place.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=".tmp-", dir=place))
    try:
        blobs = folder / "blobs" / "sha256"
        with disk_errors(folder):
            blobs.mkdir(parents=True)
            for layer in settings.layers:
                if layer.digest not in wanted:
                    # what lies there is not fetched: an empty file as long as the layer stands for one that is known
                    with (blobs / layer.digest.partition(":")[2]).open("wb") as file:
                        file.truncate(layer.bytes)
        source = [word.replace("--tls-verify", "--src-tls-verify") for word in registry.access]
        argv = [registry.skopeo, "copy", "--quiet", *source, registry.reference, f"oci:{folder}:model"]
        copied = run(argv, env=registry_environment(), timeout_s=FETCH_TIMEOUT_S)
        if copied.code:
            raise WorldError(f"the image's layers cannot be fetched: {copied.last_line}", where=registry.reference)
        yield blobs
    finally:
        discard_tree(folder)


def keep_layers(blobs: Path, digests: Collection[str], cache_dir: Path, *, where: str) -> None:
    """Read layers that were fetched, and keep what was found in the cache.

    Args:
        blobs: see :func:`fetched_layers`.
        digests: of those that are read.
        cache_dir: keeps what was found.
        where: the image, for messages.

    Raises:
        UsageError: a layer is none that can be read.
    """
    for digest in sorted(digests):
        try:
            found = read_layer(blobs / digest.partition(":")[2])
        except UsageError as error:
            raise UsageError(f"layer {digest[7:19]}: {error.what}", where=where) from None
        write_model(_file(cache_dir, digest), found)
        log.info("read the layer %s: %d paths kept", digest[7:19], len(found.names) + len(found.contents))


def _kept(cache_dir: Path, digest: str) -> LayerFiles | None:
    file = _file(cache_dir, digest)
    if not file.is_file():
        return None
    try:
        return read_model(file, LayerFiles)
    except UsageError as error:
        log.warning("%s: passed over: %s", file.name, error.what)
        return None


def _file(cache_dir: Path, digest: str) -> Path:
    return cache_dir / FOLDER / f"{RECIPE}-{digest.partition(':')[2]}.json"
