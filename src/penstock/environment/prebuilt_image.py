"""An image that another system built: found by its digest, and compared with the commit that is released.

Nothing of it is started. What the comparison proves, and what it does not: docs/adr/0048.
"""

from __future__ import annotations

import logging
import platform
import re
import stat
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.bundle.models import BuiltElsewhere, Image, Source
from penstock.contract.models import Build
from penstock.environment.built_image import (
    ImageSettings,
    RegistryImage,
    fetched_layers,
    keep_layers,
    settings_of,
    unread_layers,
)
from penstock.environment.copied_files import CopiedFile, copied_files, ignore_files
from penstock.environment.layer_digests import REMOVED, file_digests
from penstock.environment.layer_tar import UnreadableLayerError
from penstock.environment.recipe import read_recipe
from penstock.environment.wheels import PROCESSORS
from penstock.foundation.errors import UsageError, printable
from penstock.foundation.files import open_inside, read_regular, sha256_of
from penstock.sources.build_context import BuildContext, build_context
from penstock.sources.image import REGISTRY
from penstock.sources.image_registry import registry_access

log = logging.getLogger(__name__)

REVISION, SOURCE = "org.opencontainers.image.revision", "org.opencontainers.image.source"
NAMED = 5
"""Files that a message names."""
MAX_RECIPE_BYTES = 1 << 20
MAX_IMAGE_BYTES = 256 << 30
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class ImageName:
    """``HOST[:PORT]/PATH@sha256:…``."""

    url: str
    digest: str

    def __str__(self) -> str:
        return f"{self.url}@{self.digest}"


def parse_image(text: str, registry: str | None) -> ImageName:
    """The name of an image that a run was given.

    Args:
        text: ``HOST[:PORT]/PATH@sha256:…``.
        registry: ``HOST[:PORT][/PATH]``, the one that the run may take images from.

    Raises:
        UsageError: it is none, names the image by a tag, or lies in another registry.
    """
    url, at, digest = text.partition("@")
    if "://" in text:
        raise _unusable(text, "an image is named without a scheme", "Write HOST/PATH@sha256:….")
    name, _, tag = url.rpartition(":")
    if name and tag and "/" not in tag and "/" in name:
        todo = (
            "Take the tag out." if at else f"skopeo inspect --format '{{{{.Digest}}}}' docker://{printable(url[:200])}"
        )
        raise _unusable(text, "a tag can be moved, so an image is named by its digest alone", todo)
    if not at or not _DIGEST.fullmatch(digest) or not REGISTRY.match(url):
        raise _unusable(text, "this is not the name of an image by its digest", "Write HOST/PATH@sha256:….")
    if not registry:
        raise _unusable(text, "no registry is named that images may come from", "Name it as the parameter 'registry'.")
    if not url.startswith(f"{registry.rstrip('/')}/"):
        raise _unusable(
            text,
            f"the image is not in the registry of this run, {printable(registry[:200])}",
            "Push it there, or name that registry as the parameter 'registry'.",
        )
    return ImageName(url, digest)


def _unusable(text: str, what: str, todo: str) -> UsageError:
    return UsageError(what, where=f"image '{printable(text[:200])}'", todo=todo)


