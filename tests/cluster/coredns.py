"""Cluster DNS: CoreDNS as a pod behind 10.96.0.10, with the labels that policies of real clusters name."""

from __future__ import annotations

import socket
import struct
import tempfile
from pathlib import Path

from tests.cluster import process
from tests.cluster.kubectl import kubectl
from tests.cluster.oci import Image, Registry, write_layer
from tests.cluster.settings import Settings

from penstock.foundation.errors import WorldError

REPOSITORY = "coredns"
MANIFEST = Path(__file__).parent / "manifests" / "coredns.yaml"
READY_TIMEOUT_S = 90


def start(settings: Settings) -> None:
    """Push the image, apply the manifest, and wait until a service's name resolves."""
    digest = push(settings)
    manifest = (
        MANIFEST.read_text()
        .replace("IMAGE", f"penstock.local/{REPOSITORY}@{digest}")
        .replace("CLUSTER_IP", settings.dns_service)
    )
    kubectl(settings, "apply", "--server-side", "--force-conflicts", "-f", "-", stdin=manifest)
    if not process.wait_until(lambda: resolves(settings), READY_TIMEOUT_S):
        pods = kubectl(settings, "-n", "kube-system", "get", "pods,events", "-o", "wide")
        raise WorldError(f"CoreDNS does not answer at {settings.dns_service}:\n{pods}")


def push(settings: Settings) -> str:
    """Push CoreDNS's image, one static program, unless the registry has it. Returns the digest."""
    program = settings.binary("coredns")
    registry, tag = Registry(settings.registry), program.parent.name
    if (digest := registry.digest(REPOSITORY, tag)) is not None:
        return digest
    with tempfile.TemporaryDirectory(dir=settings.state) as folder:
        layer = write_layer(Path(folder) / "layer", [("coredns", program)])
        image = Image(layers=(layer,), entrypoint=("/coredns",))
        return registry.push(REPOSITORY, tag, image)


def resolves(settings: Settings, name: str = "kubernetes.default.svc.cluster.local") -> bool:
    """Whether the cluster's DNS has an address for ``name``: one question over UDP."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    question = struct.pack(">HHHHHH", 1, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", 1, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(1)
        try:
            client.sendto(question, (settings.dns_service, 53))
            answer = client.recv(512)
        except OSError:
            return False
    code, answers = answer[3] & 0x0F, struct.unpack(">H", answer[6:8])[0]
    return code == 0 and answers > 0
