"""What the scout is sent to look for, and reading what it found."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.facts import Facts
from tests.e2e.install import REGISTRY_USER, Installed, registry_config
from tests.e2e.outside import Outside

from penstock.bundle.directory import Bundle

MODEL_LOG = "model.log"


def looking_for(facts: Facts, installed: Installed, outside: Outside) -> dict[str, Any]:
    """Secrets by digest, addresses and names: ``looking_for.json`` of the scout."""
    auth = json.loads(registry_config(facts, installed.registry_password))["auths"][facts.registry]["auth"]
    secrets = {
        "S3 access key": facts.s3.access_key,
        "S3 secret key": facts.s3.secret_key,
        "registry password": installed.registry_password,
        f"registry login of {REGISTRY_USER}": auth,
        "signing key": installed.signing_key,
        **{f"webhook secret of {forge}": value for forge, value in installed.webhooks.items()},
    }
    addresses = {
        "API server": ["10.96.0.1", 443],
        "API server on the node": [urlsplit(facts.git).hostname, 6443],
        "kubelet": [urlsplit(facts.git).hostname, 10250],
        "cluster DNS": ["10.96.0.10", 53],
        "S3": _address(facts.s3.endpoint),
        "registry": _address(f"http://{facts.registry}"),
        "git": _address(facts.git),
        "the internet": [outside.address, outside.port],
    }
    return {
        "secrets": {name: hashlib.sha256(value.encode()).hexdigest() for name, value in secrets.items()},
        "addresses": addresses,
        "names": ["kubernetes.default.svc.cluster.local"],
    }


def found(bundle: Bundle) -> list[dict[str, Any]]:
    """What the scout reported, once for each start of the model: from the model's log in the bundle."""
    lines = [
        line
        for file in sorted(bundle.path.rglob(MODEL_LOG))
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
    ]
    return [json.loads(line) for line in lines if line.startswith('{"event": "scouted"')]


def _address(url: str) -> list[Any]:
    parts = urlsplit(url)
    return [parts.hostname, parts.port]
