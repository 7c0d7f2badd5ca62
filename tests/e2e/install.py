"""Penstock on the cluster, as its documentation says: an overlay over that of ``make images``, and the secrets."""

from __future__ import annotations

import base64
import json
import secrets
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.e2e.api import Object
from tests.e2e.facts import Facts
from tests.e2e.repositories import ROOT

NAMESPACE = "penstock"
IMAGES_OVERLAY = ROOT / "build" / "install"
OVERLAY = ROOT / "build" / "e2e" / "install"
POD_TEMPLATE = ROOT / "tekton" / "runs" / "pod-template.yaml"
CLAIM = "penstock-work"
STORAGE_CLASS = "penstock"
STORE_SECRET = "penstock-store"
REGISTRY_SECRET = "penstock-registry"
REGISTRY_USER = "e2e"
TRIGGERS = ("github-release", "github-verify", "github-weights", "gitlab-release", "gitlab-verify")
SIGNING_SECRET = "penstock-signing"
MIRRORS = "penstock-mirrors"
MIRRORED = "docker.io"
LISTED = "/spec/interceptors/1/params/0/value/0"
"""Where a trigger's list of repositories stands."""


@dataclass(frozen=True)
class Place:
    """What a site says once: where evidence, images and repositories are."""

    store: str
    registry: str
    repositories: str
    """Address that all repositories begin with."""


@dataclass(frozen=True)
class Installed:
    """The secrets that were made up for this session."""

    registry_password: str
    """The registry asks for none: whoever sees it has seen the secret."""
    webhooks: dict[str, str]
    """Forge → what its events are signed with."""
    signing_key: str
    """What verdicts are signed with, PEM."""
    public_key: str
    """What verifies them, PEM."""


def install(facts: Facts, place: Place) -> Installed:
    """Install, or bring up to date what an earlier session installed."""
    images = IMAGES_OVERLAY / "kustomization.yaml"
    assert images.is_file(), f"{images} is missing: run `make images` first, or `make e2e`"
    OVERLAY.mkdir(parents=True, exist_ok=True)
    (OVERLAY / "kustomization.yaml").write_text(yaml.safe_dump(overlay(place), sort_keys=False), encoding="utf-8")
    facts.kubectl("apply", "--kustomize", str(OVERLAY), timeout_s=300)
    webhooks = {forge: secrets.token_urlsafe(24) for forge in ("github", "gitlab")}
    made = Installed(secrets.token_urlsafe(24), webhooks, *signing_keys())
    content = [
        mirror_of(facts),
        secret(STORE_SECRET, store_keys(facts)),
        secret(REGISTRY_SECRET, {"config.json": registry_config(facts, made.registry_password)}),
        secret(SIGNING_SECRET, {"penstock.key": made.signing_key}),
        *(secret(f"penstock-{forge}", {"token": token}) for forge, token in made.webhooks.items()),
    ]
    apply(facts, content)
    listener = f"eventlistener/{NAMESPACE}"
    facts.kubectl("wait", "--namespace", NAMESPACE, "--for=condition=Available", listener, "--timeout=600s")
    return made


def overlay(place: Place) -> Object:
    """The kustomization of this site."""
    settings = {
        "store": place.store,
        "registry": place.registry,
        "tls-verify": "false",
        "allow-http": "true",
    }
    values = [
        {"op": "replace", "path": "/spec/params", "value": [{"name": k, "value": v} for k, v in settings.items()]}
    ]
    listed = {"key": "repositories", "expression": f'["{place.repositories}"]'}
    trigger = [{"op": "replace", "path": LISTED, "value": listed}]
    # two cores hold no more than one step of a whole one beside the cluster itself
    small = [{"op": "replace", "path": "/spec/steps/0/computeResources/requests/cpu", "value": "50m"}]
    mirrors = [
        {"op": "add", "path": "/spec/volumes", "value": [{"name": MIRRORS, "configMap": {"name": MIRRORS}}]},
        # a fork's image is built in a container of its own, the first
        *(
            {
                "op": "add",
                "path": f"/spec/steps/{step}/volumeMounts",
                "value": [{"name": MIRRORS, "mountPath": "/etc/containers/registries.conf.d"}],
            }
            for step in (0, 1)
        ),
        {"op": "replace", "path": "/spec/steps/1/computeResources/requests/cpu", "value": "50m"},
    ]
    changes = [("TriggerBinding", "settings", values), ("Task", "build", mirrors), ("Task", ".*", small)]
    changes += [("Trigger", name, trigger) for name in TRIGGERS]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../../install"],
        "patches": [
            {"target": {"kind": kind, "name": name}, "patch": yaml.safe_dump(patch)} for kind, name, patch in changes
        ],
    }


def mirror_of(facts: Facts) -> Object:
    """Where the build finds docker.io: the cluster's own registry, over http."""
    mirror = f'[[registry]]\nprefix = "{MIRRORED}"\nlocation = "{facts.registry}"\ninsecure = true\n'
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": MIRRORS},
        "data": {"mirrors.conf": mirror},
    }


def apply(facts: Facts, manifests: list[Object]) -> None:
    """Apply manifests in Penstock's namespace."""
    facts.kubectl("apply", "--namespace", NAMESPACE, "--filename", "-", stdin=yaml.safe_dump_all(manifests))


def claim(name: str, *, size: str = "4Gi", storage_class: str = STORAGE_CLASS) -> Object:
    """A volume of one's own for the workspace ``work``."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": storage_class,
            "resources": {"requests": {"storage": size}},
        },
    }


def signing_keys() -> tuple[str, str]:
    """A key and its public half, as ``openssl genpkey`` and ``openssl pkey -pubout`` write them."""
    generate = ["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
    private = subprocess.run(generate, check=True, capture_output=True, text=True).stdout
    publish = ["openssl", "pkey", "-pubout"]
    return private, subprocess.run(publish, check=True, capture_output=True, text=True, input=private).stdout


def secret(name: str, content: dict[str, str]) -> Object:
    """A secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": content}


def store_keys(facts: Facts) -> dict[str, str]:
    """The keys of the store's secret, as ``penstock.store.s3`` reads them."""
    return {
        "AWS_ACCESS_KEY_ID": facts.s3.access_key,
        "AWS_SECRET_ACCESS_KEY": facts.s3.secret_key,
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": facts.s3.endpoint,
    }


def registry_config(facts: Facts, password: str) -> str:
    """``config.json`` of the registry's credentials."""
    word = base64.b64encode(f"{REGISTRY_USER}:{password}".encode()).decode()
    return json.dumps({"auths": {facts.registry: {"auth": word}}})


def write_keys(facts: Facts, folder: Path) -> Path:
    """The store's credentials as a directory, for this process's own use of the store."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in store_keys(facts).items():
        (folder / name).write_text(value, encoding="utf-8")
    return folder