def take_prebuilt(
    name: ImageName,
    source_dir: Path,
    contract: Build,
    *,
    source: Source,
    same_repository: Callable[[str, str], bool],
    cache_dir: Path,
    beside: Collection[str] = (),
    tls_verify: bool = True,
    authfile: Path | None = None,
    skopeo: str = "skopeo",
) -> Image:
    """Find an image in its registry and compare it with the commit: labels first, then files.

    Of an index of several platforms, the manifest for linux on this machine's processor is taken. What was found in
    its layers is kept in the cache, as :func:`penstock.environment.built_image.read_image` keeps it.

    Args:
        name: see :func:`parse_image`.
        source_dir: the clone.
        contract: the ``build`` section of ``penstock.yaml``.
        source: which commit of which repository was cloned.
        same_repository: whether a label's address and the clone's name the same repository.
        cache_dir: what outlives a run.
        beside: paths of weights that are mounted beside the image: they are not compared.
        tls_verify: whether the registry's certificate is checked.
        authfile: credentials of the registry.
        skopeo: the program that asks it.

    Returns:
        The image, with ``elsewhere``.

    Raises:
        UsageError: the registry has none by this digest; it is for another platform, cannot be read, or is not of this
            commit. ``what`` says which.
        WorldError: the registry cannot be reached, or the disk is full.
    """
    access = registry_access(tls_verify, authfile)
    registry = RegistryImage(f"docker://{name}", access, skopeo)
    manifest = registry.verified_manifest()
    if _is_index(manifest):
        digest = _of_this_platform(manifest, name)
        log.info("%s is an index of several platforms: %s is taken, for linux/%s", name, digest, _processor())
        registry = RegistryImage(f"docker://{name.url}@{digest}", access, skopeo)
        manifest = registry.verified_manifest()
        if _is_index(manifest):
            raise UsageError("the index names another index", where=str(name), todo="Name the image in it.")
    digest = registry.reference.rpartition("@")[2]
    settings = settings_of(manifest, registry.configuration())
    _hold_platform(settings, name)
    _hold_labels(settings, name, source, same_repository)
    context = build_context(source_dir, contract, beside)
    copied = _copied(context, contract, name)
    if sum(layer.bytes for layer in settings.layers) > MAX_IMAGE_BYTES:
        raise UsageError(f"the image has more than {MAX_IMAGE_BYTES >> 30} GiB", where=str(name))
    with fetched_layers(registry, settings, settings.sources, cache_dir) as blobs:
        keep_layers(blobs, unread_layers(settings, cache_dir), cache_dir, where=str(name))
        layers = [blobs / layer.partition(":")[2] for layer in settings.sources]
        try:
            found = file_digests(layers, {place for file in copied for place in file.places})
        except UnreadableLayerError as error:
            raise UsageError(f"one of its layers cannot be read: {error.what}", where=str(name)) from None
    compared, missing = _hold_files(context, copied, found, name)
    log.info("%s: its label names this commit, and %d files of it are the commit's", name, compared)
    return Image(
        kind="image",
        url=name.url,
        digest=digest,
        directory=settings.directory or "/",
        key=context.key(contract),
        built_from=source.commit,
        elsewhere=BuiltElsewhere(given=str(name), compared=compared, missing=missing),
    )


def _is_index(manifest: dict[str, Any]) -> bool:
    return "manifests" in manifest and "layers" not in manifest


def _processor() -> str:
    machine = platform.machine()
    return next((name for name, told in PROCESSORS.items() if told == machine), machine)


def _of_this_platform(index: dict[str, Any], name: ImageName) -> str:
    """The digest of the manifest for this platform.

    Raises:
        UsageError: there is none, or there are several.
    """
    found, others = [], []
    entries = index["manifests"]
    for entry in entries[:100] if isinstance(entries, list) else []:
        told = entry.get("platform") if isinstance(entry, dict) else None
        told = told if isinstance(told, dict) else {}
        if (told.get("os"), told.get("architecture")) == ("linux", _processor()):
            found.append(str(entry.get("digest")))
        else:
            others.append(printable(f"{told.get('os')}/{told.get('architecture')}"[:40]))
    if len(found) == 1 and _DIGEST.fullmatch(found[0]):
        return found[0]
    what = "several images" if found else "no image"
    raise UsageError(
        f"the index has {what} for linux/{_processor()}",
        where=str(name),
        todo=f"Name one by its own digest. It has others for: {', '.join(others[:NAMED]) or 'nothing'}.",
    )


