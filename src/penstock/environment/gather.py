"""What is known of a model's environment: from the image that was built, else from its recipe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from penstock.contract.models import Contract
from penstock.contract.mounted_weights import weights_folder
from penstock.environment.base_images import base_image
from penstock.environment.built_image import ImageContent
from penstock.environment.debian import read_debian_packages, read_distribution
from penstock.environment.facts import EnvironmentFacts, FoundVersion
from penstock.environment.gpu_wheels import brought_along
from penstock.environment.judge import majors
from penstock.environment.layer_files import BUILD_INFO, COMPAT, CUDA_VERSION, GNU, LIBRARY, MUSL, PYTHON, MergedFiles
from penstock.environment.named_packages import Named, named_packages, names_and_versions
from penstock.environment.recipe import RecipeStage, installs, read_recipe
from penstock.environment.wheels import PROCESSORS, Wheel, read_wheel, release_of
from penstock.foundation.errors import UsageError
from penstock.foundation.files import inside, read_regular

MAX_TEXT_BYTES = 1 << 20
_MENTIONS_CUDA = re.compile(r"cuda|cudnn|cublas|nvidia", re.IGNORECASE)
_PYPI = re.compile(r"https?://(?:pypi\.org|files\.pythonhosted\.org)/")
_PYTORCH_INDEX = re.compile(r"https?://download\.pytorch\.org/whl/cu(\d{2,3})/?\Z")


def recipe_of(source: Path, contract: Contract) -> RecipeStage | None:
    """The stage of the Containerfile that is built; ``None``: there is no Containerfile, or not that stage."""
    text = _text(source, contract.build.containerfile)
    return None if text is None else read_recipe(text, target=contract.build.target, args=contract.build.args)


def facts_of_image(built: ImageContent, digest: str, recipe: RecipeStage | None) -> EnvironmentFacts:
    """What an image that was read says.

    Args:
        built: it.
        digest: its digest.
        recipe: what it was built from, for the health check.
    """
    files, settings = built.files, built.settings
    versions = [str(version) for version in _cuda_versions(files)]
    libraries = {name: _libraries(files, name) for name in ("cudart", "cublas", "cudnn")}
    exact = [FoundVersion(version, "version.json") for version in versions if version.partition(".")[0].isdigit()]
    majors_seen = {found.major for found in libraries["cudart"]}
    compat = [int(found[1]) for name in files.names if (found := COMPAT.search(name))]
    return EnvironmentFacts(
        read="image",
        digest=digest,
        wheels=sorted(_wheels(files), key=lambda wheel: (wheel.name, wheel.folder)),
        build_info=next((text for path, text in sorted(files.contents.items()) if BUILD_INFO.search(path)), ""),
        pythons=sorted({release_of(found[1]) for name in files.names if (found := PYTHON.search(name))}) or None,
        processor=PROCESSORS.get(settings.processor, ""),
        musl=_musl(files),
        # a toolkit's own file is more exact, and no proof that its libraries are there
        cudart=[*(each for each in exact if each.major in majors_seen), *libraries["cudart"]],
        cublas=libraries["cublas"],
        cudnn=libraries["cudnn"],
        compat=max(compat, default=0),
        environment=settings.environment,
        user=settings.user,
        healthcheck=None if recipe is None else recipe.healthcheck,
        layers=settings.layers,
        distribution=read_distribution(files.contents),
        system_packages=read_debian_packages(files.contents),
    )


def facts_of_recipe(source: Path, recipe: RecipeStage | None, context: str = ".") -> EnvironmentFacts:
    """What a recipe says, and the requirements that it installs; without one, those in the root of the repository.

    Args:
        source: the clone.
        recipe: the stage that is built; ``None``: there is none.
        context: the folder that it copies from.
    """
    base = base_image(recipe.base) if recipe is not None else base_image("")
    runs = recipe.runs if recipe is not None else ["pip install -r requirements.txt"]
    named = named_packages(installs(runs), lambda name: _copied(source, context, name))
    wheels = _pinned(named)
    if base.torch and not any(wheel.name == "torch" for wheel in wheels):
        wheels.append(Wheel("torch", base.torch))
    cuda, cudnn = brought_along([*names_and_versions(wheels), *named.unpinned])
    along = _extras(named) or bool(cuda) or any(wheel.name == "torch" for wheel in wheels)
    # what is installed in another way than with pip may be CUDA of any version
    installed = any(_MENTIONS_CUDA.search(line) for line in _other_lines(runs))
    known = base.known and not along and not installed and not named.unread
    where = f"the base image {base.name}"
    there = [FoundVersion(base.cuda, where)] if base.cuda else []
    return EnvironmentFacts(
        read="recipe",
        wheels=wheels,
        unpinned=named.unpinned,
        unread=named.unread if recipe is not None else [],
        pythons=[release_of(base.python)] if base.python else None,
        cudart=there if known else None,
        cudnn=(majors({base.cudnn} if base.cudnn else set(), where) if known and not cudnn else None),
        environment={**base.environment, **recipe.environment} if recipe is not None and base.known else None,
        user=recipe.user if recipe is not None and recipe.user is not None else ("" if base.known else None),
        healthcheck=None if recipe is None else recipe.healthcheck,
        other_index=any(not _PYPI.match(index) and not _PYTORCH_INDEX.match(index) for index in named.indexes),
    )


def lost_weights(environment: Mapping[str, str], contract: Contract, directory: str) -> dict[str, str]:
    """Variables that name a file or folder where weights are mounted, and none of the contract's lie.

    Args:
        environment: of the image, under the contract's ``call.env``.
        contract: names the weights.
        directory: the image's working directory.
    """
    folder = weights_folder(contract.weights)
    if not folder or not directory.startswith("/"):
        return {}
    mount = f"{directory.rstrip('/')}/{folder}"
    files = [f"{directory.rstrip('/')}/{each.path}" for each in contract.weights]
    lost = {}
    for name, value in {**environment, **contract.call.env}.items():
        place = value.rstrip("/")
        if (place == mount or place.startswith(f"{mount}/")) and not any(
            file == place or file.startswith(f"{place}/") for file in files
        ):
            lost[name] = value
    return lost


def _text(source: Path, name: str) -> str | None:
    """A file of the clone; ``None``: it is not there, is too large, or leads out of it."""
    try:
        path = inside(source, name.removeprefix("./"), where="Containerfile")
        return read_regular(path, max_bytes=MAX_TEXT_BYTES, where=name).decode("utf-8", "replace")
    except UsageError:
        return None


def _copied(source: Path, context: str, name: str) -> str | None:
    """A file that the recipe has copied into the image: by its path in the context, else by its name there."""
    places = dict.fromkeys(f"{context}/{place}" for place in (name.lstrip("/"), name.rpartition("/")[2]))
    return next((text for place in places if (text := _text(source, place)) is not None), None)


def _pinned(named: Named) -> list[Wheel]:
    """With the CUDA of PyTorch's own index, where that is the one that is asked."""
    found = next((match[1] for index in named.indexes if (match := _PYTORCH_INDEX.match(index))), None)
    return [
        Wheel(wheel.name, f"{wheel.version}+cu{found}")
        if found and wheel.name == "torch" and "+" not in wheel.version
        else wheel
        for wheel in named.pinned
    ]


