"""Building: how buildah and skopeo are called, by programs in their place that note it."""

import ast
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock.bundle.models import Image
from penstock.contract.models import Build
from penstock.foundation.errors import PenstockError, UsageError, WorldError
from penstock.sources.image import Mode, build, failed, steps_from_cache, tag_image
from penstock.sources.program import Finished

TREE = "a" * 64
DIGEST = "sha256:" + "d" * 64


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    (path / "sub").mkdir(parents=True)
    (path / "Containerfile").write_text("FROM scratch\n")
    return path


class Stand:
    """A program that notes its arguments, then does what `behave` says."""

    def __init__(self, path: Path, behave: str) -> None:
        self.path = path
        self.notes = path.with_suffix(".notes")
        path.write_text(
            # what would be imported takes three times as long as Python's own start
            f"#!{sys.executable} -IS\nimport os, sys, time\n"
            f"with open({str(self.notes)!r}, 'a') as notes:\n"
            "    print([sys.argv[1:], dict(os.environ)], file=notes)\n"
            f"arguments = sys.argv[1:]\n{behave}\n"
        )
        path.chmod(0o755)

    def calls(self) -> list[list[str]]:
        return [ast.literal_eval(line)[0] for line in self.notes.read_text().splitlines()]

    def environment(self) -> dict[str, str]:
        return dict(ast.literal_eval(self.notes.read_text().splitlines()[-1])[1])


GOOD = f"""
for argument in arguments:
    if argument.startswith("--digestfile="):
        with open(argument.split("=", 1)[1], "w") as file:
            file.write("{DIGEST}")
print("/model" if "inspect" in arguments else "STEP 1: FROM scratch")
"""


def start(source: Path, program: Path | str, **options: object) -> Image:
    contract = options.pop("contract", Build())
    assert isinstance(contract, Build)
    defaults: dict[str, object] = {"image_name": "model", "tree": TREE, "registry": "registry.example:5000/models"}
    return build(source, contract, buildah=str(program), **(defaults | options))  # type: ignore[arg-type]


