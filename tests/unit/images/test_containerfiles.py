"""What each image carries: all that its program can import, nothing else, nothing that is not pinned by its hash."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from images.recipe import ROOT, Recipe, recipes
from tests.unit.images.imports import third_party

from penstock.cli.app import COMMANDS, PULLS

RECIPES = recipes()
SERVICES = sorted(name for name, recipe in RECIPES.items() if recipe.is_service)
IMAGES = sorted(name for name, recipe in RECIPES.items() if not recipe.is_shared)
PACKAGE_OF = {
    "yaml": "pyyaml",
    "pydantic_core": "pydantic",
    "cv2": "opencv-python-headless",
    "PIL": "pillow",
    "pynvml": "nvidia-ml-py",
    "backports": "backports-zstd",
}
NEVER_CALLED = {
    # A module that these steps import can do more than they ask of it.
    "clone": {"httpx", "httpcore", "backports-zstd"},  # a suite comes from S3 or a registry; zstd it refuses
    "check": {"numpy"},  # it weighs no measurements: it has none
    "plan": {"onnxruntime", "openvino", "threadpoolctl", "pocketsphinx"},
    "collect": {
        "httpcore",
        "httpx",
        "numpy",
        "opencv-python-headless",
        "av",
        "onnxruntime",
        "openvino",
        "pocketsphinx",
        "threadpoolctl",
    },
    "infer": {"numpy", "opencv-python-headless", "av", "threadpoolctl"},
    "export": {"threadpoolctl"},  # it compares two vectors, and no galleries
    "report": {"threadpoolctl"},  # it compares no galleries: they come in numbers
    # it runs no released model again (--scheduled), tells nobody, and fetches no suite from a registry
    # of the release book it has the way to listen, of notices the forges: it opens no store and draws no page
    "pulls": {"numpy", "boto3", "botocore", "jinja2"},
    "watch": {"apprise", "backports-zstd", "nvidia-ml-py", "onnxruntime", "openvino", "pocketsphinx", "threadpoolctl"},
}
FOR_MODELS = {"scipy", "soundfile", "numpy", "opencv-python-headless", "av"}
"""What the image *infer* carries for models that come without an image."""


def listed(path: Path) -> set[str]:
    return {match[1] for match in re.finditer(r"^([a-z0-9.-]+)==", path.read_text(encoding="utf-8"), re.MULTILINE)}


def asked_for(path: Path) -> set[str]:
    lines = path.with_suffix(".in").read_text(encoding="utf-8").splitlines()
    return {line.strip().lower() for line in lines if line.strip() and not line.startswith("#")}


def requirement_files(recipe: Recipe) -> list[Path]:
    """Those of the image itself and of what its last stage stands on."""
    last = re.findall(r"^FROM \$\{([A-Z]+)\}$", recipe.text, re.MULTILINE)[-1] if recipe.stands_on else None
    below = requirement_files(RECIPES[recipe.stands_on[last]]) if last else []
    stage = recipe.text[recipe.text.rindex("\nFROM ") :]
    return [*below, *(ROOT / name for name in re.findall(r"requirements/images/[a-z]+\.txt(?= /)", stage))]


def carried(step: str) -> set[str]:
    return set().union(*map(listed, requirement_files(RECIPES[step])))


def packages(modules: set[str]) -> set[str]:
    return {PACKAGE_OF.get(name, name) for name in modules}


@pytest.mark.slow
@pytest.mark.parametrize("step", [step for step in IMAGES if step != "infer"])
def test_an_image_carries_what_its_step_can_import(step: str) -> None:
    assert packages(third_party(step, lazy=False)) <= carried(step), "imported at once"
    assert packages(third_party(step, lazy=True)) - NEVER_CALLED.get(step, set()) <= carried(step), "imported later"


@pytest.mark.slow
@pytest.mark.parametrize("step", [step for step in IMAGES if step != "infer"])
def test_an_image_carries_nothing_else(step: str) -> None:
    base = asked_for(ROOT / "requirements" / "images" / "base.txt")
    asked = set().union(*map(asked_for, requirement_files(RECIPES[step]))) - base
    assert asked <= packages(third_party(step, lazy=True))


@pytest.mark.slow
def test_the_driver_runtime_carries_what_infer_can_import() -> None:
    runtime = listed(ROOT / "requirements" / "images" / "runtime.txt")
    needed = packages(third_party("infer", lazy=True)) - NEVER_CALLED["infer"]
    assert needed <= runtime
    assert asked_for(ROOT / "requirements" / "images" / "runtime.txt") <= needed
    assert carried("infer") >= FOR_MODELS


def test_a_service_is_what_no_task_runs() -> None:
    tasks = {path.parent.name for path in (ROOT / "tasks").glob("*/entrypoint.py")}
    assert set(IMAGES) == tasks | set(SERVICES)
    assert not tasks & set(SERVICES)
    known = {*COMMANDS, *(f"pulls {name}" for name in PULLS)}
    assert {" ".join(RECIPES[name].program[1:]) for name in SERVICES} <= known


def test_no_image_has_torch() -> None:
    for path in (ROOT / "requirements" / "images").glob("*.txt"):
        names = listed(path) - {"nvidia-ml-py"}  # asks the driver, 58 kB
        assert not any(name.startswith(("torch", "nvidia", "triton", "tensorflow")) for name in names)


def test_pins_are_those_of_the_base_requirements() -> None:
    files = ("base", "openvino", "browser", "interface", "kubernetes")
    pinned = "".join((ROOT / "requirements" / f"{name}.txt").read_text() for name in files)
    for path in (ROOT / "requirements" / "images").glob("*.txt"):
        blocks = re.split(r"\n(?=[a-z])", path.read_text(encoding="utf-8").rstrip("\n"))
        assert blocks, path.name
        for block in blocks:
            assert f"{block}\n" in pinned, f"{path.name}: {block.splitlines()[0]}: run `make requirements`"
            assert "--hash=sha256:" in block


@pytest.mark.parametrize("name", RECIPES)
def test_everything_is_installed_by_hash(name: str) -> None:
    text = RECIPES[name].text.replace("\\\n", " ")
    for line in re.findall(r"pip [^\n&]*install[^\n&]*", text):
        assert "--require-hashes --only-binary :all:" in line or "--no-index" in line, line
    assert "ADD " not in text
    assert "curl" not in text
    assert "latest" not in text


@pytest.mark.parametrize("step", IMAGES)
def test_a_step_runs_as_nobody_and_names_its_program(step: str) -> None:
    stage = RECIPES[step].text[RECIPES[step].text.rindex("\nFROM ") :].splitlines()
    users = [line for line in stage if line.startswith("USER ")]
    assert users[-1] == ("USER 0:0" if step == "build" else "USER 65532:65532")
    program = ("penstock", step) if step in SERVICES else (f"penstock-{step}",)
    assert RECIPES[step].program[: len(program)] == program
    assert stage[-1].startswith("ENTRYPOINT ")
    assert ("COPY --from=code /program/ /" in stage) == (step in SERVICES), "a service is the program `penstock`"
    copies = [line for line in stage if line.startswith(("COPY", "RUN"))]
    assert copies[-1] == "COPY --from=code /out/ /", "our code is the last layer"


@pytest.mark.parametrize("step", IMAGES)
def test_package_lists_do_not_stay(step: str) -> None:
    text = RECIPES[step].text
    if "apt-get" in text:
        assert "--no-install-recommends" in text
        assert "rm -rf /var/lib/apt/lists/*" in text


def test_the_containerignore_lets_through_what_is_copied() -> None:
    lines = (ROOT / ".containerignore").read_text(encoding="utf-8").splitlines()
    let_through = [line.removeprefix("!") for line in lines if line.startswith("!")]
    for recipe in RECIPES.values():
        for source in recipe.sources():
            assert any(Path(source).match(pattern) for pattern in let_through), source