def _hold_platform(settings: ImageSettings, name: ImageName) -> None:
    told = f"{settings.system}/{settings.processor}"
    if told != f"linux/{_processor()}":
        raise UsageError(
            f"the image is for {printable(told)}, and this runs on linux/{_processor()}",
            where=str(name),
            todo="Name the image for this platform.",
        )


def _hold_labels(
    settings: ImageSettings, name: ImageName, source: Source, same_repository: Callable[[str, str], bool]
) -> None:
    """Check that the image says that it is of this commit, and of no other repository.

    Raises:
        UsageError: it does not.
    """
    revision = settings.labels.get(REVISION, "")
    if not revision:
        raise UsageError(
            f"the image has no label {REVISION}: nobody says which commit it was built from",
            where=str(name),
            todo=f"Build it with --label {REVISION}={source.commit}.",
        )
    if revision != source.commit:
        raise UsageError(
            f"the image was built from {printable(revision[:80])}, and {source.commit} is what is released",
            where=f"{name}, label {REVISION}",
            todo="Name the image of this commit, or the commit of this image.",
        )
    told = settings.labels.get(SOURCE)
    if told is not None and not same_repository(told, source.url):
        raise UsageError(
            f"the image is of the repository {printable(told[:200])}, not of {source.url}",
            where=f"{name}, label {SOURCE}",
            todo="Name the image of this repository.",
        )


def _copied(context: BuildContext, contract: Build, name: ImageName) -> list[CopiedFile]:
    """What the recipe copies from the commit.

    Raises:
        UsageError: nothing, so that the image cannot be compared.
    """
    recipe = read_regular(context.containerfile, max_bytes=MAX_RECIPE_BYTES, where=contract.containerfile)
    stage = read_recipe(recipe.decode("utf-8", "replace"), target=contract.target, args=contract.args)
    files = [path for path, mode in context.entries() if stat.S_ISREG(mode)]
    copied = copied_files(stage, files) if stage is not None else []
    if not copied:
        raise UsageError(
            f"'{contract.containerfile}' copies no file of the commit into the image, so the two cannot be compared",
            where=str(name),
            todo="Its last stage (or build.target) needs a COPY from the context, below an absolute WORKDIR or path.",
        )
    return copied


def _hold_files(
    context: BuildContext, copied: list[CopiedFile], found: dict[str, str], name: ImageName
) -> tuple[int, int]:
    """Check that the image has the commit's files. Returns how many it has, and how many it need not have and has not.

    Raises:
        UsageError: one is another, or is missing where nothing keeps it out.
    """
    same, removed = 0, 0
    # a file that two lines copy is named once
    others: set[str] = set()
    absent: set[str] = set()
    for file in copied:
        with open_inside(context.context / file.source, where=file.source.as_posix()) as opened:
            digest = sha256_of(opened)
        there = [found[place] for place in file.places if place in found]
        if digest in there:
            same += 1
        elif any(each != REMOVED for each in there):
            others.add(file.source.as_posix())
        elif there:
            removed += 1
        else:
            absent.add(file.source.as_posix())
    if others:
        raise UsageError(
            f"the image was not built from this commit: {_listed(others)} in it {_is(others)} not the commit's",
            where=str(name),
            todo="Build it from a clean checkout; a file that a RUN line changes cannot be compared.",
        )
    if absent and not ignore_files(context.context, context.containerfile):
        raise UsageError(
            f"the image was not built from this commit: {_listed(absent)} {_is(absent)} not in it",
            where=str(name),
            todo="Build it with the commit's own Containerfile, from a clean checkout.",
        )
    if not same:
        raise UsageError(
            "no file of the commit is in the image where the Containerfile copies it, so the two cannot be compared",
            where=str(name),
            todo="Build it with the commit's own Containerfile.",
        )
    return same, removed + len(absent)


def _listed(names: set[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return printable(", ".join(f"'{name[:100]}'" for name in sorted(names)[:NAMED]) + more)


def _is(names: set[str]) -> str:
    return "is" if len(names) == 1 else "are"