def test_build_and_push(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    buildah = Stand(tmp_path / "buildah", GOOD)
    image = start(
        source,
        buildah.path,
        contract=Build(context="sub", target="final", args={"WITH": "a b; c"}),
        labels={"org.opencontainers.image.revision": "c0ffee"},
        cache_dir=tmp_path / "cache",
        tls_verify=False,
        authfile=tmp_path / "config.json",
        log_file=tmp_path / "logs" / "build.log",
    )
    assert image.same_as(Image(kind="image", url="registry.example:5000/models/model", digest=DIGEST))
    assert image.directory == "/model"
    _, built, _, pushed = buildah.calls()
    reference = f"registry.example:5000/models/model:{image.key[:12]}"
    root = f"--root={tmp_path / 'cache' / 'containers'}"
    assert built[:3] == [root, "build", "--layers"]
    assert Path(built[-1]).parent == tmp_path / "cache" / "building"
    for expected in (
        "--isolation=chroot",
        f"--file={source / 'Containerfile'}",
        f"--tag={reference}",
        "--target=final",
        "--build-arg=WITH=a b; c",
        "--label=org.opencontainers.image.revision=c0ffee",
    ):
        assert expected in built
    assert pushed[:2] == [root, "push"]
    assert pushed[-2:] == [reference, f"docker://{reference}"]
    assert "--tls-verify=false" in pushed
    assert f"--authfile={tmp_path / 'config.json'}" in pushed
    assert "hunter2" not in buildah.environment().values()
    assert "STEP 1" in (tmp_path / "logs" / "build.log").read_text()


@pytest.mark.slow
def test_the_same_files_are_not_built_twice(source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    buildah, skopeo = Stand(tmp_path / "buildah", GOOD), Stand(tmp_path / "skopeo", f"print('{DIGEST}')")
    options: dict[str, object] = {"cache_dir": tmp_path / "cache", "skopeo": str(skopeo.path), "tls_verify": False}
    weights = source / "weights" / "model.onnx"
    weights.parent.mkdir()
    weights.write_text("one")
    first = start(source, buildah.path, commit="a" * 40, beside=["weights/model.onnx"], **options)
    weights.write_text("two")
    again = start(source, buildah.path, commit="b" * 40, beside=["weights/model.onnx"], **options)
    assert again == first
    assert again.built_from == "a" * 40
    assert [call[1] for call in buildah.calls() if len(call) > 1].count("build") == 1
    (asked,) = skopeo.calls()
    assert asked[:2] == ["inspect", "--no-tags"]
    assert "--tls-verify=false" in asked
    assert asked[-1] == f"docker://registry.example:5000/models/model@{DIGEST}"
    assert "used again" in caplog.text
    # weights that the image has to hold are files like any other
    assert start(source, buildah.path, **options).key != first.key


@pytest.mark.slow
@pytest.mark.parametrize(
    ("behave", "reuse", "built"),
    [("sys.exit('manifest unknown')", True, 2), (f"print('{DIGEST}')", False, 2), (f"print('{DIGEST}')", True, 1)],
)
def test_built_again_if_the_registry_has_lost_it_or_the_run_says_so(
    source: Path, tmp_path: Path, behave: str, reuse: bool, built: int
) -> None:
    buildah, skopeo = Stand(tmp_path / "buildah", GOOD), Stand(tmp_path / "skopeo", behave)
    for again in (True, reuse):
        start(source, buildah.path, cache_dir=tmp_path / "cache", skopeo=str(skopeo.path), reuse=again)
    assert sum("build" in call for call in buildah.calls()) == built


@pytest.mark.slow
def test_a_registry_that_cannot_be_asked_is_the_worlds_fault(source: Path, tmp_path: Path) -> None:
    buildah = Stand(tmp_path / "buildah", GOOD)
    skopeo = Stand(tmp_path / "skopeo", "sys.exit('dial tcp: connection refused')")
    start(source, buildah.path, cache_dir=tmp_path / "cache", skopeo=str(skopeo.path))
    with pytest.raises(WorldError, match="the registry cannot be reached"):
        start(source, buildah.path, cache_dir=tmp_path / "cache", skopeo=str(skopeo.path))
    # without skopeo nothing is known of the registry: it is built again
    start(source, buildah.path, cache_dir=tmp_path / "cache", skopeo=str(tmp_path / "absent"))
    assert sum("build" in call for call in buildah.calls()) == 2


def test_a_recipe_that_copies_weights_is_told_that_it_need_not(source: Path, tmp_path: Path) -> None:
    (source / "weights").mkdir()
    (source / "weights" / "w").touch()
    buildah = Stand(
        tmp_path / "buildah", "if 'build' in arguments: sys.exit('copier: stat: \"/weights\": no such file')"
    )
    with pytest.raises(WorldError, match="mounted beside the image: take their COPY out"):
        start(source, buildah.path, beside=["weights/w"])


ALONE = """
if "build" in arguments:
    busy = sys.argv[0] + ".busy"
    open(busy, "x").close()
    time.sleep(0.3)
    os.unlink(busy)
"""


@pytest.mark.slow
def test_builds_with_the_same_cache_are_made_one_after_the_other(source: Path, tmp_path: Path) -> None:
    """Or the same layer would be made twice, and a later build of the same code might take the other one."""
    buildah = Stand(tmp_path / "buildah", ALONE + GOOD)
    with ThreadPoolExecutor(3) as pool:
        images = list(pool.map(lambda _: start(source, buildah.path, cache_dir=tmp_path / "cache"), range(3)))
    assert [image.digest for image in images] == [DIGEST] * 3


@pytest.mark.parametrize(
    ("behave", "match"), [("sys.exit('x' * 10 + ' the reason')", "cannot be built"), ("", "no digest")]
)
def test_failures(source: Path, tmp_path: Path, behave: str, match: str) -> None:
    buildah = Stand(tmp_path / "buildah", f"if 'version' not in arguments:\n    pass\n    {behave}")
    with pytest.raises(WorldError, match=match) as caught:
        start(source, buildah.path)
    assert ("the reason" in caught.value.todo) == bool(behave)


def test_push_that_fails(source: Path, tmp_path: Path) -> None:
    buildah = Stand(tmp_path / "buildah", "if 'push' in arguments: sys.exit('unauthorized')")
    with pytest.raises(WorldError, match="cannot be pushed"):
        start(source, buildah.path)


@pytest.mark.parametrize(
    ("said", "fails", "pushes"),
    [
        ("pinging container registry r:5000: dial tcp 10.0.0.1:5000: connect: connection refused", 2, 3),
        ("received unexpected HTTP status: 503 Service Unavailable", 1, 2),
        ("unauthorized", 1, 1),
    ],
)
def test_push_while_the_registry_restarts(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, fails: int, pushes: int
) -> None:
    monkeypatch.setattr("penstock.sources.image.PUSH_WAITS_S", (0.01, 0.01, 0.01))
    counted = f"""sum("'push'" in line for line in open({str(tmp_path / "buildah.notes")!r})) <= {fails}"""
    buildah = Stand(tmp_path / "buildah", f"if 'push' in arguments and {counted}: sys.exit({said!r})\n{GOOD}")
    if pushes > fails:
        assert start(source, buildah.path).digest == DIGEST
    else:
        with pytest.raises(WorldError, match="cannot be pushed"):
            start(source, buildah.path)
    assert sum("push" in call for call in buildah.calls()) == pushes


def test_registry_that_stays_away(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.sources.image.PUSH_WAITS_S", (0.01, 0.01))
    buildah = Stand(tmp_path / "buildah", "if 'push' in arguments: sys.exit('dial tcp: connection refused')")
    with pytest.raises(WorldError, match="the registry cannot be reached"):
        start(source, buildah.path)
    assert sum("push" in call for call in buildah.calls()) == 3


def test_steps_from_the_cache_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    first = "STEP 1/3: FROM scratch\nSTEP 2/3: COPY a b\n--> 123\nSTEP 3/3: RUN echo STEP\n--> 456\n"
    log.write_text(first)
    assert steps_from_cache(log) == (0, 2)
    second = first.replace("--> 123", "--> Using cache 123\n--> 123")
    log.write_text(first + second)
    assert steps_from_cache(log, since=len(first)) == (1, 2)
    assert steps_from_cache(tmp_path / "absent") == (0, 0)


def test_full_disk(source: Path, tmp_path: Path) -> None:
    buildah = Stand(tmp_path / "buildah", "if 'build' in arguments: sys.exit('write /x: no space left on device')")
    with pytest.raises(WorldError, match="no space"):
        start(source, buildah.path)


@pytest.mark.slow
def test_build_that_hangs_is_ended(source: Path, tmp_path: Path) -> None:
    buildah = Stand(tmp_path / "buildah", "if 'build' in arguments: time.sleep(600)")
    with pytest.raises(WorldError, match="did not finish"):
        start(source, buildah.path, timeout_s=1.0)


@pytest.mark.parametrize(
    ("mode", "registry", "program"),
    [
        ("auto", "r.example", "absent"),
        ("auto", None, "works"),
        ("auto", "r.example", "broken"),
        ("process", "r.example", "works"),
    ],
)
def test_process_where_no_image_can_be(
    source: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: Mode, registry: str | None, program: str
) -> None:
    caplog.set_level("INFO")
    if program != "absent":
        Stand(tmp_path / program, GOOD if program == "works" else "sys.exit('no user namespaces')")
    image = start(source, tmp_path / program, mode=mode, registry=registry)
    assert image == Image(kind="process", digest=f"sha256:{TREE}")
    assert "runs as a process" in caplog.text


def test_image_is_wanted_and_cannot_be(source: Path, tmp_path: Path) -> None:
    with pytest.raises(WorldError, match="not installed"):
        start(source, tmp_path / "absent", mode="image")


@pytest.mark.parametrize(
    "options",
    [
        {"image_name": "Model"},
        {"image_name": "--x"},
        {"registry": "https://registry.example"},
        {"registry": "-x"},
        {"contract": Build(containerfile="../Containerfile")},
        {"contract": Build(containerfile="absent")},
        {"contract": Build(containerfile="link")},
        {"contract": Build(context="/")},
        {"contract": Build(context="Containerfile")},
        {"contract": Build(target="--x")},
        {"contract": Build(args={"A": "x\ny"})},
    ],
)
def test_refused(source: Path, tmp_path: Path, options: dict[str, object]) -> None:
    (source / "link").symlink_to("/etc/passwd")
    buildah = Stand(tmp_path / "buildah", GOOD)
    with pytest.raises(UsageError):
        start(source, buildah.path, **options)
    assert not buildah.notes.exists() or buildah.calls() == [["version"]]


# tagging


IMAGE = Image(kind="image", url="registry.example:5000/models/model", digest=DIGEST)


@pytest.mark.parametrize(
    ("behave", "calls", "error"),
    [
        ("if 'inspect' in arguments: sys.exit('manifest unknown')", ["inspect", "copy"], None),
        (f"print('{DIGEST}')", ["inspect"], None),
        ("print('sha256:' + 'e' * 64)", ["inspect"], "another image"),
        ("sys.exit('connection refused')", ["inspect"], "cannot be asked"),
        ("sys.exit('manifest unknown')", ["inspect", "copy"], "cannot be tagged"),
    ],
)
def test_tag(tmp_path: Path, behave: str, calls: list[str], error: str | None) -> None:
    skopeo = Stand(tmp_path / "skopeo", behave)
    if error is None:
        tag_image(IMAGE, "1.0.0+x", skopeo=str(skopeo.path), tls_verify=False)
    else:
        with pytest.raises(WorldError, match=error):
            tag_image(IMAGE, "1.0.0", skopeo=str(skopeo.path))
    assert [call[0] for call in skopeo.calls()] == calls
    if error is None and "copy" in calls:
        target = f"docker://{IMAGE.url}:1.0.0_x"
        assert skopeo.calls()[-1][-2:] == [f"docker://{IMAGE.url}@{DIGEST}", target]


def test_only_pushed_images_are_tagged() -> None:
    with pytest.raises(PenstockError):
        tag_image(Image(kind="process", digest=DIGEST), "1.0.0")
    assert os.environ  # nothing was started


def test_a_registry_that_is_away_is_named_as_that() -> None:
    log = (
        "Getting image source signatures\n"
        "Error: trying to reuse blob sha256:aa at destination: pinging container registry 10.0.0.1:5000: "
        'Get "http://10.0.0.1:5000/v2/": dial tcp 10.0.0.1:5000: connect: connection refused\n'
    )
    error = failed("the image cannot be pushed", Finished(125, b"", log), "10.0.0.1:5000/model:1")
    assert "the image cannot be pushed: the registry cannot be reached (" in str(error)
    assert "connection refused)" in str(error)
