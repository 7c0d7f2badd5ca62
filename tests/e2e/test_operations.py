"""The documentation on the cluster: its manifests are put to the API server, its commands are run."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.validate import ParamValidator
from tests.e2e.api import Object
from tests.e2e.facts import Facts
from tests.e2e.install import IMAGES_OVERLAY, Installed
from tests.e2e.pages import KNOWN, PAGES, Block, blocks, commands, labelled
from tests.e2e.repositories import ROOT

KUEUE_MODULE = ROOT / "tests" / "cluster" / "go" / "kueue"
RELEASE = ROOT / "tekton" / "runs" / "release.yaml"
KUEUE_KINDS = ("clusterqueues", "localqueues", "resourceflavors", "workloadpriorityclasses")
FOR_RUNS = ("Task", "Pipeline", "PersistentVolumeClaim", "ServiceAccount")
COMMAND_TIMEOUT_S = 300


def by_place(found: list[Block]) -> Any:
    """One test a block."""
    return pytest.mark.parametrize("block", found, ids=[block.place for block in found])


@pytest.fixture(scope="module")
def namespace(facts: Facts, session_id: str) -> Iterator[str]:
    """A namespace of these tests' own, with the tasks and pipelines, and nothing that a run in it could harm."""
    name = f"docs-{session_id}"
    rendered = yaml.safe_load_all(facts.kubectl("kustomize", str(IMAGES_OVERLAY)))
    wanted = [place_in(name, one) for one in rendered if one["kind"] in FOR_RUNS]
    facts.kubectl("create", "namespace", name)
    facts.kubectl("apply", "--filename", "-", stdin=yaml.safe_dump_all(wanted))
    yield name
    facts.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def empty(facts: Facts, session_id: str) -> Iterator[str]:
    """A namespace with nothing in it: what is put to it is judged as at a first installation."""
    name = f"docs-empty-{session_id}"
    facts.kubectl("create", "namespace", name)
    yield name
    facts.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are typed: a checkout with its overlay, and a person's home with keys."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("tekton", "build"):
        (folder / name).symlink_to(ROOT / name)
    for name in ("receivers.txt", "ca.crt", "penstock.key"):
        (folder / name).write_text("json://receiver.example.org\n", encoding="utf-8")
    for name in (".docker/config.json", ".ssh/id_ed25519", ".ssh/known_hosts"):
        file = folder / "home" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def kueue(facts: Facts) -> Iterator[None]:
    """Kueue's definitions, unless the cluster has them; they go again."""
    there = facts.kubectl("get", "crd", "--output=name")
    absent = [kind for kind in KUEUE_KINDS if f"{kind}.kueue.x-k8s.io" not in there]
    module = subprocess.run(
        ["go", "mod", "download", "-json", "sigs.k8s.io/kueue"],
        cwd=KUEUE_MODULE,
        env=dict(os.environ) | {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(json.loads(module.stdout)["Dir"]) / "config" / "components" / "crd" / "bases"
    for kind in absent:
        facts.kubectl("apply", "--server-side", "--filename", str(folder / f"kueue.x-k8s.io_{kind}.yaml"))
    names = [f"crd/{kind}.kueue.x-k8s.io" for kind in KUEUE_KINDS]
    facts.kubectl("wait", "--for=condition=Established", *names)
    yield
    if absent:
        facts.kubectl("delete", "crd", *[f"{kind}.kueue.x-k8s.io" for kind in absent])


def place_in(namespace: str, manifest: Object) -> Object:
    """The manifest, in another namespace."""
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def test_every_block_says_what_is_to_be_done_with_it() -> None:
    unknown = [f"{block.place}: {block.label}" for page in PAGES for block in blocks(page) if block.label not in KNOWN]
    assert unknown == []
    assert len(labelled("sh checked")) >= 6
    assert len(labelled("yaml", "yaml kueue")) >= 6


@by_place(labelled("yaml"))
def test_the_api_server_accepts_the_manifest(block: Block, facts: Facts, empty: str) -> None:
    for manifest in yaml.safe_load_all(block.text):
        accept(facts, empty, manifest)


@by_place(labelled("yaml run"))
def test_the_run_is_accepted(block: Block, facts: Facts, empty: str) -> None:
    manifest = yaml.safe_load(RELEASE.read_text(encoding="utf-8"))
    manifest["spec"] |= yaml.safe_load(block.text)
    accept(facts, empty, place_in(empty, manifest))


@by_place(labelled("yaml kueue"))
def test_kueue_s_definitions_accept_the_manifest(block: Block, facts: Facts, empty: str, kueue: None) -> None:
    for manifest in yaml.safe_load_all(block.text):
        accept(facts, empty, manifest)


def accept(facts: Facts, empty: str, manifest: Object) -> None:
    """Put a manifest to the API server without consequences; what is new to it goes to the empty namespace."""
    if "namespace" in manifest["metadata"]:
        manifest = place_in(empty, manifest)
    facts.kubectl("create", "--dry-run=server", "--filename", "-", stdin=yaml.safe_dump(manifest))


@by_place(labelled("yaml kustomization", "yaml patches"))
def test_the_overlay_is_accepted_and_changes_something(
    block: Block, facts: Facts, checkout: Path, empty: str, tmp_path: Path
) -> None:
    overlay = yaml.safe_load(block.text)
    if block.label == "yaml patches":
        overlay = {"resources": ["../build/install"], "patches": overlay}
    overlay["namespace"] = empty
    site = checkout / f"site-{block.page}-{block.line}"
    site.mkdir()
    (site / "kustomization.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    made = list(yaml.safe_load_all(facts.kubectl("kustomize", str(site))))
    plain = [place_in(empty, one) for one in yaml.safe_load_all(facts.kubectl("kustomize", str(IMAGES_OVERLAY)))]
    changed = [one for one in made if one["kind"] in namespaced(made, empty) and one not in plain]
    assert {one["kind"] for one in changed} == {patch["target"]["kind"] for patch in overlay["patches"]}
    facts.kubectl("apply", "--dry-run=server", "--filename", "-", stdin=yaml.safe_dump_all(changed))


def namespaced(manifests: list[Object], namespace: str) -> set[str]:
    """The kinds that are in the namespace; others an overlay's ``namespace`` changes, too."""
    return {one["kind"] for one in manifests if one["metadata"].get("namespace") == namespace} - {"RoleBinding"}


@by_place(labelled("yaml pod-template"))
def test_tkn_takes_the_pod_template(block: Block, facts: Facts, namespace: str, tmp_path: Path) -> None:
    file = tmp_path / "pod-template.yaml"
    file.write_text(block.text, encoding="utf-8")
    started = facts.tkn(
        *("pipeline", "start", "release", "--namespace", namespace, "--use-param-defaults", "--dry-run"),
        *("--param", "url=https://git.example.org/m.git", "--param", "revision=v1", "--param", "store=s3://releases"),
        *("--workspace", "name=work,claimName=penstock-work", "--pod-template", str(file)),
    )
    manifest = yaml.safe_load(started)
    assert manifest["spec"]["taskRunTemplate"]["podTemplate"] == yaml.safe_load(block.text)
    facts.kubectl("create", "--dry-run=server", "--filename", "-", stdin=started)


@by_place(labelled("json lifecycle"))
def test_the_life_cycle_is_one(block: Block) -> None:
    """Held against the API's own model: a bucket with life cycles takes money to have."""
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="none", aws_secret_access_key="none")
    operation = client.meta.service_model.operation_model("PutBucketLifecycleConfiguration")
    report = ParamValidator().validate(json.loads(block.text), operation.input_shape.members["LifecycleConfiguration"])
    assert not report.has_errors(), report.generate_report()


@by_place(labelled("sh dry-run"))
def test_the_api_server_would_do_it(block: Block, facts: Facts, installed: Installed, checkout: Path) -> None:
    for command in commands(block):
        assert command.startswith("kubectl "), f"{block.place}: only kubectl has --dry-run=server: {command}"
        run_in(checkout, facts, f"{command} --dry-run=server", facts.kubeconfig)


def test_the_commands_do_as_the_pages_say(facts: Facts, checkout: Path, namespace: str, tmp_path: Path) -> None:
    """All of them in the order of the pages, in a namespace of their own; the runs that they start are deleted."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_bytes(facts.kubeconfig.read_bytes())
    for block in labelled("sh checked"):
        text = block.text.replace("--namespace=penstock", f"--namespace={namespace}")
        print(f"{block.place}:\n{run_in(checkout, facts, text, kubeconfig)}")  # noqa: T201
    started = json.loads(facts.kubectl("get", "pipelineruns", "--namespace", namespace, "--output=json"))["items"]
    names = [item["metadata"]["name"] for item in started]
    facts.tkn("pipelinerun", "delete", "--force", "--namespace", namespace, "--ignore-running=false", *names)
    assert [item["spec"]["pipelineRef"]["name"] for item in started] == ["release", "release"], "begun, and once more"
    first, again = (item["spec"] for item in started)
    assert first == again
    secrets = facts.kubectl("get", "secrets", "--namespace", namespace, "--output=name").split()
    kinds = ("store", "registry", "git", "git-ssh", "receivers", "pulls")
    assert {f"secret/penstock-{kind}" for kind in kinds} <= set(secrets)


def run_in(checkout: Path, facts: Facts, script: str, kubeconfig: Path) -> str:
    """Run what a person would type; returns what was said."""
    programs = [str(Path(program).parent) for program in (facts.kubectl_program, facts.tkn_program)]
    environment = {
        "PATH": os.pathsep.join([*programs, os.environ["PATH"]]),
        "HOME": str(checkout / "home"),
        "KUBECONFIG": str(kubeconfig),
        "NO_COLOR": "1",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GIT_TOKEN": "token",
        "FORGE_TOKEN": "token",
        "HF_TOKEN": "token",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"$ {script}\nended with {done.returncode}: {done.stdout}"
    return done.stdout