def _extras(named: Named) -> bool:
    """Whether ONNX Runtime brings its own CUDA: ``onnxruntime-gpu[cuda,cudnn]``."""
    return "cuda" in named.extras.get("onnxruntime-gpu", set())


def _other_lines(runs: list[str]) -> Iterator[str]:
    for run in runs:
        for command in re.split(r"&&|\|\||;|\n", run):
            if not re.search(r"\bpip3?\b.*\binstall\b|\buv\b", command):
                yield command


def _wheels(files: MergedFiles) -> Iterator[Wheel]:
    for path, text in files.contents.items():
        folder, _, name = path.rpartition("/")
        if name == "METADATA":
            wheel = read_wheel(text, files.contents.get(f"{folder}/WHEEL", ""), folder.rpartition("/")[0])
            if wheel is not None:
                yield wheel


def _libraries(files: MergedFiles, name: str) -> list[FoundVersion]:
    """The libraries of a name, one of each major version."""
    found: dict[str, str] = {}
    for path in sorted(files.names):
        match = LIBRARY.search(path)
        if match is not None and match[1] == name:
            found.setdefault(match[2], path)
    return [FoundVersion(major, path) for major, path in sorted(found.items())]


def _cuda_versions(files: MergedFiles) -> Iterator[str]:
    """``{"cuda": {"name": "CUDA SDK", "version": "11.8.20220929"}, …}``."""
    for path, text in sorted(files.contents.items()):
        if not CUDA_VERSION.search(path):
            continue
        try:
            version = json.loads(text)["cuda"]["version"]
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if isinstance(version, str) and release_of(version) and len(version) < 40:
            yield version


def _musl(files: MergedFiles) -> bool | None:
    musl, gnu = (any(pattern.search(name) for name in files.names) for pattern in (MUSL, GNU))
    return musl if musl != gnu else None
