"""The services as their pages say they are switched on, in a namespace of the test's own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from tests.e2e.api import Api, Object
from tests.e2e.facts import Facts
from tests.e2e.pages import Block, blocks
from tests.e2e.repositories import ROOT
from tests.e2e.test_network import ended, manifest, wait
from tests.unit.evaluation.probed_services import ANSWER

WATCH_PORT = 8080
OVERLAY = ROOT / "build" / "e2e" / "served"
MODEL_PORT = 8000
MODEL = f"""
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        said = {json.dumps(ANSWER).encode()!r}
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    def log_message(self, *args):
        pass
http.server.ThreadingHTTPServer(("", {MODEL_PORT}), Handler).serve_forever()
"""
"""Both sides of the canary: one that answers as it is on record."""
LET_IN_WITHIN_S = 60.0
"""A network plugin lets a pod in when it has heard of it: on an idle node some tenths of a second after its start."""
ASK = """
import json, sys, time, urllib.error, urllib.request
end = time.monotonic() + float(sys.argv[2])
def ask(url, token):
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    try:
        with urllib.request.urlopen(request, timeout=4) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, ""
    except OSError as error:
        return 0, str(error)
found = {}
for name, place in json.loads(sys.argv[1]).items():
    found[name] = ask(*place)
    while found[name][0] == 0 and time.monotonic() < end:
        time.sleep(0.2)
        found[name] = ask(*place)
print(json.dumps(found))
"""
Answers = dict[str, tuple[int, str]]
"""What was asked → status, 0 where nobody answered; and the content."""


def page_blocks(page: str, label: str) -> list[Block]:
    """The blocks of a page that carry a label, but for those that are a proxy's, which there is none of."""
    return [block for block in blocks(ROOT / "docs" / page) if block.label == label and "--proxy" not in block.text]


@dataclass(frozen=True)
class Served:
    """Where the services are."""

    facts: Facts
    namespace: str
    api: Api
    image: str
    """Has a Python: that of the book."""

    def ask(self, name: str, places: dict[str, tuple[str, str]], **labels: str) -> Answers:
        """What a pod with this name and these labels is answered; each place is a URL and a token, or none.

        One with labels is to be let in: where nobody answers it, it asks again for ``LET_IN_WITHIN_S``.
        """
        named = {f"penstock.dev/{key.replace('_', '-')}": value for key, value in labels.items()}
        command = ["python3", "-c", ASK, json.dumps(places), str(LET_IN_WITHIN_S if labels else 0)]
        self.api.create(self.api.collection("pods"), manifest(name, named, self.image, command))
        wait(self.api, name, ended)
        found = json.loads(self.api.text(f"{self.api.collection('pods')}/{name}/log"))
        return {one: (status, content) for one, (status, content) in found.items()}

    def wait_until_served(self, name: str) -> None:
        """Wait for all pods of a Deployment, and for none of earlier ones."""
        self.facts.kubectl("rollout", "status", f"deployment/{name}", "--namespace", self.namespace, "--timeout=120s")

    def secrets(self, facts: Facts, folder: Path) -> list[str]:
        """Type the page's commands that make the secrets; returns what they print: the tokens."""
        program = shlex.join([facts.kubectl_program, "--namespace", self.namespace])
        keys = {"AWS_ACCESS_KEY_ID": facts.s3.access_key, "AWS_SECRET_ACCESS_KEY": facts.s3.secret_key}
        environment = dict(os.environ) | keys | {"AWS_ENDPOINT_URL": facts.s3.endpoint}
        text = "".join(block.text for block in page_blocks("serve.md", "sh checked"))
        text = f'set -e\nkubectl() {{ {program} "$@" >&2; }}\n{text}'
        done = subprocess.run(
            ["bash", "-c", text],
            cwd=folder,
            env=environment | {"KUBECONFIG": str(facts.kubeconfig)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split()


def overlay(folder: Path, namespace: str, store: str, policy: Object) -> None:
    """Write the pages' overlays as one: the book with ratings, and the watch, whose repository is on plain http."""
    texts = [block.text for page in ("serve.md", "watch.md") for block in page_blocks(page, "yaml kustomization")]
    patches = [patch for text in texts for patch in yaml.safe_load(text)["patches"]]
    patches += [patch for block in page_blocks("serve.md", "yaml patches") for patch in yaml.safe_load(block.text)]
    http = [{"op": "add", "path": "/spec/template/spec/containers/0/args/-", "value": "--param=allow-http=true"}]
    patches.append({"target": {"kind": "Deployment", "name": "watch"}, "patch": yaml.safe_dump(http)})
    generated = [found for text in texts for found in yaml.safe_load(text).get("configMapGenerator", [])]
    made = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": namespace,
        "resources": ["../../install"],
        "configMapGenerator": generated,
        "patches": patches,
    }
    text = yaml.safe_dump(made).replace("s3://releases/penstock", store)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kustomization.yaml").write_text(text, encoding="utf-8")
    (folder / "watch.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")


def services(facts: Facts, folder: Path, *names: str) -> list[Object]:
    """Of what the overlay installs, these services: not another listener, nor the cluster's own."""
    wanted = {*names, *(f"penstock-{name}" for name in names)}
    rendered = [one for one in yaml.safe_load_all(facts.kubectl("kustomize", str(folder))) if one]
    return [one for one in rendered if one["metadata"]["name"] in wanted or "watch.yaml" in one.get("data", {})]


def deployed_watch(facts: Facts, namespace: str, policy: Object) -> str:
    """The watch in a namespace, with a policy without probes; returns the address that the node asks it by."""
    folder = OVERLAY.with_name("watch")
    overlay(folder, namespace, "s3://none", policy)
    where = ("--namespace", namespace)
    facts.kubectl("apply", *where, "--filename", "-", stdin=yaml.safe_dump_all(services(facts, folder, "watch")))
    facts.kubectl("rollout", "status", "deployment/watch", *where, "--timeout=180s")
    address = facts.kubectl("get", "service", "watch", *where, "--output=jsonpath={.spec.clusterIP}").strip()
    return f"http://{address}:{WATCH_PORT}"


@contextmanager
def serving(facts: Facts, session: str) -> Iterator[Served]:
    """A namespace, with a model for both sides of the canary in it; removed at the end."""
    namespace = f"served-{session}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    made = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
    facts.kubectl("create", "--filename", "-", stdin=json.dumps(made))
    api = Api(facts.kubeconfig, namespace)
    rendered = yaml.safe_load_all(facts.kubectl("kustomize", str(ROOT / "build" / "install")))
    (image,) = [
        one["spec"]["template"]["spec"]["containers"][0]["image"]
        for one in rendered
        if one["kind"] == "Deployment" and one["metadata"]["name"] == "serve"
    ]
    try:
        pod = manifest("model", {"app": "model"}, image, ["python3", "-c", MODEL])
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "model"},
            "spec": {"selector": {"app": "model"}, "ports": [{"port": MODEL_PORT}]},
        }
        facts.kubectl("apply", "--namespace", namespace, "--filename", "-", stdin=yaml.safe_dump_all([pod, service]))
        yield Served(facts, namespace, api, image)
    finally:
        api.close()
        facts.kubectl("delete", "namespace", namespace, "--wait=false")
